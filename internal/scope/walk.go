package scope

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
	"cordon/internal/store"
)

// tour is one walk over several plans of one vendor side by side.
type tour struct {
	// plans: a person's union is that of the sets that the first plan takes.
	// The others only mark people: who is in the second (what was attested
	// deleted) and not in the first is excluded, and this pass says it. At most 8.
	plans []*plan
	// filters only mark those whom a plan exposes, by ordinal: whoever is
	// proved to have been accessed. Nothing changes them during the walk. At most 8.
	filters []*roaring.Bitmap
	// ordered walks on one goroutine, in the order of the ordinals. Otherwise
	// there are several, each with a visitor of its own and a part of the people.
	ordered bool
}

// Marks of a group: bit i says that plan i takes them, bit filterMark+j that
// filter j has them.
const filterMark = 8

// group is up to 64 neighbours who agree in union and marks: bit i of people
// is ordinal first+i.
type group struct {
	first  exposure.Ordinal // a multiple of 64
	people uint64
	// union is the number of the set that the first plan's disclosures carried
	// about each of them: unions.set tells it. 0, the empty one, is that of
	// those whom only other plans take.
	union  int
	marks  uint32
	unions *unions
}

// count is the number of people in the group.
func (g group) count() uint64 { return uint64(bits.OnesCount64(g.people)) }

// visitor is told of everybody whom a plan of the tour takes, each person in
// one group. One goroutine at a time calls it.
type visitor interface{ visit(group) error }

// partVisitor is a visitor that takes a whole chunk of people at once, which is
// faster than group by group. What part.groups would show is what it must count.
type partVisitor interface{ visitPart(*part) error }

// visit is a visitor from a function.
type visit func(group) error

func (v visit) visit(g group) error { return v(g) }

// one gives the visitor of an ordered tour.
func one(v visit) func() visitor { return func() visitor { return v } }

// walker is one goroutine of a walk. It goes through blocks of 2^20 people and
// in each through its chunks of 2^16. Its memory is that of one chunk (part.go)
// and of the block pages of one block, whatever the number of people.
type walker struct {
	s     *snapshot
	tour  tour
	v     visitor
	part  *part
	days  *pebble.Iterator
	rolls *pebble.Iterator

	// Of the block at hand: which periods have pages by chunk, by plan and
	// level, and the people who lie in no chunk's page.
	split [][3][]period
	loose [perBlock][]loose
	key   []byte
}

// loose is a person of a chunk: plan 5 bits, set 11, ordinal in the chunk 16.
type loose uint32

func looseOf(plan int, s setID, low uint32) loose {
	return loose(plan)<<(factSetBits+chunkBits) | loose(s)<<chunkBits | loose(low&(1<<chunkBits-1))
}

// walk calls visitors for everybody whom a plan of the tour takes and returns
// the unions by their numbers. newVisitor is called before the first visit, by
// the caller's goroutine, once for every goroutine of the walk. A tour that is
// not ordered uses as many as there are processors.
func (s *snapshot) walk(ctx context.Context, t tour, newVisitor func() visitor) ([]exposure.Set, error) {
	blocks, err := s.blocks(t.plans)
	if err != nil {
		return nil, fmt.Errorf("reading the scope index: %w", err)
	}
	n := max(1, min(runtime.GOMAXPROCS(0), len(blocks)))
	if t.ordered {
		n = 1
	}
	u := newUnions(t.plans[0].sets)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range n {
		w := &walker{s: s, tour: t, v: newVisitor(), part: newPart(u, t), split: make([][3][]period, len(t.plans))}
		all.Go(func() {
			if err := w.run(ctx, blocks, &next); err != nil {
				stop(err)
			}
		})
	}
	all.Wait()
	return u.list(), context.Cause(ctx)
}

func (w *walker) run(ctx context.Context, blocks []uint16, next *atomic.Int64) (err error) {
	v := w.tour.plans[0].vendor
	for _, open := range []struct {
		space byte
		it    **pebble.Iterator
	}{{store.Index, &w.days}, {store.Rollup, &w.rolls}} {
		lower, upper := spaceOf(open.space, v)
		it, err := w.s.store.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
		if err != nil {
			return err
		}
		*open.it = it
		defer func() { err = errors.Join(err, it.Close()) }()
	}
	for {
		i := next.Add(1) - 1
		if i >= int64(len(blocks)) {
			return nil
		}
		if err := w.block(ctx, blocks[i]); err != nil {
			return err
		}
	}
}

