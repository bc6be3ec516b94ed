package detect

// scheme is a country's number for its people that is digits only.
type scheme struct {
	digits int
	of     meaning // the words that name it
	check  func([]byte) bool
	// groups are the form in which it is printed, seps what stands between: a
	// number in that form needs no word beside it when alone is set.
	groups []int
	seps   string
	alone  bool
	// unproved says that check looks at the form only, as no digit of the number
	// is a checksum.
	unproved bool
}

// A checksum of one digit lets a tenth of all numbers through, so each scheme
// needs a word that names it, except where form and checksum are so peculiar
// that nothing else has them.
var schemes = []scheme{
	{11, ofBrazil | ofTax, brazil, []int{3, 3, 3, 2}, "..-", true, false},
	{13, ofSwitzerland, switzerland, []int{3, 4, 4, 2}, "...", true, false},
	{11, ofBelgium, belgium, []int{2, 2, 2, 3, 2}, "..-.", true, false},
	{11, ofGermany | ofTax, germany, nil, "", false, false},
	{15, ofFrance | ofTax, france, nil, "", false, false},
	{9, ofNetherlands, netherlands, nil, "", false, false},
	{11, ofPoland | ofTax, poland, nil, "", false, false},
	{10, ofSweden, sweden, nil, "", false, false},
	{12, ofSweden, sweden, nil, "", false, false},
	{10, ofNHS, nhs, nil, "", false, false},
	{9, ofCanada, canada, nil, "", false, false},
	{12, ofIndia, india, nil, "", false, false},
	{9, ofAustralia, australia, nil, "", false, false},
	{8, ofAustralia, australia, nil, "", false, false},
	{10, ofMedicare, medicare, nil, "", false, false},
	{11, ofMedicare, medicare, nil, "", false, false},
	{10, ofDenmark, denmark, nil, "", false, false},
	{10, ofDenmark, func(d []byte) bool { return birthday(d, 2, 0) }, nil, "", false, true}, // given out without a checksum since 2007
	{11, ofNorway | ofTax, norway, nil, "", false, false},
	{10, ofAustria, austria, nil, "", false, false},
	{9, ofPortugal, portugal, nil, "", false, false},
	{10, ofCzechia, czechia, nil, "", false, false},
	{13, ofRomania | ofTax, romania, nil, "", false, false},
	{11, ofCroatia | ofTax, croatia, nil, "", false, false},
	{11, ofTurkey | ofTax, turkey, nil, "", false, false},
	{9, ofIsrael, israel, nil, "", false, false},
	{13, ofSouthAfrica | ofTax, southAfrica, nil, "", false, false},
	{13, ofKorea | ofTax, korea, nil, "", false, false},
	{12, ofJapan, japan, nil, "", false, false},
	{10, ofBulgaria, bulgaria, nil, "", false, false},
	{11, ofGreece, greece, nil, "", false, false},
	{11, ofBaltic | ofTax, baltic, nil, "", false, false},
	{11, ofArgentina, argentina, nil, "", false, false},
	{13, ofThailand | ofTax, thailand, nil, "", false, false},
	{9, ofChile, func(d []byte) bool { return chileCheck(d[:8]) == d[8] }, []int{2, 3, 3, 1}, "..-", true, false},
	{9, ofSSN, ssn, nil, "", false, true},
}

// byDigits lists schemes by how many digits they have.
var byDigits = func() (t [maxDigits + 1][]*scheme) {
	for i := range schemes {
		t[schemes[i].digits] = append(t[schemes[i].digits], &schemes[i])
	}
	return t
}()

// national takes the number as a national one.
func (sc *scanner) national(n *number) int {
	switch {
	case n.n == 6 && n.lens(2, 2, 2):
		return sc.spacedInsurance(n)
	case n.n == 8 && n.groups == 1:
		if stop := sc.lettered(n); stop > 0 {
			return stop
		}
	}
	// A bare row that is too long for a telephone number is not looked at twice:
	// whether it is proved is told sooner than what stands around it.
	long := n.groups == 1 && n.n >= 12
	var near *near
	if !long {
		near = sc.before(n.start)
	}
	for groups := n.groups; groups > 0; groups-- {
		count := n.upTo(groups)
		if count < 8 {
			return 0
		}
		if !long && !near.all.any(anyNational) && groups != 4 && groups != 5 || len(byDigits[count]) == 0 || groups > 1 && !n.oneWriting(groups) || !sc.ends(n, groups) {
			continue
		}
		d := n.digits[:count]
		for _, s := range byDigits[count] {
			if long {
				if !s.check(d) {
					continue
				}
				near = sc.before(n.start)
			} else if !near.all.any(s.of) && !(s.alone && groups == len(s.groups)) || !s.check(d) {
				continue
			}
			said := false
			if distance, named := near.says(s.of, notNational); named {
				said = distance < 5 || distance >= near.own
			}
			if !said && !(s.alone && n.form(s) && groups == len(s.groups)) {
				continue
			}
			k := NationalID
			if s.of == ofSSN {
				k = SSN
			}
			return sc.hit(n.group[0].start, n.group[groups-1].end, k, !s.unproved)
		}
	}
	return 0
}

// form reports whether the number is written as the scheme's are printed.
func (n *number) form(s *scheme) bool {
	if !n.lens(s.groups...) {
		return false
	}
	for g := 1; g < len(s.groups); g++ {
		if n.sep(g) != s.seps[g-1] {
			return false
		}
	}
	return n.group[0].sep == none
}

// oneWriting reports whether the first groups are parted as one number is.
func (n *number) oneWriting(groups int) bool {
	for g := 1; g < groups; g++ {
		switch n.sep(g) {
		case ' ', '-', '.', '/':
		default:
			return false
		}
	}
	return n.group[0].sep == none && (groups == n.groups || n.sep(groups) == ' ')
}
