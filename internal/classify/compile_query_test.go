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
	for subjects, ok := range map[string]bool{"data|base64|json[]": true, "data|json": true, "data[]": false, "data": false} {
		_, problems := vendor.Parse("m.yaml", []byte("vendor: m\nupstream: https://api.m.example\nmapping:\n"+
			"  - {on: GET /track, in: query, subjects: '"+subjects+"', fields: {event: user.behavior}}\n"))
		if got := len(problems) == 0; got != ok || !ok && !strings.Contains(problems[0].Fix, "data|base64|json[]") {
			t.Errorf("%s: %v", subjects, problems)
		}
	}
}
