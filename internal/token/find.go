package token

import "strings"

// text is what can be searched.
type text interface{ ~string | ~[]byte }

// Append adds the candidates in text to dst, in the order of their ends. It
// makes one pass and allocates only when dst has no room. Two may overlap, when
// an escape precedes one; at most one of them is in the table.
//
// Tokens are found as they stand in JSON, forms, URLs, HTML and plain text, also
// right behind an escape (\n, %20, =3D), and whether the vendor kept the case of
// letters or not. What quoted-printable or base64 hides must be decoded first.
func (m *Maker) Append(dst []Candidate, text []byte) []Candidate { return search(m, dst, text) }

// AppendString is Append for a string.
func (m *Maker) AppendString(dst []Candidate, text string) []Candidate { return search(m, dst, text) }

// What a byte may be part of.
const (
	classWord  = 1 << iota // a letter or digit
	classCore              // of the alphabet, in either case
	classHex               // a hexadecimal digit
	classDigit             //
	classUpper             //
	classLower             //
)

var classes = func() (t [256]byte) {
	for _, set := range []struct {
		of    string
		class byte
	}{
		{"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", classWord},
		{alphabet + strings.ToUpper(alphabet), classCore},
		{hexDigits + "ABCDEF", classHex},
		{"0123456789", classDigit},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", classUpper},
		{"abcdefghijklmnopqrstuvwxyz", classLower},
	} {
		for i := range len(set.of) {
			t[set.of[i]] |= set.class
		}
	}
	return t
}()

// shortestRun is the length of the shortest run of letters and digits that a
// token has at its end: a telephone number. So one byte in eleven is enough to
// pass over text that has none.
const shortestRun = phoneLength

// search finds the runs of letters and digits that may be tokens. No run that
// was not looked at begins before text[at-shortestRun+1].
func search[T text](m *Maker, dst []Candidate, t T) []Candidate {
	for at := shortestRun - 1; at < len(t); {
		if classes[t[at]]&classWord == 0 {
			at += shortestRun
			continue
		}
		start := at
		for start > 0 && at-start < shortestRun-1 && classes[t[start-1]]&classWord != 0 {
			start--
		}
		if at-start < shortestRun-1 { // the run begins here, and may be long enough
			at = start + shortestRun - 1
			continue
		}
		end := at + 1
		for end < len(t) && classes[t[end]]&classWord != 0 {
			end++
		}
		dst = run(m, dst, t, start, end)
		at = end + shortestRun
	}
	return dst
}

// run looks at one run of letters and digits, and, where an escape may precede
// it of which its first letters are a part, at what is then left. Both may come
// out right.
func run[T text](m *Maker, dst []Candidate, t T, start, end int) []Candidate {
	if end-start > longestHex+longestEscape {
		return dst
	}
	if c, ok := whole(m, t, start, end); ok {
		dst = append(dst, c)
	}
	if start == 0 {
		return dst
	}
	for _, skip := range escape(t, start) {
		if skip > 0 && end-start >= shortestRun+skip {
			if c, ok := whole(m, t, start+skip, end); ok {
				dst = append(dst, c)
			}
		}
	}
	return dst
}

// longestEscape is how many letters of an escape may precede a token: u0020.
const longestEscape = 5

// escape says how many letters and digits behind text[:at] may belong to an
// escape that begins right before them.
func escape[T text](t T, at int) [2]int {
	switch t[at-1] {
	case '\\': // JSON: \n, \u0020; C: \x20
		return [2]int{1, longestEscape}
	case '%', '=': // URLs: %20; quoted-printable: =20
		return [2]int{2, 0}
	}
	return [2]int{}
}

// begins reports whether a token may begin at text[at].
func begins[T text](t T, at int) bool {
	if at == 0 || classes[t[at-1]]&classWord == 0 {
		return true
	}
	for back := 1; back <= longestEscape && at-back > 0; back++ {
		if classes[t[at-back]]&classWord == 0 {
			return false
		}
		for _, skip := range escape(t, at-back) {
			if skip == back {
				return true
			}
		}
	}
	return false
}

