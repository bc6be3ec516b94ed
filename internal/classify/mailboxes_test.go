package classify

import (
	"strings"
	"testing"
)

const mailed = `
  - {on: POST /send, fields: {to: user.contact.email, 'copy[]': user.contact.email, subject: user.content.private}}
  - {on: POST /send, in: header, fields: {X-To: user.contact.email}}
  - {on: POST /send, in: query, fields: {to: user.contact.email}}
  - {on: POST /send, subjects: 'people[]', fields: {email: user.contact.email, name: user.name}}
`

func TestListWhereOneAddressIsMapped(t *testing.T) {
	for name, m := range map[string]*Message{
		"json":       message("/send", "application/json", `{"to":"Ada <ada@x.example>, bob@x.example","subject":"Hi"}`),
		"semicolons": message("/send", "application/json", `{"to":"Ada <ada@x.example>; bob@x.example","subject":"Hi"}`),
		"escapes":    message("/send", "application/json", `{"to":"Ada \u003cada\u0040x.example>,bob\u0040x.example","subject":"Hi"}`),
		"form":       message("/send", "application/x-www-form-urlencoded", `to=Ada+%3Cada%40x.example%3E%2C+bob%40x.example&subject=Hi`),
	} {
		t.Run(name, func(t *testing.T) {
			f := read(t, mailed, m)
			expect(t, f, `
	email=ada@x.example: user.name to|addresses[0].name="Ada" user.contact.email to|addresses[0].email="ada@x.example" user.content.private subject="Hi"
	email=bob@x.example: user.contact.email to|addresses[1].email="bob@x.example" user.content.private subject="Hi"`)
		})
	}
}

func TestListOfAddressesInAHeaderAndInAQuery(t *testing.T) {
	m := message("/send", "", "")
	m.Query = "to=c@x.example,d@x.example"
	m.Header["X-To"] = []string{"Ada <ada@x.example>, bob@x.example"}
	f := read(t, mailed, m)
	if n := len(f.People()); n != 4 {
		t.Fatalf("%d people:\n%s", n, show(f))
	}
	var edits []Edit
	for i, at := range f.Fields() {
		if at.Value() == "bob@x.example" || at.Value() == "c@x.example" {
			edits = append(edits, Edit{Field: i, Value: "t@x.example"})
		}
	}
	out, err := f.Rewrite(edits)
	if err != nil || out.Header["X-To"][0] != "Ada <ada@x.example>, t@x.example" || out.Query != "to=t%40x.example,d@x.example" {
		t.Errorf("%v %v %v", out.Header, out.Query, err)
	}
}

func TestPiecesOfAListAreWrittenEach(t *testing.T) {
	f := read(t, mailed, message("/send", "application/json", `{"to":"Ada <ada@x.example>; bob@x.example"}`))
	out, err := f.Rewrite([]Edit{{Field: 0, Value: "Eve"}, {Field: 2, Drop: true}})
	if err != nil || string(out.Body) != `{"to":"Eve <ada@x.example>"}` {
		t.Errorf("%s %v", out.Body, err)
	}
}

func TestNameBeforeOneAddress(t *testing.T) {
	f := read(t, mailed, message("/send", "application/json", `{"to":"\"Lovelace, Ada\" <ada@x.example>","people":[{"email":"bob@x.example (Bob)"}],"copy":["<carl@x.example>"]}`))
	expect(t, f, `
	email=ada@x.example email=carl@x.example: user.name to="Lovelace, Ada" user.contact.email to="ada@x.example" user.contact.email copy[0]="carl@x.example"
	email=bob@x.example: user.contact.email people[0].email="bob@x.example" user.name people[0].email="Bob"`)
	out, err := f.Rewrite([]Edit{{Field: 0, Value: "Eve"}, {Field: 1, Value: "t@x.example"}})
	if err != nil || !strings.HasPrefix(string(out.Body), `{"to":"Eve <t@x.example>",`) {
		t.Errorf("%s %v", out.Body, err)
	}
}

func TestMailboxesAsTheyAreWritten(t *testing.T) {
	for to, want := range map[string]string{
		"a@x.example;":                    `email=a@x.example: user.contact.email to="a@x.example"`,
		"a@x.example <A@x.example>":       `email=a@x.example: user.contact.email to="a@x.example" user.contact.email to="A@x.example"`,
		"boss@x.example <a@x.example>":    `email=a@x.example: user.name to="boss@x.example" user.contact.email to="a@x.example"`,
		"undisclosed-recipients:;":        `: user.contact.email to="undisclosed-recipients:;"`,
		"a@x.example,":                    `email=a@x.example: user.contact.email to="a@x.example"`,
		"Jürgen Müller <j@xn--x.example>": `email=j@xn--x.example: user.name to="Jürgen Müller" user.contact.email to="j@xn--x.example"`,
	} {
		expect(t, read(t, mailed, message("/send", "application/json", `{"to":"`+to+`"}`)), want)
	}
	f := read(t, mailed, message("/send", "application/json", `{"to":"a@x.example b@x.example"}`))
	if len(f.People()) != 2 || len(f.Incomplete()) != 1 {
		t.Errorf("%v\n%s", f.Incomplete(), show(f))
	}
	long := read(t, mailed, message("/send", "application/json", `{"to":"`+strings.Repeat("Ada <a@x.example>, ", 20000)+`"}`))
	linear(t, long)
}
