// Package figure writes numbers and times the way people read them, alike on
// the command line and in the console. It is pure: the time is an argument.
package figure

import (
	"fmt"
	"strconv"
	"time"
)

// Grouped writes 4118302 as "4,118,302".
func Grouped[N ~int | ~int64 | ~uint64 | ~uint32](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	out := make([]byte, 0, len(digits)+len(digits)/3)
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out = append(out, ',')
		}
		out = append(out, digits[i])
	}
	return sign + string(out)
}

// Count writes "1 person", "0 people", "4,118,302 people".
func Count[N ~int | ~int64 | ~uint64 | ~uint32](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Grouped(n) + " " + many
}

// Ago says how long before now t was: "just now", "42 s ago", "3 h ago",
// "5 days ago". A time ahead of now is "in 3 h"; the zero time is "never".
func Ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	form := "%s ago"
	if d < 0 {
		form, d = "in %s", -d
	}
	switch {
	case d < 2*time.Second:
		return "just now"
	case d < 90*time.Second:
		return fmt.Sprintf(form, fmt.Sprintf("%d s", int(d.Seconds())))
	case d < 90*time.Minute:
		return fmt.Sprintf(form, fmt.Sprintf("%d min", int(d.Minutes())))
	case d < 36*time.Hour:
		return fmt.Sprintf(form, fmt.Sprintf("%d h", int(d.Hours())))
	default:
		return fmt.Sprintf(form, Count(int(d.Hours()/24), "day", "days"))
	}
}

// Took writes a duration given in milliseconds: "0.4 ms", "14 ms", "1.2 s".
func Took(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
}

// Instant writes a time as people compare it: UTC, to the second.
func Instant(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
