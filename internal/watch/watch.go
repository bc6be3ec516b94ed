// Package watch keeps an eye on what passes the gate and says what a person
// should look at.
//
// Two things are noticed in the messages themselves: personal data that no
// mapping declared (an address in a free text, a card number in a tag), and
// drift: a leaf that appears on a route where no mapping names it. Each is
// counted, by its path template, with the day it first appeared and how many
// people it concerned; what is worth a decision is raised as a finding.
//
// A finding is an entry of the ledger and never lost. The counts are statistics
// beside it: after a crash they lag by the seconds since the last flush.
// Watching never slows a message and never stops one: what does not fit the
// queue is counted as missed and said so.
package watch

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/store"
)

// Options say what a watch works with.
type Options struct {
	Store    *store.Store
	Findings *Findings
	// Who finds the ordinal of an identifier; ledger.Lookup is one.
	Who func(exposure.Identifier) (exposure.Ordinal, bool, error)
	Now func() time.Time
	Log *slog.Logger // nil: nothing is logged
	// FlushEvery is how far the counts may lag behind after a crash; 0: 3 s.
	FlushEvery time.Duration
}

// Watch counts what it is shown. Make it with Open, end it with Close.
type Watch struct {
	o      Options
	counts *counts
	queue  chan sighting
	missed atomic.Uint64
	stop   chan struct{}
	done   sync.WaitGroup
}

// sighting is what one recorded message showed.
type sighting struct {
	vendor exposure.VendorID
	route  string
	at     time.Time
	spots  []spot
}

// spot is one path of a message, and whom it concerned.
type spot struct {
	kind     Kind
	unnamed  bool // the path has keys that no mapping names
	path     string
	category exposure.Category
	people   []exposure.Identifier // one of each person
}

// waiting bounds the memory of sightings that were not yet counted.
const waiting = 4096

// Open reads the counts and begins to watch.
func Open(o Options) (*Watch, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.FlushEvery == 0 {
		o.FlushEvery = 3 * time.Second
	}
	counts, err := readCounts(o.Store.DB())
	if err != nil {
		return nil, err
	}
	w := &Watch{o: o, counts: counts, queue: make(chan sighting, waiting), stop: make(chan struct{})}
	w.done.Go(w.run)
	return w, nil
}

// Recorded shows the watch a message that is on record. It does not wait.
func (w *Watch) Recorded(f *classify.Findings, v exposure.VendorID, route string, at time.Time) {
	s := sighting{vendor: v, route: route, at: at, spots: spotsOf(f)}
	if len(s.spots) == 0 && w.counts.knows(v, route) {
		return
	}
	select {
	case w.queue <- s:
	default:
		w.missed.Add(1)
	}
}

// Missed is how many messages were not counted since the start because too
// many came at once.
func (w *Watch) Missed() uint64 { return w.missed.Load() }

// Close counts what waits and writes everything down.
func (w *Watch) Close() error {
	close(w.stop)
	w.done.Wait()
	return w.counts.flush(w.o.Store)
}

func (w *Watch) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	flush := time.NewTicker(w.o.FlushEvery)
	defer flush.Stop()
	for {
		select {
		case s := <-w.queue:
			w.count(ctx, s)
		case <-flush.C:
			if err := w.counts.flush(w.o.Store); err != nil {
				w.o.Log.Warn("keeping the counts of the watch", "error", err)
			}
		case <-w.stop:
			for {
				select {
				case s := <-w.queue:
					w.count(ctx, s)
				default:
					return
				}
			}
		}
	}
}

// proven is how many messages must show a key that no mapping names before it is
// written down: a key that comes once or twice may be somebody's name.
const proven = 3

// settled is how long a route is watched before a new leaf on it is news: what
// a route carries on its first day is what it always carried.
const settled = 24 * time.Hour

func (w *Watch) count(ctx context.Context, s sighting) {
	began := w.counts.route(s.vendor, s.route, s.at)
	for _, at := range s.spots {
		key := Key{at.kind, s.vendor, s.route, at.path, at.category}
		who := make([]exposure.Ordinal, 0, len(at.people))
		for _, id := range at.people {
			o, ok, err := w.o.Who(id)
			if err != nil {
				w.o.Log.Warn("counting whom an undeclared leaf concerns", "error", err)
			} else if ok {
				who = append(who, o)
			}
		}
		key = w.counts.add(key, s.at, who)
		if key.Kind == Drift && s.at.Sub(began) < settled || at.unnamed && w.counts.messages(key) < proven {
			continue
		}
		if err := w.o.Findings.Raise(ctx, key, s.at); err != nil {
			// The ledger is sick: nothing is forwarded either. The next sighting
			// raises it again.
			w.o.Log.Error("a finding cannot be recorded", "kind", string(key.Kind), "vendor", string(key.Vendor), "error", err)
		}
	}
}
