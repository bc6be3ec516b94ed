package messages

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"

	"cordon/internal/classify"
	"cordon/internal/directory"
	"cordon/internal/minimize"
	"cordon/internal/vendor"
)

// What the blind set demands in total. A person's data given to another person
// is never a matter of percents.
const (
	leastPrecision    = 98.0
	leastRecall       = 95.0
	mostOverRedaction = 0.1
)

// TestBlindMessages holds the classifier to messages whose author had not read
// it, nor the catalogue.
func TestBlindMessages(t *testing.T) {
	people, answer, err := directory.LoadMemory(context.Background(), "blind-people.csv", directory.MemoryOptions{})
	if err != nil || len(answer.Rejected) > 0 {
		t.Fatalf("the directory: %v, %v", err, answer)
	}
	var total blindScore
	perFile := map[string]*blindScore{}
	var files []string
	for _, m := range loadAll(t, "blind-*.jsonl") {
		s := perFile[m.File]
		if s == nil {
			s = &blindScore{}
			perFile[m.File] = s
			files = append(files, m.File)
		}
		one := blindScore{messages: 1}
		one.compare(&m, m.blindAnswer(t, people))
		s.add(&one)
		total.add(&one)
	}
	var table strings.Builder
	table.WriteString(blindHead)
	for _, file := range files {
		table.WriteString(perFile[file].row(strings.TrimSuffix(strings.TrimPrefix(file, "blind-"), ".jsonl")))
	}
	table.WriteString(total.row("**total**"))
	t.Log("\n" + table.String())
	for _, fault := range total.faults {
		t.Log(fault)
	}
	if p := total.precision(); p < leastPrecision {
		t.Errorf("precision is %.2f %%, less than %.0f %%", p, leastPrecision)
	}
	if r := total.recall(); r < leastRecall {
		t.Errorf("recall is %.2f %%, less than %.0f %%", r, leastRecall)
	}
	if total.wrongPerson > 0 {
		t.Errorf("%d values or identifiers are given to another person", total.wrongPerson)
	}
	if total.allClear > 0 {
		t.Errorf("%d messages with personal data are said to hold none", total.allClear)
	}
	if o := total.overRedaction(); o > mostOverRedaction {
		t.Errorf("findings cover %.3f %% of the text that is not personal, more than %.1f %%", o, mostOverRedaction)
	}
}

// blindAnswer answers as `cordon route test` does: with the envelope, and what
// the directory knows where the label says so.
func (m *message) blindAnswer(t *testing.T, people *directory.Memory) minimize.Answer {
	t.Helper()
	raw := m.RequestB64
	if raw == nil {
		raw = []byte(m.Request)
	}
	parsed, host := &classify.Message{Method: "SMTP", Path: "/", Body: raw}, "mail.example"
	if m.Envelope != nil {
		parsed.Envelope = &classify.Envelope{From: m.Envelope.From, To: m.Envelope.To}
	} else {
		var err error
		if parsed, host, err = classify.ParseHTTP(raw); err != nil {
			return minimize.Answer{Status: "refused", Reason: "malformed-request"}
		}
	}
	spec := m.blindSpec(t, host)
	c, err := classify.Compile(spec)
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	found := c.Classify(spec.Match(parsed.Method, parsed.Path), parsed)
	if m.Directory {
		found.Search(people)
	} else {
		found.Search(nil)
	}
	return minimize.Describe(&found, spec, nil)
}

// blindSpec names the upstream itself: some catalogue entries leave a part of
// the host to the manifest.
func (m *message) blindSpec(t *testing.T, host string) *vendor.Spec {
	t.Helper()
	base := m.spec
	if m.Mapping == nil && m.Envelope == nil {
		return m.specAt(t, nil, "", (&url.URL{Scheme: "https", Host: host}).String())
	}
	return base(t, nil, "")
}

func (m *message) open(v string) bool { return slices.Contains(m.Open, v) }
