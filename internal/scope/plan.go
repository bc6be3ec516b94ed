package scope

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"cordon/internal/exposure"
)

// pick is a part of what a plan takes: what went by some ways in some time.
// Several picks of one plan are added together, so that each pathway may have
// spans of its own (an attestation that narrows one route: all other ways with
// one span, this way with two).
type pick struct {
	takes func(pathway) bool // of the plan's vendor only
	in    span
}

// plan says what a question reads of one vendor: days, or half hours of days,
// from the index, and beside them the people of the half hours that a span cuts
// through (from the journal), of what is not saved yet, and of the intents that
// are still open.
type plan struct {
	vendor vendorID
	sets   []exposure.Set // by setID, of this vendor
	picks  []pick
	// days are taken from the index; rollups are those that hold just what days
	// take. periods is what is read in the end, the coarsest there is; where a block
	// has no page of a roll-up, what the roll-up is made of is read.
	days    map[day]*taken
	rollups map[period]*taken
	periods [3][]period // by level, in order; together all of days, each once
	// extra are further people: facts of blocks, of which only person and set count.
	extra map[uint16][]fact
	// counts of everything that is taken.
	counts  *tally
	pending uint64
	// approximate says that something is taken that has no name of its own (see
	// maxSets, maxWays).
	approximate bool
	// rounded are sealed days of which a half hour is taken whole that a pick cuts
	// through; one may be there several times.
	rounded []day
}

// taken says which ways of a day are taken, and of each which half hours: one bit
// for each.
type taken struct {
	halves []uint64 // by wayID
	// all says that everything which the day has is taken; some, that of a way
	// only a part is.
	all, some bool
}

const allDay = 1<<halfHours - 1

// window turns a question's bounds into a half-open span. On the basis Held
// nothing is too old: what was sent before Since may still have been held at
// Since, unless its deletion was attested.
func (q *Query) window() span {
	w := always
	if q.Basis == SentWithin && !q.Since.IsZero() {
		w.from = q.Since.UnixNano()
	}
	if !q.Until.IsZero() {
		w.to = q.Until.UnixNano()
		if q.Basis == SentWithin && w.to != math.MaxInt64 {
			w.to++ // inside [since, until]
		}
	}
	return w
}

// selects reports whether a pathway belongs to the question.
func (q *Query) selects(p pathway) bool {
	if p.declared() && (q.Basis == SentWithin || q.Route != "" || q.App != "" || q.Credential != "") {
		return false // nobody saw it sent, and by which way it came nobody knows
	}
	return p.Vendor == q.Vendor && (p.other() || // it may have been this way
		(q.Route == "" || q.Route == p.Route) &&
			(q.App == "" || q.App == p.App) &&
			(q.Credential == "" || q.Credential == p.Credential))
}

func (q *Query) picks() []pick { return []pick{{q.selects, q.window()}} }

// takes reports whether the plan takes what went by a pathway at an instant.
func (p *plan) takes(way pathway, at int64) bool {
	for _, k := range p.picks {
		if k.in.has(at) && k.takes(way) {
			return true
		}
	}
	return false
}

