package scope

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"cordon/internal/exposure"
)

// naive answers by reading the whole journal with maps of people, as slowly
// and as plainly as it can be written.
type naive struct {
	subjects, disclosures, incomplete, unknown, minors, pending uint64
	certain, declared, excluded                                 uint64
	categories, protected, cohorts, countries, languages        map[string]uint64
	unattributed, reasons, groups                               map[string]uint64
	exported                                                    []string
	people                                                      map[exposure.Ordinal]exposure.Set
}

func (j *journal) naive(q Query, now time.Time) *naive {
	n := &naive{categories: map[string]uint64{}, protected: map[string]uint64{}, cohorts: map[string]uint64{},
		countries: map[string]uint64{}, languages: map[string]uint64{}, unattributed: map[string]uint64{},
		reasons: map[string]uint64{}, groups: map[string]uint64{}}
	outcome := map[uint64]Result{}
	for _, e := range j.entries {
		if _, again := outcome[e.Of]; e.Kind == Settled && !again {
			outcome[e.Of] = e.Result
		}
	}
	people := map[exposure.Ordinal]exposure.Set{}
	n.people = people
	recorded, deleted, accessed := map[exposure.Ordinal]bool{}, map[exposure.Ordinal]bool{}, map[exposure.Ordinal]bool{}
	for _, e := range j.entries {
		if s := e.Statement; e.Kind == Stated && s.Vendor == q.Vendor {
			if s.Kind == AccessedBy && (q.Incident == "" || q.Incident == s.Incident) {
				for _, o := range j.lists[s.Digest] {
					accessed[o] = true
				}
			}
		}
	}
	for _, e := range j.entries {
		result, settled := outcome[e.Seq]
		p, at := e.Pathway, e.At
		if e.Declared {
			settled = true
			if at = e.HeldSince; at.IsZero() {
				at = time.Unix(0, math.MinInt64)
			}
		}
		switch {
		case e.Kind != Disclosed || settled && !e.Declared && result == NotSent,
			e.Declared && (q.Basis == SentWithin || q.Route+q.App+q.Credential != ""),
			p.Vendor != q.Vendor,
			q.Route != "" && q.Route != p.Route,
			q.App != "" && q.App != p.App,
			q.Credential != "" && q.Credential != p.Credential,
			!q.Until.IsZero() && q.Basis == Held && !at.Before(q.Until),
			!q.Until.IsZero() && q.Basis == SentWithin && at.After(q.Until),
			!q.Since.IsZero() && q.Basis == SentWithin && at.Before(q.Since):
			continue
		}
		if j.gone(&e, q) {
			for _, x := range e.Exposures {
				deleted[x.Ordinal] = deleted[x.Ordinal] || !x.Set.Empty()
			}
			continue
		}
		if !settled {
			n.pending++
		}
		if len(e.Incomplete) > 0 {
			n.incomplete++
			for _, r := range e.Incomplete {
				n.reasons[string(r)]++
			}
		}
		carried := false
		nobody := map[exposure.Set]bool{}
		for _, x := range e.Exposures {
			switch {
			case x.Set.Empty():
				continue
			case x.Ordinal == exposure.Nobody:
				nobody[x.Set] = true
			default:
				people[x.Ordinal] = people[x.Ordinal].Union(x.Set)
				recorded[x.Ordinal] = recorded[x.Ordinal] || !e.Declared
			}
			carried = true
		}
		for s := range nobody {
			n.unattributed[text(s)]++
		}
		if carried && !e.Declared {
			n.disclosures++
		}
	}
	end := now
	if !q.Until.IsZero() {
		end = q.Until
	}
	if !q.Since.IsZero() {
		end = q.Since
	}
	for o, is := range deleted {
		if _, held := people[o]; is && !held && o != exposure.Nobody {
			n.excluded++
		}
	}
	for o, set := range people {
		n.subjects++
		if accessed[o] {
			n.certain++
		}
		if !recorded[o] {
			n.declared++
		}
		n.cohorts[text(set)]++
		country, state, language := "", "", ""
		minor := false
		dir := j.people
		if int(o) < len(dir.Country) {
			country, state, language = dir.Countries[dir.Country[o]], dir.States[dir.State[o]], dir.Languages[dir.Language[o]]
			minor = time.Unix(int64(dir.MinorUntil[o])*86400, 0).After(end)
		}
		if !named(dir, o) {
			n.unknown++
		}
		n.countries[country]++
		n.languages[language]++
		g := fmt.Sprint(text(set), country, state, language)
		n.groups[g]++
		if minor {
			n.minors++
			n.groups[g+" minors"]++
		}
		for c := range items(set) {
			if strings.Contains(c, "=") {
				n.protected[c]++
			} else {
				n.categories[c]++
			}
		}
		id := ""
		if int(o) < len(dir.Country) {
			id = fmt.Sprint("id-", o)
		}
		n.exported = append(n.exported, fmt.Sprint(id, "|", text(set), "|", country, "|", language))
	}
	slices.Sort(n.exported)
	return n
}

