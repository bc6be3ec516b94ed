package scope

import (
	"context"
	"math"

	"github.com/RoaringBitmap/roaring/v2"
)

// plan says what a question reads: whole days from the index, and beside them
// the people of the days that the window cuts through (from the journal), of
// what is not saved yet, and of the intents that are still open.
type plan struct {
	vendor vendorID
	window span
	// whole are the days, by pathway, that lie in the window altogether;
	// between firstDay and lastDay.
	whole             map[tallyAt]bool
	firstDay, lastDay day
	// extra are people by chunk and set, besides those of whole days in the store.
	extra map[uint16]map[setID]*roaring.Bitmap
	// counts of everything in the window.
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
	return p.Vendor == q.Vendor &&
		(q.Route == "" || q.Route == p.Route) &&
		(q.App == "" || q.App == p.App) &&
		(q.Credential == "" || q.Credential == p.Credential)
}

func (s *snapshot) plan(ctx context.Context, q *Query) (*plan, error) {
	p := &plan{window: q.window(), whole: map[tallyAt]bool{}, counts: newTally(),
		firstDay: math.MaxInt32, lastDay: math.MinInt32, extra: map[uint16]map[setID]*roaring.Bitmap{}}
	var ok bool
	if p.vendor, ok = s.vendor(q.Vendor); !ok {
		return p, nil
	}
	tallies, err := s.allTallies(p.vendor)
	if err != nil {
		return nil, err
	}
	cut := map[tallyAt]*tally{}
	for at, t := range tallies {
		switch {
		case !q.selects(s.names.pathways[at.pathway]) || t.maxAt < p.window.from || t.minAt >= p.window.to:
		case p.window.has(t.minAt) && p.window.has(t.maxAt):
			p.whole[at] = true
			p.firstDay, p.lastDay = min(p.firstDay, at.day), max(p.lastDay, at.day)
			p.counts.add(t)
		default:
			cut[at] = t
		}
	}
	for c, people := range s.cells[p.vendor] {
		if p.whole[tallyAt{c.day, c.pathway}] {
			p.bitmap(c.chunk, c.set).Or(people)
		}
	}
	if err := s.read(ctx, cut, p.window, p.take); err != nil {
		return nil, err
	}
	for _, m := range s.open {
		if q.selects(s.names.pathways[m.pathway]) && p.window.has(m.at) {
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
