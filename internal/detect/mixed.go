package detect

// Numbers with letters in them: bank accounts, and the national numbers of
// those countries that check with a letter.

// word looks at a word in which the digits at i are the first, behind letters.
func (sc *scanner) word(i int) int {
	s := sc.s
	start := i - 1
	for start > 0 && i-start < 7 && isLetter(s[start-1]) {
		start--
	}
	end := i + 1
	for end < len(s) && class[s[end]]&(digitClass|letter) != 0 {
		end++
	}
	letters := i - start
	switch {
	case start > 0 && s[start-1] == '\\' && letters > 1 && letters < 7 && (s[start] == 'n' || s[start] == 't' || s[start] == 'r'):
		start++ // an escaped line end
		letters--
	case letters > 6 || s[start] == '_' || start < sc.floor || joins(s[:start]):
		return sc.skipWord(end)
	}
	if end-start <= 4 && (end < len(s) && s[end] == ':' || start > 0 && s[start-1] == ':') {
		if stop, ok := sc.ipv6(i); ok {
			return stop
		}
	}
	if start > 1 && (s[start-1] == '-' || s[start-1] == '.') && isWord(s[start-2]) {
		return sc.skipWord(end)
	}
	if letters == 2 {
		if stop := sc.iban(start); stop > 0 {
			return stop
		}
	}
	if stop := sc.coded(start, end); stop > 0 {
		return stop
	}
	if end < len(s) && s[end] == '-' {
		if letters == 1 { // X-1234567-L and 1234567-L
			if stop := sc.hyphened(start, end); stop > 0 {
				return stop
			}
		}
		return uuid(s, start, end)
	}
	return sc.skipWord(end)
}

// uuid is where the UUID of which the first part stands from start to end
// stops; end when there is none.
func uuid(s string, start, end int) int {
	if end-start == 8 && start+36 <= len(s) && s[start+13] == '-' && s[start+18] == '-' && s[start+23] == '-' {
		return start + 36
	}
	return end
}

// mixed looks at a word that begins with the digits from i to end.
func (sc *scanner) mixed(i, end int) int {
	s := sc.s
	stop := end + 1
	for stop < len(s) && class[s[stop]]&(digitClass|letter) != 0 {
		stop++
	}
	if stop-i <= 4 && stop < len(s) && s[stop] == ':' {
		if stop, ok := sc.ipv6(i); ok {
			return stop
		}
	}
	if i > 1 && (s[i-1] == '-' || s[i-1] == '.' || s[i-1] == '/') && isWord(s[i-2]) {
		if s[i-1] == '-' && end-i == 7 && (i == 2 || !joins(s[:i-2])) { // the rest of X-1234567L
			if stop := sc.hyphened(i-2, i-1); stop > 0 {
				return stop
			}
		}
		return sc.skipWord(stop)
	}
	if end-i == 6 && stop-i >= 10 {
		if stop := sc.finland(i); stop > 0 {
			return stop
		}
	}
	if at := sc.coded(i, stop); at > 0 {
		return at
	}
	if x := s[end] | 0x20; x == 'x' && end+1 < len(s) && isDigit(s[end+1]) && end-i >= 4 { // an extension
		n := &sc.n
		n.read(s, i)
		if compound := sc.compound(n, i, i); !compound {
			if at := sc.phone(n, compound); at > 0 {
				return at
			}
		}
	}
	if stop < len(s) && s[stop] == '-' {
		return uuid(s, i, stop)
	}
	return sc.skipWord(stop)
}

// code is a national number that has letters at certain places.
type code struct {
	form     string // n digit, a letter, else itself
	of       meaning
	check    func(string) bool
	alone    bool // peculiar enough to need no word beside it
	unproved bool
}

var codes = []code{
	{"aaaaaannannannna", ofItaly | ofTax, italy, true, false},
	{"aaaannnnnnaaaaaacn", ofMexico, mexico, true, false},
	{"nnnnnnnna", ofSpain | ofTax, spainDNI, false, false},
	{"annnnnnna", ofSpain | ofTax, spainNIE, false, false},
	{"annnnnnna", ofSingapore | ofTax, singapore, false, false},
	{"aannnnnna", ofInsurance, insurance, false, true},
	{"aaaaannnna", ofIndiaPAN | ofTax, indiaPAN, false, true},
	{"nnnnnnna", ofIreland | ofTax, ireland, false, false},
	{"nnnnnnnaa", ofIreland | ofTax, ireland, false, false},
	{"annnnnnnnn", ofTaiwan | ofTax, taiwan, false, false},
	{"nnnnnnnnnnnnnnnnnc", ofChina, china, true, false},
	{"nnnnnnnnk", ofChile, chile, false, false},
	{"nnnnn2annnnnnnn", ofFrance | ofTax, corsica, false, false},
}

