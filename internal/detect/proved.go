package detect

// proved takes what a checksum proves, and social security numbers, which have
// a form of their own. It returns where to go on, 0 when it found nothing.
func (sc *scanner) proved(n *number, compound bool) int {
	if compound || n.plus {
		return 0
	}
	if n.groups >= 3 && n.lens(3, 2, 4) && n.same(3) && (n.sep(1) == '-' || n.sep(1) == ' ') && n.group[0].sep == none && sc.ends(n, 3) && ssn(n.digits[:9]) {
		near := sc.before(n.start)
		if _, said := near.says(ofSSN, notNational|isID); said || n.sep(1) == '-' && !near.denies(ofSSN, notNational&^(ofTime|ofAmount)) {
			return sc.hit(n.start, n.group[2].end, SSN, false)
		}
	}
	if n.n >= 12 {
		if groups, needsWord := sc.card(n); groups > 0 && sc.ends(n, groups) {
			near := sc.before(n.start)
			distance, said := near.says(ofCard, notCard)
			switch {
			case said && (distance < 5 || !needsWord), !needsWord && !near.denies(ofCard, notCard):
				return sc.hit(n.start, n.group[groups-1].end, Card, true)
			}
		}
	}
	return sc.national(n)
}

// ends reports whether a value may end behind the first groups: nothing that
// makes a larger token of it follows.
func (sc *scanner) ends(n *number, groups int) bool {
	if groups < n.groups {
		switch n.sep(groups) {
		case ' ', spread, opening:
			return true
		case '/':
			return n.sep(1) != '/'
		}
		return false
	}
	return !n.more && endsAt(sc.s, n.group[groups-1].end)
}

// endsAt reports whether a number may end before i.
func endsAt(s string, i int) bool {
	if i >= len(s) {
		return true
	}
	switch c := s[i]; {
	case c >= 0x80:
		return !continues(s[i:])
	case isWord(c), c == '@', c == '%':
		return c == '%' && i+2 < len(s) && class[s[i+1]]&class[s[i+2]]&hex != 0 && !(s[i+1] == '4' && s[i+2] == '0')
	case c == '-' || c == '.' || c == '/' || c == '\\':
		return i+1 >= len(s) || !isWord(s[i+1]) || c == '\\' || c == '.' && isLetter(s[i+1]) && s[i+1] < 'a'
	case c == ':' || c == ',':
		return i+1 >= len(s) || !isDigit(s[i+1]) || c == ','
	}
	return true
}

// ssn knows which numbers the Social Security Administration never gave out
// (20 CFR 422.103 and its announcements). From 900 on they are the tax office's.
func ssn(d []byte) bool {
	area := int(d[0]-'0')*100 + int(d[1]-'0')*10 + int(d[2]-'0')
	return area != 0 && area != 666 && area < 900 && (d[3] != '0' || d[4] != '0') && string(d[5:9]) != "0000"
}