// plan finds out what to read. A vendor without any disclosure gives a plan
// that reads nothing.
func (s *snapshot) plan(ctx context.Context, name exposure.VendorID, picks []pick) (*plan, error) {
	p := &plan{picks: picks, days: map[day]*taken{}, counts: newTally(), extra: map[uint16][]fact{}}
	var ok bool
	if p.vendor, ok = s.vendor(name); !ok {
		return p, nil
	}
	p.sets = s.names.sets[p.vendor]
	p.approximate = len(p.sets) > maxSets
	tallies, err := s.allTallies(p.vendor)
	if err != nil {
		return nil, err
	}
	cut := map[tallyAt]*tally{}
	for at, t := range tallies {
		whole, touched := p.meets(s.names.pathways[at.pathway], t)
		switch {
		case whole:
			p.day(s, at).halves[s.names.pathways[at.pathway].local] = allDay
			p.counts.add(t)
		case touched:
			cut[at] = t
		}
		p.approximate = p.approximate || touched && s.names.pathways[at.pathway].other()
	}
	halves, err := s.halfHours(p.vendor, cut)
	if err != nil {
		return nil, err
	}
	edges := map[sliceAt]*tally{}
	for at, t := range halves {
		way := s.names.pathways[at.pathway]
		whole, touched := p.meets(way, t)
		if _, sealed := s.sealed[at.day]; sealed && touched && !whole {
			whole = true // the journal has it no more
			p.rounded = append(p.rounded, at.day)
		}
		switch {
		case whole:
			d := p.day(s, at.tallyAt)
			d.halves[way.local] |= 1 << at.slice
			d.some = true
			p.counts.add(t)
		case touched:
			edges[at] = t
		}
	}
	for at := range tallies {
		if d := p.days[at.day]; d != nil && d.halves[s.names.pathways[at.pathway].local] != allDay {
			d.all = false
		}
	}
	p.findRollups(s, tallies)
	p.choose()
	for at, facts := range s.pages[p.vendor] {
		if d := p.days[day(at.index)]; d != nil {
			for _, f := range facts {
				if d.halves[f.way()]>>f.slice()&1 != 0 {
					p.extra[at.block] = append(p.extra[at.block], f)
				}
			}
		}
	}
	err = s.read(ctx, edges, always, exposure.Nobody, func(m *message) {
		if p.takes(s.names.pathways[m.pathway], m.at) {
			p.take(m)
		}
	})
	if err != nil {
		return nil, err
	}
	for _, m := range s.open {
		if way := s.names.pathways[m.pathway]; way.vendor == p.vendor && p.takes(way, m.at) {
			p.take(m)
			p.pending++
		}
	}
	return p, nil
}

// meets says whether the picks take everything that a tally counts, and whether
// they take anything.
func (p *plan) meets(way pathway, t *tally) (whole, touched bool) {
	for _, k := range p.picks {
		if t.maxAt >= k.in.from && t.minAt < k.in.to && k.takes(way) {
			touched = true
			whole = whole || k.in.has(t.minAt) && k.in.has(t.maxAt)
		}
	}
	return whole, touched
}

func (p *plan) day(s *snapshot, at tallyAt) *taken {
	d := p.days[at.day]
	if d == nil {
		d = &taken{halves: make([]uint64, len(s.names.ways[p.vendor])), all: true}
		p.days[at.day] = d
	}
	return d
}

// rollups are the roll-ups that hold, of every way, either only what the plan
// takes or nothing of it.
func (p *plan) findRollups(s *snapshot, tallies map[tallyAt]*tally) {
	p.rollups = map[period]*taken{}
	mixed := map[period]bool{}
	for _, whole := range []bool{true, false} {
		for at := range tallies {
			way := s.names.pathways[at.pathway].local
			d := p.days[at.day]
			if whole != (d != nil && d.halves[way] == allDay) {
				continue
			}
			for _, level := range []uint8{levelWeek, levelMonth} {
				q := at.day.in(level)
				if !s.rolled.whole(p.vendor, q) {
					continue
				}
				t := p.rollups[q]
				switch {
				case whole && t == nil:
					t = &taken{halves: make([]uint64, len(s.names.ways[p.vendor])), all: true}
					p.rollups[q] = t
					t.halves[way] = allDay
				case whole:
					t.halves[way] = allDay
				case t != nil:
					t.all = false
					mixed[q] = mixed[q] || t.halves[way] != 0 || d != nil && d.halves[way] != 0
				}
			}
		}
	}
	for q := range mixed {
		if mixed[q] {
			delete(p.rollups, q)
		}
	}
}

// choose says what all days of the plan are read from, the coarsest that there
// is of each.
func (p *plan) choose() {
	left := map[day]bool{}
	for d := range p.days {
		left[d] = true
	}
	for _, level := range []uint8{levelMonth, levelWeek, levelDay} {
		found := map[period]bool{}
		for d := range left {
			if q := d.in(level); level == levelDay || p.rollups[q] != nil {
				found[q] = true
			}
		}
		at := slices.SortedFunc(maps.Keys(found), func(a, b period) int { return cmp.Compare(a.index, b.index) })
		for _, q := range at {
			for d := range left {
				if d.in(level) == q {
					delete(left, d)
				}
			}
		}
		p.periods[level] = at
	}
}

// take adds one message that the index's days do not hold.
func (p *plan) take(m *message) {
	p.counts.count(m)
	for _, x := range m.people {
		block := uint16(x.who >> blockBits)
		p.extra[block] = append(p.extra[block], factOf(0, x.set, uint32(x.who)&(1<<blockBits-1), 0, 0))
	}
}