// whole decides whether text[start:end], or what it is the end of, may be a
// token.
func whole[T text](m *Maker, t T, start, end int) (c Candidate, ok bool) {
	n := end - start
	if n > longestHex {
		return c, false
	}
	both, one := byte(0xff), byte(0)
	for i := start; i < end; i++ {
		class := classes[t[i]]
		both &= class
		one |= class
	}
	switch {
	case n == phoneLength && both&classDigit != 0:
		return phone(m, t, start, end)
	case n == 12 && both&classHex != 0:
		return uuid(m, t, start, end)
	case n == secondWord && one&classDigit == 0:
		return name(m, t, start, end)
	case n == digitsLength && both&classDigit != 0:
		return digits(m, t, start, end)
	}
	if one&classUpper != 0 && one&classLower != 0 && mixed(t, start, end) {
		return c, false
	}
	if n == wordLength && one&classDigit == 0 {
		if c, ok = word(m, t, start, end); ok {
			return c, true
		}
	}
	if n >= shortestCore && n <= longestCore && both&classCore != 0 && coreRight(t, start, end) {
		return core(m, t, start, end), true
	}
	if n >= shortestHex && both&classHex != 0 {
		var b [longestHex]byte
		if d := lower(b[:0], t, start, end); hexRight(d) {
			return Candidate{Start: start, End: end, Key: m.key(d)}, true
		}
	}
	return c, false
}

// mixed reports whether capitals stand anywhere but first, as in base64 and in
// no token: vendors write a token in small letters, in capitals, or as a name.
func mixed[T text](t T, start, end int) bool {
	for i := start + 1; i < end; i++ {
		if classes[t[i]]&classUpper != 0 {
			return true
		}
	}
	return false
}

