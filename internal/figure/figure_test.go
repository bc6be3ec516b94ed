package figure

import (
	"testing"
	"time"
)

func TestGroupsThreeDigits(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 35002114: "35,002,114", -1234: "-1,234"} {
		if got := Grouped(n); got != want {
			t.Errorf("Grouped(%d) = %q, want %q", n, got, want)
		}
	}
	if got := Count(1, "person", "people"); got != "1 person" {
		t.Error(got)
	}
}

func TestSaysHowLongAgo(t *testing.T) {
	now := time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "just now", 42 * time.Second: "42 s ago", 89 * time.Minute: "89 min ago",
		3 * time.Hour: "3 h ago", 48 * time.Hour: "2 days ago", -3 * time.Hour: "in 3 h",
	} {
		if got := Ago(now.Add(-d), now); got != want {
			t.Errorf("Ago(%v) = %q, want %q", d, got, want)
		}
	}
	if got := Ago(time.Time{}, now); got != "never" {
		t.Error(got)
	}
	if got := Took(14.2); got != "14 ms" {
		t.Error(got)
	}
}
