package ledger

import (
	"crypto/hpke"
	"log/slog"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/minimize"

	"golang.org/x/mod/sumdb/note"
)

// Options says where a ledger lies and with which keys it is kept.
type Options struct {
	// Dir is the data directory; the store lies in Dir/store, the signed heads
	// in Dir/heads.
	Dir string
	// Mirror is a folder for a second copy of the heads, better on another
	// disk; "" for none.
	Mirror string
	Keys   Keys
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: nothing is logged
	// ReadOnly opens without writing a byte; for verbs without a server.
	ReadOnly bool
}

// Keys are what the ledger needs and never stores.
type Keys struct {
	// Identity keys the hashes of identifiers and the permutation of ordinals.
	Identity [32]byte
	// Directory seals the directory's own id of a person (AES-256-GCM).
	Directory [32]byte
	// Signer signs checkpoints; its name is their origin. May be nil with ReadOnly.
	Signer note.Signer
	// Verifier checks them; same name and key as Signer.
	Verifier note.Verifier
	// Contact is the recipient (X25519) to whom contacts of strangers are sealed.
	Contact hpke.PublicKey
	// ID is a fingerprint of the secret keys. It is written into the store when
	// the ledger is made, and another one is refused ever after.
	ID []byte
}

// Disclosure is one message about to leave.
type Disclosure struct {
	Pathway exposure.Pathway
	Cleared *minimize.Cleared
	// Shadow marks a message of a vendor whose manifest says mode: shadow.
	Shadow bool
	// Retry is the number of the earlier attempt's entry, or 0.
	Retry uint64
	At    time.Time // zero: now
}

// Outcome is what became of a disclosure.
type Outcome struct {
	Result Result
	Status int   // the vendor's answer, 0 for none
	Bytes  int64 // handed to the socket
}

// Result says whether the message left.
type Result uint8

const (
	// Unknown is the zero value: what nobody settled may have left.
	Unknown Result = iota
	Sent
	NotSent
)

// Kind is the kind of an entry.
type Kind uint8

const (
	KindDisclosure Kind = iota
	KindOutcome
	KindEvent
	// KindDefinition gives a pathway, a category set or a reason the number by
	// which later entries call it. Followers need not look at it.
	KindDefinition
)

// Subject is one person in a disclosure with what the message carried.
type Subject struct {
	Ordinal exposure.Ordinal // exposure.Nobody where no identifier attributes it
	Set     exposure.Set
}

// Entry is one entry of the ledger, decoded. The fields that its kind does not
// use are zero.
type Entry struct {
	Seq  uint64 // from 1
	Kind Kind
	At   time.Time // to the millisecond

	// Disclosure.
	Pathway    exposure.Pathway
	Subjects   []Subject
	Incomplete []exposure.Reason
	Shadow     bool
	Retry      uint64

	// Outcome.
	Of      uint64 // the disclosure's number
	Outcome Outcome

	Event Event // Event.At equals At
}

// EventKind names a kind of event; kebab-case, stored, never renamed.
type EventKind string

const (
	EventGate          EventKind = "gate"           // cut, hold, restore
	EventRefusal       EventKind = "refusal"        // a message that did not go on
	EventCoverageStart EventKind = "coverage-start" // from here on Cordon stands in the way of Vendor ("" = of all)
	EventCoverageStop  EventKind = "coverage-stop"
	EventRestart       EventKind = "restart"  // written by the ledger itself at start
	EventImport        EventKind = "import"   // a directory import
	EventRead          EventKind = "read"     // somebody read about a person
	EventUser          EventKind = "user"     // user added, role changed
	EventConfig        EventKind = "config"   // manifests loaded or changed
	EventOverflow      EventKind = "overflow" // notes that did not fit the queue were dropped: Fields["count"]
)

// Event is anything that is neither a disclosure nor its outcome.
type Event struct {
	Kind   EventKind
	Vendor exposure.VendorID
	At     time.Time // zero: now
	Actor  string
	// Fields is small JSON without personal values. What comes back has been
	// through JSON: numbers are float64.
	Fields map[string]any
}

// Status is what the ledger says of itself. It never blocks.
type Status struct {
	Size       uint64 // durable entries
	Batches    uint64
	Checkpoint string // newest signed checkpoint, "" before the first
	Signed     uint64 // batches that it covers
	Pending    int    // disclosures without an outcome
	LastSync   time.Time
	// Warnings name what was found wrong at start and is not a reason to
	// refuse: an unclean tail, a damaged or missing copy of the heads.
	Warnings []string
	// Err is why the ledger refuses, nil if it records.
	Err error
}

// Report is the result of Verify.
type Report struct {
	OK       bool     `json:"ok"`
	Size     uint64   `json:"size"`    // entries read
	Batches  uint64   `json:"batches"` // leaves of the tree
	Root     string   `json:"root"`    // base64, over all batches
	Problems []string `json:"problems"`
}

// Person is one person of the directory.
type Person struct {
	// ID is the directory's own id; required. It is also an identifier of kind user_id.
	ID          string
	Identifiers []exposure.Identifier
	Country     string // ISO 3166-1, "" unknown
	State       string // bare: "CA"
	Language    string // BCP 47
	// MinorUntil is the day of the person's coming of age; zero for adults.
	MinorUntil time.Time
}

// Imported counts what an import did.
type Imported struct {
	People, New, Changed uint64
	Left                 uint64 // were in the directory before and no longer are
}
