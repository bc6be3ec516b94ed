package minimize

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cordon/internal/exposure"
)

func TestCoarseValues(t *testing.T) {
	for _, c := range []struct {
		category    exposure.Category
		value, want string // "": nobody can say how
	}{
		{exposure.IPAddress, "203.0.113.9", "203.0.113.0"},
		{exposure.IPAddress, "203.0.113.9:443", "203.0.113.0"},
		{exposure.IPAddress, "::ffff:203.0.113.9", "203.0.113.0"},
		{exposure.IPAddress, "2001:db8:1:2:3:4:5:6", "2001:db8:1::"},
		{exposure.IPAddress, "[2001:db8:1:2::3]:443", "2001:db8:1::"},
		{exposure.IPAddress, "fe80::1%eth0", "fe80::"},
		{exposure.IPAddress, "203.0.113.9, 198.51.100.77", "203.0.113.0, 198.51.100.0"},
		{exposure.IPAddress, "203.0.113.9, unknown", ""},
		{exposure.IPAddress, "203.0.113.9/24", ""},

		{exposure.PostalCode, "94110", "941"},
		{exposure.PostalCode, "94110-1234", "941"},
		{exposure.PostalCode, "8001", "80"},
		{exposure.PostalCode, "1012 AB", "10"},
		{exposure.PostalCode, "SW1A 1AA", "SW1"},
		{exposure.PostalCode, "M1 1AE", "M1"},
		{exposure.PostalCode, "m11ae", "m1"},
		{exposure.PostalCode, "K1A 0B1", "K1A"},
		{exposure.PostalCode, "D02 X285", "D02"},
		{exposure.PostalCode, "100-0001", "100"},
		{exposure.PostalCode, "01310-100", "013"},
		{exposure.PostalCode, "941", ""},
		{exposure.PostalCode, "none at all", ""},
		{exposure.PostalCode, "94110; Ada", ""},

		{exposure.BirthDate, "1990-05-03", "1990-01-01"},
		{exposure.BirthDate, "1990/5/3", "1990/1/1"},
		{exposure.BirthDate, "05/13/1990", "01/01/1990"},
		{exposure.BirthDate, "13.5.1990", "01.1.1990"},
		{exposure.BirthDate, "1990-05-03T22:15:00+02:00", "1990-01-01T00:00:00+00:00"},
		{exposure.BirthDate, "1990-05-03T22:15:00.123Z", "1990-01-01T00:00:00.000Z"},
		{exposure.BirthDate, "1990-05", "1990-01"},
		{exposure.BirthDate, "1990", "1990"},
		{exposure.BirthDate, "19900503", "19900101"},
		{exposure.BirthDate, "03051990", "01011990"},
		{exposure.BirthDate, "3", "1"},
		{exposure.BirthDate, "03", "01"},
		{exposure.BirthDate, "641692800", "631152000"},
		{exposure.BirthDate, "641692800000", "631152000000"},
		{exposure.BirthDate, "-641692800", "-662688000"},
		{exposure.BirthDate, "03/05/90", ""},
		{exposure.BirthDate, "May 3, 1990", ""},
		{exposure.BirthDate, "32", ""},
		{exposure.BirthDate, "1990-05-03 Ada", ""},

		{ageRange, "37", "30"}, {ageRange, "17", "10"}, {ageRange, "18", "18"}, {ageRange, "19.5", "18"}, {ageRange, "20", "20"},
		{ageRange, "104", "90"}, {ageRange, "35-44", "35-44"}, {ageRange, "65+", "65+"}, {ageRange, "adult", ""}, {ageRange, "-1", ""},

		{exposure.Precise, "52.5200066", "52.5"}, {exposure.Precise, "-33.8688", "-33.9"}, {exposure.Precise, "52.52, 13.405", "52.5, 13.4"},
		{exposure.Precise, "52", "52.0"}, {exposure.Precise, "NaN", ""}, {exposure.Precise, "0x1p2", ""}, {exposure.Precise, "Unter den Linden 1", ""}, {exposure.Precise, "1000", ""},

		{exposure.Name, "Ada", ""}, {exposure.Precise, " ", ""},
	} {
		got, ok := generalize(c.category, c.value)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s %q became %q, %v; want %q", c.category, c.value, got, ok, c.want)
		}
	}
}

func TestNobodyIsToldApartWithinANetworkOrAYear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var raw [16]byte
		for i := range raw {
			raw[i] = rapid.Byte().Draw(t, "byte")
		}
		a := netip.AddrFrom16(raw)
		other := raw
		for i := 6; i < 16; i++ {
			other[i] = rapid.Byte().Draw(t, "byte")
		}
		if !a.Is4In6() && !netip.AddrFrom16(other).Is4In6() {
			x, ok := network(a.String())
			y, ok2 := network(netip.AddrFrom16(other).String())
			if !ok || !ok2 || x != y {
				t.Fatalf("%v and %v became %s and %s", a, netip.AddrFrom16(other), x, y)
			}
		}
		y := rapid.IntRange(1900, 2025).Draw(t, "year")
		day := func() time.Time {
			return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 364).Draw(t, "day"))
		}
		layout := rapid.SampledFrom([]string{"2006-01-02", "2006/01/02", "01/02/2006", "02.01.2006", "20060102", time.RFC3339}).Draw(t, "layout")
		one, two := day().Format(layout), day().Format(layout)
		x, ok := year(one)
		z, ok2 := year(two)
		if at, err := time.Parse(layout, x); !ok || !ok2 || x != z || err != nil || at.Year() != y {
			t.Fatalf("%s and %s became %s and %s", one, two, x, z)
		}
	})
}

func FuzzGeneralize(f *testing.F) {
	for _, v := range []string{"203.0.113.9", "94110", "1990-05-03", "37", "52.52", "2001:db8::1", "SW1A 1AA", "1990", "641692800"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		for _, c := range []exposure.Category{exposure.IPAddress, exposure.PostalCode, exposure.BirthDate, ageRange, exposure.Precise} {
			coarse, ok := generalize(c, v)
			if !ok {
				continue
			}
			again, ok := generalize(c, coarse)
			// A prefix has no shorter one, 0.1 is not exact, and 1970 begins at 0,
			// which is no day.
			if c == exposure.PostalCode || c == exposure.Precise || coarse == "0" {
				continue
			}
			if !ok || again != coarse {
				t.Fatalf("%s %q became %q, then %q", c, v, coarse, again)
			}
		}
		if got := mask(exposure.Email, v); strings.Count(got, "@") != 1 || len(got) > len("***@masked.invalid")+4 {
			t.Fatalf("%q became %q", v, got)
		}
	})
}
