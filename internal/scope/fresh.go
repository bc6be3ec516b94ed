package scope

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// fresh is what the index learned since its last flush: it is added to what
// the store holds, by every answer and by the next flush.
type fresh struct {
	// pages are appended to and never changed, so that a question may go on
	// reading the facts that were there when it began.
	pages   map[vendorID]map[pageAt][]fact
	tallies map[vendorID]map[sliceAt]*tally
	facts   int
}

// pageAt names the page of a block.
type pageAt struct {
	block uint16
	period
}

func newFresh() *fresh {
	return &fresh{pages: map[vendorID]map[pageAt][]fact{}, tallies: map[vendorID]map[sliceAt]*tally{}}
}

// expose takes in a message that was sent, or may have been. settled is the
// number of the entry that says so.
func (f *fresh) expose(n *names, m *message, settled uint64) {
	way := n.pathways[m.pathway]
	v := way.vendor
	d, slice := sliceOf(m.at)
	pages := f.pages[v]
	if pages == nil {
		pages = map[pageAt][]fact{}
		f.pages[v] = pages
	}
	m.each(func(p personSet, first bool) {
		at := pageAt{uint16(p.who >> blockBits), d.in(levelDay)}
		count := uint64(0)
		if first {
			count = 1
		}
		pages[at] = append(pages[at], factOf(way.local, p.set, uint32(p.who)&(1<<blockBits-1), slice, count))
		f.facts++
	})
	tallies := f.tallies[v]
	if tallies == nil {
		tallies = map[sliceAt]*tally{}
		f.tallies[v] = tallies
	}
	at := sliceAt{tallyAt{d, m.pathway}, slice}
	t := tallies[at]
	if t == nil {
		t = newTally()
		tallies[at] = t
	}
	t.count(m)
	t.extend(m.at, m.seq, settled)
}

// each tells of every person and set of a message, and which is a person's first.
func (m *message) each(f func(p personSet, first bool)) {
	var seen map[personSet]bool // set 0 stands for any
	if len(m.people) > 16 {
		seen = make(map[personSet]bool, len(m.people))
	}
	for i, p := range m.people {
		first := true
		if seen != nil {
			first = !seen[personSet{who: p.who}]
			seen[personSet{who: p.who}] = true
		} else {
			first = !slices.ContainsFunc(m.people[:i], func(q personSet) bool { return q.who == p.who })
		}
		f(p, first)
	}
}

// save merges everything into the batch. rolled says which roll-ups there are:
// what comes late is added to them too.
func (f *fresh) save(r pebble.Reader, b *pebble.Batch, rolled rolled, evers evers) error {
	for v, pages := range f.pages {
		rolls := map[pageAt][]fact{}
		for _, at := range slices.SortedFunc(maps.Keys(pages), comparePages) {
			facts := tidy(slices.Clone(pages[at]))
			if err := addDay(r, b, v, at, facts); err != nil {
				return err
			}
			if evers.of(v).has(at.block, day(at.index)) {
				all := pageAt{at.block, everPeriod}
				rolls[all] = append(rolls[all], anybody(facts)...)
			}
			for _, level := range []uint8{levelWeek, levelMonth} {
				up := pageAt{at.block, day(at.index).in(level)}
				if rolled.has(v, up) {
					rolls[up] = append(rolls[up], timeless(facts)...)
				}
			}
		}
		for at, facts := range rolls {
			if err := addRollup(r, b, v, at, timeless(tidy(facts))); err != nil {
				return err
			}
		}
	}
	for v, tallies := range f.tallies {
		days := map[tallyAt]*tally{}
		for at, t := range tallies {
			if days[at.tallyAt] == nil {
				days[at.tallyAt] = newTally()
			}
			days[at.tallyAt].add(t)
			if err := addTally(r, b, sliceKey(v, at), t); err != nil {
				return err
			}
		}
		for at, t := range days {
			if err := addTally(r, b, tallyKey(v, at), t); err != nil {
				return err
			}
		}
	}
	return nil
}

func comparePages(a, b pageAt) int {
	return cmp.Or(cmp.Compare(a.block, b.block), cmp.Compare(a.level, b.level), cmp.Compare(a.index, b.index))
}

func addTally(r pebble.Reader, b *pebble.Batch, key []byte, t *tally) error {
	old, err := get(r, key)
	if err != nil {
		return err
	}
	sum := newTally()
	sum.add(t)
	if old != nil {
		stored, err := decodeTally(old)
		if err != nil {
			return err
		}
		sum.add(stored)
	}
	return b.Set(key, sum.encode(), nil)
}

// get reads one value into memory of its own; nil if there is none.
func get(r pebble.Reader, key []byte) ([]byte, error) {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	own := append(make([]byte, 0, len(value)), value...)
	return own, closer.Close()
}
