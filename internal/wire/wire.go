// Package wire holds the words in which readers of document formats (XML, mail,
// CSV, envelopes, images) tell what they read. The readers, one package each
// below this one, know syntax only: what a place means is the mapping's, whose
// it is the classifier's.
//
// The readers are pure, their work is linear in the text, and whatever two
// programs may read differently is a Problem, never silently one of the two.
package wire

import "cordon/internal/exposure"

// Visitor is told what a document consists of, in document order. Positions
// are into the text that the reader was given.
type Visitor interface {
	// Enter begins a member: everything until Leave lies under key.
	Enter(key string)
	// Element begins an element of a list, from 0; Leave ends it.
	Element(index int)
	Leave()
	// Leaf is one value. False: read no further, the budget is spent.
	Leaf(Leaf) bool
	// Problem says that the document is incomplete for this reason. Reading
	// goes on where it can.
	Problem(exposure.Reason)
}

// Leaf is one value as it stands in the text.
type Leaf struct {
	// Start and End: text[Start:End] is the value as written.
	Start, End int
	// Member and MemberEnd: text[Member:MemberEnd] goes with a value that is
	// dropped; what is left is a valid document, whatever set of leaves went. A
	// member may hold other leaves, which then go with it: an address in a list
	// takes its display name. Member -1: it cannot go, only be emptied
	// (Codec.Encode of "").
	Member, MemberEnd int
	// Between, when not 0, stands between this member and the next, as the comma
	// does in a list of addresses: outside Member:MemberEnd, with white space
	// around it perhaps. One goes with each member that goes while others stay.
	Between byte
	// Length and LengthEnd: text[Length:LengthEnd] says in decimal how many bytes
	// text[Start:End] has, so it changes with it. LengthEnd 0: nothing says so.
	Length, LengthEnd int
	Codec             Codec
	// Type is the value's own media type where the format gives one, as
	// "text/csv" for a part of a mail; it is then read as that. "" is text.
	Type string
	// Name is the name of the file that the value is, "" for none.
	Name string
	// Category is what the format itself says of the value, as an image does of
	// its position; only when Known.
	Category exposure.Category
	Known    bool
}

// Codec is how a value is written in its place.
type Codec interface {
	// Decode reads a value as written; false: it is broken, and value is as much
	// of it as could be read.
	Decode(raw string) (value string, ok bool)
	// Encode writes value where raw stood; false: it cannot stand there.
	Encode(value, raw string) (written string, ok bool)
}

// Plain is the codec of text that stands for itself.
type Plain struct{}

func (Plain) Decode(raw string) (string, bool)      { return raw, true }
func (Plain) Encode(value, _ string) (string, bool) { return value, true }
