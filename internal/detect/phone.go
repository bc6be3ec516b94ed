package detect

import (
	_ "embed"
	"strconv"
	"strings"
)

// codesList has a line per calling code: the code, and the lengths that a
// number behind it may have, as libphonenumber knows them (see tablegen).
//
//go:embed codes.txt
var codesList string

// earlierPlans are lengths that are no longer given out but stand in records:
// Mexican mobiles with a 1 behind the code, as WhatsApp has them, and numbers
// of Côte d'Ivoire from before 2021.
const earlierPlans = "52 11\n225 8\n"

// lengths has, by calling code, a bit for each length of the digits behind it.
var lengths = func() (t [1000]uint16) {
	for line := range strings.Lines(codesList + earlierPlans) {
		f := strings.Fields(line)
		code, err := strconv.Atoi(f[0])
		if err != nil {
			panic("detect: codes.txt: " + err.Error())
		}
		for _, l := range f[1:] {
			n, err := strconv.Atoi(l)
			if err != nil {
				panic("detect: codes.txt: " + err.Error())
			}
			t[code] |= 1 << n
		}
	}
	return t
}()

// international reports whether digits are a calling code and as many digits
// behind it as its country gives out (ITU-T E.164). Short ones are given out
// in places with few people only; elsewhere they are a piece of a number.
func international(d []byte) bool {
	if len(d) < 7 || len(d) > 15 || d[0] == '0' {
		return false
	}
	code := 0
	for i := range 3 {
		code = code*10 + int(d[i]-'0')
		if l := lengths[code]; l != 0 {
			n := len(d) - i - 1
			return l&(1<<n) != 0 && (n >= 7 || l>>8 == 0 || len(d) >= 9 || i == 2 && n >= 5)
		}
	}
	return false
}

// phone takes the number, or its first groups, as a telephone number. It
// returns where to go on, 0 when it is none.
func (sc *scanner) phone(n *number, compound bool) int {
	if n.n < 7 || n.group[0].sep == closing {
		return 0
	}
	if n.plus {
		if compound {
			return 0
		}
		return sc.dialled(n, 0)
	}
	if compound {
		return 0
	}
	if n.digits[0] == '0' && n.digits[1] == '0' && n.digits[2] != '0' && n.len(0) >= 2 {
		if stop := sc.dialled(n, 2); stop > 0 {
			return stop
		}
	}
	return sc.nationalPhone(n)
}

// dialled takes a number with a calling code, behind skip digits of a prefix.
func (sc *scanner) dialled(n *number, skip int) int {
	if skip > 0 && (n.groups == 1 || n.len(0) > 7) {
		if _, said := sc.before(n.start).says(ofPhone|ofCall, notDigits); !said {
			return 0
		}
	}
	words := skip > 0 && n.groups > 1 // 0041 0042 0043 are characters in hex
	for g := range n.groups {
		words = words && n.len(g) == 4
	}
	for groups := n.groups; groups > 0; groups-- {
		var d [maxDigits]byte
		count := 0
		ok := true
		for g := range groups {
			digits := n.digits[n.group[g].from : n.group[g].from+n.len(g)]
			if g > 0 && n.sep(g) == opening && len(digits) == 1 && digits[0] == '0' { // +44 (0)20
				continue
			}
			ok = ok && (g == 0 || n.sep(g) != '/' || g < 3)
			ok = ok && !(words && g > 0 && digits[0] == '0')
			count += copy(d[count:], digits)
		}
		if !ok || count <= skip || !international(d[skip:count]) {
			continue
		}
		if groups == 2 && n.sep(1) == '.' { // +37.7749295 is a latitude
			continue
		}
		if skip > 0 && n.pairs(groups) && sc.dumped(n, groups) {
			continue
		}
		if end, ok := sc.phoneEnds(n, groups); ok {
			if skip > 0 && sc.before(n.start).denies(ofPhone|ofCall, notPhone) {
				return 0
			}
			return sc.hit(n.start, end, Phone, false)
		}
	}
	return 0
}

// nationalPhone takes a number as people write it at home: by its form where
// some country's form is unlike anything else, by what is said of it otherwise.
func (sc *scanner) nationalPhone(n *number) int {
	if n.groups == 1 && n.n >= 12 && !international(n.digits[:n.n]) { // no country's is so long without its code
		return 0
	}
	near := sc.before(n.start)
	for groups := min(n.groups, 6); groups > 1; groups-- {
		if n.upTo(groups) < 9 || !n.formOfPhone(groups) || n.pairs(groups) && sc.dumped(n, groups) {
			continue
		}
		if end, ok := sc.phoneEnds(n, groups); ok && !near.denies(ofPhone|ofCall, notPhone) {
			return sc.hit(n.start, end, Phone, false)
		}
	}
	if n.groups == 1 && n.start == 0 && n.end == len(sc.s) && near.n > 0 && near.words[0].any(ofDialled) && n.n >= 11 && n.n <= 13 &&
		international(n.digits[:n.n]) && (n.digits[0] != '1' || n.digits[1] > '1' && n.digits[4] > '1') {
		return sc.hit(n.start, n.end, Phone, false)
	}
	said := sc.saidPhone(n, near)
	if !said {
		return 0
	}
	for groups := n.groups; groups > 0; groups-- {
		count := n.upTo(groups)
		if count < 7 || count > 15 || count > 12 && groups > 3 || !n.plausible(groups) {
			continue
		}
		if end, ok := sc.phoneEnds(n, groups); ok {
			return sc.hit(n.start, end, Phone, false)
		}
	}
	return 0
}

