package detect

import "strings"

// registry holds the form of each country's account numbers behind the four
// characters that all have (SWIFT IBAN registry): n digits, a letters, c both.
const registry = `AD 8n12c AE 19n AL 8n16c AT 16n AZ 4a20c BA 16n BE 12n BG 4a6n8c BH 4a14c BI 23n BR 23n1a1c BY 4c4n16c
CH 5n12c CR 18n CY 8n16c CZ 20n DE 18n DJ 23n DK 14n DO 4c20n EE 16n EG 25n ES 20n FI 14n FK 2a12n FO 14n FR 10n11c2n
GB 4a14n GE 2a16n GI 4a15c GL 14n GR 7n16c GT 4c20c HN 4a20n HR 17n HU 24n IE 4a14n IL 19n IQ 4a15n IS 22n IT 1a10n12c
JO 4a4n18c KW 4a22c KZ 3n13c LB 4n20c LC 4a24c LI 5n12c LT 16n LU 3n13c LV 4a13c LY 21n MC 10n11c2n MD 2c18c ME 18n
MK 3n10c2n MN 16n MR 23n MT 4a5n18c MU 4a19n3a NI 4a20n NL 4a10n NO 11n OM 3n16c PK 4a16c PL 24n PS 4a21c PT 21n
QA 4a21c RO 4a16c RS 18n RU 14n15c SA 2n18c SC 4a20n3a SD 14n SE 20n SI 15n SK 20n SM 1a10n12c SO 19n ST 21n SV 4a20n
TL 19n TN 20n TR 6n16c UA 6n19c VA 18n VG 4a16n XK 16n YE 4a4n18c`

// accounts has each country's form written out: "nnnn…".
var accounts = func() (t [26 * 26]string) {
	fields := strings.Fields(registry)
	for i := 0; i < len(fields); i += 2 {
		var form strings.Builder
		count := 0
		for _, c := range fields[i+1] {
			if c >= '0' && c <= '9' {
				count = count*10 + int(c-'0')
				continue
			}
			form.WriteString(strings.Repeat(string(c), count))
			count = 0
		}
		t[int(fields[i][0]-'A')*26+int(fields[i][1]-'A')] = form.String()
	}
	return t
}()

// iban reads an account number whose country stands at start, in one row or in
// groups of four. It returns where to go on, 0 when there is none.
func (sc *scanner) iban(start int) int {
	s := sc.s
	if start+5 > len(s) || !isDigit(s[start+2]) || !isDigit(s[start+3]) {
		return 0
	}
	form := accounts[int(upper(s[start])-'A')*26+int(upper(s[start+1])-'A')]
	if form == "" {
		return 0
	}
	// MOD 97-10 (ISO/IEC 7064) over the number with its first four at the end.
	// The remainder is taken when the sum has grown, not for every digit.
	sum := uint64(0)
	add := func(c byte) {
		if sum > 1<<50 {
			sum %= 97
		}
		if isDigit(c) {
			sum = sum*10 + uint64(c-'0')
		} else {
			sum = sum*100 + uint64(upper(c)-'A') + 10
		}
	}
	i := start + 4
	var sep byte
	for at := range len(form) {
		if i < len(s) && at%4 == 0 {
			if c := s[i]; (c == ' ' || c == '-') && (at == 0 || sep == c) {
				sep = c
				i++
			} else if c == 0xC2 && i+1 < len(s) && s[i+1] == 0xA0 && (at == 0 || sep == c) {
				sep = c
				i += 2
			} else if sep != 0 {
				return 0
			}
		}
		if i >= len(s) {
			return 0
		}
		c := s[i]
		switch f := form[at]; {
		case isDigit(c) && f != 'a', isLetter(c) && f != 'n':
		default:
			return 0
		}
		add(c)
		i++
	}
	for _, c := range []byte{s[start], s[start+1], s[start+2], s[start+3]} {
		add(c)
	}
	if sum%97 != 1 || !endsAt(s, i) {
		return 0
	}
	return sc.hit(start, i, IBAN, true)
}
