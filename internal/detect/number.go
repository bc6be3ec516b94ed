package detect

const (
	maxGroups = 10
	maxDigits = 24
)

// number is a row of digits in groups, as people write the long ones.
type number struct {
	start, end int  // with what belongs to it: a plus, a bracket
	plus       bool // +49, 0049, %2B49
	digits     [maxDigits]byte
	n          int // digits
	groups     int
	group      [maxGroups]group
	more       bool // it goes on behind what was read
	listed     bool // it goes on before, too
}

type group struct {
	start, end int  // in the text
	from       int  // its first digit in digits
	sep        byte // what stands before it
}

// Separators: a blank, a hyphen, a full stop and a slash stand for themselves
// whatever they look like in Unicode.
const (
	none     byte = 0
	opening  byte = '(' // with or without a blank before
	closing  byte = ')' // with or without a blank, hyphen or the like behind
	spread   byte = 'w' // " - " and " / "
	trunkOff byte = '0' // "(0)", left out when dialled from abroad
)

func (n *number) len(g int) int    { return n.group[g].end - n.group[g].start }
func (n *number) sep(g int) byte   { return n.group[g].sep }
func (n *number) first(g int) byte { return n.digits[n.group[g].from] }
func (n *number) upTo(groups int) int { // digits in the first groups
	if groups >= n.groups {
		return n.n
	}
	return n.group[groups].from
}

// lens reports whether the first groups have these lengths.
func (n *number) lens(of ...int) bool {
	if n.groups < len(of) {
		return false
	}
	for g, l := range of {
		if n.len(g) != l {
			return false
		}
	}
	return true
}

// same reports whether the first groups are parted by one separator only, and
// the next, if any, is another.
func (n *number) same(groups int) bool {
	for g := 2; g < groups; g++ {
		if n.sep(g) != n.sep(1) {
			return false
		}
	}
	return groups < 2 || groups >= n.groups || n.sep(groups) != n.sep(1) || n.sep(1) == ' '
}

// separator reads what may stand between two groups of digits at i; next is
// where the digits go on, i when they do not.
func separator(s string, i int) (sep byte, next int) {
	if i+1 >= len(s) {
		return none, i
	}
	switch c := s[i]; c {
	case ' ', '-', '.', '/':
		switch d := s[i+1]; {
		case isDigit(d):
			return c, i + 1
		case c == ' ' && d == '(' && i+2 < len(s) && isDigit(s[i+2]):
			return opening, i + 2
		case c == ' ' && (d == '-' || d == '/') && i+3 < len(s) && s[i+2] == ' ' && isDigit(s[i+3]):
			return spread, i + 3
		case (c == '-' || c == '/') && d == '(' && i+2 < len(s) && isDigit(s[i+2]):
			return opening, i + 2
		case c == '/' && d == ' ' && i+2 < len(s) && isDigit(s[i+2]):
			return '/', i + 2
		}
	case '(':
		if isDigit(s[i+1]) {
			return opening, i + 1
		}
	case ')':
		switch d := s[i+1]; {
		case isDigit(d):
			return closing, i + 1
		case (d == ' ' || d == '-' || d == '.' || d == '/') && i+2 < len(s) && isDigit(s[i+2]):
			return closing, i + 2
		case d == 0xC2 && i+3 < len(s) && s[i+2] == 0xA0 && isDigit(s[i+3]):
			return closing, i + 3
		}
	case 0xC2: // no-break space
		if s[i+1] == 0xA0 && i+2 < len(s) && isDigit(s[i+2]) {
			return ' ', i + 2
		}
	case 0xE2: // hyphens, dashes and narrow blanks of U+20xx
		if s[i+1] == 0x80 && i+3 < len(s) && isDigit(s[i+3]) {
			switch d := s[i+2]; {
			case d == 0xAF || d >= 0x80 && d <= 0x8A:
				return ' ', i + 3
			case d >= 0x90 && d <= 0x94:
				return '-', i + 3
			}
		}
	}
	return none, i
}

// read reads a number whose first digit is at i.
func (n *number) read(s string, i int) {
	n.start, n.n, n.groups, n.more, n.plus = i, 0, 0, false, false
	sep := none
	for {
		if n.groups == maxGroups {
			n.more = true
			return
		}
		g := &n.group[n.groups]
		*g = group{start: i, from: n.n, sep: sep}
		for i < len(s) && isDigit(s[i]) {
			if n.n == maxDigits {
				n.more = true
				n.end = i
				g.end = i
				n.groups++
				return
			}
			n.digits[n.n] = s[i]
			n.n++
			i++
		}
		g.end, n.end = i, i
		n.groups++
		next := i
		if sep, next = separator(s, i); next == i {
			return
		}
		i = next
	}
}

