package scope

import (
	"iter"
	"time"

	"cordon/internal/exposure"
)

// Source is the ledger as the index sees it. Entries are numbered from 1.
type Source interface {
	// Size is the number of the newest entry that Entries gives.
	Size() uint64
	// Entries gives every entry from number from on, in order, up to at least
	// the Size at the time of the call. An entry and its slices are valid
	// until the next step only.
	Entries(from uint64) iter.Seq2[Entry, error]
	// Wait is closed once Size has grown past size.
	Wait(size uint64) <-chan struct{}
}

// People is what the directory says, by ordinal.
type People interface {
	// Attributes gives the attributes of those people in the directory whose
	// ordinals lie in [chunk<<16, chunk<<16 + 65535], in any order. Whoever is
	// not among them is a stranger.
	Attributes(chunk uint16) iter.Seq2[Attributes, error]
}

// Attributes is what scope groups people by.
type Attributes struct {
	Ordinal  exposure.Ordinal
	Country  string // ISO 3166-1, "" if unknown
	State    string // bare: "CA"
	Language string // BCP 47
	// MinorUntil is the person's eighteenth birthday, zero if unknown.
	MinorUntil time.Time
}

// EntryKind says what an entry means to the index.
type EntryKind uint8

const (
	// Other entries only move the index's position.
	Other EntryKind = iota
	// Disclosed is an intent: the message was recorded and may leave.
	Disclosed
	// Settled is the outcome of an earlier Disclosed entry.
	Settled
	// CoverageStart says that Cordon stands in the vendor's way from here on,
	// CoverageStop that it does not.
	CoverageStart
	CoverageStop
)

// Result is how a message ended.
type Result uint8

const (
	// Unknown is the zero value: it may have been sent.
	Unknown Result = iota
	Sent
	NotSent
)

// Entry is one entry of the journal, as far as scope reads it.
type Entry struct {
	Seq  uint64
	At   time.Time
	Kind EntryKind

	// Of a Disclosed entry.
	Pathway    exposure.Pathway
	Exposures  []Exposure
	Incomplete []exposure.Reason

	// Of a Settled entry: the number of the Disclosed one, and how it ended.
	Of     uint64
	Result Result

	// Of a coverage entry.
	Vendor exposure.VendorID
}

// Exposure is what one message carried about one person, or about Nobody.
type Exposure struct {
	Ordinal exposure.Ordinal
	Set     exposure.Set
}
