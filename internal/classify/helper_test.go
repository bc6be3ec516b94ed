package classify

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// mail are SendGrid's mappings as far as these tests need them.
const mail = `
  - {on: POST /mail, subjects: 'people[].to[]', fields: {email: user.contact.email, name: user.name}}
  - {on: POST /mail, subjects: 'people[]', fields: {subject: user.content.private, data: user.content.private}}
  - {on: POST /mail, fields: {subject: user.content.private, 'content[].value': user.content.private, 'content[].type': none, from: none}}
`

// flat are the mappings of a message about one person, as Stripe's are.
const flat = `
  - on: POST /person
    fields:
      email: user.contact.email
      id: user.unique_id
      name: user.name
      "address.city": user.contact.address.city
      tags[]: user.content.private
      meta: user.content.private
      file: user.biometric
      doc.email: user.contact.email
      amount: none
`

// spec reads a manifest with these mappings.
func spec(t testing.TB, mapping string) *vendor.Spec {
	t.Helper()
	s, problems := vendor.Parse("acme.yaml", []byte("vendor: acme\nupstream: https://api.acme.example\nmapping:\n"+mapping))
	for _, p := range problems {
		t.Fatalf("manifest: %+v", p)
	}
	return s
}

func classifier(t testing.TB, s *vendor.Spec) *Classifier {
	t.Helper()
	c, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// read classifies one message.
func read(t testing.TB, mapping string, m *Message) *Findings {
	t.Helper()
	s := spec(t, mapping)
	f := classifier(t, s).Classify(s.Match(m.Method, m.Path), m)
	return &f
}

func message(path, contentType, body string) *Message {
	m := &Message{Method: "POST", Path: path, Header: map[string][]string{}, Body: []byte(body)}
	if contentType != "" {
		m.Header["Content-Type"] = []string{contentType}
	}
	return m
}

func compressed(t testing.TB, body string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// show writes findings as text, one line per person:
//
//	email=ada@example.org: user.name personalizations[0].name=Ada
func show(f *Findings) string {
	var b strings.Builder
	places := f.Places()
	for i, p := range f.People() {
		for n, id := range p.Identifiers {
			if n > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%s=%s", id.Kind, id.Value)
		}
		b.WriteByte(':')
		for n := range f.Of(i) {
			at := f.Fields()[n]
			fmt.Fprintf(&b, " %s %s=%q", at.Category, places[n], at.Value())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func expect(t *testing.T, f *Findings, want string, reasons ...exposure.Reason) {
	t.Helper()
	if got := strings.TrimSpace(show(f)); got != strings.TrimSpace(strings.ReplaceAll(want, "\t", "")) {
		t.Errorf("found\n%s\nwant\n%s", got, want)
	}
	if !slices.Equal(f.Incomplete(), reasons) {
		t.Errorf("incomplete: %v, want %v", f.Incomplete(), reasons)
	}
}

// dropAll and maskAll are edits of every field.
func dropAll(f *Findings) (edits []Edit) {
	for i := range f.Fields() {
		edits = append(edits, Edit{Field: i, Drop: true})
	}
	return edits
}

func maskAll(f *Findings) (edits []Edit) {
	for i := range f.Fields() {
		edits = append(edits, Edit{Field: i, Value: "***"})
	}
	return edits
}

func keepAll(f *Findings) (edits []Edit) {
	for i, at := range f.Fields() {
		edits = append(edits, Edit{Field: i, Value: at.Value()})
	}
	return edits
}

// linear fails when a message cost more than a constant per byte.
func linear(t *testing.T, f *Findings) {
	t.Helper()
	size := len(f.message.Path) + len(f.message.Query) + len(f.body)
	if f.work > 16*size+64 {
		t.Fatalf("%d steps for %d bytes", f.work, size)
	}
}
