// Package ledgertest is what every implementation of the ledger must do, as
// one suite. It knows only the interface and the public behaviour: it passes
// on the store of one machine and is to pass on a ledger spread over many.
package ledgertest

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/minimize"
)

// Ledger is what the gateway and the followers use.
type Ledger interface {
	Record(ctx context.Context, d ledger.Disclosure) (*ledger.Receipt, error)
	Settle(r *ledger.Receipt, o ledger.Outcome)
	Append(ctx context.Context, e ledger.Event) (uint64, error)
	Entries(from uint64) iter.Seq2[ledger.Entry, error]
	Follow() <-chan struct{}
	Close() error
}

// Run runs the suite. open opens the ledger that lies in dir, or makes one.
func Run(t *testing.T, open func(t *testing.T, dir string) Ledger) {
	t.Run("entries are durable, numbered and in order", func(t *testing.T) { durable(t, open) })
	t.Run("a receipt allows its message once", func(t *testing.T) { receipts(t, open) })
	t.Run("one person keeps one ordinal", func(t *testing.T) { ordinals(t, open) })
	t.Run("open disclosures read unknown after a restart", func(t *testing.T) { unknown(t, open) })
	t.Run("a follower misses nothing", func(t *testing.T) { follow(t, open) })
	t.Run("a closed ledger refuses", func(t *testing.T) { closed(t, open) })
}

