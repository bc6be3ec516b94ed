package scope

import (
	"cmp"
	"context"
	"fmt"
	"slices"

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

	// From the index how much came when, by half hours. The exact instants of the
	// first and the last are in the journal, and only of those; all vendors' together,
	// so that a part of it is read once.
	traces := make([]*trace, len(s.names.vendors))
	wanted := map[sliceAt]*tally{}
	for v, name := range s.names.vendors {
		t, err := s.traceOf(vendorID(v), who)
		if err != nil {
			return nil, err
		}
		traces[v] = t
		ends := t.ends(s.names.pathways, len(letters(s.stated, name)) > 0)
		days := map[tallyAt]*tally{}
		for at := range ends {
			days[at.tallyAt] = nil
		}
		tallies, err := s.halfHours(vendorID(v), days)
		if err != nil {
			return nil, err
		}
		for at := range ends {
			if tallies[at] == nil {
				return nil, fmt.Errorf("%w: a half hour has no tally", errPage)
			}
			if _, sealed := s.sealed[at.day]; !sealed { // else to the half hour
				wanted[at] = tallies[at]
			}
		}
	}
	exact := map[sliceAt]span{}
	err = s.read(ctx, wanted, always, who, func(m *message) {
		if slices.ContainsFunc(m.people, func(p personSet) bool { return p.who == who }) {
			d, slice := sliceOf(m.at)
			at := sliceAt{tallyAt{d, m.pathway}, slice}
			if e, ok := exact[at]; ok {
				exact[at] = span{min(e.from, m.at), max(e.to, m.at)}
			} else {
				exact[at] = span{m.at, m.at}
			}
		}
	})
	if err != nil {
		return nil, err
	}

	by := map[vendorID]*got{}
	of := func(v vendorID) *got {
		if by[v] == nil {
			by[v] = &got{letters: letters(s.stated, s.names.vendors[v])}
		}
		return by[v]
	}
	for v, t := range traces {
		for way, set := range t.sets {
			first, last, n := t.of(way, exact)
			of(vendorID(v)).add(s.names.pathways[way], first, last, n, set, now)
		}
	}
	for _, m := range s.open {
		way := s.names.pathways[m.pathway]
		var set exposure.Set
		for _, p := range m.people {
			if p.who == who {
				set = set.Union(s.names.sets[way.vendor][p.set])
			}
		}
		if !set.Empty() {
			of(way.vendor).take(way, m.at, set, now)
		}
	}
	for v, g := range by {
		p := g.answer(s.names.vendors[v], s.stated)
		c := coverageOf(s.coverage, p.Vendor, !x.o.ReadOnly, s.alive, now)
		p.CoveredSince, p.Gaps = c.since, append([]Gap{}, c.gaps...)
		answer.Vendors = append(answer.Vendors, p)
	}
	slices.SortFunc(answer.Vendors, func(a, b PersonVendor) int { return cmp.Compare(a.Vendor, b.Vendor) })
	return answer, nil
}