// number looks at the digits at i; what belongs to them before begins at from.
func (sc *scanner) number(i, from int) int {
	s := sc.s
	end := i + 1
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	if end == len(s) || plainEnd[s[end]] { // the commonest number stands alone
		return sc.row(i, from, end)
	}
	switch c := s[end]; {
	case isLetter(c) || c == '_':
		return sc.mixed(i, end)
	case c == '.':
		if stop := sc.dots(i, from, end); stop > 0 {
			return stop
		}
	case c == '-':
		if stop := sc.hyphen(i, end); stop > 0 {
			return stop
		}
	case c == '+' && end-i == 6:
		if stop := sc.finland(i); stop > 0 {
			return stop
		}
	case c == ':' && end+1 < len(s) && (s[end+1] == ':' || end-i <= 4 && class[s[end+1]]&hex != 0):
		if stop, ok := sc.ipv6(i); ok {
			return stop
		}
	case c == '@' || c == '%' && end+2 < len(s) && s[end+1] == '4' && s[end+2] == '0':
		return end // the local part of an address
	}
	if _, more := separator(s, end); more == end {
		return sc.row(i, from, end)
	}
	n := &sc.n
	n.read(s, i)
	if n.more && n.groups == 1 {
		return sc.skipWord(end) // more digits than anything has
	}
	if n.n < 6 { // fewer than anything has
		return n.group[0].end
	}
	compound := sc.compound(n, i, from)
	if stop, ok := sc.grouped(n, compound); ok {
		return stop
	}
	if stop := sc.proved(n, compound); stop > 0 {
		return stop
	}
	if stop := sc.phone(n, compound); stop > 0 {
		return stop
	}
	if n.sep(1) == '.' { // a version, an amount: no part of it is anything
		return dotted(s, n.group[0].end)
	}
	return n.group[0].end
}

// plainEnd are bytes behind which no number goes on.
var plainEnd = [256]bool{'"': true, ',': true, '}': true, ']': true, '\n': true, '\r': true, '<': true, '>': true, '&': true, ';': true, '\'': true, '\t': true}

// row looks at digits that stand in one row.
func (sc *scanner) row(i, from, end int) int {
	if end-i < 7 {
		return end
	}
	if end-i > maxDigits {
		return sc.skipWord(end)
	}
	n := &sc.n
	n.n, n.groups, n.more, n.plus, n.end = copy(n.digits[:], sc.s[i:end]), 1, false, false, end
	n.group[0] = group{start: i, end: end}
	compound := sc.compound(n, i, from)
	if stop := sc.proved(n, compound); stop > 0 {
		return stop
	}
	if stop := sc.phone(n, compound); stop > 0 {
		return stop
	}
	return end
}

// dots looks at digits behind which a full stop stands: decimals are nothing,
// four numbers may be an address of the network. 0: they may be something else.
func (sc *scanner) dots(i, from, end int) int {
	s := sc.s
	if end+1 >= len(s) || !isDigit(s[end+1]) || from < i || i > 0 && (s[i-1] == '+' || s[i-1] == '(') {
		return 0
	}
	var o octets
	o.read(s, i)
	switch {
	case o.n == 2 && (end-i < 3 || s[i] != '0'):
		return o.end // a decimal
	case o.n == 4 && o.fits:
		return sc.ipv4(&o)
	}
	return 0
}

// hyphen looks at digits behind which a hyphen stands, for what has a form of
// its own; 0: they may be something else.
func (sc *scanner) hyphen(i, end int) int {
	s := sc.s
	switch end - i {
	case 4: // 2026-11-24
		if i+10 <= len(s) && s[i+7] == '-' && (s[i] == '1' || s[i] == '2') && allDigits(s[i+5:i+7]) && allDigits(s[i+8:i+10]) && (i+10 == len(s) || s[i+10] == 'T' || s[i+10] == '"') {
			return timestamp(s, i+10)
		}
	case 6:
		return sc.finland(i)
	case 7: // the rest of X-1234567-L
		if i > 1 && s[i-1] == '-' && isLetter(s[i-2]) && !joins(s[:i-2]) {
			return sc.hyphened(i-2, i-1)
		}
	case 8:
		if stop := uuid(s, i, end); stop > end {
			return stop
		}
	}
	return 0
}

// timestamp is where the time of the day behind a date stops (RFC 3339).
func timestamp(s string, i int) int {
	if i+6 > len(s) || s[i] != 'T' || s[i+3] != ':' {
		return i
	}
	for i += 6; i < len(s) && (isDigit(s[i]) || s[i] == ':' || s[i] == '.'); {
		i++
	}
	return i
}

