package detect

// octets are numbers with full stops between.
type octets struct {
	n          int // at most 5: more are none
	value      [5]int
	start, end int
	fits       bool // all of them are octets, written as such
}

// read reads the numbers that begin at i.
func (o *octets) read(s string, i int) {
	o.start, o.fits = i, true
	for {
		from, v := i, 0
		for i < len(s) && isDigit(s[i]) {
			if i-from < 4 {
				v = v*10 + int(s[i]-'0')
			}
			i++
		}
		o.fits = o.fits && i-from <= 3 && v <= 255 && (s[from] != '0' || i-from == 1)
		o.value[o.n] = v
		o.end = i
		if o.n++; o.n == len(o.value) || i+1 >= len(s) || s[i] != '.' || !isDigit(s[i+1]) {
			return
		}
		i++
	}
}

// ipv4 looks at four octets, and returns where to go on. What has four parts may
// as well be a version, so where all of them are small somebody has to say that
// it is an address. Addresses that are no machine's (masks, networks, the
// machine itself) are nobody's.
func (sc *scanner) ipv4(o *octets) int {
	a, last := o.value[0], o.value[3]
	// Those that begin with 10 are given out within firms.
	small := a < 32 && o.value[1] < 32 && o.value[2] < 32 && last < 32 && a != 10
	if a == 0 || a == 127 || a >= 224 || small && last == 0 || !sc.hostBefore(o.start) || !sc.hostEnds(o) {
		return o.end
	}
	near := sc.before(o.start)
	if _, said := near.says(ofIP|ofHost, ofVersion); small && !said || near.denies(ofIP|ofHost, ofVersion) {
		return o.end
	}
	return sc.hit(o.start, o.end, IPv4, false)
}

// hostBefore reports whether an address may begin at start: not inside a word,
// a path (Chrome/99.0.0.0) or a package with its version (left-pad@1.2.3.4).
func (sc *scanner) hostBefore(start int) bool {
	if start == 0 {
		return true
	}
	switch p := sc.s[start-1]; p {
	case '/':
		return start >= 2 && (sc.s[start-2] == '/' || sc.s[start-2] == '\\')
	case '@':
		return start >= 2 && sc.s[start-2] != '/' && !isLetter(sc.s[start-2]) || inURL(sc.s, start)
	case '-', '_', '.', '+', '#', '$', '~', '^':
		return (p == '-' || p == '~') && (start < 2 || !isWord(sc.s[start-2]) || isDigit(sc.s[start-2])) && p != '~'
	}
	return !joins(sc.s[:start])
}

// inURL reports whether a user of a URL stands before the host at start.
func inURL(s string, start int) bool {
	for i := start - 1; i > 1 && start-i < 128; i-- {
		switch s[i] {
		case ' ', '"', '\n', '<', '>', '\'':
			return false
		case '/':
			return s[i-1] == '/'
		}
	}
	return false
}

// hostEnds reports whether an address may end where the octets do.
func (sc *scanner) hostEnds(o *octets) bool {
	s, end := sc.s, o.end
	if end >= len(s) {
		return true
	}
	switch c := s[end]; {
	case c == '-':
		return end+1 >= len(s) || !isLetter(s[end+1])
	case c == '.':
		return end+1 >= len(s) || !isWord(s[end+1])
	case c == '/': // a network, when no bit of a host is set
		if end+1 < len(s) && isDigit(s[end+1]) {
			return o.value[3] != 0
		}
		return true
	case c == '+' || c == '@':
		return false
	}
	return !continues(s[end:])
}

const maxIPv6 = 45 // with a dotted tail

// ipv6 reads an address of which i is the first digit, or one further on. What
// stands around decides: a time has two colons, a hardware address five.
func (sc *scanner) ipv6(i int) (stop int, ok bool) {
	s := sc.s
	if i < sc.notIPv6 {
		return 0, false
	}
	start := i
	for start > sc.floor && i-start < maxIPv6 && (class[s[start-1]]&hex != 0 || s[start-1] == ':') {
		start--
	}
	end, colons, double := start, 0, false
	for end < len(s) && end-start <= maxIPv6 && (class[s[end]]&hex != 0 || s[end] == ':') {
		if s[end] == ':' {
			colons++
			double = double || end > start && s[end-1] == ':'
		}
		end++
	}
	if colons < 2 || !double && colons < 6 {
		return 0, false
	}
	sc.notIPv6 = end
	for end > start && s[end-1] == ':' && !(end-start >= 2 && s[end-2] == ':') {
		end-- // a colon of the sentence
	}
	if start < end && s[start] == ':' && !(start+1 < end && s[start+1] == ':') {
		start++
	}
	if joins(s[:start]) || start > 0 && (s[start-1] == '-' || s[start-1] == '.' || s[start-1] == '_') {
		return 0, false
	}
	stop, ok = parseIPv6(s, start, end)
	if !ok || stop < len(s) && (continues(s[stop:]) || s[stop] == '.' && stop+1 < len(s) && isWord(s[stop+1])) {
		return 0, false
	}
	sc.notIPv6 = stop
	return sc.hit(start, stop, IPv6, false), true
}

// parseIPv6 checks the address from start to end, and a dotted tail behind it
// (RFC 4291 section 2.2). A shortened one must be of a kind that is in use:
// "dead::beef" is more often the name of something in a program.
func parseIPv6(s string, start, end int) (stop int, ok bool) {
	groups, length, value, gap := 0, 0, 0, -1
	first, firstLength, longest := 0, 0, 0
	i := start
	close := func() bool {
		if length == 0 {
			return true
		}
		if groups == 0 {
			first, firstLength = value, length
		}
		longest = max(longest, length)
		groups++
		length, value = 0, 0
		return groups <= 8
	}
	if i+1 < end && s[i] == ':' && s[i+1] == ':' {
		gap, i = 0, i+2
	}
	for i < end {
		c := s[i]
		if c != ':' {
			if length++; length > 4 {
				return 0, false
			}
			value = value<<4 | int(unhex(c))
			i++
			continue
		}
		if length == 0 || !close() {
			return 0, false
		}
		if i+1 < end && s[i+1] == ':' {
			if gap >= 0 {
				return 0, false
			}
			gap = groups
			i++
		}
		i++
	}
	stop = end
	if end < len(s) && s[end] == '.' && length > 0 { // ::ffff:192.0.2.1
		var o octets
		if o.read(s, end-length); o.n != 4 || !o.fits {
			return 0, false
		}
		length, stop = 0, o.end
		groups += 2
		if gap < 0 && groups != 8 || groups > 8 {
			return 0, false
		}
		return stop, true
	}
	if !close() {
		return 0, false
	}
	if gap < 0 {
		return stop, groups == 8 && longest >= 3
	}
	if groups > 7 || groups < 2 {
		return 0, false
	}
	global := firstLength == 4 && first>>13 == 1 // 2000::/3
	return stop, gap > 0 && (global || first&0xffc0 == 0xfe80 || first&0xfe00 == 0xfc00) || gap == 0 && groups >= 3
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
