package scope

import (
	"context"
	"fmt"
	"testing"
	"time"

	"cordon/internal/exposure"
)

// TestDeclarationsPastTheLimitAreOneAndStillCount: whoever declares every hour
// comes to the limit, and that must not end all answers.
func TestDeclarationsPastTheLimitAreOneAndStillCount(t *testing.T) {
	defer func(ways, declared int) { maxWays, maxDeclared = ways, declared }(maxWays, maxDeclared)
	maxWays, maxDeclared = 2, 3
	j := newJournal()
	x := open(t, j, db(t), epoch)
	for i := range 6 {
		j.append(Entry{Kind: Disclosed, At: epoch, Declared: true, HeldSince: epoch.Add(time.Duration(i) * time.Minute),
			Pathway:   exposure.Pathway{Vendor: "mail", Route: exposure.DeclaredRoute, Credential: fmt.Sprint("backfill:", i+1)},
			Exposures: []Exposure{{exposure.Ordinal(i + 1), exposure.SetOf(exposure.Email)}}})
	}
	j.disclose(epoch.Add(time.Minute), ways[0], sent, Exposure{100, exposure.SetOf(exposure.Email)})
	// The letter covers only those that have a name of their own.
	j.append(Entry{Kind: Stated, At: epoch.Add(time.Hour), Statement: Statement{Kind: Attestation, Vendor: "mail",
		SentBefore: epoch.Add(time.Hour), DeletedAt: epoch.Add(time.Hour)}})
	for range 2 {
		for _, c := range []struct {
			q    Query
			want uint64
		}{
			{Query{Vendor: "mail"}, 7},
			{Query{Vendor: "mail", Until: epoch.Add(4*time.Minute + time.Second)}, 6}, // read from the journal
			{Query{Vendor: "mail", Since: epoch.Add(2 * time.Hour)}, 3},
			{Query{Vendor: "mail", Basis: SentWithin}, 1},
		} {
			a, err := x.Query(context.Background(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			if a.Subjects != c.want {
				t.Errorf("%+v: %d people, want %d", c.q, a.Subjects, c.want)
			}
		}
		if err := x.Rebuild(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
	}
}