func disclose(t *testing.T, l Ledger, c *minimize.Cleared) *ledger.Receipt {
	t.Helper()
	r, err := l.Record(context.Background(), ledger.Disclosure{
		Pathway: exposure.Pathway{Vendor: c.Vendor(), Route: c.Route().Name, App: "web"}, Cleared: c,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, l Ledger, from uint64) []ledger.Entry {
	t.Helper()
	var all []ledger.Entry
	for e, err := range l.Entries(from) {
		if err != nil {
			t.Fatal(err)
		}
		if want := from + uint64(len(all)); e.Seq != want {
			t.Fatalf("entry %d where %d should be", e.Seq, want)
		}
		all = append(all, e)
	}
	return all
}

func durable(t *testing.T, open func(*testing.T, string) Ledger) {
	dir := t.TempDir()
	l := open(t, dir)
	c := Mail(t, "ada@mail.example", "bob@mail.example")
	r := disclose(t, l, c)
	seq, err := l.Append(context.Background(), ledger.Event{Kind: ledger.EventGate, Vendor: "acme-mail", Actor: "local"})
	if err != nil || seq <= r.Seq() {
		t.Fatalf("event %d after %d, %v", seq, r.Seq(), err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	defer l.Close()
	all := read(t, l, 1)
	d := all[r.Seq()-1]
	if d.Kind != ledger.KindDisclosure || d.Pathway.Vendor != "acme-mail" || d.Pathway.App != "web" || len(d.Subjects) != 2 {
		t.Errorf("disclosure read back as %+v", d)
	}
	for _, s := range d.Subjects {
		if s.Ordinal == exposure.Nobody || !s.Set.Has(exposure.Email, exposure.Clear) {
			t.Errorf("subject %v", s)
		}
	}
	if e := all[seq-1]; e.Kind != ledger.KindEvent || e.Event.Kind != ledger.EventGate || e.Event.Actor != "local" {
		t.Errorf("event read back as %+v", e)
	}
	if again := read(t, l, seq); again[0].Seq != seq {
		t.Errorf("reading from %d begins with %d", seq, again[0].Seq)
	}
}

func receipts(t *testing.T, open func(*testing.T, string) Ledger) {
	l := open(t, t.TempDir())
	defer l.Close()
	c, other := Mail(t, "ada@mail.example"), Mail(t, "bob@mail.example")
	r := disclose(t, l, c)
	if err := r.Redeem(other); !errors.Is(err, ledger.ErrReceipt) {
		t.Errorf("for another message: %v", err)
	}
	if err := r.Redeem(&minimize.Cleared{}); !errors.Is(err, ledger.ErrReceipt) {
		t.Errorf("for nothing: %v", err)
	}
	if err := r.Redeem(c); err != nil {
		t.Errorf("for its message: %v", err)
	}
	if err := r.Redeem(c); !errors.Is(err, ledger.ErrReceipt) {
		t.Errorf("a second time: %v", err)
	}
	if _, err := l.Record(context.Background(), ledger.Disclosure{Cleared: &minimize.Cleared{}}); err == nil {
		t.Error("recorded what nobody cleared")
	}
	if _, err := l.Record(context.Background(), ledger.Disclosure{Pathway: exposure.Pathway{Vendor: "other"}, Cleared: c}); err == nil {
		t.Error("recorded a pathway to another vendor")
	}
}

func ordinals(t *testing.T, open func(*testing.T, string) Ledger) {
	dir := t.TempDir()
	l := open(t, dir)
	var wg sync.WaitGroup
	c := Mail(t, "ada@mail.example")
	for range 32 {
		wg.Go(func() { disclose(t, l, c) })
	}
	wg.Wait()
	l.Close()
	l = open(t, dir)
	defer l.Close()
	disclose(t, l, c)
	seen := map[exposure.Ordinal]int{}
	for _, e := range read(t, l, 1) {
		for _, s := range e.Subjects {
			seen[s.Ordinal]++
		}
	}
	if len(seen) != 1 || seen[exposure.Nobody] != 0 {
		t.Errorf("ordinals %v", seen)
	}
}

func unknown(t *testing.T, open func(*testing.T, string) Ledger) {
	dir := t.TempDir()
	l := open(t, dir)
	sent, lost := disclose(t, l, Mail(t, "ada@mail.example")), disclose(t, l, Mail(t, "bob@mail.example"))
	l.Settle(sent, ledger.Outcome{Result: ledger.Sent, Status: 202, Bytes: 9})
	l.Settle(sent, ledger.Outcome{Result: ledger.NotSent}) // the first counts
	l.Close()
	l = open(t, dir)
	defer l.Close()
	got := map[uint64]ledger.Outcome{}
	for _, e := range read(t, l, 1) {
		if e.Kind == ledger.KindOutcome {
			if _, twice := got[e.Of]; twice {
				t.Errorf("two outcomes of %d", e.Of)
			}
			got[e.Of] = e.Outcome
		}
	}
	if got[sent.Seq()] != (ledger.Outcome{Result: ledger.Sent, Status: 202, Bytes: 9}) || len(got) != 2 || got[lost.Seq()] != (ledger.Outcome{}) {
		t.Errorf("outcomes %v", got)
	}
}

func follow(t *testing.T, open func(*testing.T, string) Ledger) {
	l := open(t, t.TempDir())
	defer l.Close()
	const events = 200
	go func() {
		for range events {
			if _, err := l.Append(context.Background(), ledger.Event{Kind: ledger.EventConfig}); err != nil {
				t.Error(err)
			}
		}
	}()
	next, seen := uint64(1), 0
	late := time.After(30 * time.Second)
	for seen < events {
		changed := l.Follow()
		for _, e := range read(t, l, next) {
			next = e.Seq + 1
			if e.Event.Kind == ledger.EventConfig {
				seen++
			}
		}
		if seen == events {
			break
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("%d of %d events seen", seen, events)
		}
	}
}

func closed(t *testing.T, open func(*testing.T, string) Ledger) {
	l := open(t, t.TempDir())
	l.Close()
	_, err := l.Append(context.Background(), ledger.Event{Kind: ledger.EventConfig})
	if !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("append: %v", err)
	}
	c := Mail(t, "ada@mail.example")
	_, err = l.Record(context.Background(), ledger.Disclosure{Pathway: exposure.Pathway{Vendor: c.Vendor()}, Cleared: c})
	if !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("record: %v", err)
	}
}
