package ledger

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"cordon/internal/exposure"

	"pgregory.net/rapid"
)

// Whatever is recorded, in whatever order and with restarts between, is what
// Entries gives back.
func TestEntriesEqualWhatWasRecorded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "ledger-property")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		l, err := openTest(t, dir)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { l.Close() }()

		type said struct {
			m       message
			outcome *Outcome
		}
		sets := []exposure.Set{justMail, nameMail, exposure.SetOf(exposure.IPAddress, exposure.UserID), {}}
		recorded := map[uint64]*said{}
		var receipts []*Receipt
		events := map[uint64]Event{}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"record", "record", "record", "settle", "event", "restart"}).Draw(rt, "step") {
			case "record":
				m := message{
					pathway: exposure.Pathway{
						Vendor: "acme", App: rapid.String().Draw(rt, "app"),
						Route: rapid.SampledFrom([]string{"POST /a", "POST /b"}).Draw(rt, "route"),
					},
					digest: [32]byte{1}, shadow: rapid.Bool().Draw(rt, "shadow"),
					at: rapid.Int64Range(-1<<40, 1<<45).Draw(rt, "at"),
				}
				for _, who := range rapid.SliceOfNDistinct(rapid.IntRange(0, 30), 0, 20, rapid.ID[int]).Draw(rt, "people") {
					m.exposed = append(m.exposed, about(rapid.SampledFrom(sets).Draw(rt, "set"), userID(who)))
				}
				if rapid.Bool().Draw(rt, "incomplete") {
					m.incomplete = []exposure.Reason{exposure.IncompleteRatio, exposure.IncompleteUTF8}
				}
				if len(receipts) > 0 && rapid.Bool().Draw(rt, "retry") {
					m.retry = receipts[0].seq
				}
				r, err := l.record(context.Background(), m)
				if err != nil {
					rt.Fatal(err)
				}
				receipts = append(receipts, r)
				recorded[r.seq] = &said{m: m}
			case "settle":
				if len(receipts) > 0 {
					r := rapid.SampledFrom(receipts).Draw(rt, "receipt")
					o := Outcome{
						rapid.SampledFrom([]Result{Sent, NotSent, Unknown}).Draw(rt, "result"),
						rapid.IntRange(0, 999).Draw(rt, "status"), rapid.Int64Range(0, 1<<40).Draw(rt, "bytes"),
					}
					if s := recorded[r.seq]; s.outcome == nil {
						s.outcome = &o
						l.Settle(r, o)
					}
				}
			case "event":
				e := Event{Kind: EventUser, Actor: rapid.String().Draw(rt, "actor"), At: time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(rt, "at"))}
				seq, err := l.Append(context.Background(), e)
				if err != nil {
					rt.Fatal(err)
				}
				events[seq] = e
			case "restart":
				if err := l.Close(); err != nil {
					rt.Fatal(err)
				}
				if l, err = openTest(t, dir); err != nil {
					rt.Fatal(err)
				}
				for _, s := range recorded {
					if s.outcome == nil {
						s.outcome = &Outcome{}
					}
				}
				receipts = nil
			}
		}
		if _, err := l.Append(context.Background(), Event{Kind: EventConfig}); err != nil { // takes the outcomes along
			rt.Fatal(err)
		}
		outcomes := map[uint64]Outcome{}
		next := uint64(1)
		disclosures := 0
		for e, err := range l.Entries(1) {
			if err != nil {
				rt.Fatal(err)
			}
			if e.Seq != next {
				rt.Fatalf("entry %d where %d should be", e.Seq, next)
			}
			next++
			switch e.Kind {
			case KindDisclosure:
				disclosures++
				s := recorded[e.Seq]
				if s == nil || e.Pathway != s.m.pathway || e.Shadow != s.m.shadow || e.At.UnixMilli() != s.m.at ||
					e.Retry != s.m.retry || !slices.Equal(e.Incomplete, s.m.incomplete) || len(e.Subjects) != len(s.m.exposed) {
					rt.Fatalf("entry %+v, recorded %+v", e, s)
				}
				for i, x := range s.m.exposed {
					o, _, err := l.Lookup(x.identifiers[0])
					if err != nil || (e.Subjects[i] != Subject{o, x.set}) {
						rt.Fatalf("entry %d, subject %d: %v, recorded %v", e.Seq, i, e.Subjects[i], x)
					}
				}
			case KindOutcome:
				outcomes[e.Of] = e.Outcome
			case KindEvent:
				if want, ok := events[e.Seq]; ok && (e.Event.Actor != want.Actor || !e.At.Equal(want.At)) {
					rt.Fatalf("event %+v, appended %+v", e.Event, want)
				}
			}
		}
		if disclosures != len(recorded) {
			rt.Fatalf("%d disclosures of %d", disclosures, len(recorded))
		}
		for seq, s := range recorded {
			got, ok := outcomes[seq]
			if ok != (s.outcome != nil) || ok && got != *s.outcome {
				rt.Fatalf("outcome of %d is %v (%v), settled %v", seq, got, ok, s.outcome)
			}
		}
		if r := l.Verify(context.Background(), nil); !r.OK {
			rt.Fatal(r.Problems)
		}
	})
}

func TestManyAtOnceGetDifferentNumbers(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	const writers, each = 256, 20
	var mu sync.Mutex
	seen := map[uint64]bool{}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				r, err := l.record(context.Background(), mail(about(nameMail, userID(w*each+i))))
				if err != nil {
					t.Error(err)
					return
				}
				l.Settle(r, Outcome{Sent, 200, 1})
				l.Note(Event{Kind: EventRefusal})
				mu.Lock()
				if seen[r.Seq()] {
					t.Errorf("number %d twice", r.Seq())
				}
				seen[r.Seq()] = true
				mu.Unlock()
				l.Status()
				if i == 10 && w%64 == 0 {
					if err := l.Checkpoint(context.Background()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	mustAppend(t, l, Event{Kind: EventConfig})
	kinds := map[Kind]int{}
	for _, e := range allEntries(t, l) {
		kinds[e.Kind]++
	}
	if len(seen) != writers*each || kinds[KindDisclosure] != writers*each || kinds[KindOutcome] != writers*each || kinds[KindEvent] != writers*each+1 {
		t.Errorf("%d numbers, entries by kind %v", len(seen), kinds)
	}
	mustVerify(t, l)
}
