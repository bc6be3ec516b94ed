package classify

import (
	"net/url"
	"testing"
)

func TestWhomASearchAsksForIsAPerson(t *testing.T) {
	const mapping = `
  - {on: GET /s, in: query, fields: {q: user.content.private}}
`
	for q, asked := range map[string]bool{
		"email:'ada@x.example'":                            true,
		`equals(email,"ada@x.example")`:                    true,
		`profile.email eq "ada@x.example" and status eq 1`: true,
		"type:user email:ada@x.example":                    true,
		"role:end-user (email=ada@x.example)":              true,
		"is ada@x.example the one":                         false,
		`she said "ada@x.example"`:                         false,
		"write to: ada@x.example":                          false,
		"(ada@x.example)":                                  false,
	} {
		m := &Message{Method: "GET", Path: "/s", Query: "q=" + url.QueryEscape(q)}
		f := read(t, mapping, m)
		people := f.People()
		got := len(people) > 0 && len(people[0].Identifiers) == 1 && people[0].Identifiers[0].Value == "ada@x.example"
		if got != asked {
			t.Errorf("%s:\n%s", q, show(f))
		}
	}
}
