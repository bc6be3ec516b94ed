package classify

import "testing"

// What a mapping says of every key must not hide a list of people beside it: a
// form and JSON may write a single one without the list.
func TestStarLeavesListsBesideItAsTheyAreMapped(t *testing.T) {
	const mapping = `
  - {on: POST /mail, subjects: 'to[]|addresses[]', fields: {email: user.contact.email, name: user.name}}
  - {on: POST /mail, subjects: 'cc[]', fields: {'=': user.contact.email}}
  - {on: POST /mail, fields: {'*': user.content.private}}
`
	for _, test := range []struct{ kind, body string }{
		{"application/x-www-form-urlencoded", "to=Ada+%3Cada%40example.org%3E&cc=bob%40example.org&v=u-17"},
		{"application/json", `{"to":["Ada <ada@example.org>"],"cc":"bob@example.org","v":"u-17"}`},
	} {
		f := read(t, mapping, message("/mail", test.kind, test.body))
		people := f.People()
		if len(people) != 2 || people[0].Identifiers[0].Value != "ada@example.org" || people[1].Identifiers[0].Value != "bob@example.org" {
			t.Errorf("%s: %+v", test.kind, people)
		}
		if unmapped := f.Unmapped(); len(unmapped) > 0 {
			t.Errorf("%s: nothing names %v", test.kind, unmapped)
		}
	}
}
