package minimize

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"cordon/internal/classify"
	"cordon/internal/vendor"
)

// The API's encoder refuses other bytes, as RFC 8259 section 8.1 demands.
func TestAnswerAboutBytesThatAreNoUTF8IsUTF8(t *testing.T) {
	s, problems := vendor.Parse("v.yaml", []byte("{vendor: v, name: V, catalogue: stripe, unclassified: pass}"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	a, err := Test(s, &classify.Message{
		Method: "POST", Path: "/v1/customers/%FFada@example.org", Query: "%FE=x",
		Header: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   []byte("name=A%FF&\xfe\xff=b&metadata[\xff]=c"),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range a.Subjects {
		for _, id := range p.Identifiers {
			if !utf8.ValidString(id) {
				t.Errorf("identifier %q", id)
			}
		}
		for _, f := range p.Fields {
			if !utf8.ValidString(f.Path) || !utf8.ValidString(f.Value) {
				t.Errorf("field %q = %q", f.Path, f.Value)
			}
		}
	}
	for _, u := range append(a.Unmapped, a.Route, a.Cleared, a.Detail) {
		if !utf8.ValidString(u) {
			t.Errorf("%q", u)
		}
	}
	if out, err := json.Marshal(a); err != nil || !strings.Contains(string(out), `A\ufffd`) && !strings.Contains(string(out), "A\ufffd") {
		t.Errorf("%s, %v", out, err)
	}
}
