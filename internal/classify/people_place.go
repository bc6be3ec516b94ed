package classify

import (
	"slices"
	"strings"
	"unicode/utf8"

	"cordon/internal/exposure"
)

// place decides whose what was found in texts is.
//
// An address or number that somebody in the message has is theirs. One that is
// all of a value that no mapping names makes a person of its own: it was sent
// as that. In running text it may be anybody's, the shop's own or a made-up one,
// and is nobody's until the directory says otherwise (see Search). What does
// not identify concerns the one person whom the value around it concerns, and
// where that is not exactly one, nobody: a card in a note about two people must
// not end up on the wrong one's record.
func (f *Findings) place() {
	first := -1
	for i := range f.fields {
		if f.fields[i].found() {
			first = i
			break
		}
	}
	if first < 0 {
		return
	}
	p := placing{f: f}
	// Strangers first: a text may speak of one before the value that names them.
	host, whole := int32(-1), false
	for i := first; i < len(f.fields); i++ {
		at := &f.fields[i]
		if !at.found() {
			continue
		}
		if at.host != host {
			host = at.host
			whole = f.fields[host].Unnamed() && f.isWhole(host, i)
		}
		if whole || f.isOperand(at) {
			if id, ok := at.identifier(); ok && p.has(id) == nobody {
				p.stranger(id)
			}
		}
	}
	for i := first; i < len(f.fields); i++ {
		at := &f.fields[i]
		if !at.found() {
			continue
		}
		if _, identifies := exposure.KindOf(at.Category); !identifies {
			at.group = p.group(p.concerned(at.group))
			continue
		}
		owner := int32(nobody)
		if id, ok := at.identifier(); ok {
			owner = p.has(id)
		}
		at.group = p.group(owner)
	}
}

// identifier is what a found field names somebody by.
func (f *Field) identifier() (exposure.Identifier, bool) {
	kind, identifies := exposure.KindOf(f.Category)
	if !identifies || !f.found() {
		return exposure.Identifier{}, false
	}
	value := f.Value()
	if strings.IndexByte(value, '%') >= 0 { // of a URL in a text
		value, _ = percentDecode(value, false)
	}
	if kind == exposure.KindPhone {
		value = dialled(value)
	}
	id, err := exposure.Canonical(kind, value)
	return id, err == nil
}

// dialled is a number as it is dialled: without an extension and without the 0
// in brackets that is dialled only within the country.
func dialled(number string) string {
	if x := strings.IndexAny(number, "xX"); x > 0 {
		number = number[:x]
	}
	if strings.HasPrefix(strings.TrimLeft(number, "("), "+") {
		number = strings.Replace(number, "(0)", "", 1)
	}
	number = strings.TrimLeft(number, "(")
	for i := 0; i < len(number); i++ {
		if number[i] >= utf8.RuneSelf {
			return dashes.Replace(number)
		}
	}
	return number
}

// dashes are written between digits besides those that ASCII has.
var dashes = strings.NewReplacer("\u2010", "-", "\u2011", "-", "\u2012", "-", "\u2013", "-", "\u2014", "-", "\u202f", " ", "\u2009", " ")

// placing gives found fields to people.
type placing struct {
	f *Findings
	// index is by identifier, and made when there are many; read is how many of
	// the people are in it. tails are people by the last digits of their
	// numbers, nobody where two share them.
	index map[exposure.Identifier]int32
	tails map[string]int32
	read  int
	// own are groups by person, made when needed; inside says whom shared groups
	// concern.
	own    []personGroup
	groups map[int32]int32 // instead of own, when there are many
	inside map[int32]int32
}

type personGroup struct{ person, group int32 }

// tail is how many last digits make two numbers one, when the one lacks the
// country: shorter ones are shared by too many.
const tail = 8

// few is up to how many people are compared one by one.
const few = 8

// has is the person of the message whom the identifier names, nobody for none.
func (p *placing) has(id exposure.Identifier) int32 {
	people := p.f.people
	if len(people) > few {
		return p.find(id)
	}
	for i := range people {
		for _, have := range people[i].Identifiers {
			if have == id {
				return int32(i)
			}
		}
	}
	owner := int32(nobody)
	for i := range people {
		for _, have := range people[i].Identifiers {
			if have.Kind >= exposure.KindEmailSHA256 && isHashOf(have, id) {
				return int32(i)
			}
			if sameNumber(have, id) {
				if owner != nobody && owner != int32(i) {
					return nobody // two countries have it
				}
				owner = int32(i)
			}
		}
	}
	return owner
}

