package classify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"cordon/internal/exposure"
)

func TestWhatABatchSharesConcernsItsOwnRecipientsOnly(t *testing.T) {
	f := read(t, mail, message("/mail", "application/json", `{"subject":"S","people":[
		{"to":[{"email":"Ada@Example.org","name":"Ada"},{"email":"bob@example.org"}],"subject":"one"},
		{"to":[{"email":"carl@example.org"}],"data":{"x":1}}]}`))
	expect(t, f, `
email=ada@example.org: user.content.private subject="S" user.contact.email people[0].to[0].email="Ada@Example.org" user.name people[0].to[0].name="Ada" user.content.private people[0].subject="one"
email=bob@example.org: user.content.private subject="S" user.contact.email people[0].to[1].email="bob@example.org" user.content.private people[0].subject="one"
email=carl@example.org: user.content.private subject="S" user.contact.email people[1].to[0].email="carl@example.org" user.content.private people[1].data.x="1"`)
}

func TestOneIdentifierIsOnePerson(t *testing.T) {
	f := read(t, `
  - {on: POST /x, subjects: 'a[]', fields: {email: user.contact.email, id: user.unique_id, note: user.content.private}}
`, message("/x", "application/json", `{"a":[{"email":"ada@example.org","note":"1"},{"id":"7","note":"2"},{"id":"8"},{"email":"ADA@example.org","id":"7","note":"3"}]}`))
	expect(t, f, `
email=ada@example.org user_id=7: user.contact.email a[0].email="ada@example.org" user.content.private a[0].note="1" user.unique_id a[1].id="7" user.content.private a[1].note="2" user.contact.email a[3].email="ADA@example.org" user.unique_id a[3].id="7" user.content.private a[3].note="3"
user_id=8: user.unique_id a[2].id="8"`)
}

func TestFieldsWithoutAPersonGoAroundThenToNobody(t *testing.T) {
	const mapping = `
  - {on: POST /x, fields: {email: user.contact.email}}
  - {on: POST /x, subjects: 'items[]', fields: {note: user.content.private, 'who.email': none}}
  - {on: POST /x, subjects: 'items[].who', fields: {phone: user.contact.phone_number}}
`
	expect(t, read(t, mapping, message("/x", "application/json", `{"email":"ada@example.org","items":[{"note":"hers"},{"note":"his","who":{"phone":"+442071838750"}}]}`)), `
email=ada@example.org: user.contact.email email="ada@example.org" user.content.private items[0].note="hers"
phone=+442071838750: user.content.private items[1].note="his" user.contact.phone_number items[1].who.phone="+442071838750"`)
	expect(t, read(t, mapping, message("/x", "application/json", `{"items":[{"note":"whose?"}]}`)), `
: user.content.private items[0].note="whose?"`)
}

func TestAnUnmappedLeafConcernsThoseAroundIt(t *testing.T) {
	f := read(t, mail, message("/mail", "application/json", `{"people":[{"to":[{"email":"a@b.c","vip":true}]},{"to":[{"email":"d@e.f"}],"tier":"gold"}],"campaign":"x"}`))
	expect(t, f, `
email=a@b.c: user.contact.email people[0].to[0].email="a@b.c" unclassified people[0].to[0].vip="true" unclassified campaign="x"
email=d@e.f: user.contact.email people[1].to[0].email="d@e.f" unclassified people[1].tier="gold" unclassified campaign="x"`)
	if want := []string{"people[].to[].vip", "people[].tier", "campaign"}; !slices.Equal(f.Unmapped(), want) {
		t.Errorf("unmapped: %v", f.Unmapped())
	}
}

func TestKeysThatLookPersonalAreNotShown(t *testing.T) {
	f := read(t, flat, message("/person", "application/json", `{"x":{"ada@example.org":1,"442071838750":2,"Ada Lovelace":3,"plan":4}}`))
	if want := []string{"x.*", "x.plan"}; !slices.Equal(f.Unmapped(), want) {
		t.Errorf("unmapped: %v", f.Unmapped())
	}
}

