package scope

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
)

// Opaque prints an ordinal for people outside: enough to see that two answers
// are about the same person, and nothing else.
func Opaque(o exposure.Ordinal) string { return fmt.Sprintf("#%08x", uint32(o)) }

// Nothing is the answer about somebody of whom the ledger knows nothing.
func Nothing() *Person { return &Person{Vendors: []PersonVendor{}} }

// Subject tells what every vendor got about one person: from the index on
// which days and which ways, and from those days of the journal the exact
// instants and the number of messages.
func (x *Index) Subject(ctx context.Context, who exposure.Ordinal) (*Person, error) {
	if who == exposure.Nobody {
		return Nothing(), nil
	}
	s, err := x.snapshot(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer s.close()
	name, now := Opaque(who), x.o.Now()
	answer := &Person{Subject: &name, Vendors: []PersonVendor{}}

	// All vendors' days together, so that a day is read once for all of them.
	days := map[tallyAt]*tally{}
	for v := range s.names.vendors {
		if err := s.daysOf(vendorID(v), who, days); err != nil {
			return nil, err
		}
	}
	by := map[vendorID]*got{}
	take := func(m *message) {
		way := s.names.pathways[m.pathway]
		var set exposure.Set
		for _, p := range m.people {
			if p.who == who {
				set = set.Union(s.names.sets[way.vendor][p.set])
			}
		}
		if set.Empty() {
			return
		}
		g := by[way.vendor]
		if g == nil {
			g = &got{letters: letters(s.stated, way.Vendor)}
			by[way.vendor] = g
		}
		g.take(way, m.at, set, now)
	}
	if err := s.read(ctx, days, always, take); err != nil {
		return nil, err
	}
	for _, m := range s.open {
		take(m)
	}
	for v, g := range by {
		answer.Vendors = append(answer.Vendors, g.answer(s.names.vendors[v], s.stated))
	}
	slices.SortFunc(answer.Vendors, func(a, b PersonVendor) int { return cmp.Compare(a.Vendor, b.Vendor) })
	return answer, nil
}

// daysOf adds the tallies of the days and ways on which a vendor got something
// about one person.
func (s *snapshot) daysOf(v vendorID, who exposure.Ordinal, days map[tallyAt]*tally) error {
	chunk, low := split(who)
	on := map[tallyAt]bool{}
	for c, people := range s.cells[v] {
		if c.chunk == chunk && people.Contains(low) {
			on[tallyAt{c.day, c.pathway}] = true
		}
	}
	var bitmap roaring.Bitmap
	err := s.cellsOf(v, func(it *pebble.Iterator) error {
		for ok := it.SeekGE(chunkStart(v, uint32(chunk))); ok; ok = it.Next() {
			_, c, err := parseCellKey(it.Key())
			if err != nil || c.chunk != chunk {
				return err
			}
			at := tallyAt{c.day, c.pathway}
			if on[at] {
				continue
			}
			value, err := it.ValueAndErr()
			if err != nil {
				return err
			}
			// Aliases value, and is done with it before the iterator moves.
			if _, err := bitmap.FromBuffer(value); err != nil {
				return err
			}
			on[at] = bitmap.Contains(low)
		}
		return it.Error()
	})
	if err != nil {
		return fmt.Errorf("reading the scope index: %w", err)
	}
	tallies, err := s.allTallies(v)
	if err != nil {
		return err
	}
	for at, here := range on {
		if here {
			days[at] = tallies[at]
		}
	}
	return nil
}
