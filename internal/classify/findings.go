package classify

import (
	"iter"
	"slices"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// Person is one person of a message; without identifiers, nobody known.
type Person struct {
	Identifiers []exposure.Identifier
	// Fields are the person's own, as indexes into Findings.Fields. What
	// concerns several people is not repeated here: see Findings.Of.
	Fields []int
}

// Findings is what one message carries.
type Findings struct {
	route   vendor.Route
	message *Message
	tries   *tries
	body    string // decompressed
	layers  []layer
	wired   []wiredSpot // where fields and layers of such documents stand
	coding  codings     // those of the body
	partial bool        // body is not all of the body
	headers []headerValue
	fields  []Field
	aside   []Field // nobody's by the mapping, until the directory was asked
	groups  []group
	people  []Person
	reasons []exposure.Reason
	work    int // steps taken, for the test that they are linear
}

// headerValue is one value of a header that a mapping names.
type headerValue struct {
	name  string
	index int
}

// Route is the route that the message was read as.
func (f *Findings) Route() vendor.Route { return f.route }

// Message is the message itself.
func (f *Findings) Message() *Message { return f.message }

// Fields lists every leaf found, in order of appearance.
func (f *Findings) Fields() []Field { return f.fields }

// People lists the people of the message in order of appearance; nobody known
// comes last, and at most once.
func (f *Findings) People() []Person { return f.people }

// Incomplete lists why the message was not fully read; empty when it was.
func (f *Findings) Incomplete() []exposure.Reason { return f.reasons }

// Text is the body decompressed, as far as it could be.
func (f *Findings) Text() string { return f.body }

// Of yields the indexes of every field that concerns a person, in order of
// appearance: the person's own, and those of the groups around it.
func (f *Findings) Of(person int) iter.Seq[int] {
	all := slices.Clone(f.people[person].Fields)
	around := map[int32]bool{}
	for _, i := range f.people[person].Fields {
		if g := f.fields[i].group; f.groups[g].identifying {
			for g = f.groups[g].parent; g >= 0; g = f.groups[g].parent {
				if f.groups[g].shared() {
					around[g] = true
				}
			}
		}
	}
	if len(around) > 0 {
		for i := range f.fields {
			if around[f.fields[i].group] {
				all = append(all, i)
			}
		}
	}
	slices.Sort(all)
	return slices.Values(all)
}

// Sets is the category set of each of People, in the same order, when field i
// leaves in the form that form(i) says, or not at all. Its work is linear in
// the message, however many people share a field.
func (f *Findings) Sets(form func(field int) (exposure.Form, bool)) []exposure.Set {
	own := make([]exposure.Set, len(f.groups)+len(f.people))
	people := own[len(f.groups):]
	for i := range f.fields {
		if form, leaves := form(i); leaves {
			own[f.fields[i].group].Add(f.fields[i].Category, form)
		}
	}
	for g := range f.groups {
		at := &f.groups[g]
		if at.shared() {
			// own becomes what this group and those around it give to all inside.
			if at.parent >= 0 {
				own[g] = own[g].Union(f.shared(own, at.parent))
			}
			continue
		}
		set := own[g]
		if at.identifying && at.parent >= 0 {
			set = set.Union(f.shared(own, at.parent))
		}
		if p := f.personOf(at); p >= 0 {
			people[p] = people[p].Union(set)
		}
	}
	return people
}

// shared is what the nearest sharing group at or around g gives, which, as
// parents come first, already has what those further out give.
func (f *Findings) shared(own []exposure.Set, g int32) exposure.Set {
	for ; g >= 0; g = f.groups[g].parent {
		if f.groups[g].shared() {
			return own[g]
		}
	}
	return exposure.Set{}
}

// Unmapped lists the templates of leaves that no mapping names, each once.
// Keys that look like personal values are replaced by "*". A body that nothing
// reads has no templates.
func (f *Findings) Unmapped() []string {
	var list []string
	seen := map[string]bool{}
	for i := range f.fields {
		at := &f.fields[i]
		wholeBody := at.enc == wholeText && at.src == inBody && at.layer == 0
		if at.Category == exposure.Unclassified && !wholeBody && !seen[at.Path] && len(list) < maxTemplates {
			seen[at.Path] = true
			list = append(list, at.Path)
		}
	}
	return list
}

// Places lists the concrete path of every field ("personalizations[0].to[1].email"),
// in the order of Fields. It reads the message again.
func (f *Findings) Places() []string {
	again := Findings{route: f.route, message: f.message, tries: f.tries}
	w := &walk{traced: true}
	again.read(w)
	places := append(w.places, make([]string, max(0, len(f.fields)-len(w.places)))...)
	for i := range f.fields {
		host, derived := f.fields[i].Derived()
		switch {
		case places[i] != "":
		case derived:
			places[i] = places[host]
		default: // it was set aside, and found to be of somebody whom the directory knows
			places[i] = f.fields[i].Path
		}
	}
	return places
}
