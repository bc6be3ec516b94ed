package classify

import (
	"strings"
	"testing"

	"cordon/internal/exposure"
)

func TestLinesAreMessages(t *testing.T) {
	body := "{\"email\":\"ada@example.org\",\"name\":\"Ada\"}\n\n{\"email\":\"bob@example.org\",\"name\":\"Bob\"}\r\n"
	want := `email=ada@example.org: user.contact.email [0].email="ada@example.org" user.name [0].name="Ada"
		email=bob@example.org: user.contact.email [1].email="bob@example.org" user.name [1].name="Bob"`
	for _, contentType := range []string{"application/x-ndjson", "application/jsonl; charset=utf-8", "", "text/plain"} {
		expect(t, read(t, flat, message("/person", contentType, body)), want)
	}
	f := read(t, flat, message("/person", "application/x-ndjson", body))
	if got := changed(t, f, "email", Edit{Drop: true}); got != strings.Replace(body, `"email":"ada@example.org",`, "", 1) {
		t.Error(got)
	}
	expect(t, read(t, flat, message("/person", "application/x-ndjson", "{\"name\":\"Ada\"}\n{")), `: user.name [0].name="Ada"`, exposure.IncompleteSyntax)
	nested := `
  - {on: POST /x, subjects: 'rows|lines[]', fields: {to: user.contact.email, 'n': user.name}}
`
	f = read(t, nested, message("/x", "application/json", `{"rows":"{\"to\":\"ada@example.org\",\"n\":\"A\"}\n{\"to\":\"bob@example.org\",\"n\":\"B\"}"}`))
	expect(t, f, `email=ada@example.org: user.contact.email rows|lines[0].to="ada@example.org" user.name rows|lines[0].n="A"
		email=bob@example.org: user.contact.email rows|lines[1].to="bob@example.org" user.name rows|lines[1].n="B"`)
}

func TestAListOfAddressesInOneString(t *testing.T) {
	mapping := `
  - {on: POST /x, subjects: 'To|addresses[]', fields: {email: user.contact.email, name: user.name}}
`
	body := `{"To":"Ada L <ada@example.org>, bob@example.org","Subject":"x"}`
	f := read(t, mapping, message("/x", "application/json", body))
	expect(t, f, `email=ada@example.org: user.name To|addresses[0].name="Ada L" user.contact.email To|addresses[0].email="ada@example.org" unclassified Subject="x"
		email=bob@example.org: user.contact.email To|addresses[1].email="bob@example.org" unclassified Subject="x"`)
	for i, at := range f.Fields() {
		out, err := f.Rewrite([]Edit{{Field: i, Drop: true}})
		if at.Value() == "ada@example.org" && (err != nil || out.Text != `{"To":"bob@example.org","Subject":"x"}`) {
			t.Errorf("%s, %v", out.Text, err)
		}
	}
	f = read(t, mapping, message("/x", "application/json", `{"To":["ada@example.org"]}`))
	expect(t, f, `email=ada@example.org: user.contact.email To[0]|addresses[0].email="ada@example.org"`)
}

const mailMapping = `
  - {on: SMTP /, subjects: 'envelope.to[]', fields: {'=': user.contact.email}, deliver: ['=']}
  - {on: SMTP /, subjects: 'to|addresses[]', fields: {email: user.contact.email, name: user.name}}
  - {on: SMTP /, fields: {envelope.from: none, from: none, subject: user.content.private, 'text[]': user.content.private, 'html[]': user.content.private, message-id: none, date: none, content-type: none, mime-version: none, content-transfer-encoding: none}}
`

const aMail = "From: shop@shop.example\r\nTo: Ada L <ada@example.org>\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHi Ada=21\r\n" +
	"--b\r\nContent-Type: text/csv; name=people.csv\r\nContent-Disposition: attachment; filename=people.csv\r\n\r\nE-Mail,First name,Points\r\nbob@example.org,Bob,3\r\ncarl@example.org,Carl,4\r\n--b--\r\n"

