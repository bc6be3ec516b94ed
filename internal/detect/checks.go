package detect

// The check digits of national numbers. d holds digits as ASCII.

// weighted is the sum of each digit times its weight.
func weighted(d []byte, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += w * int(d[i]-'0')
	}
	return sum
}

func number64(d []byte) (v uint64) {
	for _, c := range d {
		v = v*10 + uint64(c-'0')
	}
	return v
}

// birthday reports whether six digits are a day of some year, month and day
// given by where they stand.
func birthday(d []byte, month, day int) bool {
	m, t := two(d[month:]), two(d[day:])
	return m >= 1 && m <= 12 && t >= 1 && t <= 31
}

func two(d []byte) int { return int(d[0]-'0')*10 + int(d[1]-'0') }

// mod1110 is ISO/IEC 7064 MOD 11,10.
func mod1110(d []byte) bool {
	p := 10
	for _, c := range d[:len(d)-1] {
		s := (int(c-'0') + p) % 10
		if s == 0 {
			s = 10
		}
		p = s * 2 % 11
	}
	return (11-p)%10 == int(d[len(d)-1]-'0')
}

// germany: the tax number has, of its first ten digits, exactly one that comes
// twice or three times (139b AO; BZSt).
func germany(d []byte) bool {
	if d[0] == '0' || !mod1110(d) {
		return false
	}
	var count [10]int
	for _, c := range d[:10] {
		count[c-'0']++
	}
	repeated := 0
	for _, n := range count {
		if n > 3 {
			return false
		}
		if n > 1 {
			repeated++
		}
	}
	return repeated == 1
}

// france: 13 digits and 97 less their remainder (INSEE). Corsica's 2A and 2B
// count as 19 and 18.
func france(d []byte) bool {
	month := two(d[3:])
	if d[0] == '0' || d[0] > '4' && d[0] < '7' || d[0] == '9' || month == 0 || month > 12 && month < 20 {
		return false
	}
	return 97-number64(d[:13])%97 == number64(d[13:15])
}

// netherlands: the eleven-test (Wabb).
func netherlands(d []byte) bool {
	return number64(d) > 9_999_999 && weighted(d, 9, 8, 7, 6, 5, 4, 3, 2, -1)%11 == 0
}

func poland(d []byte) bool {
	month := two(d[2:]) % 20 // centuries are added to the month
	day := two(d[4:])
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && weighted(d, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)%10 == 0
}

// sweden: six digits of a birthday (60 more for a coordination number), and
// Luhn over all ten.
func sweden(d []byte) bool {
	if len(d) == 12 {
		if c := two(d); c < 18 || c > 20 {
			return false
		}
		d = d[2:]
	}
	month, day := two(d[2:]), two(d[4:])%60
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && luhn(d)
}

