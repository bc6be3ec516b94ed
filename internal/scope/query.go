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
	s, err := x.snapshot(ctx, &q.Vendor)
	if err != nil {
		return nil, err
	}
	defer s.close()
	p, err := s.plan(ctx, q.Vendor, q.picks())
	if err != nil {
		return nil, err
	}
	people, err := x.o.Source.People()
	if err != nil {
		return nil, fmt.Errorf("reading the directory's attributes: %w", err)
	}
	now := x.o.Now()
	var counters counters
	unions, err := s.walk(ctx, tour{plans: []*plan{p}}, counters.of(people, dayOf(q.end(now)), q.Grouped))
	if err != nil {
		return nil, err
	}
	c := counters.sum()
	a := c.answer(unions)
	a.Vendor, a.Basis, a.Since, a.Until = q.Vendor, q.Basis.String(), q.Since, q.Until
	a.Possible = a.Subjects - a.Certain
	a.Entries, a.Pending = s.position, p.pending
	a.count(p.counts, p.sets)
	a.claim(&q, seen(unions, p.counts, p.sets),
		coverageOf(s.coverage, q.Vendor, !x.o.ReadOnly, s.alive, now), now)
	a.TookMS = float64(time.Since(began).Microseconds()) / 1000
	return a, nil
}

// end is the instant at which a question looks back.
func (q *Query) end(now time.Time) time.Time {
	if q.Until.IsZero() {
		return now
	}
	return q.Until
}

// answer turns the counts into what is printed.
func (c *counter) answer(unions []exposure.Set) *Answer {
	a := &Answer{UnknownSubjects: c.unknown, Minors: c.minors,
		Categories: []CategoryCount{}, Protected: []ProtectedCount{}, Unattributed: []UnattributedCount{},
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
