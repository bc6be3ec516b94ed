package classify

import (
	"iter"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// Field is one leaf of a message that carries personal data, or that no
// mapping names (category Unclassified).
type Field struct {
	Category exposure.Category
	// Path is the template that found it: "personalizations[].to[].email".
	Path string
}

// Value is the leaf decoded and in the clear.
func (f Field) Value() string { panic("classify: not yet") }

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
	fields  []Field
	people  []Person
	reasons []exposure.Reason
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

// Of yields the indexes of every field that concerns a person: the person's
// own, and those of the groups around it.
func (f *Findings) Of(person int) iter.Seq[int] { panic("classify: not yet") }

// Sets is the category set of each of People, in the same order, when field i
// leaves in the form that form(i) says, or not at all.
func (f *Findings) Sets(form func(field int) (exposure.Form, bool)) []exposure.Set {
	panic("classify: not yet")
}

// Incomplete lists why the message was not fully read; empty when it was.
func (f *Findings) Incomplete() []exposure.Reason { return f.reasons }

// Unmapped lists the templates of leaves that no mapping names, each once.
// Keys that look like personal values are replaced by "*".
func (f *Findings) Unmapped() []string { panic("classify: not yet") }

// Places lists the concrete path of every field ("personalizations[0].to[1].email"),
// in the order of Fields. It reads the message again.
func (f *Findings) Places() []string { panic("classify: not yet") }

// Rewrite applies edits to the message. Without edits it returns the message's
// own path, query and body.
func (f *Findings) Rewrite(edits []Edit) (Outgoing, error) { panic("classify: not yet") }
