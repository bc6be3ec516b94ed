package classify

import (
	"encoding/base64"
	"strings"
	"testing"

	"cordon/internal/exposure"
)

const attaching = `
  - on: POST /mail
    fields: {to: user.contact.email, 'files[].content': user.content.private, 'files[].type': none}
`

func attach(t *testing.T, content string) *Findings {
	return read(t, attaching, message("/mail", "application/json", `{"to":"ada@example.org","files":[{"content":"`+content+`","type":"text/csv"}]}`))
}

func TestAFileAttachedInBase64IsRead(t *testing.T) {
	table := "id,mail\n1,carol@example.net\n2,dan@example.net\n"
	f := attach(t, base64.StdEncoding.EncodeToString([]byte(table)))
	found := 0
	for i := range f.Fields() {
		at := &f.Fields()[i]
		if at.Category == exposure.Email && strings.HasSuffix(at.Value(), "@example.net") {
			found++
			if _, ok := at.Derived(); !ok {
				t.Error("an address in the file does not go with the file")
			}
		}
	}
	if found != 2 || len(f.Incomplete()) > 0 {
		t.Errorf("%d addresses, incomplete %v:\n%s", found, f.Incomplete(), show(f))
	}
	if out, err := f.Rewrite(nil); err != nil || out.Text != f.Text() {
		t.Errorf("nothing was changed and it left as %s, %v", out.Text, err)
	}
}

func TestAFileWithoutAnybodyIsOneField(t *testing.T) {
	f := attach(t, base64.StdEncoding.EncodeToString([]byte("three apples and a pear\n")))
	if n := len(f.Fields()); n != 2 {
		t.Errorf("%d fields:\n%s", n, show(f))
	}
}

func TestAFileThatNobodyCanReadIsOpaque(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		opaque  bool
	}{
		"pdf":  {base64.StdEncoding.EncodeToString([]byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3 and more")), true},
		"long": {base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x01\xfe", 200))), true},
		"word": {"Donaudampfschifffahrt", false},
		"id":   {"AKIAIOSFODNN7EXAMPLE", false},
	} {
		f := attach(t, c.content)
		opaque := false
		for _, at := range f.Fields() {
			opaque = opaque || at.Category == exposure.Opaque
		}
		if opaque != c.opaque {
			t.Errorf("%s: opaque %t\n%s", name, opaque, show(f))
		}
	}
}

func TestAPlainTextWhereNothingElseIsExpectedIsReadAsText(t *testing.T) {
	f := read(t, flat, message("/unknown", "text/plain", "carol@example.net called"))
	if len(f.Incomplete()) > 0 || len(f.Fields()) != 2 {
		t.Errorf("incomplete %v:\n%s", f.Incomplete(), show(f))
	}
	if f := read(t, flat, message("/person", "text/plain", "carol@example.net called")); len(f.Incomplete()) == 0 {
		t.Error("a text in the place of a mapped document is complete")
	}
}
