package messages

import (
	"fmt"
	"slices"
	"strings"

	"cordon/internal/minimize"
)

// score counts what the classifier got right and wrong.
type score struct {
	messages, policies         int
	people, fields             int // labelled
	hits, misses, extras       int // fields
	lostPeople, wrongPerson    int
	statusErrors, policyErrors int
	allClear                   int // personal data, and the answer says there is none
	unnamed                    int // misses that are on record as unclassified or as text
	faultless                  int // messages
	weak, faults               []string
}

func (s *score) fault(m *message, format string, args ...any) {
	s.faults = append(s.faults, m.Name+": "+fmt.Sprintf(format, args...))
}

func (s *score) String() string {
	ratio := func(a, b int) float64 { return 100 * float64(a) / float64(max(1, a+b)) }
	return fmt.Sprintf(`
| | |
|---|---|
| messages | %d |
| answered without a fault or a miss | %d |
| policies applied to them | %d |
| people labelled | %d |
| fields labelled | %d |
| precision of fields | %.2f %% (%d not labelled) |
| recall of fields | %.2f %% (%d missed, %d of these on record, as unclassified or as text) |
| people not found | %d |
| fields given to another person | %d |
| status wrong | %d |
| cleared bytes wrong | %d |
| false "nothing personal here" | %d |
`, s.messages, s.faultless, s.policies, s.people, s.fields, ratio(s.hits, s.extras), s.extras, ratio(s.hits, s.misses), s.misses, s.unnamed,
		s.lostPeople, s.wrongPerson, s.statusErrors, s.policyErrors, s.allClear)
}

// compare holds one answer against its label.
func (s *score) compare(m *message, a minimize.Answer) {
	if !matches(m.Status, a.Status) {
		s.statusErrors++
		s.fault(m, "status %s (%s), want %s", a.Status, a.Reason, m.Status)
	}
	found := 0
	for _, p := range a.Subjects {
		found += len(p.Fields)
	}
	if (len(m.Subjects) > 0 || m.Unmapped) && a.Status == "classified" && found == 0 && len(a.Unmapped) == 0 {
		s.allClear++
		s.fault(m, "says that nothing personal is here")
	}
	if m.Unmapped && a.Status == "classified" && len(a.Unmapped) == 0 {
		s.fault(m, "names no unmapped leaf")
		s.misses++
	}
	s.compareAnyone(m, a)
	s.compareNever(m, a)
	s.comparePeople(m, a)
}

func (s *score) compareAnyone(m *message, a minimize.Answer) {
	for _, want := range m.Anyone {
		s.fields++
		named, seen := false, false
		for _, p := range a.Subjects {
			for _, f := range p.Fields {
				if strings.Contains(f.Value, want[1]) {
					seen = true
					named = named || within(f.Category, want[0])
				}
			}
		}
		if named {
			s.hits++
			continue
		}
		if seen { // on record as unclassified
			s.misses++
			s.unnamed++
			s.weak = append(s.weak, m.Name+": on record, but not as "+want[0]+" "+want[1])
			continue
		}
		s.misses++
		s.fault(m, "nobody has %s %q; status %s, unmapped %v", want[0], want[1], a.Status, a.Unmapped)
	}
}

func (s *score) compareNever(m *message, a minimize.Answer) {
	for _, p := range a.Subjects {
		for _, n := range m.Never {
			if identified(p, n[0]) && identified(p, n[2]) {
				s.wrongPerson++
				s.fault(m, "%s is taken for %s", n[2], n[0])
			}
		}
		for _, n := range m.NeverName {
			if identified(p, n[0]) && slices.ContainsFunc(p.Fields, func(f minimize.SubjectField) bool { return f.Value == n[1] }) {
				s.wrongPerson++
				s.fault(m, "%s is given to %s", n[1], n[0])
			}
		}
	}
}

// comparePeople pairs found people with labelled ones by what identifies them.
func (s *score) comparePeople(m *message, a minimize.Answer) {
	index := map[string]int{} // identifier value to labelled person; "" is nobody
	for i, want := range m.Subjects {
		if len(want.Identifiers) == 0 {
			index[""] = i
		}
		for _, values := range want.Identifiers {
			for _, v := range strings.Split(values, "|") {
				index[v] = i
			}
		}
	}
	got := make([][]minimize.SubjectField, len(m.Subjects))
	met := make([]bool, len(m.Subjects))
	for _, p := range a.Subjects {
		s.pair(m, p, index, got, met)
	}
	for i, want := range m.Subjects {
		s.people++
		if !met[i] && len(want.Identifiers) > 0 && (!m.Loose) {
			s.lostPeople++
			s.fault(m, "person %v is not found", want.Identifiers)
		}
		s.compareFields(m, i, got)
	}
}

