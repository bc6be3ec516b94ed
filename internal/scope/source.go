package scope

import (
	"context"
	"iter"
	"time"

	"cordon/internal/exposure"
)

// Source is the ledger as the index sees it. Entries are numbered from 1.
type Source interface {
	// Size is the number of the newest entry that Entries gives.
	Size() uint64
	// Entries gives the durable entries from number from on, in order, and
	// ends at what was durable when it began. An entry and its slices are
	// valid until the next step only.
	Entries(from uint64) iter.Seq2[Entry, error]
	// Follow gives a channel that is closed when Size grows next.
	Follow() <-chan struct{}
	// People is a snapshot of what the directory says about everyone.
	People() (*People, error)
}

// Scanner is a Source that finds entries in a part of the journal faster than
// Entries tells all of them.
type Scanner interface {
	// Scan calls take with every Disclosed entry among first to last whose pathway
	// takes accepts (it is asked once for each) and, unless who is Nobody, that says
	// something about who; if it is declared, or if its first outcome up to last is
	// not NotSent or may have expired. They come in no particular order; an entry is valid during the call.
	Scan(ctx context.Context, first, last uint64, takes func(exposure.Pathway) bool, who exposure.Ordinal, take func(*Entry) error) error
}

// People holds the directory's attributes as arrays by ordinal, which one pass
// over the exposed can read at memory speed. An ordinal at or past the end of
// an array has none. Whoever left the directory may keep them. Nothing in it is changed after Source gave
// it away.
type People struct {
	Countries, States, Languages []string // tables; index 0 is ""
	Country                      []uint8  // index into Countries
	State                        []uint16
	Language                     []uint8
	MinorUntil                   []uint16 // days since 1970-01-01, 0 for adults and for the unknown
	Directory                    []uint64 // one bit per ordinal: the directory names this person
}

// within are the people of a group who may have attributes.
func (p *People) within(g group) uint64 {
	switch n := len(p.Country) - int(g.first); {
	case n >= 64:
		return g.people
	case n <= 0:
		return 0
	default:
		return g.people & (1<<n - 1)
	}
}

// directory are the people of a group whom the directory names.
func (p *People) directory(g group) uint64 {
	if word := int(g.first / 64); word < len(p.Directory) {
		return g.people & p.Directory[word]
	}
	return 0
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
	// Restarted is the first entry of a run of the ledger.
	Restarted
	// CoverageStart says that Cordon stands in the vendor's way from here on,
	// CoverageStop that it does not. Without a vendor: in the way of all.
	CoverageStart
	CoverageStop
	// Stated is a Statement.
	Stated
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
	// Declared entries are no messages: the vendor is said to have held this
	// since HeldSince (zero: since ever). They have no outcome.
	Declared  bool
	HeldSince time.Time

	// Of a Settled entry: the number of the Disclosed one, and how it ended.
	Of     uint64
	Result Result

	// Of a coverage entry.
	Vendor exposure.VendorID

	// Of a Stated entry; Seq and At are the entry's.
	Statement Statement
}

// Exposure is what one message carried about one person, or about Nobody.
type Exposure struct {
	Ordinal exposure.Ordinal
	Set     exposure.Set
}
