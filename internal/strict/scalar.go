package strict

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes, written 1MiB, 64KiB, 500kB or plainly 4096.
type Size int64

var units = []struct {
	name   string
	factor int64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1}, {"", 1},
}

// UnmarshalText reads a size as the file has it.
func (s *Size) UnmarshalText(text []byte) error {
	for _, u := range units {
		digits, found := strings.CutSuffix(string(text), u.name)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/u.factor {
			break
		}
		*s = Size(n * u.factor)
		return nil
	}
	return fmt.Errorf("%q is not a size; write a number with a unit, such as 1MiB", text)
}

// MarshalText writes the size with the largest unit that divides it.
func (s Size) MarshalText() ([]byte, error) {
	for _, u := range units[:3] {
		if s > 0 && int64(s)%u.factor == 0 {
			return fmt.Appendf(nil, "%d%s", int64(s)/u.factor, u.name), nil
		}
	}
	return strconv.AppendInt(nil, int64(s), 10), nil
}

func (s Size) String() string { b, _ := s.MarshalText(); return string(b) }

// Duration is a time.Duration, written 250ms, 10s, 2m30s or 24h.
type Duration time.Duration

// UnmarshalText reads a duration as the file has it.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration; write a number with a unit, such as 10s or 24h", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the duration as time.Duration does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Duration) String() string { return time.Duration(d).String() }

// Days is a number of whole days, written 400d; 0 is none.
type Days int

// UnmarshalText reads a number of days as the file has it.
func (d *Days) UnmarshalText(text []byte) error {
	digits, found := strings.CutSuffix(string(text), "d")
	n, err := strconv.Atoi(digits)
	if !found || err != nil || n < 1 || n > 100_000 {
		return fmt.Errorf("%q is not a number of days; write one such as 400d", text)
	}
	*d = Days(n)
	return nil
}

// MarshalText writes the days as the file has them.
func (d Days) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Days) String() string { return strconv.Itoa(int(d)) + "d" }
