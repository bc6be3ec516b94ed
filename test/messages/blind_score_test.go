package messages

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"cordon/internal/minimize"
)

// blindScore counts values, not places: one value of one category and one person
// counts once, wherever in the message it stands.
type blindScore struct {
	messages, status        int
	hits, misses, extras    int
	onRecord, unattributed  int // of the misses: unclassified, or under nobody
	lostPeople, wrongPerson int
	allClear                int
	textBytes, overBytes    int
	faults                  []string
}

const blindHead = "| file | messages | precision | recall | values | extra | missed (on record) (under nobody) | people not found | wrong person | status | false all clear | over-redacted of text bytes |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n"

func percent(a, b int) float64 {
	if a+b == 0 {
		return 100
	}
	return 100 * float64(a) / float64(a+b)
}

func (s *blindScore) precision() float64 { return percent(s.hits, s.extras) }
func (s *blindScore) recall() float64    { return percent(s.hits, s.misses) }
func (s *blindScore) overRedaction() float64 {
	return 100 * float64(s.overBytes) / float64(max(1, s.textBytes))
}

func (s *blindScore) row(name string) string {
	return fmt.Sprintf("| %s | %d | %.1f %% | %.1f %% | %d | %d | %d (%d) (%d) | %d | %d | %d | %d | %d of %d |\n", name, s.messages, s.precision(), s.recall(),
		s.hits+s.misses, s.extras, s.misses, s.onRecord, s.unattributed, s.lostPeople, s.wrongPerson, s.status, s.allClear, s.overBytes, s.textBytes)
}

func (s *blindScore) add(o *blindScore) {
	for _, p := range [][2]*int{{&s.messages, &o.messages}, {&s.status, &o.status}, {&s.hits, &o.hits}, {&s.misses, &o.misses}, {&s.extras, &o.extras},
		{&s.onRecord, &o.onRecord}, {&s.unattributed, &o.unattributed}, {&s.lostPeople, &o.lostPeople}, {&s.wrongPerson, &o.wrongPerson},
		{&s.allClear, &o.allClear}, {&s.textBytes, &o.textBytes}, {&s.overBytes, &o.overBytes}} {
		*p[0] += *p[1]
	}
	s.faults = append(s.faults, o.faults...)
}

func (s *blindScore) fault(m *message, format string, args ...any) {
	s.faults = append(s.faults, m.Name+": "+fmt.Sprintf(format, args...))
}

// nobody is the owner of what belongs to no known person.
const nobody = -1

// want is one labelled value.
type want struct {
	owner           int
	category, value string
	found, astray   bool
}

func (s *blindScore) compare(m *message, a minimize.Answer) {
	found := 0
	for _, p := range a.Subjects {
		found += len(p.Fields)
	}
	if !matches(m.Status, a.Status) {
		s.status++
		s.fault(m, "status %s (%s), want %s %s", a.Status, a.Reason, m.Status, m.Reason)
	} else if m.Reason != "" && a.Status != "classified" && !matches(m.Reason, a.Reason) {
		s.status++
		s.fault(m, "reason %s, want %s", a.Reason, m.Reason)
	}
	if (len(m.Subjects)+len(m.Anyone) > 0 || m.Unmapped) && a.Status == "classified" && found == 0 && len(a.Unmapped) == 0 {
		s.allClear++
		s.fault(m, "says that nothing personal is here")
	}
	if m.Loose {
		return
	}
	wants := m.wants()
	met := map[int]bool{}
	extra := map[string]bool{}
	for _, p := range a.Subjects {
		owner := s.owner(m, p)
		met[owner] = true
		for _, f := range p.Fields {
			s.judge(m, owner, f, wants, extra)
		}
		s.judgeNever(m, p)
	}
	for i, l := range m.Subjects {
		if len(l.Identifiers) > 0 && !met[i] {
			s.lostPeople++
			s.fault(m, "person %v is not found", l.Identifiers)
		}
	}
	s.count(m, a, wants)
}

