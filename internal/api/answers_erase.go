package api

import "time"

// EraseRequest names people to be erased. Kind and Vendor say what all the
// identifiers are, as for a look-up of one.
type EraseRequest struct {
	Identifiers []string `json:"identifiers"`
	Kind        string   `json:"kind,omitempty"`
	Vendor      string   `json:"vendor,omitempty"`
	// Reason stays out of the ledger; it keeps its keyed digest.
	Reason string `json:"reason,omitempty"`
	DryRun bool   `json:"dry_run,omitempty"`
}

// EraseAnswer is what `cordon erase --json` answers: what is gone, or would be.
type EraseAnswer struct {
	DryRun bool   `json:"dry_run"`
	People uint64 `json:"people"`
	// Unknown are the places in the list (from 1) of identifiers that lead to
	// nobody: never known, or erased before.
	Unknown     []int  `json:"unknown"`
	Identifiers uint64 `json:"identifiers"`
	Links       uint64 `json:"links"`
	Contacts    uint64 `json:"contacts"`
	Tokens      uint64 `json:"tokens"`
	Directory   uint64 `json:"directory"` // people with a row of the directory
	// InDirectory are those whom the directory names as it was imported last. The
	// ledger cannot know them again: unless their lines leave the source first,
	// the next import brings them back as new people.
	InDirectory uint64 `json:"in_directory"`
	// PassOn are the vendors that may hold data of these people and must be told
	// (Article 19 GDPR).
	PassOn []EraseRecipient `json:"pass_on"`
	// HeldBy is the legal hold or open incident that suspends the erasure; only in
	// a dry run, else it is refused.
	HeldBy string `json:"held_by,omitempty"`
	// First and Last are the entries of the erasures; 0 for none.
	First uint64 `json:"first_entry"`
	Last  uint64 `json:"last_entry"`
}

// EraseRecipient is a vendor to be told of erasures.
type EraseRecipient struct {
	Vendor   string `json:"vendor"`
	Name     string `json:"name,omitempty"`
	Country  string `json:"country,omitempty"`
	People   uint64 `json:"people"`
	PassedOn uint64 `json:"passed_on"`
}

// EraseList is what `cordon erase --list --json` answers.
type EraseList struct {
	// People were erased so far; Attributes of them still have country, state,
	// language and age, because a vendor may hold their data.
	People     uint64           `json:"people"`
	Attributes uint64           `json:"attributes_kept"`
	PassOn     []EraseRecipient `json:"pass_on"`
	// Pending are the people of whom a vendor is still to be told, by the number
	// of the entry that erased them.
	Pending []ErasePending `json:"pending"`
}

// ErasePending is one erasure that is still to be passed on.
type ErasePending struct {
	Entry   uint64    `json:"entry"`
	Subject string    `json:"subject"`
	At      time.Time `json:"at"`
	Vendors []string  `json:"vendors"`
}

// ErasePassedOn says that a vendor was told.
type ErasePassedOn struct {
	Vendor string `json:"vendor"`
	People uint64 `json:"people"`
	Entry  uint64 `json:"entry"`
}

// LegalHoldRequest sets a legal hold, or lifts it.
type LegalHoldRequest struct {
	Hold       string `json:"hold,omitempty"`
	Vendor     string `json:"vendor,omitempty"`
	Identifier string `json:"identifier,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

// LegalHold is a legal hold that stands.
type LegalHold struct {
	Hold    string    `json:"hold"`
	Vendor  string    `json:"vendor,omitempty"`
	Subject string    `json:"subject,omitempty"`
	Since   time.Time `json:"since"`
	Actor   string    `json:"actor"`
	Reason  string    `json:"reason,omitempty"`
	Entry   uint64    `json:"entry"`
}

// LegalHolds is what `cordon legal-hold list --json` answers. Open incidents
// hold too, as long as they are open.
type LegalHolds struct {
	Holds     []LegalHold `json:"holds"`
	Incidents []string    `json:"incidents"`
}

// Expiry is what `cordon ledger expire --json` answers: the days that are older
// than the policy keeps them.
type Expiry struct {
	DryRun  bool        `json:"dry_run"`
	Policy  string      `json:"policy"` // "" : everything is kept
	Days    []ExpiryDay `json:"days"`
	Expired int         `json:"expired"`
}

// ExpiryDay is one day that is due.
type ExpiryDay struct {
	Day     string `json:"day"`
	Batches uint64 `json:"batches"`
	Bytes   uint64 `json:"bytes"`
	// HeldBy is the legal hold or open incident for which the day stays.
	HeldBy string `json:"held_by,omitempty"`
	// Expired: it is gone.
	Expired bool `json:"expired"`
}
