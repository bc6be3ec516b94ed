package api

import (
	"time"

	"cordon/internal/roll"
)

// BackfillQuery says what a file of people declares about a vendor.
type BackfillQuery struct {
	Vendor string
	// Categories is what the vendor held of everybody whose row has no column
	// categories: keys, parted by commas.
	Categories string
	// DryRun reads the file, counts, and writes nothing.
	DryRun bool
}

// Backfilled is what `cordon ledger backfill --json` answers.
type Backfilled struct {
	Vendor string `json:"vendor"`
	DryRun bool   `json:"dry_run"`
	// People are rows taken; New of them nobody knew before.
	People uint64 `json:"people"`
	New    uint64 `json:"new"`
	roll.Problems
	FileSHA256 string `json:"file_sha256"`
	// Entry begins the declaration in the ledger; 0 for a dry run.
	Entry    uint64   `json:"entry"`
	Warnings []string `json:"warnings,omitempty"`
}

// Attest is a vendor's letter: what it got before SentBefore, by Route or
// altogether, it had deleted at DeletedAt. Statement is the letter itself, of
// which the ledger keeps the hash. With Withdraws, the number of an earlier
// attestation, the letter says instead that that one does not stand.
type Attest struct {
	SentBefore time.Time `json:"sent_before,omitzero"`
	DeletedAt  time.Time `json:"deleted_at,omitzero"`
	Route      string    `json:"route,omitempty"`
	Statement  []byte    `json:"statement"`
	Withdraws  uint64    `json:"withdraws,omitzero"`
}

// Attestation is what `cordon vendor attest --json` answers.
type Attestation struct {
	Vendor     string    `json:"vendor"`
	Route      string    `json:"route,omitempty"`
	SentBefore time.Time `json:"sent_before,omitzero"`
	DeletedAt  time.Time `json:"deleted_at,omitzero"`
	Withdraws  uint64    `json:"withdraws,omitzero"`
	SHA256     string    `json:"statement_sha256"`
	Entry      uint64    `json:"entry"`
}

// Accessed is what a list of accessed records came to.
type Accessed struct {
	Incident string `json:"incident"`
	Vendor   string `json:"vendor"`
	Kind     string `json:"kind"`
	// Rows were read; Matched of them name somebody whom the ledger knows, and
	// People are those, each once.
	Rows    uint64 `json:"rows"`
	Matched uint64 `json:"matched"`
	People  uint64 `json:"people"`
	// Unmatched lists the lines that name nobody known, at most 10,000 of them.
	Unmatched     []uint64 `json:"unmatched"`
	UnmatchedRows uint64   `json:"unmatched_rows"`
	roll.Problems
	// Certain are those of the people of whom the vendor may have held something
	// at any time; NotHeld are the others: named, although nothing about them is
	// known to have gone there.
	Certain    uint64 `json:"certain"`
	NotHeld    uint64 `json:"not_held"`
	FileSHA256 string `json:"file_sha256"`
	Digest     string `json:"digest"` // of whom the list names, "" for nobody
	Entry      uint64 `json:"entry"`
}
