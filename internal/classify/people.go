package classify

import (
	"slices"

	"cordon/internal/detect"
	"cordon/internal/exposure"
)

// nobody is the person of fields that no identifier in the message attributes.
const nobody = -1

// linearIdentifiers is up to how many identifiers are compared one by one.
const linearIdentifiers = 8

// shared reports whether the group gives its fields to the people within it.
func (g *group) shared() bool { return !g.identifying && g.inside }

// personOf is the index in people of a group's person. Nobody is the last.
func (f *Findings) personOf(g *group) int {
	switch {
	case g.shared():
		return -1
	case g.person == nobody:
		if n := len(f.people) - 1; n >= 0 && len(f.people[n].Identifiers) == 0 {
			return n
		}
		return -1
	default:
		return int(g.person)
	}
}

// attribute decides whose each field is.
//
// A group with an identifying field is a person; two groups that carry the same
// identifier are one. A group without gives its fields to every person inside
// it; if there is none, to the person around it; if there is none either, to
// nobody. A group whose only identifying field holds no valid identifier is a
// person all the same, only not a known one: what stands beside a broken
// address was still sent about somebody, and not about the others.
func (f *Findings) attribute(v exposure.VendorID, s *scratch) {
	if len(f.fields) == 0 {
		return
	}
	f.recognise()
	if all := slices.Contains(f.reasons, exposure.IncompleteDuplicateKey); all || f.disputed() {
		f.dispute(all)
	}
	f.numberless()
	f.setApart()
	f.identify(v, s)
	for g := len(f.groups) - 1; g > 0; g-- {
		if at := f.groups[g]; (at.identifying || at.inside) && at.parent >= 0 {
			f.groups[at.parent].inside = true
		}
	}
	for g := range f.groups {
		at := &f.groups[g]
		if at.identifying || at.inside {
			continue
		}
		// Parents come first: the group around has its person already.
		for up := at.parent; up >= 0; up = f.groups[up].parent {
			if f.groups[up].identifying {
				at.person = f.groups[up].person
				break
			}
		}
	}
	f.place()
	f.nameIDs()
	f.collect(s)
}

// claims reports whether a field is an identifier that a mapping has in one place
// of one person. Where the mapping itself has a list ("other_emails[]"), all of it
// is that person's.
func (f *Field) claims(all bool) bool {
	_, identifies := exposure.KindOf(f.Category)
	return identifies && !f.found() && (all || f.marks&several == 0)
}

// differ reports whether two fields name two people, as far as each names one: a
// country's code beside a number, both mapped as the number, does not.
func differ(a, b *Field) bool {
	if a.raw == b.raw {
		return false
	}
	x, ok := a.names()
	y, too := b.names()
	return ok && too && x != y
}

// names is the identifier that a field is.
func (f *Field) names() (exposure.Identifier, bool) {
	kind, identifies := exposure.KindOf(f.Category)
	if !identifies {
		return exposure.Identifier{}, false
	}
	id, err := exposure.Canonical(kind, f.Value())
	return id, err == nil
}

// disputed reports whether two identifiers claim one place although no key came
// twice: a list where one address is mapped.
func (f *Findings) disputed() bool {
	type place struct {
		group int32
		path  string
	}
	var few [linearIdentifiers]int
	n := 0
	var many map[place]int
	for i := range f.fields {
		at := &f.fields[i]
		if !at.claims(false) {
			continue
		}
		for _, b := range few[:n] {
			if before := &f.fields[b]; before.group == at.group && before.Path == at.Path && differ(before, at) {
				return true
			}
		}
		if n < len(few) {
			few[n] = i
			n++
			continue
		}
		if many == nil {
			many = make(map[place]int, 4*len(few))
		}
		k := place{at.group, at.Path}
		if b, again := many[k]; again && differ(&f.fields[b], at) {
			return true
		}
		many[k] = i
	}
	return false
}

// dispute makes a person of each of several identifiers that claim one place.
// One parser takes the first and another the last, so they are two people until
// proved otherwise: taken for one, the second's address would be on record as
// the first's for good. What stands beside them may concern either, so it
// concerns both.
func (f *Findings) dispute(all bool) {
	type place struct {
		group int32
		path  string
	}
	const parted = -1
	first := map[place]int{}
	apart := func(i int) {
		g := f.fields[i].group
		f.fields[i].group = int32(len(f.groups))
		f.groups = append(f.groups, group{parent: g, subject: f.groups[g].subject, person: nobody})
	}
	for i := range f.fields {
		if !f.fields[i].claims(all) {
			continue
		}
		if _, ok := f.fields[i].names(); !ok && !all {
			continue
		}
		at := place{f.fields[i].group, f.fields[i].Path}
		before, again := first[at]
		if !again {
			first[at] = i
			continue
		}
		if before != parted {
			apart(before)
			first[at] = parted
		}
		apart(i)
	}
	for g := range f.groups {
		f.groups[g].identifying = false
	}
	for i := range f.fields {
		if _, ok := exposure.KindOf(f.fields[i].Category); ok && !f.fields[i].found() {
			f.groups[f.fields[i].group].identifying = true
		}
	}
}

