package classify

import (
	"strings"
	"testing"

	"cordon/internal/exposure"
)

func TestAnAddressThatServesAsAKeyIsFound(t *testing.T) {
	for name, c := range map[string]struct{ path, body string }{
		"of a form":                    {"/unknown", `carol%40example.net=1&b=2`},
		"in brackets of a form":        {"/unknown", `to[carol%40example.net]=1`},
		"without an escape":            {"/unknown", `carol@example.net=1`},
		"on a route that nothing maps": {"/unknown", `{"prefs":{"carol@example.net":{"daily":true}}}`},
		"with a scalar":                {"/unknown", `{"carol@example.net":3}`},
		"with null":                    {"/unknown", `{"carol@example.net":null}`},
		"in what a mapping covers":     {"/person", `{"id":"u1","meta":{"carol@example.net":[1,2]}}`},
	} {
		f := read(t, flat, message(c.path, typeOfBody(c.body), c.body))
		found := false
		for _, at := range f.Fields() {
			found = found || at.Category == exposure.Email && at.Value() == "carol@example.net"
		}
		if !found || len(f.Incomplete()) > 0 {
			t.Errorf("%s: incomplete %v:\n%s", name, f.Incomplete(), show(f))
		}
		for _, template := range f.Unmapped() {
			if strings.Contains(template, "carol") {
				t.Errorf("%s: template %q", name, template)
			}
		}
		if out, err := f.Rewrite(nil); err != nil || string(out.Body) != c.body {
			t.Errorf("%s: left %s, %v", name, out.Body, err)
		}
	}
}

func typeOfBody(body string) string {
	if body[0] == '{' {
		return "application/json"
	}
	return formType
}

// A list where one address is mapped names several people; one of them would
// otherwise be on record as the other for good.
func TestAListWhereOneAddressIsMappedIsSeveralPeople(t *testing.T) {
	for name, m := range map[string]*Message{
		"list":   message("/person", "application/json", `{"email":["ada@example.org","carol@example.net"],"name":"x"}`),
		"object": message("/person", "application/json", `{"email":{"home":"ada@example.org","boss":"carol@example.net"}}`),
		"form":   message("/person", formType, `email[]=ada@example.org&email[]=carol@example.net`),
		"forms":  message("/person", formType, `email[0]=ada@example.org&%65mail=carol@example.net`),
	} {
		f := read(t, flat, m)
		people := 0
		for _, p := range f.People() {
			people += min(1, len(p.Identifiers))
			if len(p.Identifiers) > 1 {
				t.Errorf("%s: one person has %v", name, p.Identifiers)
			}
		}
		if people != 2 {
			t.Errorf("%s: %d people\n%s", name, people, show(f))
		}
	}
	// The mapping's own list is one person's.
	f := read(t, "  - on: PUT /contacts\n    subjects: contacts[]\n    fields: {email: user.contact.email, 'other[]': user.contact.email}\n",
		&Message{Method: "PUT", Path: "/contacts", Header: map[string][]string{"Content-Type": {"application/json"}},
			Body: []byte(`{"contacts":[{"email":"ada@example.org","other":["a2@example.org","a3@example.org"]},{"email":"bob@example.org"}]}`)})
	if n := len(f.People()); n != 2 || len(f.People()[0].Identifiers) != 3 {
		t.Errorf("a list of further addresses: %s", show(f))
	}
}

func TestAFormInUTF16IsIncomplete(t *testing.T) {
	f := read(t, flat, message("/person", formType, "e\x00m\x00a\x00i\x00l\x00=\x00b\x00@\x00c\x00.\x00d\x00e\x00"))
	if len(f.Incomplete()) == 0 {
		t.Error("it is complete")
	}
}
