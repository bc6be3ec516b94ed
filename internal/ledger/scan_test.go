package ledger

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"cordon/internal/exposure"

	"pgregory.net/rapid"
)

func TestAScanFindsWhatEntriesTell(t *testing.T) {
	defer func(was uint64) { pieceBatches = was }(pieceBatches)
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		pieceBatches = rapid.SampledFrom([]uint64{1, 2, 5, 512}).Draw(rt, "batches in a piece")
		l, err := openTest(t, fmt.Sprint(dir, "/", round))
		if err != nil {
			rt.Fatal(err)
		}
		defer l.Close()
		ways := []exposure.Pathway{mailPath, {Vendor: "pay", Route: "POST /charge", App: "web"}, {Vendor: "acme-mail", Route: "POST /other", App: "web"}}
		var open []*Receipt
		for range rapid.IntRange(1, 40).Draw(rt, "entries") {
			switch rapid.IntRange(0, 5).Draw(rt, "what") {
			case 0, 1, 2:
				m := message{pathway: rapid.SampledFrom(ways).Draw(rt, "way"), digest: [32]byte{1}, at: time.Now().UnixMilli()}
				for range rapid.IntRange(0, 3).Draw(rt, "people") {
					m.exposed = append(m.exposed, about(rapid.SampledFrom([]exposure.Set{justMail, nameMail}).Draw(rt, "set"), email(rapid.IntRange(0, 4).Draw(rt, "who"))))
				}
				if rapid.Bool().Draw(rt, "incomplete") {
					m.incomplete = []exposure.Reason{exposure.IncompleteDepth}
				}
				r, err := l.record(context.Background(), m)
				if err != nil {
					rt.Fatal(err)
				}
				open = append(open, r)
			case 3, 4:
				if len(open) > 0 {
					i := rapid.IntRange(0, len(open)-1).Draw(rt, "which")
					l.Settle(open[i], Outcome{Result: rapid.SampledFrom([]Result{Sent, NotSent, Unknown}).Draw(rt, "result"), Status: 200, Bytes: 7})
					open = slices.Delete(open, i, i+1)
				}
			default:
				seq, err := l.Append(context.Background(), Event{Kind: EventFinding, Fields: map[string]any{"text": "something"}})
				if err != nil {
					rt.Fatal(err)
				}
				if rapid.Bool().Draw(rt, "declare") {
					_, err := l.Declare(context.Background(), "acme-mail", seq, func(yield func(Declared, error) bool) {
						yield(Declared{Identifiers: []exposure.Identifier{email(1)}, Set: justMail}, nil)
					})
					if err != nil {
						rt.Fatal(err)
					}
				}
			}
		}
		if _, err := l.Append(context.Background(), Event{Kind: EventFinding}); err != nil { // outcomes are on disk before it
			rt.Fatal(err)
		}
		var all []Entry
		for e, err := range l.Entries(1) {
			if err != nil {
				rt.Fatal(err)
			}
			all = append(all, e)
		}
		for range 4 {
			first := rapid.Uint64Range(1, uint64(len(all))).Draw(rt, "first")
			last := rapid.Uint64Range(first, uint64(len(all))+3).Draw(rt, "last")
			vendor := rapid.SampledFrom([]exposure.VendorID{"acme-mail", "pay"}).Draw(rt, "vendor")
			p := Probe{Takes: func(p exposure.Pathway) bool { return p.Vendor == vendor }}
			if rapid.Bool().Draw(rt, "one person") {
				for _, e := range all {
					for _, s := range e.Subjects {
						p.Who = s.Ordinal
					}
				}
			}
			want := scanned(all, first, last, p)
			var got []string
			if err := l.Scan(context.Background(), first, last, p, func(e *Entry) error { got = append(got, fmt.Sprintf("%+v", *e)); return nil }); err != nil {
				rt.Fatal(err)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				rt.Fatalf("entries %d to %d:\nwant %q\ngot  %q", first, last, want, got)
			}
		}
	})
}

// scanned is what a scan must find, from all entries.
func scanned(all []Entry, first, last uint64, p Probe) (want []string) {
	outcomes := map[uint64]Result{}
	for _, e := range all {
		if _, again := outcomes[e.Of]; e.Kind == KindOutcome && !again && e.Seq >= first && e.Seq <= last {
			outcomes[e.Of] = e.Outcome.Result
		}
	}
	for _, e := range all {
		if e.Kind != KindDisclosure || e.Seq < first || e.Seq > last || !p.Takes(e.Pathway) {
			continue
		}
		if p.Who != exposure.Nobody && !slices.ContainsFunc(e.Subjects, func(s Subject) bool { return s.Ordinal == p.Who }) {
			continue
		}
		if r, ok := outcomes[e.Seq]; e.Declared || ok && r != NotSent {
			want = append(want, fmt.Sprintf("%+v", e))
		}
	}
	slices.Sort(want)
	return want
}

// BenchmarkScan reads a journal of one vendor's disclosures for those of another,
// of which it has a hundredth.
func BenchmarkScan(b *testing.B) {
	l := mustOpen(b, b.TempDir())
	const n = 200_000
	work := make(chan int)
	done := make(chan error, 256)
	for range 256 {
		go func() {
			for i := range work {
				m := mail(about(justMail, email(i%50_000)))
				if i%100 == 0 {
					m.pathway.Vendor = "pay"
				}
				r, err := l.record(context.Background(), m)
				if err != nil {
					done <- err
					return
				}
				l.Settle(r, Outcome{Result: Sent, Status: 202, Bytes: 900})
			}
			done <- nil
		}()
	}
	for i := range n {
		work <- i
	}
	close(work)
	for range 256 {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	mustAppend(b, l, Event{Kind: EventFinding})
	size := l.Status().Size
	b.ResetTimer()
	for range b.N {
		found := 0
		err := l.Scan(context.Background(), 1, size, Probe{Takes: func(p exposure.Pathway) bool { return p.Vendor == "pay" }}, func(*Entry) error { found++; return nil })
		if err != nil || found != n/100 {
			b.Fatalf("%d found, %v", found, err)
		}
	}
	b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds()/1e6, "M-entries/s")
}