func lower[T text](b []byte, t T, start, end int) []byte {
	for i := start; i < end; i++ {
		c := t[i]
		if classes[c]&classUpper != 0 {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

func coreRight[T text](t T, start, end int) bool {
	var check byte
	for i := start; i < end; i++ {
		c := t[i] | 0x20 // small letters; digits have the bit
		v := c - 'a'
		if c < 'a' {
			v = c - '2' + 26
		}
		check = step32(check, v)
	}
	return check == core32
}

// core is the candidate of letters that came out right, with what makes an
// address of them where it stands around.
func core[T text](m *Maker, t T, start, end int) Candidate {
	var b [longestCore]byte
	c := Candidate{Start: start, End: end, Key: m.key(lower(b[:0], t, start, end))}
	if end-start != emailCore || start < 2 || t[start-1] != '.' || t[start-2]|0x20 != 'u' {
		return c
	}
	c.Start = start - 2
	at := atSign(t, end)
	if at == "" {
		return c
	}
	for _, host := range [...]string{tokenHost, aliasHost} {
		stop := end + len(at) + len(host) + len(m.domain)
		if hasFold(t, end+len(at), host) && hasFold(t, stop-len(m.domain), m.domain) && !goesOn(t, stop) {
			c.End, c.At = stop, at
			break
		}
	}
	return c
}

// goesOn reports whether a domain goes on at text[at].
func goesOn[T text](t T, at int) bool {
	if at < len(t) && t[at] == '.' {
		at++
	} else if at < len(t) && t[at] == '-' {
		return true
	}
	return at < len(t) && classes[t[at]]&classWord != 0
}

// atSigns are the ways in which an at-sign is written: in URLs, in URLs within
// URLs, JSON, HTML, quoted-printable, and return paths (RFC 3834's VERP).
var atSigns = [...]string{"@", "%40", "%2540", `\u0040`, "&#64;", "&#x40;", "&commat;", "=40", "="}

// atSign is the at-sign that stands at text[at]; "" for none.
func atSign[T text](t T, at int) string {
	if at >= len(t) {
		return ""
	}
	switch t[at] {
	case '@', '%', '\\', '&', '=':
	default:
		return ""
	}
	for _, sign := range atSigns {
		if hasFold(t, at, sign) {
			return sign
		}
	}
	return ""
}

// hasFold reports whether s, in small letters, stands at text[at] in any case.
func hasFold[T text](t T, at int, s string) bool {
	if at+len(s) > len(t) {
		return false
	}
	for i := range len(s) {
		c := t[at+i]
		if classes[c]&classUpper != 0 {
			c += 'a' - 'A'
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

func hexRight(d []byte) bool {
	var check byte
	for _, c := range d {
		v := c - '0'
		if c >= 'a' {
			v = c - 'a' + 10
		}
		check = step256(check, v)
	}
	return check == hex256
}

// uuid looks at the last group of one.
func uuid[T text](m *Maker, t T, start, end int) (c Candidate, ok bool) {
	first := start - 24
	if first < 0 || !begins(t, first) {
		return c, false
	}
	var b [longestHex]byte
	d := b[:0]
	for i := first; i < end; i++ {
		switch i - first {
		case 8, 13, 18, 23:
			if t[i] != '-' {
				return c, false
			}
		default:
			if classes[t[i]]&classHex == 0 {
				return c, false
			}
			d = lower(d, t, i, i+1)
		}
	}
	if !hexRight(d) {
		return c, false
	}
	return Candidate{Start: first, End: end, Key: m.key(d)}, true
}

func digits[T text](m *Maker, t T, start, end int) (c Candidate, ok bool) {
	d := t[start:end]
	if d[0] < '2' || d[0] != leadDigit(d) || d[digitsLength-1] != lastDigit(d) {
		return c, false
	}
	var b [digitsLength]byte
	return Candidate{Start: start, End: end, Key: m.key(append(b[:0], d...))}, true
}

// phone takes a plus sign with the number, also an escaped one.
func phone[T text](m *Maker, t T, start, end int) (c Candidate, ok bool) {
	if t[start] != '1' || t[start+1] < '2' || t[start+2] != '9' {
		return c, false
	}
	var b [phoneLength]byte
	c = Candidate{Start: start, End: end, Key: m.key(append(b[:0], t[start:end]...))}
	for _, plus := range [...]string{"+", "%2b", `\u002b`, "&#43;", "&#x2b;"} {
		if at := start - len(plus); at >= 0 && hasFold(t, at, plus) {
			c.Start = at
			break
		}
	}
	return c, true
}

// name looks at the second word of one.
func name[T text](m *Maker, t T, start, end int) (c Candidate, ok bool) {
	for _, blank := range [...]string{" ", "+", "%20", `\u0020`, "&nbsp;", "&#32;", "_"} {
		stop := start - len(blank)
		first := stop - firstWord
		if first < 0 || !hasFold(t, stop, blank) || !begins(t, first) {
			continue
		}
		var b [longestHex]byte
		d := lower(lower(b[:0], t, first, stop), t, start, end)
		if syllablesRight(d) {
			return Candidate{Start: first, End: end, Key: m.key(d)}, true
		}
	}
	return c, false
}

// word is a name in one word.
func word[T text](m *Maker, t T, start, end int) (c Candidate, ok bool) {
	var b [longestHex]byte
	if d := lower(b[:0], t, start, end); syllablesRight(d) {
		return Candidate{Start: start, End: end, Key: m.key(d)}, true
	}
	return c, false
}

func syllablesRight(d []byte) bool {
	check := 0
	for i := 0; i < len(d); i += 2 {
		v := syllable(d[i], d[i+1])
		switch {
		case v < 0:
			return false
		case i == len(d)-2:
			return check == v
		case i == 0:
			check = v
		default:
			check = (3*check + v) % checkSyllables
		}
	}
	return false
}

// syllable is the number of a syllable, -1 when it is none of a name.
func syllable(c, v byte) int {
	a, b := strings.IndexByte(consonants, c), strings.IndexByte(vowels, v)
	if a < 0 || b < 0 {
		return -1
	}
	return a*len(vowels) + b
}