func (m *message) wants() (list []*want) {
	for i, l := range m.Subjects {
		owner := i
		if len(l.Identifiers) == 0 {
			owner = nobody
		}
		for _, f := range l.Fields {
			w := &want{owner: owner, category: *f[0], value: *f[2]}
			if !slices.ContainsFunc(list, func(o *want) bool { return *o == *w }) {
				list = append(list, w)
			}
		}
	}
	return list
}

// owner is the labelled person whom a found one is. An identifier that the label
// does not know makes an extra, unless it is left open.
func (s *blindScore) owner(m *message, p minimize.Subject) int {
	owner := nobody
	for _, id := range identifiers(p) {
		i := slices.IndexFunc(m.Subjects, func(l subject) bool {
			for _, v := range l.Identifiers {
				if slices.ContainsFunc(append(strings.Split(v, "|"), v), func(v string) bool { return strings.EqualFold(v, id) }) { // auth0|6 has a bar of its own
					return true
				}
			}
			return false
		})
		switch {
		case i >= 0 && owner != nobody && owner != i:
			s.wrongPerson++
			s.fault(m, "%q is taken for %v", id, m.Subjects[owner].Identifiers)
		case i >= 0:
			owner = i
		}
	}
	return owner
}

func (s *blindScore) judge(m *message, owner int, f minimize.SubjectField, wants []*want, extra map[string]bool) {
	var own, other *want
	for _, w := range wants {
		if !within(f.Category, w.category) || !same(w, f.Value) {
			continue
		}
		if w.owner == owner {
			own = w
			w.found = true
		} else {
			other = w
		}
	}
	allowed := m.allowsValue(f)
	switch {
	case own != nil || f.Category == "unclassified" && other == nil:
	case other != nil && owner == nobody:
		other.astray = true
	case other != nil && !allowed:
		s.wrongPerson++
		s.fault(m, "%s %q (%s) of %v is given to %v", f.Category, f.Value, f.Path, m.whom(other.owner), m.whom(owner))
	case allowed || partOfName(wants, owner, f):
	default:
		key := fmt.Sprint(owner, f.Category, f.Value)
		if extra[key] {
			return
		}
		extra[key] = true
		s.extras++
		s.fault(m, "extra %s %s = %q of %v", f.Category, f.Path, excerpt(f.Value), m.whom(owner))
		s.overBytes += m.over(wants, f)
	}
}

func (m *message) whom(owner int) any {
	if owner == nobody {
		return "nobody"
	}
	return m.Subjects[owner].Identifiers
}

func (m *message) allowsValue(f minimize.SubjectField) bool {
	return m.open(f.Value) || slices.ContainsFunc(m.May, func(w []*string) bool {
		return within(f.Category, *w[0]) && (w[1] == nil || *w[1] == f.Path) && (len(w) < 3 || strings.EqualFold(*w[2], f.Value))
	}) || slices.ContainsFunc(m.Anyone, func(w []string) bool { return within(f.Category, w[0]) && strings.Contains(f.Value, w[1]) })
}

// over is how many bytes of a labelled text an extra finding covers that no
// labelled value covers.
func (m *message) over(wants []*want, f minimize.SubjectField) int {
	text := append(slices.Clone(m.Text), texts(wants)...)
	i := slices.IndexFunc(text, func(t string) bool { return len(f.Value) < len(t) && strings.Contains(t, f.Value) })
	if i < 0 || f.Category == privateText {
		return 0
	}
	start := strings.Index(text[i], f.Value)
	covered := make([]bool, len(text[i]))
	for _, w := range wants {
		if at := strings.Index(text[i], w.value); at >= 0 && w.category != privateText {
			for k := range w.value {
				covered[at+k] = true
			}
		}
	}
	n := 0
	for k := start; k < start+len(f.Value); k++ {
		if !covered[k] {
			n++
		}
	}
	return n
}

const privateText = "user.content.private"

func texts(wants []*want) (list []string) {
	for _, w := range wants {
		if w.category == privateText && !slices.Contains(list, w.value) {
			list = append(list, w.value)
		}
	}
	return list
}

