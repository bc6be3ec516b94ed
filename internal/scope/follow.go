package scope

import (
	"context"
	"fmt"
	"time"
)

// follow reads the journal from the index's position on, for as long as the
// index is open. An error ends it, and every question from then on is refused
// with that error: an answer that leaves entries out would be worse than none.
func (x *Index) follow(ctx context.Context) {
	tick := time.NewTicker(x.o.FlushEvery)
	defer tick.Stop()
	for {
		grown := x.o.Source.Follow() // before reading, so that no growth goes by unnoticed
		again, err := x.catchUp(ctx)
		if err != nil {
			x.mu.Lock()
			x.err = err
			x.announce()
			x.mu.Unlock()
			x.o.Log.Error("the scope index stopped", "error", err)
			return
		}
		if again {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-grown:
			// Reading a hundred entries costs little more than reading one.
			select {
			case <-time.After(gather):
			case <-x.hurry:
			case <-ctx.Done():
				return
			}
		case <-x.again:
		case <-tick.C:
			x.mu.Lock()
			if x.fresh.facts > 0 || len(x.fresh.tallies) > 0 || x.unsavedCoverage > 0 || x.unsavedStatements > 0 || len(x.open) != len(x.saved) {
				if x.err = x.flush(); x.err != nil {
					x.announce()
				}
			}
			err := x.err
			x.mu.Unlock()
			if err != nil {
				x.o.Log.Error("the scope index stopped", "error", err)
				return
			}
		}
	}
}

// gather is how long entries may lie unread when nobody asks.
const gather = 20 * time.Millisecond

// announceEvery is how often waiting questions are woken while reading.
const announceEvery = 4096

// catchUp takes in every entry that the journal holds now. It asks to be
// called again when the index was thrown away meanwhile.
func (x *Index) catchUp(ctx context.Context) (again bool, err error) {
	x.mu.Lock()
	from, built := x.position+1, x.built
	x.mu.Unlock()
	defer func() {
		x.mu.Lock()
		x.announce()
		x.mu.Unlock()
	}()
	for e, err := range x.o.Source.Entries(from) {
		if err != nil {
			return false, fmt.Errorf("reading the journal for the scope index: %w", err)
		}
		if ctx.Err() != nil {
			return false, nil
		}
		x.mu.Lock()
		if x.built != built {
			x.mu.Unlock()
			return true, nil
		}
		err = x.take(&e)
		if err == nil && x.fresh.facts >= x.o.FlushFacts {
			err = x.flush()
		}
		if x.position%announceEvery == 0 {
			x.announce()
		}
		x.mu.Unlock()
		if err != nil {
			return false, err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.built != built, nil
}

// take folds one entry into the index. Called with mu held.
func (x *Index) take(e *Entry) error {
	// What is between was erased when its day expired: the ledger gives none
	// without saying so, and Verify looks for the entry that does.
	if e.Seq <= x.position {
		return fmt.Errorf("the journal goes from entry %d to %d; run `cordon ledger verify`", x.position, e.Seq)
	}
	switch e.Kind {
	case Disclosed:
		m, err := x.names.message(e)
		if err != nil {
			return err
		}
		if e.Declared {
			x.expose(m, e.Seq)
			break
		}
		x.open[e.Seq] = m
	case Settled:
		// Only the first outcome counts; a second one finds nothing open.
		if m := x.open[e.Of]; m != nil {
			delete(x.open, e.Of)
			if e.Result != NotSent {
				v := x.vendorOf(m.pathway)
				x.expose(m, e.Seq)
				if x.recent != nil {
					x.recent.expose(v, m)
				}
			}
		}
	case CoverageStart, CoverageStop, Restarted:
		alive := x.alive
		if was, ok := x.lived[e.Seq]; ok && was.at == e.At.UnixNano() {
			alive = was.alive
			delete(x.lived, e.Seq)
		}
		x.coverage = append(x.coverage, coverageEvent{seq: e.Seq, at: e.At.UnixNano(), kind: e.Kind, vendor: e.Vendor, alive: alive})
		x.unsavedCoverage++
	case Stated:
		s := e.Statement
		s.Seq, s.At = e.Seq, e.At
		x.statements = append(x.statements, s)
		x.unsavedStatements++
	}
	// What a restart settles as unknown is no sign of life of the run before.
	if !(e.Kind == Settled && e.Result == Unknown) {
		x.alive = e.At.UnixNano()
	}
	x.position = e.Seq
	return nil
}
