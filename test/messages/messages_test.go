// Package messages holds the classifier to labelled requests that were written
// without looking at it; see README.md.
package messages

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cordon/internal/classify"
	"cordon/internal/minimize"
	"cordon/internal/token"
	"cordon/internal/vendor"
)

// message is one line of a file, see README.md.
type message struct {
	Name, Vendor, Request  string
	RequestB64             []byte `json:"request_b64"`
	Mapping                []mapping
	Status                 string
	Subjects               []subject
	Anyone                 [][]string
	May                    [][]*string
	Never                  [][3]string
	NeverName              [][2]string `json:"never_name"`
	Loose, Unmapped, Later bool
	Note, Weak             string
	Policies               []policy

	// The blind files only, see "The blind set" in README.md.
	File       string    `json:"-"`
	Envelope   *envelope // of a mail, whose DATA the request then is
	Directory  bool      // blind-people.csv is known
	Reason     string    // bars are alternatives
	Open, Text []string
}

type envelope struct {
	From string
	To   []string
}

type mapping struct {
	On       string            `json:"on"`
	Subjects string            `json:"subjects"`
	Fields   map[string]string `json:"fields"`
	In       string            `json:"in,omitempty"`
}

type subject struct {
	Identifiers map[string]string
	Fields      []field
}

// field is category, path and value; the last two are nil where any will do.
type field [3]*string

type policy struct {
	Minimize     map[string]string
	Unclassified string
	Status       string
	Cleared      *string
	Gone, Kept   []string
	JSON         bool
}

func load(t *testing.T) []message {
	return slices.DeleteFunc(loadAll(t, "*.jsonl"), func(m message) bool { return strings.HasPrefix(m.File, "blind-") })
}

func loadAll(t *testing.T, pattern string) []message {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no labelled messages: %v", err)
	}
	var all []message
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
			d.DisallowUnknownFields()
			var m message
			if err := d.Decode(&m); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			m.File = file
			all = append(all, m)
		}
		if err := lines.Err(); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		f.Close()
	}
	return all
}

// spec is the manifest of a message under a policy, written as JSON, which is YAML.
func (m *message) spec(t *testing.T, minimize map[string]string, unclassified string) *vendor.Spec {
	t.Helper()
	return m.specAt(t, minimize, unclassified, "")
}

// specAt also names the upstream, "" leaves it to the catalogue.
func (m *message) specAt(t *testing.T, minimize map[string]string, unclassified, upstream string) *vendor.Spec {
	t.Helper()
	text := map[string]any{"vendor": "v", "name": "V, Inc.", "minimize": minimize}
	if unclassified != "" {
		text["unclassified"] = unclassified
	}
	if m.Mapping != nil {
		text["mapping"], text["upstream"] = m.Mapping, "https://api.letters.example"
	} else {
		text["catalogue"] = m.Vendor
		if upstream != "" {
			text["upstream"] = upstream
		}
	}
	data, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	s, problems := vendor.Parse("v.yaml", data)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", m.Name, problems)
	}
	return s
}

func (m *message) answer(t *testing.T, minimizing map[string]string, unclassified string) minimize.Answer {
	t.Helper()
	raw := m.RequestB64
	if raw == nil {
		raw = []byte(m.Request)
	}
	parsed, _, err := classify.ParseHTTP(raw)
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	spec := m.spec(t, minimizing, unclassified)
	a, err := minimize.Test(spec, parsed, token.Session{Maker: token.New([32]byte{}, "example.org"), Vendor: spec.ID})
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	return a
}

func TestLabelledMessages(t *testing.T) {
	var s score
	for _, m := range load(t) {
		s.messages++
		before, weak := len(s.faults), len(s.weak)
		s.compare(&m, m.answer(t, nil, ""))
		for _, p := range m.Policies {
			s.policies++
			for _, fault := range p.faults(m.answer(t, p.Minimize, p.Unclassified)) {
				s.fault(&m, "policy %v: %s", p.Minimize, fault)
				s.policyErrors++
			}
		}
		if m.Weak != "" { // a fault on record in README.md: it counts, and does not fail
			if len(s.faults) == before {
				s.fault(&m, "is weak no longer: %s", m.Weak)
			} else {
				s.weak = append(s.weak, s.faults[before:]...)
				s.faults = s.faults[:before]
			}
		}
		if len(s.faults) == before && len(s.weak) == weak {
			s.faultless++
		}
		if n := len(s.faults); n > before+12 { // a batch of a thousand says it once
			s.faults = s.faults[:before+12]
		}
	}
	t.Log(s.String())
	for _, fault := range s.weak {
		t.Log(fault)
	}
	for _, fault := range s.faults {
		t.Error(fault)
	}
	if readme, err := os.ReadFile("README.md"); err != nil || !strings.Contains(string(readme), strings.TrimSpace(s.String())) {
		t.Errorf("README.md publishes another score than this: %v", err)
	}
}

// faults says where an answer under a policy is not what the label allows.
func (p *policy) faults(a minimize.Answer) (list []string) {
	if p.Status != "" && a.Status != p.Status {
		list = append(list, "status "+a.Status+", want "+p.Status)
	}
	out := a.Cleared
	if a.ClearedB64 != nil {
		out = string(a.ClearedB64)
	}
	if p.Cleared != nil && out != *p.Cleared {
		list = append(list, "cleared\n\t"+excerpt(out)+"\n\twant\n\t"+excerpt(*p.Cleared))
	}
	for _, part := range p.Gone {
		if strings.Contains(out, part) {
			list = append(list, "still has "+part+": "+excerpt(out))
		}
	}
	for _, part := range p.Kept {
		if !strings.Contains(out, part) {
			list = append(list, "lost "+part+": "+excerpt(out))
		}
	}
	if p.JSON && !json.Valid([]byte(out)) {
		list = append(list, "is no JSON: "+excerpt(out))
	}
	return list
}

func excerpt(s string) string { return s[:min(len(s), 400)] }

func matches(pattern, s string) bool { return slices.Contains(strings.Split(pattern, "|"), s) }
