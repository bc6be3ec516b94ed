package scope

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
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

// visit is a visitor from a function.
type visit func(group) error

func (v visit) visit(g group) error { return v(g) }

// one gives the visitor of an ordered tour.
func one(v visit) func() visitor { return func() visitor { return v } }

// words is the number of 64-bit words in a dense bitmap of one chunk.
const words = 1 << chunkBits / 64

type dense [words]uint64

// walker turns the bitmaps of one tour into people, each once and each with
// the union of the sets that concern them, chunk by chunk. Its memory is one
// dense bitmap (8 KiB) per set of a chunk, whatever the number of people.
type walker struct {
	s    *snapshot
	tour tour

	// Of the chunk at hand: which sets have people, and their dense bitmaps.
	at     []int // by setID: index in used and bitmap, or -1
	used   []setID
	bitmap []*dense // grows to the most sets that one chunk ever had
	marks  []dense  // of all plans but the first, then of all filters
	big    dense
	small  roaring.Bitmap

	unions *unions
}

// unions numbers the category sets that people end up with. Two that read the
// same in an answer are one. Number 0 is the empty set.
type unions struct {
	sets  []exposure.Set
	index map[exposure.Set]int
	// then[u][s] is the union u with set s added, or -1 while nobody needed it.
	then [][]int32
}

// set is the union by its number.
func (u *unions) set(number int) exposure.Set { return u.sets[number] }

func (u *unions) number(s exposure.Set, width int) int {
	s = plain(s)
	if i, ok := u.index[s]; ok {
		return i
	}
	i := len(u.sets)
	u.index[s] = i
	u.sets = append(u.sets, s)
	then := make([]int32, width)
	for j := range then {
		then[j] = -1
	}
	u.then = append(u.then, then)
	return i
}

// walk calls visitors for everybody whom a plan of the tour takes and returns
// the unions by their numbers. newVisitor is called before the first visit, by
// the caller's goroutine, once for every goroutine of the walk.
func (s *snapshot) walk(ctx context.Context, t tour, newVisitor func() visitor) ([]exposure.Set, error) {
	sets := t.plans[0].sets
	w := &walker{s: s, tour: t, at: make([]int, len(sets)), marks: make([]dense, len(t.plans)-1+len(t.filters)),
		unions: &unions{index: map[exposure.Set]int{}}}
	for i := range w.at {
		w.at[i] = -1
	}
	w.unions.number(exposure.Set{}, len(sets))
	v := newVisitor()
	chunks, err := s.chunks(t.plans)
	if err != nil {
		return nil, err
	}
	err = s.cellsOf(t.plans[0].vendor, func(it *pebble.Iterator) error {
		for _, chunk := range chunks {
			if err := ctx.Err(); err != nil {
				return err
			}
			for i, p := range t.plans {
				if err := w.load(it, i, p, chunk); err != nil {
					return fmt.Errorf("reading the scope index: %w", err)
				}
			}
			if err := w.emit(chunk, v); err != nil {
				return err
			}
		}
		return nil
	})
	return w.unions.sets, err
}

// chunks are those in which any of the plans has people, in order.
func (s *snapshot) chunks(plans []*plan) ([]uint16, error) {
	found := map[uint16]bool{}
	for _, p := range plans {
		for c := range p.extra {
			found[c] = true
		}
		if len(p.whole) == 0 {
			continue
		}
		err := s.cellsOf(p.vendor, func(it *pebble.Iterator) error {
			for ok := it.First(); ok; {
				_, c, err := parseCellKey(it.Key())
				if err != nil {
					return err
				}
				found[c.chunk] = true
				ok = it.SeekGE(chunkStart(p.vendor, uint32(c.chunk)+1))
			}
			return it.Error()
		})
		if err != nil {
			return nil, err
		}
	}
	var all []uint16
	for c := range found {
		all = append(all, c)
	}
	slices.Sort(all)
	return all, nil
}

// load adds what plan i takes of one chunk.
func (w *walker) load(it *pebble.Iterator, i int, p *plan, chunk uint16) error {
	add := w.add
	if i > 0 {
		add = func(_ setID, people *roaring.Bitmap) { w.or(&w.marks[i-1], people) }
	}
	for set, people := range p.extra[chunk] {
		add(set, people)
	}
	if len(p.whole) == 0 {
		return nil
	}
	for ok := it.SeekGE(dayStart(p.vendor, chunk, p.firstDay)); ok; ok = it.Next() {
		_, c, err := parseCellKey(it.Key())
		if err != nil || c.chunk != chunk || c.day > p.lastDay {
			return err
		}
		if !p.whole[tallyAt{c.day, c.pathway}] {
			continue
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		// FromBuffer aliases value, which lives until the iterator moves:
		// add takes what it needs before that.
		if _, err := w.small.FromBuffer(value); err != nil {
			return err
		}
		if int(c.set) >= len(p.sets) || !w.small.IsEmpty() && w.small.Maximum() >= 1<<chunkBits {
			return fmt.Errorf("a bitmap of chunk %d holds what cannot be", chunk)
		}
		add(c.set, &w.small)
	}
	return it.Error()
}

// add puts people into a set's dense bitmap of the chunk at hand.
func (w *walker) add(set setID, people *roaring.Bitmap) {
	i := w.at[set]
	if i < 0 {
		i = len(w.used)
		w.at[set], w.used = i, append(w.used, set)
		if i == len(w.bitmap) {
			w.bitmap = append(w.bitmap, new(dense))
		}
	}
	w.or(w.bitmap[i], people)
}

func (w *walker) or(into *dense, people *roaring.Bitmap) {
	// WriteDenseTo adds to what is there, except that it overwrites with a
	// bitmap container, which only more than 4096 people can make.
	if people.GetCardinality() <= 4096 {
		people.WriteDenseTo(into[:])
		return
	}
	clear(w.big[:])
	people.WriteDenseTo(w.big[:])
	for j := range into {
		into[j] |= w.big[j]
	}
}

// emit splits each word of the chunk into groups with the same union of sets
// and the same marks, and forgets the chunk. A word has at most 64 groups, so
// this is linear in the sets even where they combine in many ways.
func (w *walker) emit(chunk uint16, v visitor) error {
	start := uint64(chunk) << chunkBits
	for j, f := range w.tour.filters {
		part := f.Clone() // AndAny and the like do not cut by range
		part.RemoveRange(0, start)
		part.RemoveRange(start+1<<chunkBits, 1<<32)
		for _, o := range part.ToArray() {
			low := o & (1<<chunkBits - 1)
			w.marks[len(w.tour.plans)-1+j][low/64] |= 1 << (low % 64)
		}
	}
	var groups [64]group
	used := w.used
	maps := w.bitmap[:len(used)]
	for word := range words {
		n := 0
		var seen uint64
		first := exposure.Ordinal(start) + exposure.Ordinal(word*64)
		for i, m := range maps {
			people := m[word]
			if people == 0 {
				continue
			}
			m[word] = 0
			// Those already in a group: split each group into those who have
			// this set too and those who have not.
			for g := range n {
				both := groups[g].people & people
				switch {
				case both == 0:
				case both == groups[g].people:
					groups[g].union = w.with(groups[g].union, used[i])
				default:
					groups[g].people &^= both
					groups[n] = group{first, both, w.with(groups[g].union, used[i]), 1, w.unions}
					n++
				}
			}
			if fresh := people &^ seen; fresh != 0 {
				groups[n] = group{first, fresh, w.with(0, used[i]), 1, w.unions}
				n++
			}
			seen |= people
		}
		for i := range w.marks {
			people := w.marks[i][word]
			w.marks[i][word] = 0
			bit := uint32(2) << i
			if i >= len(w.tour.plans)-1 {
				bit = 1 << (filterMark + i - (len(w.tour.plans) - 1))
			}
			for g := range n {
				both := groups[g].people & people
				switch {
				case both == 0:
				case both == groups[g].people:
					groups[g].marks |= bit
				default:
					groups[g].people &^= both
					groups[n] = groups[g]
					groups[n].people, groups[n].marks = both, groups[g].marks|bit
					n++
				}
			}
			if fresh := people &^ seen; fresh != 0 && bit < 1<<filterMark {
				groups[n] = group{first, fresh, 0, bit, w.unions}
				n++
				seen |= fresh
			}
		}
		for _, g := range groups[:n] {
			if err := v.visit(g); err != nil {
				return err
			}
		}
	}
	for _, s := range used {
		w.at[s] = -1
	}
	w.used = used[:0]
	return nil
}

// with is the union of cohort u and set s.
func (w *walker) with(u int, s setID) int {
	sets := w.tour.plans[0].sets
	if next := w.unions.then[u][s]; next >= 0 {
		return int(next)
	}
	next := w.unions.number(w.unions.sets[u].Union(sets[s]), len(sets))
	w.unions.then[u][s] = int32(next)
	return next
}