// compound reports whether the number is a piece of a larger token (of a UUID,
// of a part number, of a path), and widens it by the plus and brackets that
// belong to it.
func (sc *scanner) compound(n *number, i, from int) bool {
	s := sc.s
	n.start = from
	n.listed = i >= 2 && s[i-1] == ' ' && isDigit(s[i-2])
	if from < i { // an escaped plus
		n.plus = true
		return false
	}
	if i == 0 {
		return false
	}
	switch p := s[i-1]; p {
	case '+':
		if i >= 2 && (isWord(s[i-2]) || s[i-2] == '+' || s[i-2] == '/') {
			return true // base64, or a sum
		}
		n.plus, n.start = true, i-1
		if n.start > 0 && s[n.start-1] == '(' {
			n.start--
		}
	case '(':
		n.group[0].sep = opening
		n.start = i - 1
		if i >= 2 && s[i-2] == '+' {
			n.plus, n.start = true, i-2
		} else if i >= 2 && (isWord(s[i-2])) {
			n.start, n.group[0].sep = i, none
		}
	case '-', '.', '/', '_', '\\', '#', '~', '*', '$':
		if p == '#' || p == '$' || p == '*' {
			return true
		}
		if p == '.' && i >= 2 && isLetter(s[i-2]) { // Tel.030/123456
			m, _ := meaningOf(s[wordStart(s, i-1, max(0, i-maxBefore)) : i-1])
			return !m.any(ofPhone)
		}
		return i >= 2 && (isWord(s[i-2]) || p == '.' || p == '-' && s[i-2] == '-' || p == '/')
	case '=', ',':
		return p == ',' && i >= 2 && isDigit(s[i-2]) && n.groups == 1
	}
	return false
}

// grouped takes what groups alone give away: dates (nothing), network
// addresses, social security numbers.
func (sc *scanner) grouped(n *number, compound bool) (stop int, ok bool) {
	if g := n.date(); g > 0 {
		return n.group[g-1].end, true
	}
	if n.groups >= 4 && n.sep(1) == '.' && n.sep(2) == '.' && n.sep(3) == '.' && n.len(0) <= 3 && n.len(1) <= 3 && (n.len(0) != 2 || n.groups < 5) {
		return dotted(sc.s, n.group[0].end), true // a version; 01.23.45.67.89 may be a telephone number
	}
	if n.single() >= 3 {
		return n.group[n.groups-1].end, true
	}
	return 0, false
}

// single counts groups of one digit. No number that is looked for has more
// than two.
func (n *number) single() (count int) {
	for g := range n.groups {
		if n.len(g) == 1 {
			count++
		}
	}
	return count
}

// dotted is where a row of digits and full stops ends.
func dotted(s string, i int) int {
	for i < len(s) && (isDigit(s[i]) || s[i] == '.' && i+1 < len(s) && isDigit(s[i+1])) {
		i++
	}
	return i
}

// date is how many groups the number's first ones make a day of, as 2026-11-24,
// 24.11.2026 and 11/24/2026; none: 0.
func (n *number) date() int {
	if n.groups < 3 {
		return 0
	}
	if n.sep(1) != n.sep(2) || n.groups > 3 && n.sep(3) == n.sep(1) && n.sep(1) != ' ' {
		return 0
	}
	switch n.sep(1) {
	case '-', '.', '/', ' ':
	default:
		return 0
	}
	a, b, c := n.value(0), n.value(1), n.value(2)
	isYear := func(g, v int) bool { return n.len(g) == 4 && year(v) }
	day := func(g, v int) bool { return n.len(g) <= 2 && v >= 1 && v <= 31 }
	switch {
	case isYear(0, a) && day(1, b) && day(2, c) && (b <= 12 || c <= 12):
		return 3
	case isYear(2, c) && day(0, a) && day(1, b) && (a <= 12 || b <= 12):
		return 3
	case n.sep(1) != '-' && n.sep(1) != ' ' && n.groups == 3 && n.len(2) == 2 && day(0, a) && day(1, b) && (a <= 12 || b <= 12):
		return 3
	}
	return 0
}

// value is a group's number, as far as it has five digits.
func (n *number) value(g int) int {
	v := 0
	for i := n.group[g].from; i < n.group[g].from+min(n.len(g), 5); i++ {
		v = v*10 + int(n.digits[i]-'0')
	}
	return v
}

func year(v int) bool { return v >= 1900 && v < 2100 }