// pair adds one found person's fields to the labelled person that it is.
func (s *score) pair(m *message, p minimize.Subject, index map[string]int, got [][]minimize.SubjectField, met []bool) {
	owner := -1
	for _, id := range identifiers(p) {
		i, ok := index[id]
		switch {
		case !ok && !m.Loose:
			s.extras++
			s.fault(m, "identifier %q is nobody's", id)
		case ok && owner >= 0 && owner != i:
			s.wrongPerson++
			s.fault(m, "%q is taken for %v", id, m.Subjects[owner].Identifiers)
		case ok:
			owner = i
		}
	}
	if i, ok := index[""]; ok && len(identifiers(p)) == 0 {
		owner = i
	}
	if owner < 0 {
		for _, f := range p.Fields {
			if !m.Loose && f.Category != "unclassified" && !m.allows(f) {
				s.extras++
				s.fault(m, "extra %s %s = %q of %v", f.Category, f.Path, f.Value, p.Identifiers)
			}
		}
		return
	}
	met[owner] = true
	got[owner] = append(got[owner], p.Fields...)
	if m.Loose {
		return
	}
	for kind := range m.Subjects[owner].Identifiers {
		if !slices.ContainsFunc(strings.Split(kind, "|"), func(k string) bool { return p.Identifiers[k] != "" }) && !m.split(owner, p) {
			s.fault(m, "person %v has no %s", p.Identifiers, kind)
			s.misses++
		}
	}
}

// split reports whether the label's person stands at several places, each with
// some of the identifiers.
func (m *message) split(int, minimize.Subject) bool {
	return m.Mapping == nil && m.Name == "sendgrid/same person twice"
}

// compareFields matches the fields of one labelled person.
func (s *score) compareFields(m *message, i int, got [][]minimize.SubjectField) {
	want := m.Subjects[i].Fields
	used := make([]bool, len(want))
	for _, f := range got[i] {
		n := slices.IndexFunc(want, func(w field) bool { return w.is(f) })
		for ; n >= 0 && n < len(want) && used[n]; n++ {
			if k := slices.IndexFunc(want[n+1:], func(w field) bool { return w.is(f) }); k < 0 {
				break
			} else {
				n += k
			}
		}
		if n >= 0 && n < len(want) {
			used[n] = true
			continue
		}
		if f.Category == "unclassified" || m.allows(f) {
			continue
		}
		if j := slices.IndexFunc(m.Subjects, func(o subject) bool {
			return slices.ContainsFunc(o.Fields, func(w field) bool { return w[1] != nil && w.is(f) })
		}); j >= 0 {
			s.wrongPerson++
			s.fault(m, "%s %q of %v is given to %v", f.Path, f.Value, m.Subjects[j].Identifiers, m.Subjects[i].Identifiers)
		} else if !m.Loose {
			s.extras++
			s.fault(m, "extra %s %s = %q of %v", f.Category, f.Path, f.Value, m.Subjects[i].Identifiers)
		}
	}
	if m.Loose {
		return
	}
	for n, w := range want {
		s.fields++
		if used[n] {
			s.hits++
			continue
		}
		s.misses++
		s.fault(m, "missed %s of %v", w, m.Subjects[i].Identifiers)
	}
}

func (w field) is(f minimize.SubjectField) bool {
	return within(f.Category, *w[0]) && (w[1] == nil || *w[1] == f.Path) && (w[2] == nil || *w[2] == f.Value)
}

func (w field) String() string {
	s := *w[0]
	for _, part := range w[1:] {
		if part != nil {
			s += " " + *part
		}
	}
	return s
}

// allows reports whether the label leaves it open that f is found.
func (m *message) allows(f minimize.SubjectField) bool {
	return slices.ContainsFunc(m.May, func(w []*string) bool {
		return within(f.Category, *w[0]) && (w[1] == nil || *w[1] == f.Path) && (len(w) < 3 || *w[2] == f.Value)
	}) || slices.ContainsFunc(m.Anyone, func(w []string) bool { return within(f.Category, w[0]) && strings.Contains(f.Value, w[1]) })
}

func identifiers(p minimize.Subject) []string {
	var list []string
	for _, v := range p.Identifiers {
		list = append(list, v)
	}
	for _, more := range p.Others {
		list = append(list, more...)
	}
	slices.Sort(list)
	return list
}

func identified(p minimize.Subject, id string) bool { return slices.Contains(identifiers(p), id) }

// within reports whether a category is one of those that bars separate, or
// below one.
func within(category, parents string) bool {
	for parent := range strings.SplitSeq(parents, "|") {
		if category == parent || strings.HasPrefix(category, parent+".") {
			return true
		}
	}
	return false
}
