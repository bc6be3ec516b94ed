package classify

import (
	"fmt"
	"testing"
)

func TestWhatAnAnswerTells(t *testing.T) {
	s := spec(t, `
  - {on: POST /customers, fields: {email: user.contact.email}}
  - {on: POST /customers, in: response, fields: {id: user.unique_id.pseudonymous, 'data.attributes.email': user.contact.email}}
`)
	c := classifier(t, s)
	r := s.Match("POST", "/customers")
	header := map[string][]string{"Content-Type": {"application/json"}}
	for _, a := range []struct {
		status int
		body   string
		want   string
	}{
		{201, `{"id":"cus_1","email":"x@example.org","data":{"attributes":{"email":"Ada@example.org"}}}`, "[pseudonym cus_1 acme email ada@example.org ]"},
		{200, `{"id":17}`, "[pseudonym 17 acme]"},
		{400, `{"id":"cus_1"}`, "[]"},
		{201, `{"id":"cus_1","id":"cus_2"}`, "[]"},
		{201, `{"id":"cus_1"`, "[]"},
		{201, `{"error":"id"}`, "[]"},
		{201, ``, "[]"},
	} {
		var list []string
		for _, id := range c.Learn(r, a.status, header, []byte(a.body)) {
			list = append(list, fmt.Sprintf("%s %s %s", id.Kind, id.Value, id.Vendor))
		}
		if got := fmt.Sprint(list); got != a.want {
			t.Errorf("%d %s tells %s, want %s", a.status, a.body, got, a.want)
		}
	}
	// A request is not read by what is mapped for the answer.
	f := read(t, `
  - {on: POST /c, in: response, fields: {id: user.unique_id}}
`, message("/c", "application/json", `{"id":"1"}`))
	expect(t, f, `: unclassified id="1"`)
}
