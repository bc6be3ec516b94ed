package classify

import (
	"strings"

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
	p := placing{f: f, waits: true}
	// Strangers first: a text may speak of one before the value that names them.
	for i := first; i < len(f.fields); i++ {
		at := &f.fields[i]
		if id, ok := at.identifier(); ok && f.fields[at.host].Unnamed() && f.isWhole(at) && p.has(id) < 0 {
			p.stranger(id)
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
func (at *Field) identifier() (exposure.Identifier, bool) {
	kind, identifies := exposure.KindOf(at.Category)
	if !identifies || !at.found() {
		return exposure.Identifier{}, false
	}
	value := at.Value()
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
	return dashes.Replace(number)
}

// dashes are written between digits besides those that ASCII has.
var dashes = strings.NewReplacer("\u2010", "-", "\u2011", "-", "\u2012", "-", "\u2013", "-", "\u2014", "-", "\u202f", " ", "\u2009", " ")

// placing gives found fields to people.
type placing struct {
	f     *Findings
	waits bool // the identifiers of people were not read yet
	// plain are people by identifier; hashed says that some are known by hashes.
	plain  map[exposure.Identifier]int32
	hashed bool
	// tails are people by the last digits of their numbers; nobody where two
	// share them.
	tails map[string]int32
	// groups by person, made when needed; and whom shared groups concern.
	groups map[int32]int32
	inside map[int32]int32
}

// tail is how many last digits make two numbers one, when the one lacks the
// country: shorter ones are shared by too many.
const tail = 8

func (p *placing) read() {
	p.waits = false
	p.plain, p.tails = map[exposure.Identifier]int32{}, map[string]int32{}
	for i := range p.f.people {
		for _, id := range p.f.people[i].Identifiers {
			p.add(id, int32(i))
		}
	}
}

func (p *placing) add(id exposure.Identifier, person int32) {
	p.plain[id] = person
	p.hashed = p.hashed || id.Kind >= exposure.KindEmailSHA256
	if id.Kind != exposure.KindPhone || len(id.Value) < tail {
		return
	}
	last := id.Value[len(id.Value)-tail:]
	if other, taken := p.tails[last]; taken && other != person {
		person = nobody
	}
	p.tails[last] = person
}

// has is the person of the message whom the identifier names, -1 for none.
func (p *placing) has(id exposure.Identifier) int32 {
	if p.waits {
		p.read()
	}
	if person, ok := p.plain[id]; ok {
		return person
	}
	if p.hashed {
		for _, hash := range id.Hashes() {
			if person, ok := p.plain[hash]; ok {
				return person
			}
		}
	}
	if id.Kind == exposure.KindPhone && len(id.Value) > tail {
		if person, ok := p.tails[id.Value[len(id.Value)-tail:]]; ok && person != nobody && p.sameNumber(person, id.Value) {
			return person
		}
	}
	return nobody
}

// sameNumber reports whether one of the person's numbers is this one, written
// with the country or without.
func (p *placing) sameNumber(person int32, number string) bool {
	for _, id := range p.f.people[person].Identifiers {
		if id.Kind != exposure.KindPhone {
			continue
		}
		long, short := id.Value, number
		if len(long) < len(short) {
			long, short = short, long
		}
		if strings.HasPrefix(long, "+") && !strings.HasPrefix(short, "+") && strings.HasSuffix(long, strings.TrimPrefix(short, "0")) {
			return true
		}
	}
	return false
}

// stranger makes a person of an identifier.
func (p *placing) stranger(id exposure.Identifier) int32 {
	person := int32(len(p.f.people))
	p.f.people = append(p.f.people, Person{Identifiers: []exposure.Identifier{id}})
	p.add(id, person)
	return person
}

// group is one that belongs to the person alone and has nothing of the groups
// around the value: a stranger in a text gets none of what the text's own
// people get.
func (p *placing) group(person int32) int32 {
	if g, ok := p.groups[person]; ok {
		return g
	}
	if p.groups == nil {
		p.groups = map[int32]int32{}
	}
	g := int32(len(p.f.groups))
	p.f.groups = append(p.f.groups, group{parent: -1, subject: rootSubject, person: person, identifying: person != nobody})
	p.groups[person] = g
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
