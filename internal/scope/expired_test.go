package scope

import (
	"context"
	"testing"
	"time"

	"cordon/internal/exposure"
)

// TestMessageBeforeMidnightIsFoundWhenItsOutcomeExpired: of two days the later
// one expired, and with it the outcome of a message of the earlier one. A bound
// within its half hour reads the journal, which does not tell of the outcome.
func TestMessageBeforeMidnightIsFoundWhenItsOutcomeExpired(t *testing.T) {
	j := newJournal()
	midnight := time.Date(2026, 2, 4, 0, 0, 0, 0, time.UTC)
	who := Exposure{7, exposure.SetOf(exposure.Email)}
	seq := j.append(Entry{Kind: Disclosed, At: midnight.Add(-2 * time.Second), Pathway: ways[0], Exposures: []Exposure{who}})
	j.disclose(midnight.Add(-time.Minute*10), ways[0], sent, Exposure{8, who.Set}) // so that the bound cuts the half hour
	j.append(Entry{Kind: Disclosed, At: midnight.Add(-time.Second), Pathway: ways[0], Exposures: []Exposure{{9, who.Set}}})
	outcome := j.append(Entry{Kind: Settled, At: midnight.Add(time.Second), Of: seq, Result: Sent})
	j.append(Entry{Kind: Other, At: midnight.AddDate(0, 0, 2)})
	x := open(t, j, db(t), midnight.AddDate(0, 0, 30))
	q := Query{Vendor: "mail", Since: midnight.Add(-time.Minute), Until: midnight, Basis: SentWithin}
	ask := func(when string) {
		t.Helper()
		a, err := x.Query(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		if a.Subjects != 2 || a.Disclosures != 2 || a.Pending != 1 {
			t.Errorf("%s: %d people by %d messages, %d pending; want 2 by 2, 1 pending", when, a.Subjects, a.Disclosures, a.Pending)
		}
	}
	ask("before")
	j.mu.Lock()
	j.expired = map[uint64]bool{outcome: true}
	j.mu.Unlock()
	ask("after the next day expired")
}
