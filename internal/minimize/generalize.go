package minimize

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"cordon/internal/exposure"
)

// generalize makes a value coarser without changing what it is; false when
// nobody can say how.
//
//	IP address      203.0.113.9 → 203.0.113.0, 2001:db8:1:2::3 → 2001:db8:1::
//	postal code     94110 → 941, 8001 → 80, SW1A 1AA → SW1, K1A 0B1 → K1A
//	date of birth   1990-05-03 → 1990-01-01, in the format that it has
//	age             37 → 30
//	place           52.5200066 → 52.5, eleven kilometres
func generalize(c exposure.Category, value string) (string, bool) {
	v := strings.TrimSpace(value)
	switch {
	case v == "":
		return "", false
	case c == exposure.IPAddress:
		return each(v, network)
	case c == exposure.PostalCode:
		return region(v)
	case c == exposure.BirthDate:
		return year(v)
	case c == ageRange:
		return band(v)
	case c.Within(location):
		return each(v, tenth)
	}
	return "", false
}

var (
	ageRange = exposure.MustCategory("user.demographic.age_range")
	location = exposure.MustCategory("user.location")
)

// each applies f to the parts of a list by commas, as in X-Forwarded-For and in
// "latitude,longitude"; all of them or none.
func each(v string, f func(string) (string, bool)) (string, bool) {
	parts := strings.Split(v, ",")
	for i, part := range parts {
		bare := strings.TrimSpace(part)
		coarse, ok := f(bare)
		if !ok {
			return "", false
		}
		parts[i] = strings.Replace(part, bare, coarse, 1)
	}
	return strings.Join(parts, ","), true
}

// network is the /24 of an IPv4 address and the /48 of an IPv6 address: what an
// operator gets, not what one of its customers gets. A port goes.
func network(v string) (string, bool) {
	ip, err := netip.ParseAddr(strings.Trim(v, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(v)
		if err != nil {
			return "", false
		}
		ip = withPort.Addr()
	}
	ip = ip.Unmap().WithZone("")
	bits := 24
	if ip.Is6() {
		bits = 48
	}
	p, err := ip.Prefix(bits)
	return p.Addr().String(), err == nil
}

// region is the beginning of a postal code, for which several ten thousand
// people live: three characters where codes have five and more, as in the United
// States (45 CFR 164.514(b)(2)(i)(B)) and Canada, two of four. British codes are
// cut before their inward part, which has always three characters.
func region(v string) (string, bool) {
	code := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' {
			return -1
		}
		return r
	}, v)
	for i := range len(code) {
		if c := code[i] | 0x20; !('0' <= code[i] && code[i] <= '9' || 'a' <= c && c <= 'z') {
			return "", false
		}
	}
	if !strings.ContainsAny(code, "0123456789") {
		return "", false
	}
	n := 3
	switch digits := len(strings.TrimRight(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")); {
	case len(code) < 4 || len(code) > 10:
		return "", false
	case digits == 4 && allDigits(code[:4]): // 8001, 1012 AB
		n = 2
	case british(code):
		n = min(n, len(code)-3)
	}
	return code[:n], true
}

// british reports whether a code ends as British ones do: a digit, two letters.
func british(code string) bool {
	end := code[len(code)-3:]
	return len(code) <= 7 && !allDigits(code[:1]) && allDigits(end[:1]) && !strings.ContainsAny(end[1:], "0123456789")
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// year makes 1 January of a date, or of one part of a date that comes in parts.
func year(v string) (string, bool) {
	if !allDigits(strings.TrimPrefix(v, "-")) {
		return written(v)
	}
	switch {
	case len(v) <= 2: // a day or a month by itself
		n, err := strconv.Atoi(v)
		return "01"[2-len(v):], err == nil && 1 <= n && n <= 31
	case len(v) == 4 && century(v): // the year by itself
		return v, true
	case len(v) == 8 && century(v[:4]) && dayAndMonth(v[4:]):
		return v[:4] + "0101", true
	case len(v) == 8 && century(v[4:]) && dayAndMonth(v[:4]):
		return "0101" + v[4:], true
	}
	// Seconds or milliseconds since 1970.
	n, err := strconv.ParseInt(v, 10, 64)
	unit := int64(1)
	if n >= 1e10 || n <= -1e10 {
		unit = 1000
	}
	if err != nil || len(v) < 6 || n/unit > 1e10 || n/unit < -1e10 {
		return "", false
	}
	at := time.Unix(n/unit, 0).UTC()
	return strconv.FormatInt(time.Date(at.Year(), 1, 1, 0, 0, 0, 0, time.UTC).Unix()*unit, 10), true
}

func century(v string) bool { return v >= "1850" && v <= "2150" }

// dayAndMonth reports whether four digits are a day and a month, in either
// order, and not part of a number of seconds.
func dayAndMonth(v string) bool {
	a, b := v[:2], v[2:]
	return allDigits(v) && a != "00" && b != "00" && (a <= "12" && b <= "31" || a <= "31" && b <= "12")
}

// written changes a date in its own format: of three groups of digits the one
// of four is the year, the others become 1, and the time of day midnight.
func written(v string) (string, bool) {
	date, clock := v, ""
	if at := strings.IndexAny(v, "T "); at > 0 {
		date, clock = v[:at], v[at:]
	}
	var b strings.Builder
	years, others := 0, 0
	for i := 0; i < len(date); {
		n := 0
		for i+n < len(date) && allDigits(date[i+n:i+n+1]) {
			n++
		}
		switch {
		case n == 0 && strings.IndexByte("-/.", date[i]) >= 0 && i > 0:
			b.WriteByte(date[i])
			i++
			continue
		case n == 4 && century(date[i:i+4]):
			years++
			b.WriteString(date[i : i+4])
		case n == 1 || n == 2:
			others++
			b.WriteString("01"[2-n:])
		default:
			return "", false
		}
		i += n
	}
	if years != 1 || others > 2 {
		return "", false
	}
	for i := range len(clock) {
		switch c := clock[i]; {
		case '0' <= c && c <= '9':
			b.WriteByte('0')
		case strings.IndexByte("T :.+-Z", c) >= 0:
			b.WriteByte(c)
		default:
			return "", false
		}
	}
	return b.String(), true
}

// band is the lower bound of a band of ages. Those that law tells apart stay
// apart: nobody under 18 becomes an adult, and no adult a child.
func band(v string) (string, bool) {
	n, err := strconv.ParseFloat(v, 64)
	switch {
	case err != nil:
		// A band already: 35-44, 65+.
		low, high, ok := strings.Cut(v, "-")
		if more, plus := strings.CutSuffix(v, "+"); plus {
			low, high, ok = more, more, true
		}
		return v, ok && allDigits(strings.TrimSpace(low)) && allDigits(strings.TrimSpace(high))
	case n < 0 || n > 150:
		return "", false
	case n >= 18 && n < 20:
		return "18", true
	}
	return strconv.Itoa(min(int(n)/10*10, 90)), true
}

// tenth rounds a coordinate down, so that nothing of the digits behind shows.
func tenth(v string) (string, bool) {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(math.Abs(n) <= 180) || strings.ContainsAny(v, "xXpP_") {
		return "", false
	}
	return strconv.FormatFloat(math.Floor(n*10)/10, 'f', 1, 64), true
}
