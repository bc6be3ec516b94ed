package minimize

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// sent is one request as a vendor's own library sent it to a loopback server.
type sent struct {
	Client, Vendor, Method, URL, Body string
	ContentType                       string `json:"content_type"`
}

func sentByClients(t testing.TB) (list []sent) {
	t.Helper()
	raw, err := os.ReadFile("testdata/clients.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	for d.More() {
		var s sent
		if err := d.Decode(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

func (s *sent) message() *classify.Message {
	path, query, _ := strings.Cut(s.URL, "?")
	return &classify.Message{Method: s.Method, Path: path, Query: query, Body: []byte(s.Body),
		Header: map[string][]string{"Content-Type": {s.ContentType}}}
}

func catalogueSpec(t testing.TB, name string, policy map[string]vendor.Action) *vendor.Spec {
	t.Helper()
	entries, _ := vendor.Catalogue()
	for _, e := range entries {
		if e.Vendor == name {
			spec, problems := vendor.CatalogueSpec(e, policy)
			for _, p := range problems {
				t.Fatalf("%+v", p)
			}
			return spec
		}
	}
	t.Fatalf("the catalogue has no %s", name)
	return nil
}

// TestWhatRealClientsSendIsFullyRead holds that every request of the vendors'
// own libraries takes a mapped route, is read completely, and has no leaf that
// the catalogue does not name.
func TestWhatRealClientsSendIsFullyRead(t *testing.T) {
	// What is not in a vendor's own specification only a manifest can name.
	custom := []string{"batch[].traits.employees"}
	for _, s := range sentByClients(t) {
		spec := catalogueSpec(t, s.Vendor, nil)
		c, err := classify.Compile(spec)
		if err != nil {
			t.Fatal(err)
		}
		m := s.message()
		f := c.Classify(spec.Match(m.Method, m.Path), m)
		where := s.Client + " " + s.Method + " " + m.Path
		if !f.Route().Mapped() {
			t.Errorf("%s: no route", where)
		}
		if len(f.Incomplete()) > 0 {
			t.Errorf("%s: incomplete: %v", where, f.Incomplete())
		}
		for _, u := range f.Unmapped() {
			if !slices.Contains(custom, u) {
				t.Errorf("%s: nothing names %s", where, u)
			}
		}
		// Whoever is named anywhere in the request must be a person of it.
		known := map[string]bool{}
		for _, p := range f.People() {
			for _, id := range p.Identifiers {
				known[id.Value] = true
			}
		}
		text := m.Path + " " + strings.ReplaceAll(m.Query+f.Text(), "%40", "@")
		for _, who := range []string{"ada@example.org", "bob@example.org", "carl@example.org", "new@example.org", "cus_123"} {
			if strings.Contains(text, who) && !known[who] && m.Path != "/v1/customers/search" {
				t.Errorf("%s: %s was not found among %v", where, who, known)
			}
		}
		// Nothing changes what passes in the clear.
		spec.Unclassified = exposure.Pass
		cleared, d := Clear(&f, spec, nil)
		if d.Verdict != exposure.Pass || string(cleared.Outgoing().Body) != s.Body {
			t.Errorf("%s: %+v", where, d)
		}
	}
}

// TestDroppedCategoriesLeaveNoTrace drops everything that a client says about
// people and looks for it in what would leave.
func TestDroppedCategoriesLeaveNoTrace(t *testing.T) {
	for _, s := range sentByClients(t) {
		spec := catalogueSpec(t, s.Vendor, map[string]vendor.Action{"default": vendor.Drop})
		c, err := classify.Compile(spec)
		if err != nil {
			t.Fatal(err)
		}
		m := s.message()
		f := c.Classify(spec.Match(m.Method, m.Path), m)
		cleared, d := Clear(&f, spec, nil)
		if strings.Contains(m.Path, "cus_") {
			if d.Verdict != exposure.Refuse || d.Reason != exposure.ReasonPolicy {
				t.Errorf("%s %s: the person stands in the path: %+v", s.Client, m.Path, d)
			}
			continue
		}
		if d.Verdict != exposure.Pass {
			t.Errorf("%s %s: %+v", s.Client, m.Path, d)
			continue
		}
		out := cleared.Outgoing()
		for _, trace := range []string{"ada@", "Ada", "bob@", "carl@", "London", "4242", "cus_", "442071838750", "203.0.113.9", "anon-"} {
			if strings.Contains(out.Query+out.Text, trace) {
				t.Errorf("%s %s: %q is left in %s %s", s.Client, m.Path, trace, out.Query, out.Text)
			}
		}
		if len(cleared.Exposures()) != 0 {
			t.Errorf("%s %s: what was dropped counts as exposed: %v", s.Client, m.Path, cleared.Exposures())
		}
		if s.ContentType == "application/json" && !json.Valid(out.Body) {
			t.Errorf("%s %s: no longer JSON: %s", s.Client, m.Path, out.Body)
		}
	}
}
