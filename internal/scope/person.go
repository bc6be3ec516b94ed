package scope

import (
	"encoding/binary"
	"fmt"

	"cordon/internal/exposure"
	"cordon/internal/store"
)

// trace is what the index knows of one person at one vendor: the half hours in
// which something came, by way, and how many messages each had.
type trace struct {
	sets   map[pathwayID]exposure.Set
	halves map[sliceAt]uint64
}

// traceOf reads a person's history at one vendor: from each of its pages one
// list, and the times of those that name the person.
func (s *snapshot) traceOf(v vendorID, who exposure.Ordinal) (*trace, error) {
	t := &trace{sets: map[pathwayID]exposure.Set{}, halves: map[sliceAt]uint64{}}
	chunk, _ := split(who)
	block, low := chunk/perBlock*perBlock, uint32(who)&(1<<blockBits-1)
	see := func(d day, w wayID, set setID, slice uint8, count uint64) error {
		if int(w) >= len(s.names.ways[v]) || int(set) >= len(s.names.sets[v]) {
			return fmt.Errorf("%w: it holds a set or way without a name", errPage)
		}
		way := s.names.ways[v][w]
		t.sets[way] = t.sets[way].Union(s.names.sets[v][set])
		t.halves[sliceAt{tallyAt{d, way}, slice}] += count
		return nil
	}
	for at, facts := range s.pages[v] {
		if at.block != chunk/perBlock {
			continue
		}
		for _, f := range facts {
			if f.low() == low {
				if err := see(day(at.index), f.way(), f.set(), f.slice(), f.count()); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, of := range []struct {
		chunk       uint16
		part, times byte
		low         uint32
	}{{block, partHead, partBlockTimes, low}, {chunk, partPage, partPageTimes, low & (1<<chunkBits - 1)}} {
		isBlock := of.part == partHead
		prefix := append(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{store.Index}, uint16(v)), of.chunk), of.part)
		err := scan(s.store, prefix, func(key, value []byte) error {
			_, _, _, p, err := parsePageKey(key)
			if err != nil {
				return err
			}
			if isBlock {
				if len(value) == 0 || value[0] != headPage {
					return nil
				}
				value = value[1:]
			}
			return s.lookUp(v, of.chunk, of.times, p, value, isBlock, of.low, see)
		})
		if err != nil {
			return nil, fmt.Errorf("reading the scope index: %w", err)
		}
	}
	return t, nil
}

// lookUp finds one person in a page.
func (s *snapshot) lookUp(v vendorID, chunk uint16, times byte, p period, page []byte, block bool, low uint32,
	see func(day, wayID, setID, uint8, uint64) error) error {
	type hit struct {
		at  int
		way wayID
		set setID
	}
	var hits []hit
	n := 0
	g := groupsOf(page, block)
	for g.next() {
		begin := n
		found := -1
		g.each(func(l uint32) {
			if l == low {
				found = n
			}
			n++
		})
		if found >= begin {
			hits = append(hits, hit{found, g.way, g.set})
		}
	}
	if err := g.err(); err != nil || len(hits) == 0 {
		return err
	}
	value, err := get(s.store, pageKey(nil, v, chunk, times, p))
	if err != nil {
		return err
	}
	t := openTimes(value)
	var failed error
	for i := 0; len(hits) > 0 && !t.bad; i++ {
		if i < hits[0].at {
			t.next(func(uint8, uint64) {})
			continue
		}
		h := hits[0]
		hits = hits[1:]
		t.next(func(slice uint8, count uint64) {
			if failed == nil {
				failed = see(day(p.index), h.way, h.set, slice, count)
			}
		})
	}
	if t.bad {
		return errPage
	}
	return failed
}

// start is the first instant of the half hour.
func (at sliceAt) start() int64 {
	n := int64(at.day)*halfHours + int64(at.slice)
	if n <= sinceEver/int64(sliceLength) {
		return sinceEver
	}
	return n * int64(sliceLength)
}

// ends are the half hours whose exact instants an answer tells: of what was sent
// the first and the last of all ways, of what was declared the first of each.
// With byWay also the last of each way, which a letter may or may not cover.
func (t *trace) ends(ways []pathway, byWay bool) map[sliceAt]bool {
	ends := map[sliceAt]bool{}
	first, last := int64(0), int64(0)
	any := false
	firsts, lasts := map[pathwayID]sliceAt{}, map[pathwayID]sliceAt{}
	for at := range t.halves {
		if e, ok := firsts[at.pathway]; !ok || at.start() < e.start() {
			firsts[at.pathway] = at
		}
		if e, ok := lasts[at.pathway]; !ok || at.start() > e.start() {
			lasts[at.pathway] = at
		}
		if ways[at.pathway].declared() {
			continue
		}
		if !any {
			first, last, any = at.start(), at.start(), true
		}
		first, last = min(first, at.start()), max(last, at.start())
	}
	for w := range t.sets {
		if ways[w].declared() {
			ends[firsts[w]] = true
		} else if firsts[w].start() == first {
			ends[firsts[w]] = true
		}
		if byWay || !ways[w].declared() && lasts[w].start() == last {
			ends[lasts[w]] = true
		}
	}
	return ends
}

// of adds up what came one way: between which instants, exact where they are
// known and else the beginnings of half hours, and how many messages.
func (t *trace) of(way pathwayID, exact map[sliceAt]span) (first, last int64, n uint64) {
	any := false
	for at, count := range t.halves {
		if at.pathway != way {
			continue
		}
		e, ok := exact[at]
		if !ok {
			e = span{at.start(), at.start()}
		}
		if !any {
			first, last, any = e.from, e.to, true
		}
		first, last = min(first, e.from), max(last, e.to)
		n += count
	}
	return first, last, n
}