// blocks are those in which any of the plans may have people, in order.
func (s *snapshot) blocks(plans []*plan) ([]uint16, error) {
	found := map[uint16]bool{}
	for _, p := range plans {
		for b := range p.extra {
			found[b] = true
		}
	}
	if slices.ContainsFunc(plans, func(p *plan) bool { return len(p.days) > 0 }) {
		for from, v := uint32(0), plans[0].vendor; from < allBlocks; {
			b, ok, err := firstBlock(s.store, v, uint16(from))
			if err != nil {
				return nil, err
			}
			if !ok {
				break
			}
			found[b] = true
			from = uint32(b) + 1
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

func (w *walker) block(ctx context.Context, block uint16) error {
	for i, p := range w.tour.plans {
		if err := w.heads(i, p, block); err != nil {
			return fmt.Errorf("reading the scope index: %w", err)
		}
		for _, f := range p.extra[block] {
			w.loose[f.chunk()] = append(w.loose[f.chunk()], looseOf(i, f.set(), f.low()))
		}
	}
	for i := range uint16(perBlock) {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk := block*perBlock + i
		for j, p := range w.tour.plans {
			if err := w.pages(j, p, chunk); err != nil {
				return fmt.Errorf("reading the scope index: %w", err)
			}
		}
		if err := w.part.facts(w.loose[i]); err != nil {
			return fmt.Errorf("reading the scope index: %w", err)
		}
		w.loose[i] = w.loose[i][:0]
		if err := w.part.emit(chunk, w.v); err != nil {
			return err
		}
	}
	return nil
}

// heads reads what a plan takes of a block's own pages, and finds out which of
// its periods have pages by chunk.
func (w *walker) heads(i int, p *plan, block uint16) error {
	w.split[i] = [3][]period{}
	want := p.periods
	for _, level := range []uint8{levelMonth, levelWeek, levelDay} {
		err := w.each(block*perBlock, partHead, want[level], func(q period, value []byte) error {
			if len(value) == 0 {
				return errPage
			}
			switch value[0] {
			case headSplit:
				w.split[i][level] = append(w.split[i][level], q)
			case headParts:
				for d := q.first(); d <= q.last(); d++ {
					up := d.in(level - 1)
					if p.days[d] == nil || level == levelMonth && slices.Contains(want[levelWeek], up) {
						continue
					}
					if level == levelMonth && p.rollups[up] == nil {
						up = d.in(levelDay)
					}
					want[up.level] = append(slices.Clip(want[up.level]), up)
				}
			default:
				return w.page(i, p, q, value[1:], block*perBlock, true)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if level > levelDay {
			slices.SortFunc(want[level-1], func(a, b period) int { return int(a.index) - int(b.index) })
			slices.SortFunc(want[levelDay], func(a, b period) int { return int(a.index) - int(b.index) })
		}
	}
	return nil
}

// pages reads what a plan takes of a chunk's own pages.
func (w *walker) pages(i int, p *plan, chunk uint16) error {
	for level := range w.split[i] {
		err := w.each(chunk, partPage, w.split[i][level], func(q period, value []byte) error {
			return w.page(i, p, q, value, chunk, false)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// each calls f with the value of every period's key that there is. The value is
// valid during the call. Periods are of one level and in order.
func (w *walker) each(chunk uint16, part byte, periods []period, f func(period, []byte) error) error {
	if len(periods) == 0 {
		return nil
	}
	it := w.days
	if periods[0].level != levelDay {
		it = w.rolls
	}
	v := w.tour.plans[0].vendor
	for i, q := range periods {
		w.key = pageKey(w.key, v, chunk, part, q)
		if i == 0 {
			it.SeekGE(w.key)
		}
		// The next one is mostly the next key; after a few others a seek is cheaper.
		for tries := 0; it.Valid(); tries++ {
			order := bytes.Compare(it.Key(), w.key)
			if order == 0 {
				value, err := it.ValueAndErr()
				if err == nil {
					err = f(q, value)
				}
				if err != nil {
					return err
				}
			}
			if order >= 0 {
				break
			}
			if tries < 4 {
				it.Next()
			} else {
				it.SeekGE(w.key)
			}
		}
		if err := it.Error(); err != nil {
			return err
		}
	}
	return nil
}

// page takes of a page what the plan takes of its period.
func (w *walker) page(i int, p *plan, q period, value []byte, chunk uint16, block bool) error {
	t := p.rollups[q]
	if q.level == levelDay {
		t = p.days[day(q.index)]
	}
	var at timesOf
	if t.some {
		part := partPageTimes
		if block {
			part = partBlockTimes
		}
		times, err := get(w.s.store, pageKey(nil, p.vendor, chunk, part, q))
		if err != nil {
			return err
		}
		at = openTimes(times)
	}
	g := groupsOf(value, block)
	for g.next() {
		if int(g.set) >= len(p.sets) || int(g.way) >= len(t.halves) {
			return fmt.Errorf("%w: it holds a set or way without a name", errPage)
		}
		halves := t.halves[g.way]
		switch {
		case t.some && halves != allDay || t.some && block:
			set := g.set
			g.each(func(low uint32) {
				found := false
				at.next(func(slice uint8, _ uint64) { found = found || halves>>slice&1 != 0 })
				if !found {
				} else if block {
					w.loose[low>>chunkBits] = append(w.loose[low>>chunkBits], looseOf(i, set, low))
				} else {
					w.part.one(i, set, low)
				}
			})
			continue
		case t.some:
			for range g.n {
				at.next(func(uint8, uint64) {})
			}
		}
		switch {
		case halves == 0:
			g.skip()
		case block:
			set := g.set
			g.each(func(low uint32) {
				w.loose[low>>chunkBits] = append(w.loose[low>>chunkBits], looseOf(i, set, low))
			})
		default:
			w.part.add(i, &g)
		}
	}
	if at.bad {
		return errPage
	}
	return g.err()
}
