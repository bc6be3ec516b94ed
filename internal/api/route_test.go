package api

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cordon/internal/config"
	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// testDesk has two vendors, a directory, and neither ledger nor server.
func testDesk(t *testing.T) *Desk {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"acme.yaml": "vendor: acme\nname: Acme\nupstream: https://api.acme.example\nhosts: ['*.acme.example']\nmapping:\n  - {on: POST /send, subjects: 'to[]', fields: {email: user.contact.email, sha: user.contact.email, text: user.content.private}}\nminimize: {default: allow}\nunclassified: pass\n",
		"shop.yaml": "vendor: shop\nname: Shop\nupstream: https://shop.acme.example\nmapping:\n  - {on: POST /send, fields: {email: user.contact.email}}\nminimize: {default: allow}\nunclassified: pass\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	specs, problems := vendor.LoadDir(dir)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	people := filepath.Join(dir, "people.csv")
	if err := os.WriteFile(people, []byte("id,email,name\nu1,ada@mail.example,Ada Lovelace\nu2,bob@mail.example,Bob Babbage\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 2, 6, 9, 0, 0, 0, time.UTC)
	return &Desk{
		Config: &config.Config{Directory: config.Directory{File: people, KnownValues: "hashed"}}, Specs: specs, Now: func() time.Time { return now },
	}
}

func post(url, body string) RouteTest {
	return RouteTest{URL: url, Header: map[string]string{"Content-Type": "application/json"}, Body: []byte(body)}
}

func TestOnlyThoseWhoMayReadAboutPeopleAreToldWhomTheDirectoryKnows(t *testing.T) {
	d := testDesk(t)
	message := post("https://api.acme.example/send", `{"to":[{"email":"ADA@mail.example"},{"email":"zoe@mail.example"}]}`)
	for role, told := range map[Role]string{VendorManager: "", Auditor: "u1"} {
		a, err := d.TestRoute(as(Actor{Name: "somebody", Role: role}), message)
		if err != nil || len(a.Subjects) != 2 {
			t.Fatalf("%s: %+v, %v", role, a, err)
		}
		if a.Subjects[0].DirectoryID != told || a.Subjects[1].DirectoryID != "" {
			t.Errorf("%s is told %q and %q", role, a.Subjects[0].DirectoryID, a.Subjects[1].DirectoryID)
		}
	}
	if _, err := d.TestRoute(as(Actor{Name: "somebody", Role: Viewer}), message); asProblem(err).Reason != "role-not-allowed" {
		t.Errorf("a viewer: %v", err)
	}
}

func TestNobodyButTheOwnerWalksThroughTheDirectory(t *testing.T) {
	d := testDesk(t)
	message := post("https://api.acme.example/send", `{"to":[{"email":"ada@mail.example"},{"email":"bob@mail.example"}]}`)
	var err error
	for n := 0; err == nil && n < 100; n++ {
		_, err = d.TestRoute(as(Actor{Name: "somebody", Role: Auditor}), message)
	}
	if asProblem(err).Reason != "too-many-reads" {
		t.Errorf("a hundred reads: %v", err)
	}
	for range 100 {
		if _, err := d.TestRoute(WithActor(context.Background(), LocalActor), message); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHashedAddressIsThePersonOfTheDirectory(t *testing.T) {
	d := testDesk(t)
	sum := exposure.Identifier{Kind: exposure.KindEmail, Value: "ada@mail.example"}.Hashes()[0].Value
	a, err := d.TestRoute(as(Actor{Name: "somebody", Role: Auditor}), post("https://api.acme.example/send", `{"to":[{"sha":"`+strings.ToUpper(sum)+`"}]}`))
	if err != nil || len(a.Subjects) != 1 || a.Subjects[0].Identifiers["email_sha256"] != sum || a.Subjects[0].DirectoryID != "u1" {
		t.Errorf("%+v, %v", a.Subjects, err)
	}
}

func TestExactHostGoesBeforeOneThatAStarCovers(t *testing.T) {
	d := testDesk(t)
	for host, want := range map[string]string{"shop.acme.example": "shop", "eu.acme.example:443": "acme", "API.ACME.example": "acme", "acme.example": ""} {
		a, err := d.TestRoute(as(Actor{Name: "somebody", Role: Auditor}), post("https://"+host+"/send", `{"to":[]}`))
		if err != nil || a.Vendor != want {
			t.Errorf("%s is %q, want %q, %v", host, a.Vendor, want, err)
		}
	}
}

func TestEnvelopeOfAMailInAFile(t *testing.T) {
	for name, c := range map[string]struct {
		test RouteTest
		from string
		to   string
		body string
	}{
		"lines":          {RouteTest{Raw: []byte("X-Envelope-From: <a@b.example>\r\nX-ENVELOPE-TO: c@d.example, <e@f.example>\r\nx-envelope-to: g@h.example\r\nSubject: x\r\nX-Envelope-To: no@mail.example\r\n\r\nbody")}, "a@b.example", "c@d.example e@f.example g@h.example", "Subject: x\r\nX-Envelope-To: no@mail.example\r\n\r\nbody"},
		"bounce":         {RouteTest{Raw: []byte("X-Envelope-From: <>\nX-Envelope-To: c@d.example\n\nbody")}, "", "c@d.example", "\nbody"},
		"given":          {RouteTest{Envelope: &Envelope{From: "<a@b.example>", To: []string{" <c@d.example> "}}, Body: []byte("Subject: x\n\ny")}, "a@b.example", "c@d.example", "Subject: x\n\ny"},
		"given and told": {RouteTest{Envelope: &Envelope{To: []string{"c@d.example"}}, Body: []byte("X-Envelope-From: a@b.example\nSubject: x\n")}, "", "c@d.example", "Subject: x\n"},
		"method alone":   {RouteTest{Method: "smtp", Body: []byte("To: x@y.example\n\nz")}, "", "", "To: x@y.example\n\nz"},
		"recorded":       {RouteTest{Method: "SMTP", Body: []byte("..\r\nSubject: x\r\n\r\n..one\r\n...two\r\n.\r\n")}, "", "", ".\r\nSubject: x\r\n\r\n.one\r\n..two\r\n"},
		"nothing":        {RouteTest{Method: "SMTP"}, "", "", ""},
		"nothing behind": {RouteTest{Raw: []byte("X-Envelope-To: c@d.example")}, "", "c@d.example", ""},
	} {
		if !c.test.mail() {
			t.Errorf("%s: no mail", name)
			continue
		}
		m, _, err := c.test.message()
		if err != nil || m.Envelope.From != c.from || strings.Join(m.Envelope.To, " ") != c.to || string(m.Body) != c.body || m.Method != "SMTP" || m.Path != "/" {
			t.Errorf("%s: %+v %q, %v", name, m.Envelope, m.Body, err)
		}
	}
	for _, raw := range []string{"POST / HTTP/1.1\nX-Envelope-From: a@b.example\n\n", "X-Envelope-Front: a\n", "X-Envelope-To", ""} {
		if (RouteTest{Raw: []byte(raw)}).mail() {
			t.Errorf("%q is a mail", raw)
		}
	}
}

func TestNameOfThePersonIsFoundInTheirText(t *testing.T) {
	d := testDesk(t)
	message := post("https://api.acme.example/send", `{"to":[{"email":"ada@mail.example","text":"Dear Ada Lovelace, Bob Babbage wrote to you."}]}`)
	a, err := d.TestRoute(as(Actor{Name: "somebody", Role: Auditor}), message)
	if err != nil || len(a.Subjects) != 1 {
		t.Fatalf("%+v, %v", a.Subjects, err)
	}
	found := ""
	for _, f := range a.Subjects[0].Fields {
		if f.Category == exposure.Name.Key() {
			found += f.Value + ";"
		}
	}
	// Bob is nobody of this message: his name is not looked for.
	if found != "Ada Lovelace;" {
		t.Errorf("names found: %q in %+v", found, a.Subjects[0].Fields)
	}
	d.Config.Directory.KnownValues = valuesOff
	d = &Desk{Config: d.Config, Specs: d.Specs, Now: d.Now}
	if a, err = d.TestRoute(as(Actor{Name: "somebody", Role: Auditor}), message); err != nil || len(a.Subjects[0].Fields) != 2 {
		t.Errorf("switched off: %+v, %v", a.Subjects, err)
	}
}
