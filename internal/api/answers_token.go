package api

import "time"

// TokenStatus is what `cordon token status --json` prints.
type TokenStatus struct {
	Vendors []TokenVendor `json:"vendors"`
}

// TokenVendor is what one vendor's tokens are made with.
type TokenVendor struct {
	Vendor string `json:"vendor"`
	// Epoch counts how often the keys were changed; the same value gives the
	// same token within one.
	Epoch  int    `json:"epoch"`
	Tokens uint64 `json:"tokens"` // in all epochs, aliases among them
	// Epochs are those with tokens, and those that were begun by hand; all of
	// them can be resolved.
	Epochs []TokenEpoch `json:"epochs"`
	// Reveals are the routes whose answers may show what tokens stand for.
	Reveals []string `json:"reveals"`
}

// TokenEpoch is one epoch.
type TokenEpoch struct {
	Epoch  int       `json:"epoch"`
	Since  time.Time `json:"since"`
	Tokens uint64    `json:"tokens"`
}

// TokenRotate asks for a new epoch.
type TokenRotate struct {
	Reason string `json:"reason,omitempty" maxLength:"400"` // only its keyed digest is recorded
	DryRun bool   `json:"dry_run,omitempty"`
}

// TokenRotated says what was begun, or would be.
type TokenRotated struct {
	Vendor string `json:"vendor"`
	Was    int    `json:"was"`
	Epoch  int    `json:"epoch"`
	// Tokens is how many the vendor has of all epochs before; they stay resolvable.
	Tokens uint64 `json:"tokens"`
	DryRun bool   `json:"dry_run"`
	Entry  uint64 `json:"entry"` // of the ledger; 0 for a dry run
}

// TokenShred asks to make what a person's tokens stand for unreadable, for good.
type TokenShred struct {
	SubjectQuery
	Reason string `json:"reason" minLength:"1" maxLength:"400"` // only its keyed digest is recorded
	DryRun bool   `json:"dry_run,omitempty"`
}

// TokenShredded says what was shredded, or would be.
type TokenShredded struct {
	// Keys is 1, or 0 when nothing of the person is sealed.
	Keys   int    `json:"keys"`
	DryRun bool   `json:"dry_run"`
	Entry  uint64 `json:"entry"` // of the ledger; 0 for a dry run and for nothing
}
