package incident

import (
	"context"
	"encoding/json"
	"iter"
	"reflect"
	"sync"
	"testing"
	"time"

	"cordon/internal/ledger"
)

// tape is a ledger in memory. What is read from it has been through JSON, as
// from the real one.
type tape struct {
	mu      sync.Mutex
	entries []ledger.Entry
	texts   map[uint64]string
}

func (p *tape) Append(_ context.Context, e ledger.Event) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text, err := json.Marshal(e.Fields)
	if err != nil {
		return 0, err
	}
	e.Fields = nil
	if err := json.Unmarshal(text, &e.Fields); err != nil {
		return 0, err
	}
	e.At = e.At.UTC().Truncate(time.Millisecond)
	seq := uint64(2*len(p.entries) + 3) // other entries stand between
	p.entries = append(p.entries, ledger.Entry{Seq: seq, Kind: ledger.KindEvent, At: e.At, Event: e})
	return seq, nil
}

func (p *tape) AppendSealed(ctx context.Context, e ledger.Event, group, text string) (uint64, error) {
	fields := map[string]any{"text_digest": "d"}
	for k, v := range e.Fields {
		fields[k] = v
	}
	e.Fields = fields
	seq, err := p.Append(ctx, e)
	if p.texts == nil {
		p.texts = map[uint64]string{}
	}
	p.texts[seq] = group + ": " + text
	return seq, err
}

func (p *tape) Events(from uint64) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		p.mu.Lock()
		list := p.entries[:len(p.entries):len(p.entries)]
		p.mu.Unlock()
		for _, e := range list {
			if e.Seq >= from && !yield(e, nil) {
				return
			}
		}
	}
}

// clock is a time that tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

var noon = time.Date(2026, 2, 6, 12, 0, 0, 0, time.UTC)

func began(t *testing.T, o Opening) (*Cases, *tape, *clock) {
	t.Helper()
	p, k := &tape{}, &clock{noon}
	c := NewCases(p, k.now)
	if o.Vendor == "" {
		o.Vendor = "acme-mail"
	}
	if _, err := c.Begin(t.Context(), "ann", o); err != nil {
		t.Fatal(err)
	}
	return c, p, k
}

func gate(t *testing.T, p *tape, at time.Time, to, route string) {
	t.Helper()
	f := map[string]any{"gate": to}
	if route != "" {
		f["route"] = route
	}
	if _, err := p.Append(t.Context(), ledger.Event{Kind: ledger.EventGate, Vendor: "acme-mail", At: at, Actor: "ann", Fields: f}); err != nil {
		t.Fatal(err)
	}
}

// sameAfterRestart compares what was folded as it happened with what each
// prefix and a fresh reading give.
func sameAfterRestart(t *testing.T, c *Cases, p *tape) {
	t.Helper()
	fresh := NewCases(p, time.Now)
	if got, want := fresh.List(), c.List(); !reflect.DeepEqual(got, want) {
		t.Fatalf("after a restart:\n%+v\nbefore:\n%+v", got, want)
	}
	for _, k := range c.List() {
		a, err := c.Timeline(k.ID)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fresh.Timeline(k.ID)
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("timeline after a restart:\n%+v %v\nbefore:\n%+v", b, err, a)
		}
	}
}