func TestMailIsReadWithItsEnvelope(t *testing.T) {
	m := &Message{Method: "SMTP", Path: "/", Body: []byte(aMail), Envelope: &Envelope{From: "bounce@shop.example", To: []string{"ada@example.org", "eve@example.org"}}}
	s := spec(t, mailMapping)
	f := classifier(t, s).Classify(s.Match("SMTP", "/"), m)
	got := show(&f)
	for _, want := range []string{
		`email=ada@example.org: user.contact.email envelope.to[0]="ada@example.org"`,
		`email=eve@example.org: user.contact.email envelope.to[1]="eve@example.org"`,
		`user.name to|addresses[0].name="Ada L"`, `subject="Grüße"`, `text[0]="Hi Ada!"`,
		`email=bob@example.org: `, `user.name.first attachments[0].content[0].First name="Bob"`, `email=carl@example.org: `,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
	if len(f.Incomplete()) > 0 {
		t.Errorf("incomplete: %v", f.Incomplete())
	}
	var edits []Edit
	for i, at := range f.Fields() {
		switch {
		case at.Value() == "eve@example.org":
			edits = append(edits, Edit{Field: i, Drop: true})
		case at.Path == "envelope.to[]":
			if !at.Deliver() {
				t.Error("the envelope's recipient is not marked as needed")
			}
			edits = append(edits, Edit{Field: i, Value: "u.token@relay.example"})
		case at.Value() == "Bob":
			edits = append(edits, Edit{Field: i, Value: "B, x"})
		case at.Category == exposure.Text:
			edits = append(edits, Edit{Field: i, Value: "ü"})
		}
	}
	out, err := f.Rewrite(edits)
	if err != nil {
		t.Fatal(err)
	}
	if e := out.Envelope; e == m.Envelope || e.From != "bounce@shop.example" || len(e.To) != 1 || e.To[0] != "u.token@relay.example" {
		t.Errorf("the envelope became %+v", e)
	}
	if !strings.Contains(out.Text, `bob@example.org,"B, x",3`) || strings.Contains(out.Text, "Hi Ada") || !strings.Contains(out.Text, "To: Ada L <ada@example.org>\r\n") {
		t.Errorf("the mail became %s", out.Text)
	}
	if len(m.Envelope.To) != 2 {
		t.Error("the message was changed")
	}
	if out, err := f.Rewrite(keepAll(&f)); err != nil || out.Text != aMail {
		t.Errorf("an edit that changes nothing gave %s, %v", out.Text, err)
	}
}

func TestATableOfPeopleInAnUpload(t *testing.T) {
	csv := "email;Vorname;Nachname;Bestellung\r\nada@example.org;Ada;Lovelace;A-1\r\nbob@example.org;Bob;;A-2\r\n"
	part := "Content-Disposition: form-data; name=\"file\"; filename=\"people.csv\"\nContent-Type: text/csv|" + csv
	f := read(t, nestedMapping, message("/x", multipartType, multi(part)))
	expect(t, f, `email=ada@example.org: user.content.private file.filename="people.csv" user.contact.email file[0].email="ada@example.org" user.name.first file[0].Vorname="Ada" user.name.last file[0].Nachname="Lovelace" unclassified file[0].Bestellung="A-1"
		email=bob@example.org: user.content.private file.filename="people.csv" user.contact.email file[1].email="bob@example.org" user.name.first file[1].Vorname="Bob" unclassified file[1].Bestellung="A-2"`)
	if got := changed(t, f, "file[].Vorname", Edit{Value: "***"}); got != multi(strings.Replace(part, "Ada", "***", 1)) {
		t.Errorf("%q", got)
	}
	f = read(t, `
  - {on: POST /x, subjects: 'rows|csv[]', fields: {email: user.contact.email, n: user.name}}
`, message("/x", "application/json", `{"rows":"email,n\nada@example.org,A\nbob@example.org,B\n"}`))
	expect(t, f, `email=ada@example.org: user.contact.email rows|csv[0].email="ada@example.org" user.name rows|csv[0].n="A"
		email=bob@example.org: user.contact.email rows|csv[1].email="bob@example.org" user.name rows|csv[1].n="B"`)
}

func TestXMLIsReadAndRewritten(t *testing.T) {
	mapping := `
  - {on: POST /x, subjects: 'people.person[kind=user]', fields: {email: user.contact.email, '@id': user.unique_id, note: user.content.private}}
  - {on: POST /x, subjects: 'people.person[]', fields: {kind: none}}
  - {on: POST /y, subjects: 'doc|xml.p.person', fields: {email: user.contact.email}}
`
	body := `<?xml version="1.0"?><people><person id="7"><email>ada@example.org</email><kind>user</kind><note>a &amp; b</note></person><person id="8"><kind>bot</kind><email>none</email></person></people>`
	f := read(t, mapping, message("/x", "text/xml", body))
	expect(t, f, `user_id=7 email=ada@example.org: user.unique_id people.person.@id="7" user.contact.email people.person.email="ada@example.org" user.content.private people.person.note="a & b"
		: unclassified people.person.@id="8" unclassified people.person.email="none"`)
	if got := changed(t, f, "people.person[].note", Edit{Value: "<x>"}); got != strings.Replace(body, "a &amp; b", "&lt;x&gt;", 1) {
		t.Error(got)
	}
	if out, err := f.Rewrite(keepAll(f)); err != nil || out.Text != body {
		t.Errorf("%s, %v", out.Text, err)
	}
	f = read(t, mapping, message("/y", formType, "doc=%3Cp%3E%3Cperson%3E%3Cemail%3Eada%40example.org%3C%2Femail%3E%3C%2Fperson%3E%3C%2Fp%3E"))
	expect(t, f, `email=ada@example.org: user.contact.email doc|xml.p.person.email="ada@example.org"`)
}

func TestBodiesOfSeveralPartsOfOtherKinds(t *testing.T) {
	f := read(t, `
  - {on: POST /x, fields: {'text[]': user.content.private}}
`, message("/x", "multipart/mixed; boundary=b", "--b\r\nContent-Type: text/plain\r\n\r\nHi Ada\r\n--b--\r\n"))
	if !strings.Contains(show(f), `user.content.private text[0]="Hi Ada"`) || len(f.Incomplete()) > 0 {
		t.Errorf("found %s %v", show(f), f.Incomplete())
	}
	if got := changed(t, f, "text[]", Edit{Value: "***"}); got != "--b\r\nContent-Type: text/plain\r\n\r\n***\r\n--b--\r\n" {
		t.Errorf("%q", got)
	}
}

func TestSentryEnvelopes(t *testing.T) {
	payload := `{"user":{"email":"ada@example.org","id":"7"},"message":"x"}`
	body := `{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","sent_at":"2026-11-24T10:00:00Z"}` + "\n" + `{"type":"event","length":59}` + "\n" + payload + "\n"
	mapping := `
  - {on: POST /x, fields: {event.user.email: user.contact.email, event.user.id: user.unique_id, event.message: user.content.private, header: none}}
`
	for _, contentType := range []string{"application/x-sentry-envelope", "", "text/plain;charset=UTF-8"} {
		f := read(t, mapping, message("/x", contentType, body))
		got := show(f)
		if !strings.Contains(got, "email=ada@example.org user_id=7: ") || !strings.Contains(got, `user.content.private event[0].message="x"`) || len(f.Incomplete()) > 0 {
			t.Errorf("%s: found %s %v", contentType, got, f.Incomplete())
		}
		want := strings.Replace(strings.Replace(body, `"x"`, `"Somebody"`, 1), ":59", ":66", 1)
		if got := changed(t, f, "event.message", Edit{Value: "Somebody"}); got != want {
			t.Errorf("%s: got %s\nwant %s", contentType, got, want)
		}
	}
}

func TestBase64InAQuery(t *testing.T) {
	m := message("/x", "", "")
	m.Method, m.Query = "POST", "data=eyJldmVudCI6IngiLCJwcm9wZXJ0aWVzIjp7ImVtYWlsIjoiYWRhQGV4YW1wbGUub3JnIn19"
	f := read(t, nestedMapping, m)
	if got := f.Unmapped(); len(got) != 2 || got[1] != "?data|base64|json.properties.email" {
		t.Errorf("unmapped: %v", got)
	}
	f = read(t, nestedMapping+`
  - {on: POST /x, in: query, fields: {'data|base64|json.properties.email': user.contact.email}}
`, m)
	expect(t, f, `email=ada@example.org: unclassified ?data|base64|json.event="x" user.contact.email ?data|base64|json.properties.email="ada@example.org"`)
	out, err := f.Rewrite([]Edit{{Field: 1, Drop: true}})
	if err != nil || out.Query != "data=eyJldmVudCI6IngiLCJwcm9wZXJ0aWVzIjp7fX0%3D" {
		t.Errorf("%s, %v", out.Query, err)
	}
	if got := f.Unmapped(); len(got) != 1 || got[0] != "?data|base64|json.event" {
		t.Errorf("unmapped: %v", got)
	}
}

// FuzzDocuments reads any text as every kind of document that package wire
// knows: edits that change nothing change no byte, and no others panic.
func FuzzDocuments(f *testing.F) {
	f.Add(aMail)
	f.Add("a,b\n1,2\n")
	f.Add(`<a b="1"><c>x</c></a>`)
	f.Add("{\"sdk\":1}\n{\"type\":\"event\",\"length\":2}\n{}\n")
	f.Add("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00\x08\x00\x00\x00")
	c := classifier(f, spec(f, mailMapping+variantMapping))
	f.Fuzz(func(t *testing.T, text string) {
		for _, contentType := range []string{"message/rfc822", "multipart/mixed; boundary=b", "text/csv", "text/xml", "application/x-sentry-envelope", "image/jpeg", ""} {
			found := c.Classify(c.spec.Match("POST", "/x"), message("/x", contentType, text))
			holds(t, &found, text, false)
		}
		found := c.Classify(c.spec.Match("SMTP", "/"), &Message{Method: "SMTP", Path: "/", Body: []byte(text), Envelope: &Envelope{From: "a@b", To: []string{text, "c@d"}}})
		holds(t, &found, text, false)
	})
}

func TestEmptyDocumentsCostNoMemory(t *testing.T) {
	f := read(t, nestedMapping, message("/x", "application/json", "["+strings.Repeat(`"[]",`, 2*maxFields)+`1]`))
	if len(f.layers) > maxFields || len(f.Incomplete()) != 1 || f.Incomplete()[0] != exposure.IncompleteBudget {
		t.Errorf("%d layers, %v", len(f.layers), f.Incomplete())
	}
	f = read(t, `
  - {on: POST /x, subjects: 'a.b[]', fields: {c: user.name}}
`, message("/x", "text/xml", "<a>"+strings.Repeat("<b/>", 10_000)+"</a>"))
	if len(f.groups) > 2 {
		t.Errorf("%d groups", len(f.groups))
	}
}
