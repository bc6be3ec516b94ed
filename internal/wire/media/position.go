package media

import (
	"math"
	"strconv"
	"strings"

	"cordon/internal/wire"
)

// rationals are one or more fractions; three of them are degrees, minutes and
// seconds, decoded as decimal degrees.
type rationals struct {
	order
	negative bool // south or west, says another entry
}

// rational is how a GPS entry is written. The entry before it says on which half
// of the globe it is.
func (x *exif) rational(list []entry, e entry, t tag) wire.Codec {
	c := rationals{order: x.order}
	for _, other := range list {
		if t.reference != 0 && other.tag == t.reference && other.start < other.end {
			half := x.text[other.start]
			c.negative = half == 'S' || half == 'W' || half == 1 && t.name == "GPSAltitude" // below the sea
		}
	}
	return c
}

func (c rationals) Decode(raw string) (string, bool) {
	total, unit := 0.0, 1.0
	for ; len(raw) >= 8; raw = raw[8:] {
		n, d := float64(c.number(raw[:4])), float64(c.number(raw[4:8]))
		if d == 0 {
			if n == 0 && unit > 1 { // seconds that were not given
				continue
			}
			return "", true // blanked: no number at all
		}
		total += n / d / unit
		unit *= 60
	}
	if c.negative {
		total = -total
	}
	return strconv.FormatFloat(math.Round(total*1e7)/1e7, 'f', -1, 64), true
}

// Encode takes a number of the same half of the globe, and rounds it.
func (c rationals) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	if value == "" {
		return strings.Repeat("\x00", len(raw)), true
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || f != 0 && f < 0 != c.negative || math.Abs(f) > 1e5 {
		return "", false
	}
	rest := math.Abs(f)
	var b []byte
	for left := len(raw) / 8; left > 0; left-- {
		whole, scale := math.Floor(rest+1e-9), 1.0
		if left == 1 {
			scale = 1e4
			whole = math.Round(rest * scale)
		}
		b = c.append32(b, uint64(whole))
		b = c.append32(b, uint64(scale))
		rest = math.Max(0, rest-whole/scale) * 60
	}
	written := string(b)
	again, _ := c.Decode(written)
	got, err := strconv.ParseFloat(again, 64)
	return written, err == nil && math.Abs(got-f) < 1e-4
}