func (s *blindScore) judgeNever(m *message, p minimize.Subject) {
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

// count closes one message: what was labelled and not found, and its text.
func (s *blindScore) count(m *message, a minimize.Answer, wants []*want) {
	onRecord := func(v string) bool {
		return slices.ContainsFunc(a.Subjects, func(p minimize.Subject) bool {
			return slices.ContainsFunc(p.Fields, func(f minimize.SubjectField) bool { return strings.Contains(f.Value, v) })
		})
	}
	all := text(a)
	for _, w := range wants {
		switch {
		case w.found || strings.HasPrefix(w.category, "user.name") && namedInParts(a, w.value):
			s.hits++
			continue
		case w.astray:
			s.unattributed++
			s.fault(m, "%s %q of %v is under nobody", w.category, excerpt(w.value), m.whom(w.owner))
		case onRecord(w.value):
			s.onRecord++
			s.fault(m, "%s %q of %v is on record, but not so: %s", w.category, excerpt(w.value), m.whom(w.owner), all)
		default:
			s.fault(m, "missed %s %q of %v; status %s %s; has %s", w.category, excerpt(w.value), m.whom(w.owner), a.Status, a.Reason, all)
		}
		s.misses++
	}
	for _, w := range m.Anyone {
		switch {
		case slices.ContainsFunc(a.Subjects, func(p minimize.Subject) bool {
			return slices.ContainsFunc(p.Fields, func(f minimize.SubjectField) bool {
				return within(f.Category, w[0]) && strings.Contains(strings.ToLower(f.Value), strings.ToLower(w[1]))
			})
		}):
			s.hits++
			continue
		case onRecord(w[1]):
			s.onRecord++
		}
		s.misses++
		s.fault(m, "nobody has %s %q; status %s %s; has %s", w[0], w[1], a.Status, a.Reason, all)
	}
	for _, t := range append(slices.Clone(m.Text), texts(wants)...) {
		s.textBytes += len(t)
	}
}

// text is what an answer says, for a fault.
func text(a minimize.Answer) string {
	var b strings.Builder
	for _, p := range a.Subjects {
		fmt.Fprintf(&b, "%v{", p.Identifiers)
		for _, f := range p.Fields {
			fmt.Fprintf(&b, "%s:%s=%q ", f.Path, f.Category, f.Value[:min(len(f.Value), 60)])
		}
		b.WriteString("} ")
	}
	return excerpt(b.String())
}

// same compares values as people do: numbers without their blanks, addresses
// without case, texts without the line end at their end.
func same(w *want, v string) bool {
	for _, l := range append(strings.Split(w.value, "|"), w.value) {
		if trim(l) == trim(v) || strings.Contains(w.category, "email") && strings.EqualFold(trim(l), trim(v)) {
			return true
		}
		for _, c := range []string{"phone", "financial", "government"} {
			if strings.Contains(w.category, c) && digits(l) == digits(v) && digits(l) != "" {
				return true
			}
		}
	}
	return false
}

func trim(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '+' {
			return unicode.ToUpper(r)
		}
		return -1
	}, s)
}

// partOfName reports whether a found name is a part of one that the same person
// is labelled with.
func partOfName(wants []*want, owner int, f minimize.SubjectField) bool {
	return within(f.Category, "user.name|user.contact.address") && slices.ContainsFunc(wants, func(w *want) bool {
		return w.owner == owner && within(f.Category, w.category) && strings.Contains(w.value, f.Value)
	})
}

// namedInParts reports whether every word of a name is found as a name.
func namedInParts(a minimize.Answer, name string) bool {
	words := map[string]bool{}
	for _, p := range a.Subjects {
		for _, f := range p.Fields {
			if within(f.Category, "user.name") {
				for _, w := range strings.FieldsFunc(f.Value, notLetter) {
					words[w] = true
				}
			}
		}
	}
	list := strings.FieldsFunc(name, notLetter)
	return len(list) > 0 && !slices.ContainsFunc(list, func(w string) bool { return !words[w] })
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }
