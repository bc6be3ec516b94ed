package gateway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
)

// Order is a wish to change a gate.
type Order struct {
	Vendor exposure.VendorID
	Route  string // "": the vendor
	To     isolate.State
	Actor  string // who wants it
	Reason string // free text; only its keyed digest is recorded
	// Closings is what the gate's Closings were before the opening was decided.
	// An order to open is refused if it was told to close since; nil: it never is.
	Closings *uint64
}

// Done is what an Order came to.
type Done struct {
	isolate.Change
	// Seq is the entry of the change; 0 while it is pending: the gate holds, and
	// the entry is written as soon as the ledger can.
	Seq uint64
}

// Pending reports `closed, entry pending`.
func (d Done) Pending() bool { return d.Seq == 0 }

// entryWithin is how long an acknowledgement waits for the ledger. A cut is
// wanted now; a ledger that hangs does not get to hold it up.
const entryWithin = 2 * time.Second

// Change sets a gate: the state, the sockets, the writers (package isolate), then
// the entry, then the return, which is the acknowledgement.
//
// The error says that the gate could not be set, or not durably; Done then says
// how far it came. That the entry is pending is no error.
func (g *Gateway) Change(ctx context.Context, o Order) (Done, error) {
	v := g.vendors[o.Vendor]
	if v == nil {
		return Done{}, fmt.Errorf("no manifest has vendor %s", o.Vendor)
	}
	var change isolate.Change
	var err error
	if o.To == isolate.Open && o.Closings != nil {
		change, err = v.gate.Open(o.Route, *o.Closings)
	} else {
		change, err = v.gate.Change(o.To, o.Route)
	}
	defer v.gate.Acknowledged()
	if errors.Is(err, isolate.ErrClosedMeanwhile) {
		return Done{Change: change}, err // nothing happened, so there is nothing to record
	}
	d := Done{Change: change}
	// Not cancelled with ctx: whoever asked may have gone, the gate has changed.
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), entryWithin)
	defer cancel()
	e := g.gateEvent(o, change, err)
	if seq, aerr := g.o.Journal.Append(wait, e); aerr == nil {
		d.Seq = seq
		if cerr := g.o.Journal.Checkpoint(wait); cerr != nil {
			g.o.Log.Warn("checkpoint after a change of a gate", "vendor", o.Vendor, "error", cerr)
		}
	} else {
		g.o.Log.Error("the gate changed, its entry is pending", "vendor", o.Vendor, "gate", o.To.String(), "error", aerr)
		g.entries.add(e)
	}
	return d, err
}

// maxListed bounds the messages whose bytes an entry lists one by one.
const maxListed = 2000

// gateEvent is the entry of a change: state, epoch, and the bytes that had been
// handed over for each message that was under way, grouped by what they share.
func (g *Gateway) gateEvent(o Order, c isolate.Change, err error) ledger.Event {
	type group struct {
		Route      string  `json:"route"`
		App        string  `json:"app"`
		Credential string  `json:"credential,omitempty"`
		Token      string  `json:"token,omitempty"`
		Bytes      []int64 `json:"bytes"`
	}
	groups := map[isolate.Live]*group{}
	list, total := []*group{}, int64(0)
	for i, m := range c.Interrupted {
		total += m.Handed
		if i >= maxListed || len(list) >= 50 {
			continue
		}
		if groups[m.Live] == nil {
			groups[m.Live] = &group{Route: m.Route, App: m.App, Credential: m.Credential, Token: m.Token}
			list = append(list, groups[m.Live])
		}
		groups[m.Live].Bytes = append(groups[m.Live].Bytes, m.Handed)
	}
	f := map[string]any{
		"gate": o.To.String(), "from": c.From.String(), "epoch": c.Epoch, "took_ms": c.Took.Milliseconds(),
		"connections_closed": c.ConnectionsClosed, "interrupted": len(c.Interrupted), "bytes_handed": total,
	}
	if o.Route != "" {
		f["route"] = o.Route
	}
	if len(list) > 0 {
		f["messages"] = list
	}
	if o.Reason != "" {
		f["reason_digest"] = g.o.Secrets.Digest(o.Reason)
	}
	if n := len(c.Attempts); n > 0 {
		tried := make([]map[string]any, 0, min(n, 50))
		for _, a := range c.Attempts[:min(n, 50)] {
			tried = append(tried, map[string]any{"route": a.Route, "app": a.App, "credential": a.Credential, "token": a.Token, "count": a.Count})
		}
		f["attempts"] = tried
	}
	if err != nil {
		f["not_durable"] = true
	}
	return ledger.Event{Kind: ledger.EventGate, Vendor: o.Vendor, At: g.o.Now(), Actor: o.Actor, Fields: f}
}

// GateStates folds the ledger's entries into what isolate.Load wants to know:
// the last recorded state of each vendor ("") and route.
func GateStates(entries iter.Seq2[ledger.Entry, error]) (map[exposure.VendorID]map[string]isolate.State, error) {
	states := map[exposure.VendorID]map[string]isolate.State{}
	for e, err := range entries {
		if err != nil {
			return nil, fmt.Errorf("reading the gates' entries: %w", err)
		}
		if e.Kind != ledger.KindEvent || e.Event.Kind != ledger.EventGate {
			continue
		}
		word, _ := e.Event.Fields["gate"].(string)
		route, _ := e.Event.Fields["route"].(string)
		s, err := isolate.ParseState(word) // an unknown word is Cut
		if err != nil {
			s = isolate.Cut
		}
		if states[e.Event.Vendor] == nil {
			states[e.Event.Vendor] = map[string]isolate.State{}
		}
		states[e.Event.Vendor][route] = s
	}
	return states, nil
}

// pending keeps entries that the ledger could not take, in order, and tries
// again. They live in memory alone: after a restart the gate's file says more
// than the ledger, which isolate.Load reports, and app then records.
type pending struct {
	mu   sync.Mutex
	list []ledger.Event // guarded by mu
	kick chan struct{}
	stop context.CancelFunc
	done chan struct{}
}

const retryEntries = time.Second

func (p *pending) start(g *Gateway) {
	ctx, cancel := context.WithCancel(context.Background())
	p.kick, p.stop, p.done = make(chan struct{}, 1), cancel, make(chan struct{})
	go func() {
		defer close(p.done)
		for {
			select {
			case <-ctx.Done():
				p.flush(g)
				return
			case <-p.kick:
			}
			for p.flush(g) > 0 {
				select {
				case <-ctx.Done():
				case <-time.After(retryEntries):
					continue
				}
				break
			}
		}
	}()
}

func (p *pending) add(e ledger.Event) {
	p.mu.Lock()
	p.list = append(p.list, e)
	p.mu.Unlock()
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// flush writes what it can and returns how many are left.
func (p *pending) flush(g *Gateway) int {
	for {
		p.mu.Lock()
		if len(p.list) == 0 {
			p.mu.Unlock()
			return 0
		}
		e, left := p.list[0], len(p.list)
		p.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), entryWithin)
		_, err := g.o.Journal.Append(ctx, e)
		cancel()
		if err != nil {
			return left
		}
		p.mu.Lock()
		p.list = p.list[1:]
		p.mu.Unlock()
	}
}

func (p *pending) close() {
	p.stop()
	<-p.done
}

// PendingEntries is how many changes of gates the ledger has not taken yet.
func (g *Gateway) PendingEntries() int {
	g.entries.mu.Lock()
	defer g.entries.mu.Unlock()
	return len(g.entries.list)
}
