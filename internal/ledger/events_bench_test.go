package ledger

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// BenchmarkFoldAtStart reads what state is folded from in a journal of n million
// entries with 2,000 events among them: through the list, and as it would be
// without one. It is run by hand: CORDON_ENTRIES=3000000 go test -bench FoldAtStart.
func BenchmarkFoldAtStart(b *testing.B) {
	var n int
	if _, err := fmt.Sscan(os.Getenv("CORDON_ENTRIES"), &n); err != nil {
		b.Skip("CORDON_ENTRIES is not set")
	}
	dir := b.TempDir()
	l := mustOpen(b, dir)
	const writers = 2000
	var group sync.WaitGroup
	each := n / 2 / writers // each with its outcome
	for w := range writers {
		group.Go(func() {
			for i := range each {
				r := mustRecord(b, l, mail(about(nameMail, email(i%1000))))
				l.Settle(r, Outcome{Sent, 202, 700})
				if w == 0 && i%(each/2000+1) == 0 {
					mustAppend(b, l, Event{Kind: EventGate, Vendor: "acme-mail", Fields: map[string]any{"gate": "cut"}})
				}
			}
		})
	}
	group.Wait()
	l.Close()
	began := time.Now()
	l = mustOpen(b, dir)
	b.Logf("%d entries in %d batches; opened in %v", l.Status().Size, l.durable.Load().batches, time.Since(began))
	for name, read := range map[string]func() int{
		"list": func() (events int) {
			for _, err := range l.Events(1) {
				if err != nil {
					b.Fatal(err)
				}
				events++
			}
			return events
		},
		"everything": func() (events int) {
			for e, err := range l.Entries(1) {
				if err != nil {
					b.Fatal(err)
				}
				if e.Kind == KindEvent {
					events++
				}
			}
			return events
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(float64(read()), "events")
			}
		})
	}
}
