package scope

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
)

// snapshot is the index at one position in the journal. The follower goes on
// while a question reads it; nothing in it changes any more.
type snapshot struct {
	source   Source
	store    *pebble.Snapshot
	position uint64
	names    names // slices only
	coverage []coverageEvent
	stated   []Statement
	alive    int64

	// What the store does not hold yet, of the vendors that were asked for.
	pages   map[vendorID]map[pageAt][]fact
	tallies map[vendorID]map[sliceAt]*tally
	open    []*message
	rolled  rolled // of the vendors that were asked for
	evers   evers
	sealed  map[day]seal
}

// snapshot waits until the index knows every acknowledged entry and takes one
// consistent view. With want it holds only that vendor's unsaved part.
func (x *Index) snapshot(ctx context.Context, want *exposure.VendorID) (*snapshot, error) {
	acknowledged := x.o.Source.Size()
	for {
		if err := x.reach(ctx, acknowledged, nil); err != nil {
			return nil, err
		}
		x.mu.Lock()
		if x.position >= acknowledged || x.err != nil {
			defer x.mu.Unlock()
			return x.snapshotNow(want)
		}
		x.mu.Unlock() // thrown away in between, to be built again
	}
}

// snapshotNow takes the view without waiting. Called with mu held.
func (x *Index) snapshotNow(want *exposure.VendorID) (*snapshot, error) {
	if x.err != nil {
		return nil, x.err
	}
	s := &snapshot{
		source: x.o.Source, store: x.o.DB.NewSnapshot(), position: x.position,
		names: names{vendors: x.names.vendors, pathways: x.names.pathways,
			sets: slices.Clone(x.names.sets), ways: slices.Clone(x.names.ways)},
		coverage: x.coverage, stated: x.statements, alive: x.alive,
		pages: map[vendorID]map[pageAt][]fact{}, tallies: map[vendorID]map[sliceAt]*tally{}, rolled: rolled{}, evers: maps.Clone(x.evers), sealed: x.sealed,
	}
	for v, id := range x.names.vendors {
		if want != nil && id != *want {
			continue
		}
		v := vendorID(v)
		tallies := make(map[sliceAt]*tally, len(x.fresh.tallies[v]))
		for at, t := range x.fresh.tallies[v] {
			own := newTally()
			own.add(t)
			tallies[at] = own
		}
		s.pages[v], s.tallies[v], s.rolled[v] = maps.Clone(x.fresh.pages[v]), tallies, maps.Clone(x.rolled[v])
	}
	for _, m := range x.open {
		if want == nil || x.names.vendors[x.vendorOf(m.pathway)] == *want {
			s.open = append(s.open, m)
		}
	}
	return s, nil
}

func (s *snapshot) close() { s.store.Close() }

// vendor finds a vendor's number; ok is false when no disclosure ever went to it.
func (s *snapshot) vendor(name exposure.VendorID) (v vendorID, ok bool) {
	i := slices.Index(s.names.vendors, name)
	return vendorID(max(i, 0)), i >= 0
}

// allTallies reads the tally of every day of a vendor, what is not saved yet
// included.
func (s *snapshot) allTallies(v vendorID) (map[tallyAt]*tally, error) {
	all := map[tallyAt]*tally{}
	err := s.scanTallies(tallyKey(v, tallyAt{})[:4], func(at sliceAt, t *tally) { all[at.tallyAt] = t })
	if err != nil {
		return nil, err
	}
	for at, t := range s.tallies[v] {
		if all[at.tallyAt] == nil {
			all[at.tallyAt] = newTally()
		}
		all[at.tallyAt].add(t)
	}
	return all, nil
}

// halfHours reads the tallies of the half hours of some days and ways, which are
// the keys of days.
func (s *snapshot) halfHours(v vendorID, days map[tallyAt]*tally) (map[sliceAt]*tally, error) {
	all := map[sliceAt]*tally{}
	for at := range days {
		prefix := sliceKey(v, sliceAt{tallyAt: at})
		err := s.scanTallies(prefix[:len(prefix)-1], func(at sliceAt, t *tally) { all[at] = t })
		if err != nil {
			return nil, err
		}
	}
	for at, t := range s.tallies[v] {
		if _, ok := days[at.tallyAt]; !ok {
			continue
		}
		if all[at] == nil {
			all[at] = newTally()
		}
		all[at].add(t)
	}
	return all, nil
}