func TestAKeyThatIsAnAddressIsALeaf(t *testing.T) {
	f := read(t, flat, message("/person", "application/json", `{"to":{"ada@example.org":null,"plan":null},"amount":1}`))
	expect(t, f, `email=ada@example.org: user.contact.email to.ada@example.org="ada@example.org"
		: unclassified to.ada@example.org="ada@example.org"`)
	if out, err := f.Rewrite(dropAll(f)); err != nil || string(out.Body) != `{"to":{"plan":null},"amount":1}` {
		t.Errorf("rewritten to %s, %v", out.Body, err)
	}
	m := message("/person", formType, "ada%40example.org=&plan=&x[y]=")
	m.Query = "bob@example.org"
	f = read(t, flat, m)
	expect(t, f, `email=bob@example.org: user.contact.email ?*="bob@example.org"
		email=ada@example.org: user.contact.email *="ada@example.org"
		: unclassified ?*="bob@example.org" unclassified *="ada@example.org"`)
	if out, err := f.Rewrite(dropAll(f)); err != nil || string(out.Body) != "plan=&x[y]=" || out.Query != "" {
		t.Errorf("rewritten to %s ? %s, %v", out.Body, out.Query, err)
	}
}

func TestASingleValueAndAListAreReadAlike(t *testing.T) {
	f := read(t, mail, message("/mail", "application/json", `{"people":{"to":{"email":["a@b.c","d@e.f"]}}}`))
	expect(t, f, `email=a@b.c: user.contact.email people.to.email[0]="a@b.c"
		email=d@e.f: user.contact.email people.to.email[1]="d@e.f"`)
	f = read(t, flat, message("/person", "application/json", `[{"email":"a@b.c"},{"email":"d@e.f","name":"D"}]`))
	expect(t, f, "email=a@b.c: user.contact.email [0].email=\"a@b.c\"\nemail=d@e.f: user.contact.email [1].email=\"d@e.f\" user.name [1].name=\"D\"")
}

func TestManifestAddsToThePeopleOfTheCatalogue(t *testing.T) {
	f := read(t, `
  - {on: POST /x, subjects: 'to[]', fields: {nick: user.account.username, mail: user.content.private}}
  - {on: POST /x, subjects: 'to[]', fields: {mail: user.contact.email}}
`, message("/x", "application/json", `{"to":[{"nick":"ada","mail":"ada@example.org"}]}`))
	expect(t, f, `username=ada: user.account.username to[0].nick="ada" user.content.private to[0].mail="ada@example.org"
		: user.contact.email to[0].mail="ada@example.org"`)
}

