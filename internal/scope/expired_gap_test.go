package scope

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"cordon/internal/exposure"
)

// TestGapsAreTheSameWhenTheLastSignOfLifeExpired: a run ended without a stop, and
// what shows how long it lived are the messages of a day that has expired.
func TestGapsAreTheSameWhenTheLastSignOfLifeExpired(t *testing.T) {
	j := newJournal()
	begin := time.Date(2026, 2, 3, 8, 0, 0, 0, time.UTC)
	j.append(Entry{Kind: CoverageStart, At: begin})
	for i := range 10 {
		j.disclose(begin.Add(time.Duration(i+1)*time.Hour), ways[0], sent, Exposure{7, exposure.SetOf(exposure.Email)})
	}
	crash := begin.Add(11 * time.Hour)
	j.append(Entry{Kind: Restarted, At: crash})
	j.append(Entry{Kind: CoverageStart, At: crash.Add(time.Second)})
	j.append(Entry{Kind: CoverageStop, At: crash.AddDate(0, 0, 2)})
	j.append(Entry{Kind: CoverageStart, At: crash.AddDate(0, 0, 3)})
	d := db(t)
	x := open(t, j, d, begin.AddDate(0, 0, 40))
	gaps := func() string {
		t.Helper()
		a, err := x.Query(context.Background(), Query{Vendor: "mail"})
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(a.Gaps)
		return string(text)
	}
	before := gaps()
	if _, err := x.Seal(context.Background(), begin); err != nil {
		t.Fatal(err)
	}
	j.expire(dayOf(begin))
	check := func(when string) {
		t.Helper()
		if got := gaps(); got != before {
			t.Errorf("%s: gaps %s, before %s", when, got, before)
		}
		if problems, err := x.Check(context.Background(), t.TempDir(), nil); err != nil || len(problems) > 0 {
			t.Errorf("%s: %q, %v", when, problems, err)
		}
	}
	check("after the day expired")
	for range 2 {
		if err := x.Rebuild(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		check("after a rebuild")
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = open(t, j, d, begin.AddDate(0, 0, 40))
	check("after a restart")
}
