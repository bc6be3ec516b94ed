package scope

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"cordon/internal/exposure"
)

// Query answers q. Every disclosure acknowledged before the call is in the
// answer; so is every one whose outcome is still open.
func (x *Index) Query(ctx context.Context, q Query) (*Answer, error) {
	began := time.Now()
	r, err := x.ask(ctx, &q)
	if err != nil {
		return nil, err
	}
	defer r.close()
	a, err := r.answer(ctx, nil)
	if err != nil {
		return nil, err
	}
	a.TookMS = float64(time.Since(began).Microseconds()) / 1000
	return a, nil
}

// reading is a question with everything that it is answered from.
type reading struct {
	x      *Index
	s      *snapshot
	q      *Query
	tour   tour
	in     *plan // who is counted
	out    *plan // what attested deletions take out of it, or nil
	marked marked
	people *People
	now    time.Time
}

// ask plans the question: first what is taken in, then what is only marked.
func (x *Index) ask(ctx context.Context, q *Query) (_ *reading, err error) {
	s, err := x.snapshot(ctx, &q.Vendor)
	if err != nil {
		return nil, err
	}
	r := &reading{x: x, s: s, q: q, now: x.o.Now()}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	in, out := q.sides(s.names.pathways, s.stated)
	if r.in, err = r.plan(ctx, in); err != nil {
		return nil, err
	}
	if len(out) > 0 {
		r.marked.excluded = 1 << len(r.tour.plans)
		if r.out, err = r.plan(ctx, out); err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(s.names.pathways, func(p pathway) bool { return p.declared() && q.selects(p) }) {
		r.marked.recorded = 1 << len(r.tour.plans)
		if _, err = r.plan(ctx, recorded(in)); err != nil {
			return nil, err
		}
	}
	accessed, err := x.accessed(s.stated, q)
	if err != nil {
		return nil, err
	}
	if accessed != nil {
		r.marked.certain = 1 << (filterMark + len(r.tour.filters))
		r.tour.filters = append(r.tour.filters, accessed)
	}
	if r.people, err = x.o.Source.People(); err != nil {
		return nil, fmt.Errorf("reading the directory's attributes: %w", err)
	}
	return r, nil
}

func (r *reading) close() { r.s.close() }

func (r *reading) plan(ctx context.Context, picks []pick) (*plan, error) {
	p, err := r.s.plan(ctx, r.q.Vendor, picks)
	r.tour.plans = append(r.tour.plans, p)
	return p, err
}

// answer walks over everybody. also, if not nil, is shown every group, in the
// order of the ordinals.
func (r *reading) answer(ctx context.Context, also func(group) error) (*Answer, error) {
	var counters counters
	visitors := counters.of(r.people, r.q.minorsOn(r.now), r.marked, r.q.Grouped)
	if also != nil {
		r.tour.ordered = true
		c := visitors()
		visitors = one(func(g group) error { return cmp.Or(c.visit(g), also(g)) })
	}
	unions, err := r.s.walk(ctx, r.tour, visitors)
	if err != nil {
		return nil, err
	}
	c := counters.sum()
	a := c.answer(unions)
	q := r.q
	a.Vendor, a.Basis, a.Since, a.Until = q.Vendor, q.Basis.String(), q.Since, q.Until
	a.Certain, a.Possible, a.Declared = c.certain, a.Subjects-c.certain, c.declared
	if c.excluded > 0 {
		a.Excluded = append(a.Excluded, Excluded{AttestedDeleted, c.excluded, q.applied(r.s.stated)})
	}
	for _, d := range slices.Sorted(slices.Values(r.in.rounded)) {
		if text := dateOf(d); !slices.Contains(a.Rounded, text) {
			a.Rounded = append(a.Rounded, text)
		}
	}
	a.ApproximateCohorts = r.in.approximate || len(unions) >= maxUnions
	a.Unfinished = q.Unfinished
	a.DeclaredLeftOut = q.Basis == Held && slices.ContainsFunc(r.s.names.pathways, func(p pathway) bool {
		return p.declared() && p.Vendor == q.Vendor && !q.selects(p)
	})
	a.Entries, a.Pending, a.Checkpoint = r.s.position, r.in.pending, q.Checkpoint
	a.count(r.in.counts, r.in.sets)
	left, incomplete := seen(unions, r.in.counts, r.in.sets), a.IncompleteMessages
	if r.out != nil { // see claims.go
		incomplete += r.out.counts.incomplete
		for _, set := range r.in.sets {
			left = left.Union(set)
		}
	}
	a.claim(q, left, incomplete, coverageOf(r.s.coverage, q.Vendor, !r.x.o.ReadOnly, r.s.alive, r.now), r.now)
	return a, nil
}

// end is the instant at which a question looks back.
func (q *Query) end(now time.Time) time.Time {
	if q.Until.IsZero() {
		return now
	}
	return q.Until
}

// minorsOn is the day on which somebody must not be of age to be counted as a
// minor: the first of the window, since whoever came of age within it was a
// minor at an instant of it; without a beginning the last.
func (q *Query) minorsOn(now time.Time) day {
	if !q.Since.IsZero() {
		return dayOf(q.Since)
	}
	return dayOf(q.end(now))
}

// answer turns the counts into what is printed.
func (c *counter) answer(unions []exposure.Set) *Answer {
	a := &Answer{UnknownSubjects: c.unknown, Minors: c.minors,
		Categories: []CategoryCount{}, Protected: []ProtectedCount{}, Unattributed: []UnattributedCount{}, Excluded: []Excluded{},
		Languages: []LanguageCount{}, Cohorts: []Cohort{}, Countries: []CountryCount{}}
	byItem := map[exposure.Item]uint64{}
	for u, n := range c.unions {
		if n == 0 {
			continue
		}
		a.Subjects += n
		categories, protected := shown(unions[u])
		a.Cohorts = append(a.Cohorts, Cohort{cohortID(unions[u]), categories, protected, n})
		for _, it := range unions[u].Items() {
			byItem[it] += n
		}
	}
	slices.SortFunc(a.Cohorts, func(x, y Cohort) int {
		return cmp.Or(cmp.Compare(y.Subjects, x.Subjects), cmp.Compare(x.ID, y.ID))
	})
	for it, n := range byItem {
		if it.Form == exposure.Clear {
			a.Categories = append(a.Categories, CategoryCount{it.Category.Key(), n})
		} else {
			a.Protected = append(a.Protected, ProtectedCount{it.Category.Key(), it.Form.String(), n})
		}
	}
	slices.SortFunc(a.Categories, func(x, y CategoryCount) int {
		return cmp.Or(cmp.Compare(y.Subjects, x.Subjects), cmp.Compare(x.Category, y.Category))
	})
	slices.SortFunc(a.Protected, func(x, y ProtectedCount) int {
		return cmp.Or(cmp.Compare(y.Subjects, x.Subjects), cmp.Compare(x.Category, y.Category), cmp.Compare(x.Form, y.Form))
	})
	for i, n := range c.country {
		if n > 0 {
			a.Countries = append(a.Countries, CountryCount{entryAt(c.people.Countries, i), n})
		}
	}
	slices.SortFunc(a.Countries, func(x, y CountryCount) int {
		return cmp.Or(cmp.Compare(y.Subjects, x.Subjects), cmp.Compare(x.Country, y.Country))
	})
	for i, n := range c.lang {
		if n > 0 {
			a.Languages = append(a.Languages, LanguageCount{entryAt(c.people.Languages, i), n})
		}
	}
	slices.SortFunc(a.Languages, func(x, y LanguageCount) int {
		return cmp.Or(cmp.Compare(y.Subjects, x.Subjects), cmp.Compare(x.Language, y.Language))
	})
	for at, n := range c.groups {
		a.Groups = append(a.Groups, Group{cohortID(unions[at.union]), entryAt(c.people.Countries, int(at.country)),
			entryAt(c.people.States, int(at.state)), entryAt(c.people.Languages, int(at.lang)), n[0], n[1]})
	}
	slices.SortFunc(a.Groups, func(x, y Group) int {
		return cmp.Or(cmp.Compare(x.Cohort, y.Cohort), cmp.Compare(x.Country, y.Country),
			cmp.Compare(x.State, y.State), cmp.Compare(x.Language, y.Language))
	})
	return a
}

// entryAt is a table's entry; the unknown has none where nobody was imported.
func entryAt(table []string, i int) string {
	if i < len(table) {
		return table[i]
	}
	return ""
}

// count adds what is counted in messages.
func (a *Answer) count(t *tally, sets []exposure.Set) {
	a.Disclosures, a.IncompleteMessages = t.disclosures, t.incomplete
	if len(t.reasons) > 0 {
		a.IncompleteReasons = map[string]uint64{}
		for r, n := range t.reasons {
			a.IncompleteReasons[string(r)] = n
		}
	}
	for s, n := range t.nobody {
		categories, protected := shown(sets[s])
		a.Unattributed = append(a.Unattributed, UnattributedCount{categories, protected, n})
	}
	slices.SortFunc(a.Unattributed, func(x, y UnattributedCount) int {
		return cmp.Or(cmp.Compare(y.Messages, x.Messages), slices.Compare(x.Categories, y.Categories))
	})
}

// weakest orders the forms from the one that gives away most. A category that
// left in several is as exposed as in the weakest of them.
var weakest = []exposure.Form{exposure.Clear, exposure.Masked, exposure.Generalised, exposure.Hashed, exposure.Aliased, exposure.Tokenised}

// plain keeps each category of a set in its weakest form only: what also left
// in the clear is not protected.
func plain(s exposure.Set) exposure.Set {
	var out exposure.Set
	for _, it := range s.Items() {
		for _, f := range weakest {
			if s.Has(it.Category, f) {
				out.Add(it.Category, f)
				break
			}
		}
	}
	return out
}

// shown is a set as answers print it.
func shown(s exposure.Set) (categories []string, protected map[string]string) {
	categories = []string{}
	for _, it := range plain(s).Items() {
		if it.Form == exposure.Clear {
			categories = append(categories, it.Category.Key())
			continue
		}
		if protected == nil {
			protected = map[string]string{}
		}
		protected[it.Category.Key()] = it.Form.String()
	}
	return categories, protected
}

// cohortID is the same for the same set in every answer and every file.
func cohortID(s exposure.Set) string {
	sum := sha256.Sum256([]byte(plain(s).String()))
	return hex.EncodeToString(sum[:4])
}

// seen is every category that left, in any form, about anybody.
func seen(unions []exposure.Set, t *tally, sets []exposure.Set) exposure.Set {
	var all exposure.Set
	for _, u := range unions {
		all = all.Union(u)
	}
	for s := range t.nobody {
		all = all.Union(sets[s])
	}
	return all
}
