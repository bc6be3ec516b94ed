package detect

// ipv4 takes the number's first four groups as an address. What has four parts
// may as well be a version, so where all of them are small somebody has to say
// that it is an address. Addresses that are no machine's (masks, networks, the
// machine itself) are nobody's.
func (sc *scanner) ipv4(n *number, compound bool) (stop int, ok bool) {
	s := sc.s
	end := n.group[3].end
	small := true
	for g := range 4 {
		l, v := n.len(g), n.value(g)
		if l > 3 || v > 255 || l > 1 && n.first(g) == '0' {
			return 0, false
		}
		small = small && v < 32
	}
	if n.plus || !sc.hostBefore(n.group[0].start) || !sc.hostEnds(n, end) {
		return 0, false
	}
	a, last := n.value(0), n.value(3)
	small = small && a != 10 // those are given out within firms
	if a == 0 || a == 127 || a >= 224 || small && last == 0 {
		return dotted(s, end), true
	}
	near := sc.before(n.group[0].start)
	if _, said := near.says(ofIP|ofHost, ofVersion); small && !said || near.denies(ofIP|ofHost, ofVersion) {
		return dotted(s, end), true
	}
	return sc.hit(n.group[0].start, end, IPv4, false), true
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

// hostEnds reports whether an address may end at end.
func (sc *scanner) hostEnds(n *number, end int) bool {
	s := sc.s
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
			return n.value(3) != 0
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
		var n number
		at := end - length
		n.read(s, at)
		if n.groups != 4 || n.group[3].end-at > 15 || n.group[0].start != at {
			return 0, false
		}
		for g := range 4 {
			if g > 0 && n.sep(g) != '.' || n.value(g) > 255 || n.len(g) > 3 {
				return 0, false
			}
		}
		length, stop = 0, n.group[3].end
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
