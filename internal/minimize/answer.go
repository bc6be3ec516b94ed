package minimize

import (
	"cordon/internal/classify"
	"cordon/internal/vendor"
)

// Answer is what `cordon route test` says about a message that is never sent.
type Answer struct {
	Vendor string `json:"vendor"`
	Route  string `json:"route"`
	// Status is classified, incomplete or refused.
	Status string `json:"status"`
	// Reason is the machine-readable word why; "" when classified.
	Reason string `json:"reason"`
	// Detail is the same in a sentence.
	Detail string `json:"detail,omitempty"`
	// Verdict is what the gateway would do: pass, hold or refuse.
	Verdict  string    `json:"verdict,omitempty"`
	Subjects []Subject `json:"subjects"`
	// Unmapped are the leaves that no mapping names, as templates.
	Unmapped []string `json:"unmapped"`
	// Cleared is the body as it would leave, decompressed; "" when it would not.
	Cleared string `json:"cleared"`
	// ClearedB64 stands instead of Cleared when the body is not UTF-8.
	ClearedB64 []byte `json:"cleared_b64,omitempty"`
}

// Subject is one person found; without identifiers, nobody known.
type Subject struct {
	// Identifiers has the first of each kind, by the kind's name.
	Identifiers map[string]string `json:"identifiers"`
	// Others are further ones of the same kinds.
	Others map[string][]string `json:"other_identifiers,omitempty"`
	Fields []SubjectField      `json:"fields"`
}

// SubjectField is one leaf: where it stands, its clear value, what becomes of it.
type SubjectField struct {
	Category string `json:"category"`
	Path     string `json:"path"` // concrete: personalizations[0].to[1].email
	Value    string `json:"value"`
	Action   string `json:"action"`
}

// Test answers for a message what the gateway would do with it.
func Test(spec *vendor.Spec, m *classify.Message) (Answer, error) { panic("minimize: not yet") }
