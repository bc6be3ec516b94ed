package minimize

import (
	"fmt"
	"slices"
	"testing"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/token"
	"cordon/internal/vendor"
)

// TestCatalogueExamples runs every example of every entry of the catalogue.
func TestCatalogueExamples(t *testing.T) {
	entries, problems := vendor.Catalogue()
	for _, p := range problems {
		t.Errorf("%+v", p)
	}
	if len(entries) == 0 {
		t.Fatal("the catalogue is empty")
	}
	for _, e := range entries {
		for _, ex := range e.Examples {
			t.Run(e.Vendor+"/"+ex.Name, func(t *testing.T) { runExample(t, e, &ex) })
		}
	}
}

func runExample(t *testing.T, e *vendor.CatalogueEntry, ex *vendor.Example) {
	spec, problems := vendor.CatalogueSpec(e, ex.Minimize)
	for _, p := range problems {
		t.Fatalf("%+v", p)
	}
	m := exampleMessage(t, &ex.Request)
	c, err := classify.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	f := c.Classify(spec.Match(m.Method, m.Path), m)
	if ex.Route != "" && f.Route().Name != ex.Route {
		t.Errorf("route is %q, want %q", f.Route().Name, ex.Route)
	}
	var reasons []string
	for _, r := range f.Incomplete() {
		reasons = append(reasons, string(r))
	}
	if !slices.Equal(reasons, ex.Incomplete) {
		t.Errorf("incomplete: %v, want %v", reasons, ex.Incomplete)
	}
	if ex.Unmapped != nil && !slices.Equal(f.Unmapped(), ex.Unmapped) {
		t.Errorf("unmapped: %v, want %v", f.Unmapped(), ex.Unmapped)
	}
	if len(ex.Unmapped) == 0 && len(f.Unmapped()) > 0 {
		t.Errorf("unmapped: %v, want none", f.Unmapped())
	}
	compareSubjects(t, &f, ex.Subjects)
	spec.Unclassified = exposure.Pass // an example shows what would leave
	// The tokens are those that `route test` shows where no keys are.
	cleared, d := Clear(&f, spec, token.Session{Maker: token.New([32]byte{}, "example.org"), Vendor: spec.ID})
	if d.Verdict != exposure.Pass {
		t.Fatalf("refused: %+v", d)
	}
	want := ex.Cleared
	if want == "" {
		want = f.Text()
	}
	if got := cleared.Outgoing().Text; got != want {
		t.Errorf("cleared:\n%s\nwant:\n%s", got, want)
	}
}

func exampleMessage(t *testing.T, r *vendor.ExampleRequest) *classify.Message {
	raw := r.Raw
	if raw == "" {
		raw = fmt.Sprintf("%s %s HTTP/1.1\r\nHost: vendor.example\r\n", r.Method, r.Path)
		if r.Body != "" {
			raw += "Content-Type: " + r.ContentType + "\r\n"
		}
		for name, value := range r.Headers {
			raw += name + ": " + value + "\r\n"
		}
		raw += "\r\n" + r.Body
	}
	m, _, err := classify.ParseHTTP([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func compareSubjects(t *testing.T, f *classify.Findings, want []vendor.ExampleSubject) {
	people, fields := f.People(), f.Fields()
	if len(people) != len(want) {
		t.Errorf("%d people, want %d", len(people), len(want))
	}
	for i := range min(len(people), len(want)) {
		ids := map[string][]string{}
		for _, id := range people[i].Identifiers {
			ids[id.Kind.String()] = append(ids[id.Kind.String()], id.Value)
		}
		if fmt.Sprint(ids) != fmt.Sprint(map[string][]string(want[i].Identifiers)) {
			t.Errorf("person %d: identifiers %v, want %v", i, ids, want[i].Identifiers)
		}
		found := slices.Collect(f.Of(i))
		if len(found) != len(want[i].Fields) {
			t.Errorf("person %d: %d fields, want %d", i, len(found), len(want[i].Fields))
		}
		for n := range min(len(found), len(want[i].Fields)) {
			got, w := fields[found[n]], want[i].Fields[n]
			if got.Category.Key() != w.Category || got.Value() != w.Value || w.Path != "" && got.Path != w.Path {
				t.Errorf("person %d: found %s at %s: %q, want %s at %s: %q", i, got.Category, got.Path, got.Value(), w.Category, w.Path, w.Value)
			}
		}
	}
}