// TestEveryPersonHasExactlyTheirFields builds batches of invented people and
// compares with what was put in.
func TestEveryPersonHasExactlyTheirFields(t *testing.T) {
	s := spec(t, mail)
	c := classifier(t, s)
	rapid.Check(t, func(t *rapid.T) {
		type to struct {
			Email string `json:"email"`
			Name  string `json:"name,omitempty"`
		}
		type batch struct {
			To      []to           `json:"to"`
			Subject string         `json:"subject,omitempty"`
			Data    map[string]int `json:"data,omitempty"`
		}
		var body struct {
			People  []batch `json:"people"`
			Subject string  `json:"subject,omitempty"`
		}
		text := rapid.StringMatching(`[ -~é]{0,6}`)
		body.Subject = text.Draw(t, "subject")
		want := map[string][]string{}
		for p := range rapid.IntRange(1, 30).Draw(t, "personalizations") {
			b := batch{Subject: text.Draw(t, "own subject")}
			if n := rapid.IntRange(0, 3).Draw(t, "data"); n > 0 {
				b.Data = map[string]int{"k": n}
			}
			for n := range rapid.IntRange(1, 4).Draw(t, "recipients") {
				r := to{fmt.Sprintf("p%d.%d@example.org", p, n), text.Draw(t, "name")}
				b.To = append(b.To, r)
				fields := []string{"user.contact.email=" + r.Email}
				add := func(category, value string) {
					if value != "" {
						fields = append(fields, category+"="+value)
					}
				}
				add("user.name", r.Name)
				add("user.content.private", b.Subject)
				add("user.content.private", body.Subject)
				if b.Data != nil {
					add("user.content.private", fmt.Sprint(b.Data["k"]))
				}
				slices.Sort(fields)
				want[r.Email] = fields
			}
			body.People = append(body.People, b)
		}
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		m := message("/mail", "application/json", string(raw))
		f := c.Classify(s.Match("POST", "/mail"), m)
		sets := f.Sets(func(int) (exposure.Form, bool) { return exposure.Clear, true })
		if len(f.People()) != len(want) {
			t.Fatalf("%d people, want %d", len(f.People()), len(want))
		}
		for i, p := range f.People() {
			var got []string
			var set exposure.Set
			for n := range f.Of(i) {
				got = append(got, f.Fields()[n].Category.Key()+"="+f.Fields()[n].Value())
				set.Add(f.Fields()[n].Category, exposure.Clear)
			}
			slices.Sort(got)
			if id := p.Identifiers[0].Value; !slices.Equal(got, want[id]) {
				t.Fatalf("%s has %q, want %q", id, got, want[id])
			}
			if set != sets[i] {
				t.Fatalf("set %s, fields say %s", sets[i], set)
			}
		}
	})
}

func TestABatchOfAThousandIsLinear(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"people":[`)
	for i := range 1000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"to":[{"email":"p%d@example.org","name":"P"}],"data":{"code":"c%d"}}`, i, i)
	}
	b.WriteString(`]`)
	for i := range 500 { // what everybody shares is not copied a thousand times
		fmt.Fprintf(&b, `,"extra%d":%d`, i, i)
	}
	b.WriteString(`}`)
	f := read(t, mail, message("/mail", "application/json", b.String()))
	linear(t, f)
	if n := len(f.People()); n != 1000 {
		t.Fatalf("%d people", n)
	}
	own := 0
	for _, p := range f.People() {
		own += len(p.Fields)
	}
	if own > len(f.Fields()) {
		t.Errorf("%d fields are listed %d times", len(f.Fields()), own)
	}
	sets := f.Sets(func(int) (exposure.Form, bool) { return exposure.Clear, true })
	for i, s := range sets {
		if s != exposure.SetOf(exposure.Email, exposure.Name, exposure.Text, exposure.Unclassified) {
			t.Fatalf("person %d has %s", i, s)
		}
	}
	allocs := testing.AllocsPerRun(3, func() {
		f.Sets(func(int) (exposure.Form, bool) { return exposure.Clear, true })
	})
	if allocs > 2 {
		t.Errorf("the sets of a thousand took %v allocations", allocs)
	}
}

// What cannot be a number says nothing of who the message is about.
func TestNoNumberInThePlaceOfANumber(t *testing.T) {
	const mapping = `
  - {on: POST /a, fields: {phone: user.contact.phone_number, name: user.name}}
  - {on: POST /a, subjects: 'to[]', fields: {'=': user.contact.email}}
  - {on: POST /a, subjects: 'also[]', fields: {phone: user.contact.phone_number, name: user.name}}
`
	expect(t, read(t, mapping, message("/a", "application/json", `{"phone":"n/a","name":"Ada","to":["ada@x.example"]}`)), `
	email=ada@x.example: user.contact.phone_number phone="n/a" user.name name="Ada" user.contact.email to[0]="ada@x.example"`)
	expect(t, read(t, mapping, message("/a", "application/json", `{"phone":"+442071838750","also":[{"phone":"none","name":"Bob"}]}`)), `
	phone=+442071838750: user.contact.phone_number phone="+442071838750"
	: user.contact.phone_number also[0].phone="none" user.name also[0].name="Bob"`)
}