// items are the categories of a set: "key" in the clear, "key=form" protected.
func items(s exposure.Set) map[string]bool {
	order := []string{"masked", "generalised", "hashed", "aliased", "tokenised"}
	forms := map[string][]string{}
	for _, it := range s.Items() {
		forms[it.Category.Key()] = append(forms[it.Category.Key()], it.Form.String())
	}
	out := map[string]bool{}
	for key, has := range forms {
		if slices.Contains(has, "clear") {
			out[key] = true
			continue
		}
		slices.SortFunc(has, func(a, b string) int { return cmp.Compare(slices.Index(order, a), slices.Index(order, b)) })
		out[key+"="+has[0]] = true
	}
	return out
}

func text(s exposure.Set) string {
	var all []string
	for c := range items(s) {
		all = append(all, c)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// same compares an answer with the naive one and says where they differ.
func (n *naive) same(a *Answer) error {
	got := &naive{subjects: a.Subjects, disclosures: a.Disclosures, incomplete: a.IncompleteMessages,
		unknown: a.UnknownSubjects, minors: a.Minors, pending: a.Pending, certain: a.Certain, declared: a.Declared,
		categories: map[string]uint64{}, protected: map[string]uint64{}, cohorts: map[string]uint64{},
		countries: map[string]uint64{}, languages: map[string]uint64{}, unattributed: map[string]uint64{},
		reasons: map[string]uint64{}, groups: map[string]uint64{}}
	for _, c := range a.Categories {
		got.categories[c.Category] += c.Subjects
	}
	for _, c := range a.Protected {
		got.protected[c.Category+"="+c.Form] += c.Subjects
	}
	byID := map[string]string{}
	for _, c := range a.Cohorts {
		byID[c.ID] = shownText(c.Categories, c.Protected)
		got.cohorts[byID[c.ID]] += c.Subjects
	}
	for _, c := range a.Countries {
		got.countries[c.Country] += c.Subjects
	}
	for _, c := range a.Languages {
		got.languages[c.Language] += c.Subjects
	}
	for _, c := range a.Unattributed {
		got.unattributed[shownText(c.Categories, c.Protected)] += c.Messages
	}
	for _, e := range a.Excluded {
		got.excluded += e.Subjects
	}
	for r, c := range a.IncompleteReasons {
		got.reasons[r] = c
	}
	for _, g := range a.Groups {
		key := fmt.Sprint(byID[g.Cohort], g.Country, g.State, g.Language)
		got.groups[key] += g.Subjects
		if g.Minors > 0 {
			got.groups[key+" minors"] += g.Minors
		}
	}
	if len(a.Cohorts) != len(got.cohorts) {
		return fmt.Errorf("%d cohorts, %d different ones", len(a.Cohorts), len(got.cohorts))
	}
	if a.Possible+a.Certain != a.Subjects {
		return fmt.Errorf("certain %d + possible %d is not %d", a.Certain, a.Possible, a.Subjects)
	}
	got.exported, got.people = n.exported, n.people
	if want, have := fmt.Sprintf("%+v", *n), fmt.Sprintf("%+v", *got); want != have {
		return fmt.Errorf("\nwant %s\ngot  %s", want, have)
	}
	return nil
}

func shownText(categories []string, protected map[string]string) string {
	all := slices.Clone(categories)
	for c, f := range protected {
		all = append(all, c+"="+f)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func named(p *People, o exposure.Ordinal) bool {
	return int(o/64) < len(p.Directory) && p.Directory[o/64]&(1<<(o%64)) != 0
}

// gone reports whether a letter says that the vendor had deleted this before
// the question's window begins.
func (j *journal) gone(e *Entry, q Query) bool {
	at := e.At
	if e.Declared {
		if at = e.HeldSince; at.IsZero() {
			return false // nobody said when it came
		}
	}
	for _, l := range j.entries {
		s := l.Statement
		if l.Kind == Stated && s.Kind == Attestation && s.Vendor == q.Vendor && s.Withdraws == 0 && !s.DeletedAt.IsZero() && !j.withdrawn(l.Seq) &&
			q.Basis == Held && !q.Since.IsZero() && !s.DeletedAt.After(q.Since) && at.Before(s.SentBefore) &&
			(s.Route == "" || s.Route == e.Pathway.Route) && !(e.Declared && e.Pathway.Credential > fmt.Sprintf("backfill:%09d", l.Seq)) {
			return true
		}
	}
	return false
}

func (j *journal) withdrawn(seq uint64) bool {
	for _, e := range j.entries {
		if e.Kind == Stated && e.Statement.Kind == Attestation && e.Statement.Withdraws == seq {
			return true
		}
	}
	return false
}
