package detect

// card is how many of the number's first groups are a payment card; none: 0.
//
// One in ten rows of digits passes Luhn's check, so the issuer's prefix and the
// length that belongs to it have to fit as well, and where the digits stand in
// one row, without the groups in which cards are printed, only issuers count
// whose cards all look alike: the others need a word that says card.
func (sc *scanner) card(n *number) (groups int, needsWord bool) {
	if n.group[0].sep != none || n.plus {
		return 0, false
	}
	for _, form := range cardForms {
		if n.groups < 3 {
			break
		}
		if len(form) > n.groups || !n.lens(form...) || !n.same(len(form)) {
			continue
		}
		if sep := n.sep(1); sep == ' ' || sep == '-' {
			count := n.upTo(len(form))
			if issued(n.digits[:count]) != noIssuer && luhn(n.digits[:count]) && !sc.listed(n, len(form)) {
				return len(form), false
			}
		}
	}
	count := n.len(0)
	if count < 12 || count > 19 || n.groups > 1 && n.sep(1) != ' ' && n.sep(1) != spread {
		return 0, false
	}
	// New ranges are given out every year: what is called a card need not be in
	// the table.
	issuer := issued(n.digits[:count])
	if issuer == noIssuer && (count < 14 || n.digits[0] == '0') || !luhn(n.digits[:count]) {
		return 0, false
	}
	return 1, issuer != commonIssuer
}

// listed reports whether the groups go on, before or behind, as a list of
// numbers does: 5421 5422 5423 5424 5425, 5949 5947 5948 5944 59BE.
func (sc *scanner) listed(n *number, groups int) bool {
	s := sc.s
	if i := n.group[0].start; i >= 5 && s[i-1] <= ' ' && isHex(s[i-5:i-1]) && (i == 5 || !isWord(s[i-6])) && !isLower(s[i-5:i-1]) {
		return true
	}
	i := n.group[groups-1].end
	if i+5 > len(s) || s[i] > ' ' || !isHex(s[i+1:i+5]) || i+5 < len(s) && isWord(s[i+5]) || isLower(s[i+1:i+5]) {
		return false
	}
	// A month and a year may follow.
	return !allDigits(s[i+1:i+5]) || s[i+1:i+3] > "12" || s[i+1:i+3] == "00" || s[i+3:i+5] < "20"
}

// isLower reports whether hex digits are all small letters: a word, as "dead".
func isLower(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 'a' {
			return false
		}
	}
	return true
}

// cardForms are the groups in which cards are printed.
var cardForms = [][]int{{4, 4, 4, 4, 3}, {4, 4, 4, 4}, {4, 6, 5}, {4, 6, 4}, {4, 4, 4, 3}, {4, 5, 6}}

type issuer uint8

const (
	noIssuer issuer = iota
	rareIssuer
	commonIssuer
)

// issued says whether an issuer has cards of this prefix and length (ISO/IEC
// 7812; the ranges that the networks publish).
func issued(d []byte) issuer {
	prefix := 0
	for i := range 6 {
		prefix = prefix*10 + int(d[i]-'0')
	}
	length := len(d)
	for _, i := range issuersOf[int(d[0]-'0')*10+int(d[1]-'0')] {
		if r := &issuers[i]; prefix >= r.low && prefix <= r.high && length >= r.shortest && length <= r.longest {
			if length == r.usual {
				return commonIssuer
			}
			return rareIssuer
		}
	}
	return noIssuer
}

var issuers = []struct {
	low, high         int // of the first six digits
	shortest, longest int
	usual             int // the length that needs no word beside it; 0 none
}{
	{400000, 499999, 13, 19, 16}, // Visa
	{510000, 559999, 16, 16, 16}, // Mastercard
	{222100, 272099, 16, 16, 16},
	{340000, 349999, 15, 15, 15}, // American Express
	{370000, 379999, 15, 15, 15},
	{601100, 601199, 16, 19, 16}, // Discover
	{644000, 659999, 16, 19, 16},
	{622126, 622925, 16, 19, 16},
	{352800, 358999, 16, 19, 16}, // JCB
	{213100, 213199, 15, 15, 0},
	{180000, 180099, 15, 15, 0},
	{300000, 305999, 14, 19, 14}, // Diners Club
	{309500, 309599, 14, 19, 14},
	{360000, 369999, 14, 19, 14},
	{380000, 399999, 14, 19, 14},
	{220000, 220499, 16, 19, 16}, // Mir
	{620000, 629999, 16, 19, 16}, // UnionPay
	{810000, 819999, 16, 19, 0},
	{508500, 508999, 16, 16, 0}, // RuPay
	{600000, 609999, 16, 16, 0},
	{820000, 829999, 16, 16, 0},
	{979200, 979299, 16, 16, 0}, // Troy
	{500000, 509999, 12, 19, 0}, // Maestro
	{560000, 699999, 12, 19, 0},
}

// issuersOf lists issuers by the first two digits of their cards.
var issuersOf = func() (t [100][]uint8) {
	for i, r := range issuers {
		for two := r.low / 10000; two <= r.high/10000; two++ {
			t[two] = append(t[two], uint8(i))
		}
	}
	return t
}()

// luhn checks the last digit (ISO/IEC 7812-1 annex B).
func luhn(d []byte) bool {
	sum, double := 0, false
	for i := len(d) - 1; i >= 0; i-- {
		v := int(d[i] - '0')
		if double {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
		double = !double
	}
	return sum%10 == 0
}
