package scope

import (
	"context"
	"io"
	"runtime"
	"testing"
	"time"

	"cordon/internal/exposure"
)

// Fourteen million people are exported as they are met: what is allocated must
// not grow with them.
func TestExportTakesNoMemoryByPerson(t *testing.T) {
	const people = 200_000
	j := scene()
	e := Entry{Kind: Disclosed, At: epoch.Add(time.Hour), Pathway: ways[0]}
	for o := range people {
		e.Exposures = append(e.Exposures, Exposure{exposure.Ordinal(o + 1), exposure.SetOf(exposure.Email)})
	}
	of := j.append(e)
	j.append(Entry{Kind: Settled, At: epoch.Add(time.Hour), Of: of, Result: Sent})
	d := db(t)
	x := open(t, j, d, epoch.Add(2*time.Hour))
	nobody := func(exposure.Ordinal) (string, bool, error) { return "", false, nil }
	export := func(q Query) (n uint64, bytes uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n, err := x.Export(context.Background(), q, io.Discard, nobody)
		if err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return n, after.TotalAlloc - before.TotalAlloc
	}
	none, base := export(Query{Vendor: "mail", Until: epoch}) // what a question costs anyway
	n, all := export(Query{Vendor: "mail"})
	if none != 0 || n != people {
		t.Fatalf("exported %d and %d people", none, n)
	}
	if perPerson := (int64(all) - int64(base)) / people; perPerson > 24 {
		t.Errorf("%d bytes are allocated for each person", perPerson)
	}
}