// saidPhone reports whether the words around the number call it a telephone
// number.
func (sc *scanner) saidPhone(n *number, near *near) bool {
	bare := n.groups == 1
	against := notPhone
	if bare {
		against = notDigits
	}
	distance, said := near.says(ofPhone, against|ofCall)
	reach := 5 // words
	if bare {
		reach = 4
	}
	if said && (distance < reach || distance >= near.own) {
		return true
	}
	// What says only that somebody calls may speak of anything; then the number
	// has to look like one. Of keys ("text", "contact") it says nothing.
	if distance < near.own && near.words[distance].any(ofCall) {
		return distance < 5 && (!bare && n.n >= 7 || bare && n.n >= 9 && n.n <= 12)
	}
	if near.denies(ofPhone, against) {
		return false
	}
	after := sc.after(n.group[n.groups-1].end)
	return after.any(ofPhone) || !bare && after.any(ofPlace)
}

// after is what the word right behind a number that ends at end means: "416 60
// 039 office", "(mobile)". A word in quotes is the next member's key.
func (sc *scanner) after(stop int) meaning {
	s := sc.s
	i := stop
	for limit := i + 3; i < len(s) && i < limit && (s[i] == ' ' || s[i] == '(' || s[i] == '-' || s[i] == '['); {
		i++
	}
	end := i
	for end < len(s) && end-i < maxAfter && isLetter(s[end]) {
		end++
	}
	if end == i || i == stop {
		return 0
	}
	m, _ := meaningOf(s[i:end])
	return m
}

// phoneEnds reports whether a telephone number may end behind the first groups,
// and where, an extension included: "x123".
func (sc *scanner) phoneEnds(n *number, groups int) (int, bool) {
	end := n.group[groups-1].end
	if groups == n.groups && !n.more {
		s := sc.s
		if end+1 < len(s) && s[end]|0x20 == 'x' && isDigit(s[end+1]) {
			stop := end + 1
			for stop < len(s) && isDigit(s[stop]) {
				stop++
			}
			return stop, stop-end < 8 && (endsAt(s, stop) || s[stop] == '-' && sc.after(stop).any(ofPhone|ofPlace))
		}
		if end+1 < len(s) && s[end] == '-' && isLetter(s[end+1]) {
			return end, sc.after(end).any(ofPhone | ofPlace)
		}
		if end+1 < len(s) && s[end] == ',' && isDigit(s[end+1]) && (n.groups == 1 || n.sep(1) == '.') {
			return end, false // 1.234.567,89
		}
	}
	return end, sc.ends(n, groups)
}

// plausible reports whether groups of this kind can be a telephone number that
// is called one: no decimal, no amount, no range of two numbers.
func (n *number) plausible(groups int) bool {
	if groups == 1 {
		return true
	}
	dots := 0
	for g := 1; g < groups; g++ {
		switch n.sep(g) {
		case '.':
			dots++
		case '/':
			if g > 1 {
				return false
			}
		}
		if n.len(g) == 1 && n.sep(g) != opening && g > 1 {
			return false
		}
	}
	if dots == 1 && groups == 2 {
		return n.digits[0] == '0' && n.len(0) >= 3
	}
	if n.date() > 0 || groups == 2 && n.lens(4, 4) && year(n.value(0)) && year(n.value(1)) {
		return false
	}
	return n.len(0) < 7
}

// pairs reports whether the first groups are mostly of two digits, as bytes in
// hex are.
func (n *number) pairs(groups int) bool {
	count := 0
	for g := range groups {
		if n.len(g) == 2 {
			count++
		}
	}
	return count >= 4
}

// dumped reports whether more bytes in hex stand before or behind the groups.
func (sc *scanner) dumped(n *number, groups int) bool {
	s := sc.s
	if i := n.group[0].start; i >= 3 && s[i-1] == ' ' && (i == 3 || !isWord(s[i-4])) && isHex(s[i-3:i-1]) {
		return true
	}
	i := n.group[groups-1].end
	for i < len(s) && s[i] == ' ' {
		i++
	}
	return i > n.group[groups-1].end && i+2 <= len(s) && isHex(s[i:i+2]) && (i+2 == len(s) || !isWord(s[i+2]))
}
