package minimize

import (
	"strings"
	"unicode/utf8"

	"cordon/internal/classify"
	"cordon/internal/exposure"
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
	// ClearedURL is the path and query as they would leave, when the policy
	// changes them.
	ClearedURL string `json:"cleared_url,omitempty"`
	// ClearedB64 stands instead of Cleared when the body is not UTF-8.
	ClearedB64 []byte `json:"cleared_b64,omitempty"`
}

// Subject is one person found; without identifiers, nobody known.
type Subject struct {
	// DirectoryID is the directory's own id of the person, for those whom it knows.
	DirectoryID string `json:"directory_id,omitempty"`
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
	// Kept says why the value leaves although the policy says otherwise.
	Kept string `json:"kept,omitempty"`
}

// Test answers for a message what the gateway would do with it.
func Test(spec *vendor.Spec, m *classify.Message, t Tokens) (Answer, error) {
	c, err := classify.Compile(spec)
	if err != nil {
		return Answer{}, err
	}
	f := c.Classify(spec.Match(m.Method, m.Path), m)
	return Describe(&f, spec, t), nil
}

// Describe answers for what was found in a message what Clear would do with it.
func Describe(f *classify.Findings, spec *vendor.Spec, t Tokens) Answer {
	p := plan(f, spec, t)
	a := Answer{
		Vendor:   string(spec.ID),
		Route:    f.Route().Name,
		Status:   "classified",
		Reason:   string(p.decision.Reason),
		Detail:   p.decision.Detail,
		Verdict:  p.decision.Verdict.String(),
		Subjects: subjects(f, p.actions),
		Unmapped: append([]string{}, f.Unmapped()...),
	}
	switch {
	case p.decision.Verdict == exposure.Refuse:
		a.Status = "refused"
	case len(f.Incomplete()) > 0:
		a.Status, a.Reason = "incomplete", string(f.Incomplete()[0])
	}
	if p.decision.Verdict == exposure.Pass {
		if m, out := f.Message(), &p.outgoing; out.Path != m.Path || out.Query != m.Query {
			a.ClearedURL = readable(out.Path)
			if out.Query != "" {
				a.ClearedURL += "?" + readable(out.Query)
			}
		}
		if body := p.outgoing.Text; utf8.ValidString(body) {
			a.Cleared = body
		} else {
			a.ClearedB64 = []byte(body)
		}
	}
	return a
}

// readable makes UTF-8 of what a message may hold: an answer is JSON, which
// cannot carry other bytes.
func readable(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

// subjects lists the people of a message with everything that concerns them.
func subjects(f *classify.Findings, actions []FieldAction) []Subject {
	list := []Subject{}
	fields, places := f.Fields(), f.Places()
	for i, person := range f.People() {
		s := Subject{Identifiers: map[string]string{}}
		for _, id := range person.Identifiers {
			kind := id.Kind.String()
			if _, ok := s.Identifiers[kind]; !ok {
				s.Identifiers[kind] = id.Value
				continue
			}
			if s.Others == nil {
				s.Others = map[string][]string{}
			}
			s.Others[kind] = append(s.Others[kind], id.Value)
		}
		for n := range f.Of(i) {
			s.Fields = append(s.Fields, SubjectField{
				Category: fields[n].Category.Key(),
				Path:     readable(places[n]),
				Value:    readable(fields[n].Value()),
				Action:   string(actions[n].Action),
				Kept:     actions[n].Kept,
			})
		}
		list = append(list, s)
	}
	return list
}
