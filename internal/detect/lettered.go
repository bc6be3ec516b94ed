package detect

// upper is an ASCII letter in upper case.
func upper(c byte) byte {
	if c-'a' < 26 {
		return c - 0x20
	}
	return c
}

// italy: the codice fiscale's last letter (DM 23 December 1976). In place of
// digits letters may stand for people with equal codes; those are not read.
func italy(s string) bool {
	const months = "ABCDEHLMPRST"
	odd := [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	sum := 0
	for i := range 15 {
		c := upper(s[i])
		v := int(c - 'A')
		if isDigit(c) {
			v = int(c - '0')
		}
		if i%2 == 0 {
			v = odd[v]
		}
		sum += v
	}
	month := false
	for i := range len(months) {
		month = month || months[i] == upper(s[8])
	}
	day := int(s[9]-'0')*10 + int(s[10]-'0')
	return month && day%40 >= 1 && day%40 <= 31 && byte(sum%26)+'A' == upper(s[15])
}

const dniLetters = "TRWAGMYFPDXBNJZSQVHLCKE"

func spainDNI(s string) bool {
	return dniLetters[number64([]byte(s[:8]))%23] == upper(s[8])
}

func spainNIE(s string) bool {
	first := upper(s[0])
	if first < 'X' || first > 'Z' {
		return false
	}
	v := uint64(first-'X')*10_000_000 + number64([]byte(s[1:8]))
	return dniLetters[v%23] == upper(s[8])
}

func singapore(s string) bool {
	sum := weighted([]byte(s[1:8]), 2, 7, 6, 5, 4, 3, 2)
	letters := ""
	switch upper(s[0]) {
	case 'S':
		letters = "JZIHGFEDCBA"
	case 'T':
		letters, sum = "JZIHGFEDCBA", sum+4
	case 'F':
		letters = "XWUTRQPNMLK"
	case 'G':
		letters, sum = "XWUTRQPNMLK", sum+4
	default:
		return false
	}
	return letters[sum%11] == upper(s[8])
}

// insurance: the United Kingdom's national insurance number has no checksum,
// but letters that it never uses (HMRC, NIM39110).
func insurance(s string) bool {
	a, b, last := upper(s[0]), upper(s[1]), upper(s[len(s)-1])
	for _, never := range []byte("DFIQUV") {
		if a == never || b == never {
			return false
		}
	}
	switch string([]byte{a, b}) {
	case "BG", "GB", "KN", "NK", "NT", "TN", "ZZ":
		return false
	}
	return b != 'O' && last >= 'A' && last <= 'D'
}

// indiaPAN: the fourth letter of a natural person's is P.
func indiaPAN(s string) bool { return upper(s[3]) == 'P' }

func ireland(s string) bool {
	sum := weighted([]byte(s), 8, 7, 6, 5, 4, 3, 2)
	if len(s) == 9 && upper(s[8]) != 'W' {
		sum += 9 * int(upper(s[8])-'A'+1)
	}
	check := byte('W')
	if sum %= 23; sum > 0 {
		check = byte(sum-1) + 'A'
	}
	return check == upper(s[7])
}

func taiwan(s string) bool {
	const order = "ABCDEFGHJKLMNPQRSTUVXYWZIO" // from 10
	at := -1
	for i := range len(order) {
		if order[i] == upper(s[0]) {
			at = i + 10
		}
	}
	if at < 0 || s[1] != '1' && s[1] != '2' && s[1] != '8' && s[1] != '9' {
		return false
	}
	return (at/10+at%10*9+weighted([]byte(s[1:]), 8, 7, 6, 5, 4, 3, 2, 1, 1))%10 == 0
}

// china: a place, a birthday, and ISO/IEC 7064 MOD 11-2.
func china(s string) bool {
	if s[6] != '1' && s[6] != '2' || s[6] == '1' && s[7] != '9' || s[6] == '2' && s[7] != '0' || s[0] < '1' || s[0] > '8' {
		return false
	}
	d := []byte(s)
	if !birthday(d[:17], 10, 12) {
		return false
	}
	sum := weighted(d, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
	return "10X98765432"[sum%11] == upper(s[17])
}

func mexico(s string) bool {
	if sex := upper(s[10]); sex != 'H' && sex != 'M' && sex != 'X' || !birthday([]byte(s[4:10]), 2, 4) {
		return false
	}
	sum := 0
	for i := range 17 {
		c := upper(s[i])
		v := int(c - '0')
		if isLetter(c) {
			if v = int(c-'A') + 10; c > 'N' { // the alphabet has an Ñ
				v++
			}
		}
		sum += v * (18 - i)
	}
	return (10-sum%10)%10 == int(s[17]-'0')
}

func chile(s string) bool { return chileCheck([]byte(s[:8])) == 'K' }

func chileCheck(d []byte) byte {
	sum, factor := 0, 2
	for i := len(d) - 1; i >= 0; i-- {
		sum += factor * int(d[i]-'0')
		if factor++; factor > 7 {
			factor = 2
		}
	}
	return "0K987654321"[sum%11]
}

func corsica(s string) bool {
	d := []byte(s)
	switch upper(s[6]) {
	case 'A':
		d[5], d[6] = '1', '9'
	case 'B':
		d[5], d[6] = '1', '8'
	default:
		return false
	}
	return france(d)
}
