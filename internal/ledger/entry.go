package ledger

import (
	"time"

	"cordon/internal/exposure"
	"cordon/internal/minimize"
	"cordon/internal/token"
)

// Disclosure is one message about to leave.
type Disclosure struct {
	Pathway exposure.Pathway
	Cleared *minimize.Cleared
	// Shadow marks a message of a vendor whose manifest says mode: shadow.
	Shadow bool
	// Retry is the number of the earlier attempt's entry, or 0.
	Retry uint64
	// Epoch is that of the message's tokens, Pin what pins it; nil without an
	// idempotency key.
	Epoch token.Epoch
	Pin   *Pin
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
	// Declared: nothing was sent; the vendor is said to have held this since
	// HeldSince (zero: not known, since ever). See Ledger.Declare.
	Declared  bool
	HeldSince time.Time

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
	EventRestart       EventKind = "restart"     // written by the ledger itself at start
	EventImport        EventKind = "import"      // a directory import
	EventUnlink        EventKind = "unlink"      // an identifier is no longer a person's: Fields["from"], ["to"]
	EventTokenEpoch    EventKind = "token-epoch" // a vendor's tokens are made with new keys: Fields["epoch"]
	EventTokenShred    EventKind = "token-shred" // a person's tokens lead nowhere any more: Fields["person"]
	EventReveal        EventKind = "reveal"      // tokens in a vendor's answer were resolved for an app
	EventRead          EventKind = "read"        // somebody read about a person
	EventUser          EventKind = "user"        // user added, role changed
	EventFinding       EventKind = "finding"     // something that a person should look at
	EventFindingClosed EventKind = "finding-closed"
	EventConfig        EventKind = "config"   // manifests loaded or changed
	EventWitness       EventKind = "witness"  // late, recovered, refused, rewritten, clock, forgot: Fields["what"]
	EventOverflow      EventKind = "overflow" // notes that did not fit the queue were dropped: Fields["count"]

	// What an incident is made of; Fields["incident"] names it in each.
	EventIncident EventKind = "incident" // opened, a fact, approved, closed: Fields["what"]
	EventScope    EventKind = "scope"    // a scope was frozen: Fields["scope"], ["digest"] (evidence.Scope.Digest)
	EventAccessed EventKind = "accessed" // a list of accessed records was taken in: Fields["file_sha256"], ["digest"] of whom it names

	// What vendors hold beside what they were sent, and until when.
	EventAttest   EventKind = "attest"   // a vendor attested that it deleted what it got before Fields["sent_before"], at Fields["deleted_at"]
	EventBackfill EventKind = "backfill" // what a vendor held before Cordon was declared; the people follow as declared disclosures

	// What becomes of the files.
	EventBackup   EventKind = "backup"   // a copy is made: Fields["backup"], its id; ["failed"] if it came to nothing
	EventRestored EventKind = "restored" // the ledger goes on from a backup: Fields["manifest_sha256"], ["made"], ["lost_from"], ["lost_to"]

	// What ends.
	EventExpire    EventKind = "expire"     // the disclosures of a day are gone: Fields["day"], ["policy"], ["digest"] of the index of that day
	EventErase     EventKind = "erase"      // a person was erased: Fields["person"] is the ordinal that stays
	EventLegalHold EventKind = "legal-hold" // set or lifted: Fields["hold"], ["what"]
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
