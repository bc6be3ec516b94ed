package classify

import (
	"strings"
	"testing"

	"cordon/internal/vendor"
)

// Mixpanel's older libraries send several events, base64 JSON, in one parameter.
func TestSeveralPeopleInOneParameterOfAQuery(t *testing.T) {
	spec, problems := vendor.Parse("m.yaml", []byte("vendor: m\nupstream: https://api.m.example\nmapping:\n"+
		"  - {on: GET /track, in: query, subjects: 'data|base64|json[]', fields: {event: user.behavior, properties.distinct_id: user.unique_id, 'properties.list[].email': user.contact.email}}\n"+
		"  - {on: GET /track, in: query, fields: {ip: none}}\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c, err := Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	// [{"event":"a","properties":{"distinct_id":"u-1"}},{"event":"b","properties":{"distinct_id":"u-2"}}]
	m := &Message{Method: "GET", Path: "/track", Query: "ip=0&data=W3siZXZlbnQiOiJhIiwicHJvcGVydGllcyI6eyJkaXN0aW5jdF9pZCI6InUtMSJ9fSx7ImV2ZW50IjoiYiIsInByb3BlcnRpZXMiOnsiZGlzdGluY3RfaWQiOiJ1LTIifX1d"}
	f := c.Classify(spec.Match(m.Method, m.Path), m)
	people := f.People()
	if len(people) != 2 || len(people[0].Fields) != 2 || people[1].Identifiers[0].Value != "u-2" || len(f.Incomplete()) > 0 {
		t.Fatalf("%+v %v", people, f.Incomplete())
	}
}

func TestSubjectsOfAQueryStandInAParameter(t *testing.T) {
	for subjects, ok := range map[string]bool{"data|base64|json[]": true, "data|json": true, "data[]": true, "data": false, "[]": false} {
		_, problems := vendor.Parse("m.yaml", []byte("vendor: m\nupstream: https://api.m.example\nmapping:\n"+
			"  - {on: GET /track, in: query, subjects: '"+subjects+"', fields: {event: user.behavior}}\n"))
		if got := len(problems) == 0; got != ok || !ok && !strings.Contains(problems[0].Fix, "data|base64|json[]") {
			t.Errorf("%s: %v", subjects, problems)
		}
	}
}

// A parameter that comes several times names as many people; alone and without
// brackets it is whatever the message as a whole says it is.
func TestRepeatedParameterOfAQueryNamesSeveralPeople(t *testing.T) {
	const mapping = `
  - {on: GET /status, in: query, subjects: 'email[]', fields: {'=': user.contact.email}}
  - {on: GET /status, in: query, fields: {email: user.contact.email, id: user.unique_id, group: none}}
`
	get := func(query string) *Findings {
		return read(t, mapping, &Message{Method: "GET", Path: "/status", Query: query})
	}
	expect(t, get("group=g&email[]=ada%40example.org&email%5B%5D=bob%40example.org"), `
		email=ada@example.org: user.contact.email ?email[0]="ada@example.org"
		email=bob@example.org: user.contact.email ?email[1]="bob@example.org"`)
	expect(t, get("email=ada%40example.org&id=u-17"), `
		email=ada@example.org user_id=u-17: user.contact.email ?email="ada@example.org" user.unique_id ?id="u-17"`)
}
