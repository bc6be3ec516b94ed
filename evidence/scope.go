package evidence

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// Scope is a frozen answer to "who was exposed": the question, the answer, and
// whom it counts, as bitmaps under their hashes. An entry of the ledger (kind
// "scope") holds its digest, so that what duties, notices and evidence cite
// cannot be another answer.
type Scope struct {
	ID       string `json:"id"`
	Incident string `json:"incident,omitempty"`
	// Query and Answer are the JSON that was asked and printed.
	Query  json.RawMessage `json:"query"`
	Answer json.RawMessage `json:"answer"`
	// Entries is the number of the last ledger entry that the answer knows of.
	Entries uint64 `json:"entries"`
	// Cohorts are in the order of the answer's.
	Cohorts []ScopeCohort `json:"cohorts"`
	// Certain are those proved to have been accessed, Excluded those whom an
	// attested deletion takes out; each a part of nobody else's bitmap or of
	// the cohorts' together, as their names say. Zero hash: there are none.
	Certain  ScopeBitmap `json:"certain"`
	Excluded ScopeBitmap `json:"excluded"`
}

// ScopeCohort is the people with exactly one category set.
type ScopeCohort struct {
	ID         string            `json:"id"`
	Categories []string          `json:"categories"`
	Protected  map[string]string `json:"protected,omitempty"`
	ScopeBitmap
}

// ScopeBitmap is a set of ordinals in the portable format of Roaring bitmaps
// (32 bit), by its hash.
type ScopeBitmap struct {
	Subjects uint64 `json:"subjects"`
	SHA256   string `json:"sha256"` // hex; "" when there is nobody
}

// Digest is what the ledger commits to: SHA-256 over the JSON of s as
// encoding/json writes it, in hex.
func (s *Scope) Digest() (string, error) {
	text, err := s.encode()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%x", sum), nil
}

func (s *Scope) encode() ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding a frozen scope: %w", err)
	}
	return text, nil
}
