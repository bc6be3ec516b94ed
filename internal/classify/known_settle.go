package classify

import (
	"cmp"
	"slices"

	"cordon/internal/exposure"
)

// settle makes fields of what was seen in a value.
//
// What proves who is meant (a full name, a number, an address) is that person's
// wherever it stands. A first name alone is theirs only in a value that concerns
// them: in a mail to another there is another Anna. What fits two people whom
// the value concerns is nobody's: to be on record for a person it has to be
// theirs.
func (s *search) settle() {
	slices.SortFunc(s.hits, func(a, b sighting) int {
		return cmp.Or(a.start-b.start, b.end-a.end, int(a.person)-int(b.person))
	})
	value := s.text
	end := 0
	for i := 0; i < len(s.hits); {
		at := s.hits[i]
		next := i
		owner, several, full := int32(nobody), false, false
		concerned, severalConcerned := int32(nobody), false
		for ; next < len(s.hits) && s.hits[next].start == at.start && s.hits[next].end == at.end; next++ {
			h := &s.hits[next]
			if s.concerns(h.person) {
				severalConcerned = severalConcerned || concerned != nobody && concerned != h.person
				concerned = h.person
			}
			if h.full {
				full = true
				several = several || owner != nobody && owner != h.person
				owner = h.person
			}
		}
		i = next
		if at.start < end {
			continue // a longer one that begins before holds it
		}
		switch {
		case concerned != nobody && !severalConcerned:
			owner = concerned
		case severalConcerned || several:
			owner = nobody
		case !full:
			continue
		}
		if s.had(at) {
			end = at.end
			continue
		}
		group := s.p.group(owner)
		if s.f.derive(s.host, at.start, at.end, value, at.category, group, 0) < 0 {
			s.overflow()
			return
		}
		s.changed = true
		end = at.end
	}
}

// overflow says that there was more than a message may hold.
func (s *search) overflow() {
	if !slices.Contains(s.f.reasons, exposure.IncompleteBudget) {
		s.f.reasons = append(s.f.reasons, exposure.IncompleteBudget)
	}
	s.changed = true
}

// had reports whether the detector found the same place already; a number that
// it could give to nobody is then the person's.
func (s *search) had(at sighting) bool {
	for i := s.host + 1; i < len(s.f.fields) && s.f.fields[i].found() && int(s.f.fields[i].host) == s.host; i++ {
		of := &s.f.fields[i]
		if int(of.start) >= at.end || int(of.start)+len(of.raw) <= at.start {
			continue
		}
		if of.Category == at.category && s.f.groups[of.group].person == nobody && at.full {
			of.group = s.p.group(at.person)
			s.changed = true
		}
		return true
	}
	return false
}

// concerns reports whether the value that is searched concerns a person.
func (s *search) concerns(person int32) bool {
	g := s.f.fields[s.host].group
	if at := &s.f.groups[g]; !at.shared() {
		return at.person == person
	}
	if s.inside == nil {
		s.inside = s.f.peopleInside()
	}
	return s.inside[inside{g, person}]
}

// inside says that a person is within a shared group.
type inside struct{ group, person int32 }

// peopleInside are the people whom shared groups concern. It goes up from the
// people: to look down from every group for everybody would cost the square of
// the groups, and a list of thousands of letters has as many.
func (f *Findings) peopleInside() map[inside]bool {
	in := map[inside]bool{}
	for i := range f.groups {
		at := &f.groups[i]
		if at.person == nobody || !at.identifying {
			continue
		}
		for g := at.parent; g >= 0; g = f.groups[g].parent {
			if f.groups[g].shared() {
				in[inside{g, at.person}] = true
			}
		}
	}
	return in
}
