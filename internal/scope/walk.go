package scope

import (
	"context"
	"fmt"
	"maps"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
)

// words is the number of 64-bit words in a dense bitmap of one chunk.
const words = 1 << chunkBits / 64

type dense [words]uint64

// walker turns the bitmaps of one question into people, each once and each
// with the union of the sets that concern them, chunk by chunk. Its memory is
// one dense bitmap (8 KiB) per set of a chunk, whatever the number of people.
type walker struct {
	sets []exposure.Set // by setID

	// Of the chunk at hand: which sets have people, and their dense bitmaps.
	at     []int // by setID: index in used and bitmap, or -1
	used   []setID
	bitmap []*dense // grows to the most sets that one chunk ever had
	big    dense
	small  roaring.Bitmap

	unions unions
}

// unions numbers the category sets that people end up with. Two that read the
// same in an answer are one. Number 0 is the empty set.
type unions struct {
	sets  []exposure.Set
	index map[exposure.Set]int
	// then[u][s] is the union u with set s added, or -1 while nobody needed it.
	then [][]int32
}

func newWalker(sets []exposure.Set) *walker {
	w := &walker{sets: sets, at: make([]int, len(sets))}
	for i := range w.at {
		w.at[i] = -1
	}
	w.unions.index = map[exposure.Set]int{}
	w.unions.number(exposure.Set{}, len(sets))
	return w
}

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

// with is the union of cohort u and set s.
func (w *walker) with(u int, s setID) int {
	if next := w.unions.then[u][s]; next >= 0 {
		return int(next)
	}
	next := w.unions.number(w.unions.sets[u].Union(w.sets[s]), len(w.sets))
	w.unions.then[u][s] = int32(next)
	return next
}

// group is up to 64 neighbours with one union of sets: bit i of people is
// ordinal first+i.
type group struct {
	first  exposure.Ordinal
	people uint64
	union  int
}

// walk calls visit for everybody whom the plan exposes, in the order of
// ordinals, each person in one group.
func (w *walker) walk(ctx context.Context, s *snapshot, p *plan, visit func(group) error) error {
	extra := slices.Sorted(maps.Keys(p.extra))
	return s.cellsOf(p.vendor, func(it *pebble.Iterator) error {
		for ok := w.first(it, p); ok || len(extra) > 0; {
			if err := ctx.Err(); err != nil {
				return err
			}
			var chunk uint16
			stored := false
			if ok {
				_, c, err := parseCellKey(it.Key())
				if err != nil {
					return err
				}
				chunk, stored = c.chunk, true
			}
			if len(extra) > 0 && (!stored || extra[0] <= chunk) {
				stored = stored && extra[0] == chunk
				chunk, extra = extra[0], extra[1:]
				for set, people := range p.extra[chunk] {
					w.add(set, people)
				}
			}
			if stored {
				var err error
				if ok, err = w.load(it, p, chunk); err != nil {
					return fmt.Errorf("reading the scope index: %w", err)
				}
			}
			if err := w.emit(chunk, visit); err != nil {
				return err
			}
		}
		return it.Error()
	})
}

// first moves to the first bitmap that the plan may read.
func (w *walker) first(it *pebble.Iterator, p *plan) bool {
	return len(p.whole) > 0 && it.First()
}

// load adds the whole days of one chunk and leaves the iterator at the next
// one. Days outside the plan's are skipped by seeking, not by reading.
func (w *walker) load(it *pebble.Iterator, p *plan, chunk uint16) (ok bool, err error) {
	for ok = true; ok; {
		_, c, err := parseCellKey(it.Key())
		if err != nil || c.chunk != chunk {
			return ok, err
		}
		switch {
		case c.day < p.firstDay:
			ok = it.SeekGE(dayStart(p.vendor, chunk, p.firstDay))
			continue
		case c.day > p.lastDay:
			return it.SeekGE(chunkStart(p.vendor, uint32(chunk)+1)), nil
		case p.whole[tallyAt{c.day, c.pathway}]:
			value, err := it.ValueAndErr()
			if err != nil {
				return false, err
			}
			// FromBuffer aliases value, which lives until the iterator moves:
			// add takes what it needs before that.
			if _, err := w.small.FromBuffer(value); err != nil {
				return false, err
			}
			if int(c.set) >= len(w.sets) || !w.small.IsEmpty() && w.small.Maximum() >= 1<<chunkBits {
				return false, fmt.Errorf("a bitmap of chunk %d holds what cannot be", chunk)
			}
			w.add(c.set, &w.small)
		}
		ok = it.Next()
	}
	return false, it.Error()
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
	// WriteDenseTo adds to what is there, except that it overwrites with a
	// bitmap container, which only more than 4096 people can make.
	if people.GetCardinality() <= 4096 {
		people.WriteDenseTo(w.bitmap[i][:])
		return
	}
	clear(w.big[:])
	people.WriteDenseTo(w.big[:])
	into := w.bitmap[i]
	for j := range into {
		into[j] |= w.big[j]
	}
}

// emit splits each word of the chunk into groups with the same union of sets
// and forgets the chunk. A word has at most 64 groups, so this is linear in
// the sets even where they combine in many ways.
func (w *walker) emit(chunk uint16, visit func(group) error) error {
	var groups [64]group
	used := w.used
	maps := w.bitmap[:len(used)]
	for word := range words {
		n := 0
		var seen uint64
		first := exposure.Ordinal(chunk)<<chunkBits + exposure.Ordinal(word*64)
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
					groups[n] = group{first, both, w.with(groups[g].union, used[i])}
					n++
				}
			}
			if fresh := people &^ seen; fresh != 0 {
				groups[n] = group{first, fresh, w.with(0, used[i])}
				n++
			}
			seen |= people
		}
		for _, g := range groups[:n] {
			if err := visit(g); err != nil {
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

// count is the number of people in the group.
func (g group) count() uint64 { return uint64(bits.OnesCount64(g.people)) }
