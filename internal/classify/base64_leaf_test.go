package classify

import (
	"testing"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// SendGrid's older ids of recipients are base64 of the address.
func TestTheTextInBase64IsWhatTheMappingSays(t *testing.T) {
	spec, problems := vendor.Parse("a.yaml", []byte("vendor: a\nupstream: https://api.a.example\nmapping:\n"+
		"  - {on: 'GET /r/{id}', in: path, fields: {id|base64: user.contact.email}}\n"+
		"  - {on: POST /r, subjects: '[]', fields: {'=|base64': user.contact.email}}\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c, err := Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	for people, m := range map[int]*Message{
		1: {Method: "GET", Path: "/r/YWRhQGV4YW1wbGUub3Jn"},
		2: {Method: "POST", Path: "/r", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(`["YWRhQGV4YW1wbGUub3Jn","Ym9iQGV4YW1wbGUub3Jn"]`)},
	} {
		f := c.Classify(spec.Match(m.Method, m.Path), m)
		if got := f.People(); len(got) != people || len(f.Fields()) != people || f.Fields()[0].Category != exposure.Email || f.Fields()[0].Value() != "ada@example.org" {
			t.Errorf("%s: %+v %+v", m.Method, got, f.Fields())
		}
	}
}
