package classify

import (
	"strings"
	"sync"
	"testing"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

func TestANamedKeyHidesNothingThatAStarSays(t *testing.T) {
	f := read(t, `
  - {on: POST /x, fields: {'who.*.email': user.contact.email, 'who.*.name': user.name, 'who.owner.name': none, 'who.*.tags[].text': user.content.private}}
`, message("/x", "application/json", `{"who":{"owner":{"name":"Acme","email":"ada@example.org","tags":[{"text":"t"}]},"guest":{"name":"Bob"}}}`))
	expect(t, f, `email=ada@example.org: user.contact.email who.owner.email="ada@example.org" user.content.private who.owner.tags[0].text="t" user.name who.guest.name="Bob"`)
}

func TestACategoryCoversWhatNothingBelowNames(t *testing.T) {
	f := read(t, `
  - {on: POST /x, fields: {a: user.location.imprecise, a.b.lat: user.location.precise, a.skip: none}}
`, message("/x", "application/json", `{"a":{"b":{"lat":1,"city":"X"},"skip":{"deep":["y"]},"c":[[2]]}}`))
	expect(t, f, `: user.location.precise a.b.lat="1" user.location.imprecise a.b.city="X" user.location.imprecise a.c[0][0]="2"`)
}

func TestKeysWithDotsAreQuoted(t *testing.T) {
	f := read(t, `
  - {on: POST /x, fields: {'a."user.email"': user.contact.email}}
`, message("/x", "application/json", `{"a":{"user.email":"ada@example.org"}}`))
	if len(f.People()) != 1 || len(f.People()[0].Identifiers) != 1 {
		t.Errorf("found %s", show(f))
	}
}

func TestAPathWithTwoReadingsIsIncomplete(t *testing.T) {
	s := spec(t, flat)
	m := message("/PERSON", "application/json", `{"email":"ada@example.org"}`)
	r := s.Match("POST", m.Path)
	if !r.Ambiguous {
		t.Fatalf("%s is not ambiguous", m.Path)
	}
	f := classifier(t, s).Classify(r, m)
	expect(t, &f, "email=ada@example.org: user.contact.email email=\"ada@example.org\"\n: unclassified email=\"ada@example.org\"", exposure.IncompletePath)
}

func TestSegmentsWithoutANameAreLookedAt(t *testing.T) {
	f := read(t, `
  - {on: 'POST /x/*/y/{id}/**', in: path, fields: {id: user.unique_id}}
`, message("/x/ada@example.org/y/1234567/z/4471", "", ""))
	expect(t, f, `user_id=1234567: user.unique_id {id}="1234567" unclassified {*}="ada@example.org" unclassified {*}="4471"
		email=ada@example.org: user.contact.email {*}="ada@example.org"`)
}

func TestARouteOfAnotherSpecIsNotMapped(t *testing.T) {
	a, b := spec(t, flat), spec(t, mail)
	m := message("/person", "application/json", `{"email":"ada@example.org"}`)
	f := classifier(t, b).Classify(a.Match("POST", m.Path), m)
	expect(t, &f, "email=ada@example.org: user.contact.email email=\"ada@example.org\"\n: unclassified email=\"ada@example.org\"")
}

func TestMappingsThatCannotBeCompiled(t *testing.T) {
	for _, m := range []vendor.Mapping{
		{Subjects: "a..b", Fields: map[string]string{"x": "user.name"}},
		{Subjects: ".", Fields: map[string]string{"": "user.name"}},
		{Subjects: ".", Fields: map[string]string{"x": "user.nam"}},
		{Subjects: ".", In: "cookie", Fields: map[string]string{"x": "user.name"}},
	} {
		s := spec(t, flat)
		s.Routes = append(s.Routes, vendor.RouteSpec{Name: "POST /y", Mappings: []vendor.Mapping{m}})
		if _, err := Compile(s); err == nil || !strings.Contains(err.Error(), "POST /y") {
			t.Errorf("%+v: %v", m, err)
		}
	}
}

// TestManyGoroutinesReadAtOnce is for the race detector: the memory that walks
// share must not show in what they find.
func TestManyGoroutinesReadAtOnce(t *testing.T) {
	s := spec(t, mail)
	c := classifier(t, s)
	var wg sync.WaitGroup
	for _, name := range []string{"ada", "bob", "carl", "dora"} {
		wg.Go(func() {
			m := message("/mail", "application/json", `{"people":[{"to":[{"email":"`+name+`@example.org"}]}],"x":"`+name+`"}`)
			want := "email=" + name + "@example.org: user.contact.email people[0].to[0].email=\"" + name + "@example.org\" unclassified x=\"" + name + "\"\n"
			for range 200 {
				f := c.Classify(s.Match("POST", "/mail"), m)
				if got := show(&f); got != want {
					t.Errorf("got %s, want %s", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}