// scratch is memory that attributing needs for a moment.
type scratch struct {
	known []exposure.Identifier // every identifier once
	owner []int32               // the group that brought it
	roots []int32               // by group
	count []int32               // by person

	hits []detect.Hit // in one value
	key  []byte       // the keys on the way to it
}

// zeros is a list of n zeros in the memory of s.
func zeros(s []int32, n int) []int32 {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}

// identify makes a person of every group with valid identifiers, joining those
// that share one.
func (f *Findings) identify(v exposure.VendorID, s *scratch) {
	n := 0
	for i := range f.fields {
		if _, ok := exposure.KindOf(f.fields[i].Category); ok && !f.fields[i].found() {
			n++
		}
	}
	if n == 0 {
		return
	}
	known, owner := s.known[:0], s.owner[:0]
	var index map[exposure.Identifier]int
	if n > linearIdentifiers {
		index = make(map[exposure.Identifier]int, n)
	}
	find := func(id exposure.Identifier) int {
		if index != nil {
			if i, ok := index[id]; ok {
				return i
			}
			return -1
		}
		for i := range known {
			if known[i] == id {
				return i
			}
		}
		return -1
	}
	// A group's person is, until the end, the group that stands for it:
	// union-find with the earliest group as the root.
	root := func(g int32) int32 {
		for f.groups[g].person != g {
			f.groups[g].person = f.groups[f.groups[g].person].person
			g = f.groups[g].person
		}
		return g
	}
	join := func(id exposure.Identifier, g int32) {
		if f.groups[g].person == nobody {
			f.groups[g].person = g
		}
		have := find(id)
		if have < 0 {
			if index != nil {
				index[id] = len(known)
			}
			known, owner = append(known, id), append(owner, g)
			return
		}
		if a, b := root(g), root(owner[have]); a < b {
			f.groups[b].person = a
		} else {
			f.groups[a].person = b
		}
	}
	hashes := false
	for i := range f.fields {
		at := &f.fields[i]
		if _, ok := exposure.KindOf(at.Category); !ok || at.found() {
			continue
		}
		ids, n := at.identifiers(v)
		for _, id := range ids[:n] {
			hashes = hashes || id.Kind >= exposure.KindEmailSHA256
			join(id, at.group)
		}
	}
	if hashes { // an address and its hash are one person
		for i, id := range known[:len(known):len(known)] {
			for _, hash := range id.Hashes() {
				if find(hash) >= 0 {
					join(hash, owner[i])
				}
			}
		}
	}
	s.known, s.owner = known, owner
	f.number(s, root)
}

// number turns groups that stand for people into people, in their order.
func (f *Findings) number(s *scratch, root func(int32) int32) {
	known, owner := s.known, s.owner
	if len(known) == 0 {
		return
	}
	s.roots = zeros(s.roots, len(f.groups))
	roots := s.roots
	for g := range f.groups {
		if roots[g] = nobody; f.groups[g].person != nobody {
			roots[g] = root(int32(g))
		}
	}
	count := s.count[:0] // identifiers of each person
	for g := range f.groups {
		switch r := roots[g]; r {
		case nobody:
		case int32(g):
			f.groups[g].person = int32(len(count))
			count = append(count, 0)
		default: // a root is the earliest of its groups
			f.groups[g].person = f.groups[r].person
		}
	}
	for _, g := range owner {
		count[f.groups[g].person]++
	}
	s.count = count
	// One array holds all identifiers, a window of it each person's.
	f.people = make([]Person, len(count), len(count)+1)
	window := make([]exposure.Identifier, len(known))
	for p, n := range count {
		f.people[p].Identifiers, window = window[:0:n], window[n:]
	}
	for i, g := range owner {
		p := &f.people[f.groups[g].person]
		p.Identifiers = append(p.Identifiers, known[i])
	}
}

// collect lists each person's own fields.
func (f *Findings) collect(s *scratch) {
	strangers := 0
	for i := range f.fields {
		if g := &f.groups[f.fields[i].group]; !g.shared() && g.person == nobody {
			strangers++
		}
	}
	if strangers > 0 {
		f.people = append(f.people, Person{})
	}
	s.count = zeros(s.count, len(f.people))
	count := s.count
	total := 0
	for i := range f.fields {
		if p := f.personOf(&f.groups[f.fields[i].group]); p >= 0 {
			count[p]++
			total++
		}
	}
	window := make([]int, total)
	for p, n := range count {
		f.people[p].Fields, window = window[:0:n], window[n:]
	}
	for i := range f.fields {
		if p := f.personOf(&f.groups[f.fields[i].group]); p >= 0 {
			f.people[p].Fields = append(f.people[p].Fields, i)
		}
	}
}
