package evidence

import (
	"encoding/json"
	"fmt"
	"time"
)

// Step is a step of checking a bundle, in the order of the specification.
type Step string

const (
	StepFrame     Step = "frame"
	StepSize      Step = "size"
	StepHash      Step = "hash"
	StepSignature Step = "signature"
	StepProof     Step = "proof"
	StepScope     Step = "scope"
	StepClaim     Step = "claim"
)

// Failure is the first thing about a bundle that does not hold. Its text is one
// sentence for somebody who is no engineer.
type Failure struct {
	Step Step
	Part string // name of the member concerned, "" for none in particular
	What string
}

func (f *Failure) Error() string { return f.What }

func fail(step Step, part, format string, args ...any) error {
	return &Failure{step, part, fmt.Sprintf(format, args...)}
}

// Trust is what the caller knows from elsewhere. The zero value trusts the keys
// that the bundle brings along, and the report says so.
type Trust struct {
	// Key is the ledger's public key, as checkpoint.pub holds it.
	Key string
	// Witnesses are keys of witnesses, each of which must have cosigned.
	Witnesses []string
}

// Report is what a bundle that holds shows.
type Report struct {
	Origin string `json:"origin"`
	// Key is the ledger's, KeyGiven whether the caller knew it from elsewhere.
	Key         string `json:"key"`
	KeyGiven    bool   `json:"key_given"`
	Fingerprint string `json:"fingerprint"` // see Fingerprint

	Incident string `json:"incident"`
	Vendor   string `json:"vendor"`
	Manifest string `json:"manifest"` // its SHA-256, which the ledger recorded

	Checkpoint CheckpointReport `json:"checkpoint"`
	Export     ExportReport     `json:"export"`
	Witnesses  []WitnessReport  `json:"witnesses"`
	Scopes     []ScopeReport    `json:"scopes"`
	Manifests  []string         `json:"manifests"` // vendors whose manifest is in the file
	Batches    int              `json:"batches"`
	Entries    int              `json:"entries"` // of the ledger, each proved
	// Disclosures are those among them that are messages. Which vendor they went
	// to, the definitions of their pathways say.
	Disclosures int      `json:"disclosures"`
	Parts       int      `json:"parts"`     // in the file
	Redacted    []string `json:"redacted"`  // parts that were left out
	Unchecked   []string `json:"unchecked"` // what therefore, or without keys, is not proved
	Absent      []Absent `json:"absent"`
	// Timeline is the events among the entries.
	Timeline []EventReport `json:"timeline"`
}

// CheckpointReport is the head that the entries are under.
type CheckpointReport struct {
	Size uint64 `json:"size"` // batches
	Root string `json:"root"` // base64
}

// ExportReport is the ledger's own entry about this export.
type ExportReport struct {
	Entry uint64    `json:"entry"`
	At    time.Time `json:"at"`
	Actor string    `json:"actor"`
}

// WitnessReport is a witness that cosigned the checkpoint, or the later one of
// the export, which the same tree leads to.
type WitnessReport struct {
	Name  string    `json:"name"`
	Key   string    `json:"key"`
	At    time.Time `json:"at"`
	Given bool      `json:"given"` // whether the caller knew its key from elsewhere
}

// ScopeReport is one frozen scope.
type ScopeReport struct {
	Scope    string `json:"scope"`
	Entry    uint64 `json:"entry"` // that froze it
	Subjects uint64 `json:"subjects"`
	Certain  uint64 `json:"certain"`
	Excluded uint64 `json:"excluded"`
	Cohorts  int    `json:"cohorts"`
	// Counted says that the people were counted; false where any of the bitmaps was left out.
	Counted bool            `json:"counted"`
	Query   json.RawMessage `json:"query"`
}

// EventReport is one event, as the ledger holds it.
type EventReport struct {
	Seq uint64    `json:"seq"`
	At  time.Time `json:"at"`
	EventJSON
}

// EventJSON is the JSON of an event.
type EventJSON struct {
	Kind   string                     `json:"kind"`
	Vendor string                     `json:"vendor,omitempty"`
	Actor  string                     `json:"actor,omitempty"`
	Fields map[string]json.RawMessage `json:"fields,omitempty"`
}

// Text is a field that is a string, or "".
func (e *EventJSON) Text(field string) string {
	var s string
	if json.Unmarshal(e.Fields[field], &s) != nil {
		return ""
	}
	return s
}

// Fingerprint is a public key for comparing by eye or over the telephone:
// SHA-256 of its text, the first half, in groups of four.
func Fingerprint(vkey string) string {
	sum := hexSum([]byte(vkey))
	out := ""
	for i := 0; i < 32; i += 4 {
		if i > 0 {
			out += " "
		}
		out += sum[i : i+4]
	}
	return out
}