func isHashOf(hash, id exposure.Identifier) bool {
	return slices.Contains(id.Hashes(), hash)
}

// find is has for many people.
func (p *placing) find(id exposure.Identifier) int32 {
	if p.index == nil {
		p.index, p.tails = map[exposure.Identifier]int32{}, map[string]int32{}
	}
	for ; p.read < len(p.f.people); p.read++ {
		for _, id := range p.f.people[p.read].Identifiers {
			p.index[id] = int32(p.read)
			if id.Kind != exposure.KindPhone || len(id.Value) < tail {
				continue
			}
			last, person := id.Value[len(id.Value)-tail:], int32(p.read)
			if other, taken := p.tails[last]; taken && other != person {
				person = nobody
			}
			p.tails[last] = person
		}
	}
	if person, ok := p.index[id]; ok {
		return person
	}
	for _, hash := range id.Hashes() {
		if person, ok := p.index[hash]; ok {
			return person
		}
	}
	if id.Kind == exposure.KindPhone && len(id.Value) > tail {
		if person, ok := p.tails[id.Value[len(id.Value)-tail:]]; ok && person != nobody {
			for _, have := range p.f.people[person].Identifiers {
				if sameNumber(have, id) {
					return person
				}
			}
		}
	}
	return nobody
}

// sameNumber reports whether two are one telephone number, written with the
// country and without.
func sameNumber(a, b exposure.Identifier) bool {
	if a.Kind != exposure.KindPhone || b.Kind != exposure.KindPhone || len(a.Value) < tail || len(b.Value) < tail {
		return false
	}
	long, short := a.Value, b.Value
	if len(long) < len(short) {
		long, short = short, long
	}
	if strings.HasPrefix(short, "+") || !strings.HasPrefix(long, "+") {
		return false
	}
	return strings.HasSuffix(long, strings.TrimPrefix(short, "0"))
}

// stranger makes a person of an identifier.
func (p *placing) stranger(id exposure.Identifier) int32 {
	p.f.people = append(p.f.people, Person{Identifiers: []exposure.Identifier{id}})
	return int32(len(p.f.people) - 1)
}

// group is one that belongs to the person alone and has nothing of the groups
// around the value: a stranger in a text gets none of what the text's own
// people get.
func (p *placing) group(person int32) int32 {
	if p.groups != nil {
		if g, ok := p.groups[person]; ok {
			return g
		}
	}
	if p.groups == nil {
		for _, at := range p.own {
			if at.person == person {
				return at.group
			}
		}
	}
	g := int32(len(p.f.groups))
	p.f.groups = append(p.f.groups, group{parent: -1, subject: rootSubject, person: person, identifying: person != nobody})
	switch p.own = append(p.own, personGroup{person, g}); {
	case p.groups != nil:
		p.groups[person] = g
	case len(p.own) > few:
		p.groups = map[int32]int32{}
		for _, at := range p.own {
			p.groups[at.person] = at.group
		}
	}
	return g
}

// concerned is the one person whom the fields of a group concern, nobody when
// that is not exactly one.
func (p *placing) concerned(g int32) int32 {
	if at := &p.f.groups[g]; !at.shared() {
		return at.person
	}
	if person, ok := p.inside[g]; ok {
		return person
	}
	if p.inside == nil {
		p.inside = map[int32]int32{}
	}
	person, several := int32(nobody), false
	seen := false
	for i := int(g) + 1; i < len(p.f.groups); i++ {
		if at := &p.f.groups[i]; at.identifying && p.f.within(int32(i), g) {
			several = several || seen && at.person != person
			person, seen = at.person, true
		}
	}
	if several {
		person = nobody
	}
	p.inside[g] = person
	return person
}

// within reports whether group g is inside around, or it.
func (f *Findings) within(g, around int32) bool {
	for g > around {
		g = f.groups[g].parent // a group's is lower; of one that belongs to a person alone, -1
	}
	return g == around
}
