package scope

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"cordon/internal/exposure"
)

// Statement is an entry that says something about whom the disclosures of a
// vendor concern, or until when: an attested deletion, a list of whose data was
// accessed, a scope that was frozen. The index keeps all of them in memory;
// there are as many as people wrote letters.
type Statement struct {
	Seq    uint64            `json:"-"` // of the entry
	At     time.Time         `json:"at"`
	Kind   StatementKind     `json:"kind"`
	Vendor exposure.VendorID `json:"vendor,omitempty"`
	Actor  string            `json:"actor,omitempty"`

	// Of an attestation: what the vendor got before SentBefore, by Route or by
	// all if "", it did not hold from DeletedAt on. Withdraws is instead the
	// number of an earlier attestation that no longer stands.
	Route      string    `json:"route,omitempty"`
	SentBefore time.Time `json:"sent_before,omitzero"`
	DeletedAt  time.Time `json:"deleted_at,omitzero"`
	SHA256     string    `json:"sha256,omitempty"` // of the letter, or of the list
	Withdraws  uint64    `json:"withdraws,omitempty"`

	// Of a list or of a frozen scope: its id, and the digest of what lies under
	// it. Proof says what kind of proof a list is.
	ID       string `json:"id,omitempty"`
	Digest   string `json:"digest,omitempty"`
	Incident string `json:"incident,omitempty"`
	Proof    string `json:"proof,omitempty"`
}

// StatementKind is what a statement is.
type StatementKind string

const (
	Attestation StatementKind = "attest"
	AccessedBy  StatementKind = "accessed"
	FrozenScope StatementKind = "scope"
)

func decodeStatement(seq uint64, b []byte) (Statement, error) {
	s := Statement{Seq: seq}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("statement %d of the scope index: %w", seq, err)
	}
	return s, nil
}

func (s *Statement) encode() ([]byte, error) { return json.Marshal(s) }

// Statements lists those of one kind about a vendor, in the order of the
// journal, every acknowledged one; of all vendors for "".
func (x *Index) Statements(ctx context.Context, kind StatementKind, v exposure.VendorID) ([]Statement, error) {
	if err := x.Sync(ctx); err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil {
		return nil, x.err
	}
	var out []Statement
	for _, s := range x.statements {
		if s.Kind == kind && (v == "" || s.Vendor == v) {
			out = append(out, s)
		}
	}
	return out, nil
}