// codesOf lists codes by their length.
var codesOf = func() (t [19][]*code) {
	for i := range codes {
		t[len(codes[i].form)] = append(t[len(codes[i].form)], &codes[i])
	}
	return t
}()

// coded looks at the word from start to end.
func (sc *scanner) coded(start, end int) int {
	if end-start >= len(codesOf) {
		return 0
	}
	word := sc.s[start:end]
	for _, c := range codesOf[len(word)] {
		if c.fits(word) && c.check(word) && endsAt(sc.s, end) && (c.alone || sc.named(start, c.of)) {
			return sc.hit(start, end, NationalID, !c.unproved)
		}
	}
	return 0
}

// named reports whether the words before a value call it one of these.
func (sc *scanner) named(start int, of meaning) bool {
	near := sc.before(start)
	distance, said := near.says(of, notNational)
	return said && (distance < 6 || distance >= near.own)
}

func (c *code) fits(word string) bool {
	for i := range len(word) {
		switch f, b := c.form[i], word[i]; f {
		case 'n':
			if !isDigit(b) {
				return false
			}
		case 'a':
			if !isLetter(b) {
				return false
			}
		case 'c':
			if !isDigit(b) && !isLetter(b) {
				return false
			}
		default:
			if b|0x20 != f {
				return false
			}
		}
	}
	return true
}

// hyphened reads X-1234567-L, X1234567-L and X-1234567L, as Spain prints them.
func (sc *scanner) hyphened(start, i int) int {
	s := sc.s
	var buf [9]byte
	n := 0
	end := start
	for end < len(s) && n < len(buf) && end-start < 12 {
		switch c := s[end]; {
		case class[c]&(digitClass|letter) != 0:
			buf[n] = c
			n++
		case c != '-':
			return 0
		}
		end++
	}
	c := code{form: "annnnnnna"}
	if n == len(buf) && c.fits(string(buf[:])) && spainNIE(string(buf[:])) && endsAt(s, end) && sc.named(start, ofSpain|ofTax) {
		return sc.hit(start, end, NationalID, true)
	}
	return 0
}

// finland reads the personal identity code that begins at i: a birthday, a sign
// for the century, three digits and a check character.
func (sc *scanner) finland(i int) int {
	s := sc.s
	if i+11 > len(s) || !allDigits(s[i:i+6]) || !allDigits(s[i+7:i+10]) {
		return 0
	}
	switch c := upper(s[i+6]); {
	case c == '-', c == '+', c >= 'A' && c <= 'F', c >= 'U' && c <= 'Y':
	default:
		return 0
	}
	const check = "0123456789ABCDEFHJKLMNPRSTUVWXY"
	v := number64([]byte(s[i:i+6]))*1000 + number64([]byte(s[i+7:i+10]))
	if check[v%31] != upper(s[i+10]) || !birthday([]byte(s[i:i+6]), 2, 0) || !endsAt(s, i+11) || !sc.named(i, ofFinland|ofTax) {
		return 0
	}
	return sc.hit(i, i+11, NationalID, true)
}

// spacedInsurance reads "AB 12 34 56 C", of which n is the digits.
func (sc *scanner) spacedInsurance(n *number) int {
	s := sc.s
	start, end := n.group[0].start-3, n.group[2].end
	if n.groups != 3 || start < sc.floor || s[start+2] != ' ' || !isLetter(s[start]) || !isLetter(s[start+1]) || joins(s[:start]) {
		return 0
	}
	if end < len(s) && s[end] == ' ' {
		end++
	}
	if end >= len(s) || !isLetter(s[end]) || !endsAt(s, end+1) || !insurance(string([]byte{s[start], s[start+1], s[end]})) || !sc.named(start, ofInsurance) {
		return 0
	}
	return sc.hit(start, end+1, NationalID, false)
}

// lettered reads 12345678-Z and 12345678 Z, of which the number is the digits.
func (sc *scanner) lettered(n *number) int {
	s, end := sc.s, n.group[0].end
	if end+1 >= len(s) || s[end] != '-' && s[end] != ' ' || !isLetter(s[end+1]) || !endsAt(s, end+2) {
		return 0
	}
	var dni [9]byte
	copy(dni[:], n.digits[:8])
	dni[8] = s[end+1]
	if !spainDNI(string(dni[:])) || !sc.named(n.group[0].start, ofSpain|ofTax) {
		return 0
	}
	return sc.hit(n.group[0].start, end+2, NationalID, true)
}
