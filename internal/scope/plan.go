package scope

import (
	"context"
	"math"

	"github.com/RoaringBitmap/roaring/v2"

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

// plan says what a question reads of one vendor: whole days from the index,
// and beside them the people of the days that a span cuts through (from the
// journal), of what is not saved yet, and of the intents that are still open.
type plan struct {
	vendor vendorID
	sets   []exposure.Set // by setID, of this vendor
	picks  []pick
	// whole are the days, by pathway, that are taken altogether; between
	// firstDay and lastDay.
	whole             map[tallyAt]bool
	firstDay, lastDay day
	// extra are people by chunk and set, besides those of whole days in the store.
	extra map[uint16]map[setID]*roaring.Bitmap
	// counts of everything that is taken.
	counts  *tally
	pending uint64
}

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
	return p.Vendor == q.Vendor &&
		(q.Route == "" || q.Route == p.Route) &&
		(q.App == "" || q.App == p.App) &&
		(q.Credential == "" || q.Credential == p.Credential)
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
	p := &plan{picks: picks, whole: map[tallyAt]bool{}, counts: newTally(),
		firstDay: math.MaxInt32, lastDay: math.MinInt32, extra: map[uint16]map[setID]*roaring.Bitmap{}}
	var ok bool
	if p.vendor, ok = s.vendor(name); !ok {
		return p, nil
	}
	p.sets = s.names.sets[p.vendor]
	tallies, err := s.allTallies(p.vendor)
	if err != nil {
		return nil, err
	}
	cut := map[tallyAt]*tally{}
	for at, t := range tallies {
		whole, touched := false, false
		for _, k := range picks {
			if k.takes(s.names.pathways[at.pathway]) && t.maxAt >= k.in.from && t.minAt < k.in.to {
				touched = true
				whole = whole || k.in.has(t.minAt) && k.in.has(t.maxAt)
			}
		}
		switch {
		case whole:
			p.whole[at] = true
			p.firstDay, p.lastDay = min(p.firstDay, at.day), max(p.lastDay, at.day)
			p.counts.add(t)
		case touched:
			cut[at] = t
		}
	}
	for c, people := range s.cells[p.vendor] {
		if p.whole[tallyAt{c.day, c.pathway}] {
			p.bitmap(c.chunk, c.set).Or(people)
		}
	}
	err = s.read(ctx, cut, always, func(m *message) {
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

// take adds one message that no whole day holds.
func (p *plan) take(m *message) {
	p.counts.count(m)
	for _, x := range m.people {
		chunk, low := split(x.who)
		p.bitmap(chunk, x.set).Add(low)
	}
}

func (p *plan) bitmap(chunk uint16, set setID) *roaring.Bitmap {
	sets := p.extra[chunk]
	if sets == nil {
		sets = map[setID]*roaring.Bitmap{}
		p.extra[chunk] = sets
	}
	b := sets[set]
	if b == nil {
		b = roaring.New()
		sets[set] = b
	}
	return b
}