func (s *snapshot) scanTallies(prefix []byte, fn func(sliceAt, *tally)) error {
	err := scan(s.store, prefix, func(key, value []byte) error {
		_, at, err := parseTallyKey(key)
		if err != nil {
			return err
		}
		t, err := decodeTally(value)
		if err == nil {
			fn(at, t)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the scope index's tallies: %w", err)
	}
	return nil
}

// span is a half-open range of instants, in nanoseconds since 1970.
type span struct{ from, to int64 }

var always = span{math.MinInt64, math.MaxInt64}

func (s span) has(at int64) bool { return s.from <= at && at < s.to }

// ranges are the parts of the journal in which everything about some tallies
// lies, each entry once, in order.
func ranges(tallies map[sliceAt]*tally) [][2]uint64 {
	var all [][2]uint64
	for _, t := range tallies {
		all = append(all, [2]uint64{t.first, t.last})
	}
	slices.SortFunc(all, func(a, b [2]uint64) int { return cmp.Compare(a[0], b[0]) })
	var out [][2]uint64
	for _, r := range all {
		if n := len(out); n > 0 && r[0] <= out[n-1][1]+1 {
			out[n-1][1] = max(out[n-1][1], r[1])
			continue
		}
		out = append(out, r)
	}
	return out
}

// read gives every message of some half hours that lies in the window, from the
// journal itself: sent or possibly sent, the open ones excepted. Unless who is
// Nobody, it may leave out those that say nothing about who.
func (s *snapshot) read(ctx context.Context, tallies map[sliceAt]*tally, window span, who exposure.Ordinal, take func(*message)) error {
	if len(tallies) == 0 {
		return nil
	}
	open := make(map[uint64]bool, len(s.open))
	for _, m := range s.open {
		open[m.seq] = true
	}
	own := s.names.clone() // to number what is read, not to add to it
	wanted := map[pathwayID]bool{}
	for at := range tallies {
		wanted[at.pathway] = true
	}
	one := func(e *Entry) error {
		if open[e.Seq] { // the caller adds them
			return nil
		}
		p, err := own.pathway(e.Pathway)
		if err != nil {
			return err
		}
		at := e.instant()
		d, slice := sliceOf(at)
		if !window.has(at) || tallies[sliceAt{tallyAt{d, p}, slice}] == nil {
			return nil
		}
		m, err := own.message(e)
		if err == nil {
			take(m)
		}
		return err
	}
	for _, r := range ranges(tallies) {
		var err error
		if fast, ok := s.source.(Scanner); ok {
			takes := func(p exposure.Pathway) bool {
				id, ok := own.pathwayOf[p]
				if !ok { // past maxWays, if it is there at all
					id, ok = own.pathwayOf[otherWay(p)]
				}
				return ok && wanted[id]
			}
			err = fast.Scan(ctx, r[0], r[1], takes, who, one)
		} else {
			err = s.readAll(ctx, r[0], r[1], one)
		}
		if err != nil {
			return fmt.Errorf("reading entries %d to %d of the journal: %w", r[0], r[1], err)
		}
	}
	return nil
}

// readAll is Scan of a source that has none.
func (s *snapshot) readAll(ctx context.Context, first, last uint64, take func(*Entry) error) error {
	open := map[uint64]*Entry{}
	before, gone := first-1, uint64(0) // gone is the last entry that has expired
	for e, err := range s.source.Entries(first) {
		if err != nil {
			return err
		}
		if before+1 < e.Seq && before < last {
			gone = min(e.Seq-1, last)
		}
		if before = e.Seq; e.Seq > last {
			break
		}
		if e.Seq%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case e.Kind == Disclosed && e.Declared:
			if err := take(&e); err != nil {
				return err
			}
		case e.Kind == Disclosed:
			e.Exposures, e.Incomplete = slices.Clone(e.Exposures), slices.Clone(e.Incomplete)
			open[e.Seq] = &e
		case e.Kind == Settled:
			if d := open[e.Of]; d != nil {
				delete(open, e.Of)
				if e.Result != NotSent {
					if err := take(d); err != nil {
						return err
					}
				}
			}
		}
	}
	for seq, d := range open {
		if seq < gone { // its outcome may have expired
			if err := take(d); err != nil {
				return err
			}
		}
	}
	return nil
}