func nhs(d []byte) bool {
	check := 11 - weighted(d, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11
	return !repeats(d) && (check == int(d[9]-'0') || check == 11 && d[9] == '0')
}

func brazil(d []byte) bool {
	check := func(n int) bool {
		sum := 0
		for i := range n {
			sum += (n + 1 - i) * int(d[i]-'0')
		}
		return sum*10%11%10 == int(d[n]-'0')
	}
	return !repeats(d) && check(9) && check(10)
}

// canada: numbers that begin with 0 or 8 are not given to people; 0 is used by
// the tax office, and by examples.
func canada(d []byte) bool { return d[0] != '8' && luhn(d) && !repeats(d) }

// india: Verhoeff's check; no Aadhaar begins with 0 or 1.
func india(d []byte) bool {
	if d[0] < '2' || repeats(d) {
		return false
	}
	c := 0
	for i := range d {
		c = verhoeffD[c][verhoeffP[i%8][d[len(d)-1-i]-'0']]
	}
	return c == 0
}

var verhoeffD = [10][10]int{
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5}, {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
	{4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1}, {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
	{8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
}

var verhoeffP = [8][10]int{
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4}, {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
	{9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1}, {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8},
}

func australia(d []byte) bool {
	if len(d) == 8 {
		return weighted(d, 10, 7, 8, 4, 6, 3, 5, 1)%11 == 0
	}
	return weighted(d, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0 && !repeats(d)
}

func medicare(d []byte) bool {
	return d[0] >= '2' && d[0] <= '6' && weighted(d, 1, 3, 7, 9, 1, 3, 7, 9)%10 == int(d[8]-'0')
}

func belgium(d []byte) bool {
	if m := two(d[2:]) % 20; m > 12 || two(d[4:]) > 31 {
		return false
	}
	v, check := number64(d[:9]), number64(d[9:])
	return 97-v%97 == check || 97-(v+2_000_000_000)%97 == check // born since 2000
}

func denmark(d []byte) bool {
	return birthday(d, 2, 0) && weighted(d, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0
}

func norway(d []byte) bool {
	day, month := two(d)%40, two(d[2:])%40
	return day >= 1 && day <= 31 && month >= 1 && month <= 12 &&
		weighted(d, 3, 7, 6, 1, 8, 9, 4, 5, 2, 1)%11 == 0 && weighted(d, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0
}

func switzerland(d []byte) bool {
	return d[0] == '7' && d[1] == '5' && d[2] == '6' && weighted(d, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1)%10 == 0
}

func austria(d []byte) bool {
	return birthday(d, 6, 4) && weighted(d, 3, 7, 9, 0, 5, 8, 4, 2, 1, 6)%11 == int(d[3]-'0')
}

func portugal(d []byte) bool {
	check := 11 - weighted(d, 9, 8, 7, 6, 5, 4, 3, 2)%11
	if check > 9 {
		check = 0
	}
	return (d[0] >= '1' && d[0] <= '3' || d[0] == '4' && d[1] == '5') && check == int(d[8]-'0')
}

func czechia(d []byte) bool {
	month, day := two(d[2:])%50, two(d[4:])
	if month > 20 {
		month -= 20
	}
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && (number64(d)%11 == 0 || number64(d[:9])%11 == 10 && d[9] == '0')
}

func romania(d []byte) bool {
	return d[0] != '0' && birthday(d, 3, 5) && weighted(d, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)%11%10 == int(d[12]-'0')
}

func croatia(d []byte) bool { return mod1110(d) }

func turkey(d []byte) bool {
	if d[0] == '0' {
		return false
	}
	odd, even := weighted(d, 1, 0, 1, 0, 1, 0, 1, 0, 1), weighted(d, 0, 1, 0, 1, 0, 1, 0, 1)
	return ((odd*7-even)%10+10)%10 == int(d[9]-'0') && (odd+even+int(d[9]-'0'))%10 == int(d[10]-'0')
}

func israel(d []byte) bool { return luhn(d) && !repeats(d) }

func southAfrica(d []byte) bool {
	return birthday(d, 2, 4) && d[10] <= '2' && luhn(d)
}

// korea: since October 2020 the last digits are random and prove nothing.
func korea(d []byte) bool {
	return birthday(d, 2, 4) && d[6] >= '1' && d[6] <= '8' && (11-weighted(d, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)%11)%10 == int(d[12]-'0')
}

func japan(d []byte) bool {
	check := 11 - weighted(d, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11
	if check > 9 {
		check = 0
	}
	return check == int(d[11]-'0') && !repeats(d)
}

func bulgaria(d []byte) bool {
	month := two(d[2:]) % 20
	day := two(d[4:])
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && weighted(d, 2, 4, 8, 5, 10, 9, 7, 3, 6)%11%10 == int(d[9]-'0')
}

func greece(d []byte) bool { return birthday(d, 2, 0) && luhn(d) }

// baltic: Estonia's and Lithuania's.
func baltic(d []byte) bool {
	if d[0] < '1' || d[0] > '6' || !birthday(d, 3, 5) {
		return false
	}
	check := weighted(d, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1) % 11
	if check == 10 {
		check = weighted(d, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3) % 11 % 10
	}
	return check == int(d[10]-'0')
}

func argentina(d []byte) bool {
	check := 11 - weighted(d, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11
	return d[0] == '2' && check%11 == int(d[10]-'0')
}

func thailand(d []byte) bool {
	sum := 0
	for i, c := range d[:12] {
		sum += (13 - i) * int(c-'0')
	}
	return (11-sum%11)%10 == int(d[12]-'0') && d[0] >= '1' && d[0] <= '8'
}

// repeats: a row of one digit passes most checks and is nobody's.
func repeats(d []byte) bool {
	for _, c := range d {
		if c != d[0] {
			return false
		}
	}
	return true
}
