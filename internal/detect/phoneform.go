package detect

// formOfPhone reports whether the first groups have a form in which some
// country writes its telephone numbers and hardly anybody writes anything else.
func (n *number) formOfPhone(groups int) bool {
	if n.date() > 0 {
		return false
	}
	return n.northAmerican(groups) || n.bracketed(groups) || n.trunk(groups) || n.others(groups)
}

// northAmerican: (415) 555-2671, 415-555-2671, 415.555.2671, with or without a
// 1 before. Neither area nor exchange begins with 0 or 1.
func (n *number) northAmerican(groups int) bool {
	g := 0
	if n.len(0) == 1 && n.first(0) == '1' {
		g = 1
	}
	if groups != g+3 || n.len(g) != 3 || n.len(g+1) != 3 || n.len(g+2) != 4 || n.first(g) < '2' || n.first(g+1) < '2' {
		return false
	}
	a := n.group[g].from
	if n.digits[a+1] == '1' && n.digits[a+2] == '1' { // 211 to 911 are services
		return false
	}
	switch first, second := n.sep(g+1), n.sep(g+2); {
	case first == closing:
		return second == '-' || second == ' ' || second == '.'
	case first == '-' || first == '.':
		return second == first
	case first == '/' || first == ' ':
		return second == '-'
	}
	return false
}

// bracketed: an area in brackets, and two or three groups: (08) 8747 6301,
// (71) 4233-6306, 8 (912) 345-67-89.
func (n *number) bracketed(groups int) bool {
	g := 0
	if n.len(0) == 1 && groups > 2 && (n.first(0) == '8' || n.first(0) == '7' || n.first(0) == '0' || n.first(0) == '1') && n.sep(1) == opening {
		g = 1
	} else if n.group[0].sep != opening {
		return false
	}
	if groups < g+2 || groups > g+5 || n.len(g) < 2 || n.len(g) > 5 || n.sep(g+1) != closing {
		return false
	}
	if n.len(g) == 4 && (n.first(g) == '1' || n.first(g) == '2') { // (1998) 123 456 cites a year
		return false
	}
	rest := 0
	for at := g + 1; at < groups; at++ {
		l := n.len(at)
		if l < 2 || l > 8 || at > g+1 && n.sep(at) != '-' && n.sep(at) != ' ' && n.sep(at) != '.' {
			return false
		}
		rest += l
	}
	total := n.upTo(groups)
	return rest >= 5 && rest <= 9 && total >= 8 && total <= 12 && (groups > g+2 || rest >= 6)
}

// trunk: a 0 before the area: 0171 1234567, 01.84.17.61.18, 03-1234-5678,
// 030/1234567, 0494 92 82 32.
func (n *number) trunk(groups int) bool {
	if n.first(0) != '0' || n.digits[1] == '0' || n.group[0].sep != none {
		return false
	}
	total := n.upTo(groups)
	if total < 9 || total > 12 || n.len(0) < 2 || n.len(0) > 5 {
		return false
	}
	sep := n.sep(1)
	if n.len(0) == 2 && n.len(1) == 2 && n.len(groups-1) == 2 && groups != 5 { // France's has five
		return false
	}
	if groups == 3 && n.lens(4, 4, 4) {
		return false
	}
	for g := 1; g < groups; g++ {
		if l := n.len(g); l < 2 || l > 8 {
			return false
		}
		s := n.sep(g)
		switch {
		case s == ' ' || s == '-':
			if g > 1 && sep == '.' {
				return false
			}
		case s == '.':
			if s != sep || groups < 3 {
				return false
			}
		case s == '/' || s == spread || s == closing:
			if g > 1 {
				return false
			}
		default:
			return false
		}
	}
	if groups == 2 {
		return n.len(0) >= 3 && n.len(1) >= 5 || n.len(0) == 2 && n.len(1) == 8
	}
	return true
}

// others: 8-800-555-35-35, 11 98765-4321, 138 1234 5678.
func (n *number) others(groups int) bool {
	switch {
	case groups < n.groups || n.listed: // a row of amounts
	case groups == 5 && n.lens(1, 3, 3, 2, 2) && n.same(5):
		return (n.sep(1) == '-' || n.sep(1) == ' ') && n.first(0) == '8' && n.first(1) >= '3'
	case groups == 3 && n.lens(2, 5, 4):
		return n.sep(1) == ' ' && n.sep(2) == '-' && n.first(1) == '9' && n.first(0) != '0'
	case groups == 3 && n.lens(3, 4, 4):
		return n.same(3) && (n.sep(1) == ' ' || n.sep(1) == '-') && n.digits[0] == '1' && n.digits[1] >= '3'
	}
	return false
}
