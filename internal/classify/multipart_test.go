package classify

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"

	"cordon/internal/exposure"
)

const multipartType = "multipart/form-data; boundary=b0"

// multi writes parts with CRLF; each is "header lines|body".
func multi(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		header, body, _ := strings.Cut(p, "|")
		b.WriteString("--b0\r\n" + strings.ReplaceAll(header, "\n", "\r\n") + "\r\n\r\n" + body + "\r\n")
	}
	return b.String() + "--b0--\r\n"
}

const (
	emailPart = `Content-Disposition: form-data; name="email"|ada@example.org`
	filePart  = "Content-Disposition: form-data; name=\"upload\"; filename=\"ada.png\"\nContent-Type: image/png|\x89PNG\xff"
	docPart   = "Content-Disposition: form-data; name=\"doc\"\nContent-Type: application/json|{\"email\":\"bob@example.org\",\"x\":1}"
)

func TestPartsAreFieldsFilesAndDocuments(t *testing.T) {
	f := read(t, flat, message("/person", multipartType, multi(emailPart, filePart, docPart)))
	expect(t, f, `email=ada@example.org email=bob@example.org: user.contact.email email="ada@example.org" user.content.private upload.filename="ada.png" user.content.private upload="\x89PNG\xff" opaque upload="\x89PNG\xff" user.contact.email doc.email="bob@example.org" unclassified doc.x="1"`)
	out, err := f.Rewrite([]Edit{{Field: 0, Value: "***"}, {Field: 1, Drop: true}, {Field: 2, Drop: true}, {Field: 4, Drop: true}})
	want := multi(`Content-Disposition: form-data; name="email"|***`, "Content-Disposition: form-data; name=\"doc\"\nContent-Type: application/json|{\"x\":1}")
	if err != nil || string(out.Body) != want {
		t.Errorf("got %q\nwant %q, %v", out.Body, want, err)
	}
	if _, err := f.Rewrite([]Edit{{Field: 0, Value: "x\r\n--b0--"}}); err == nil {
		t.Error("a delimiter was written into a part")
	}
	if out, err := f.Rewrite([]Edit{{Field: 1, Value: "a\"; name=\"z"}}); err != nil || strings.Contains(string(out.Body), `name="z`) {
		t.Errorf("a file name broke out: %q, %v", out.Body, err)
	}
}

func TestAFileThatAMappingNamesHasItsCategory(t *testing.T) {
	f := read(t, flat, message("/person", multipartType, multi(`Content-Disposition: form-data; name="file"; filename="f"|abc`)))
	if len(f.Fields()) != 2 || f.Fields()[1].Category.Key() != "user.biometric" {
		t.Errorf("found %s", show(f))
	}
}

func TestMultipartThatParsersReadDifferently(t *testing.T) {
	good := multi(emailPart)
	for name, c := range map[string]struct {
		contentType, body string
		reason            exposure.Reason
	}{
		"no boundary":             {"multipart/form-data", good, exposure.IncompleteBoundary},
		"another boundary":        {"multipart/form-data; boundary=zz", good, exposure.IncompleteBoundary},
		"a preamble":              {multipartType, "ada@example.org\r\n" + good, exposure.IncompleteBoundary},
		"an epilogue":             {multipartType, good + "ada@example.org", exposure.IncompleteBoundary},
		"bare line feeds":         {multipartType, strings.ReplaceAll(good, "\r\n", "\n"), exposure.IncompleteBoundary},
		"no end":                  {multipartType, strings.TrimSuffix(good, "--b0--\r\n"), exposure.IncompleteBoundary},
		"two names":               {multipartType, multi(`Content-Disposition: form-data; name="email"; name="x"|ada@example.org`), exposure.IncompleteBoundary},
		"two dispositions":        {multipartType, multi("Content-Disposition: form-data; name=\"x\"\nContent-Disposition: form-data; name=\"email\"|ada@example.org"), exposure.IncompleteBoundary},
		"no name":                 {multipartType, multi("Content-Disposition: form-data|ada@example.org"), exposure.IncompleteBoundary},
		"a folded header":         {multipartType, multi("Content-Disposition: form-data;\n name=\"email\"|ada@example.org"), exposure.IncompleteBoundary},
		"a boundary and more":     {multipartType, multi(`Content-Disposition: form-data; name="email"|ada@example.org` + "\r\n--b0x"), exposure.IncompleteBoundary},
		"a transfer encoding":     {multipartType, multi("Content-Disposition: form-data; name=\"email\"\nContent-Transfer-Encoding: base64|YWRh"), exposure.IncompleteCoding},
		"a part in another type":  {multipartType, multi("Content-Disposition: form-data; name=\"email\"\nContent-Type: text/csv|ada@example.org"), exposure.IncompleteContentType},
		"invalid UTF-8 in a part": {multipartType, multi("Content-Disposition: form-data; name=\"name\"|\xff"), exposure.IncompleteUTF8},
		"broken JSON in a part":   {multipartType, multi("Content-Disposition: form-data; name=\"doc\"\nContent-Type: application/json|{\"email\":}"), exposure.IncompleteSyntax},
		"JSON all of it":          {multipartType, `{"email":"ada@example.org"}`, exposure.IncompleteContentTypeLies},
	} {
		f := read(t, flat, message("/person", c.contentType, c.body))
		if r := f.Incomplete(); len(r) == 0 || r[0] != c.reason {
			t.Errorf("%s: %v, want %s", name, r, c.reason)
		}
		if strings.Contains(c.body, "ada@") && !strings.Contains(show(f), "ada@example.org") && name != "a preamble" && name != "an epilogue" {
			t.Errorf("%s: found only %s", name, show(f))
		}
		if out, err := f.Rewrite(keepAll(f)); err != nil || string(out.Body) != c.body {
			t.Errorf("%s: identity gave %q, %v", name, out.Body, err)
		}
	}
}

// FuzzMultipart compares with mime/multipart: where we say that a message is
// complete, Go's reader finds the same names and values, or none at all.
func FuzzMultipart(f *testing.F) {
	f.Add(multi(emailPart, filePart, docPart))
	f.Add(multi(emailPart) + "x")
	f.Add("--b0\r\n\r\n\r\n--b0--")
	f.Add("--b0--")
	f.Add(strings.ReplaceAll(multi(docPart), "\r", ""))
	c := classifier(f, spec(f, "\n  - {on: POST /person, fields: {x: none}}\n"))
	f.Fuzz(func(t *testing.T, body string) {
		m := message("/person", multipartType, body)
		found := c.Classify(c.spec.Match("POST", "/person"), m)
		linear(t, &found)
		out, err := found.Rewrite(keepAll(&found))
		if err != nil || !bytes.Equal(out.Body, m.Body) {
			t.Fatalf("%q became %q, %v", body, out.Body, err)
		}
		if len(found.Incomplete()) > 0 || body == "" {
			return
		}
		values := partValues(body)
		for _, at := range found.Fields() {
			if at.enc == partText && !strings.Contains(values, fmt.Sprintf("%q", at.Value())) {
				t.Fatalf("we found %q in %q, mime/multipart %s", at.Value(), body, values)
			}
		}
		out, err = found.Rewrite(dropAll(&found))
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range found.Fields() {
			if at.enc == partText && strings.Contains(partValues(string(out.Body)), fmt.Sprintf("%q", at.Value())) {
				t.Fatalf("%q is left in %q", at.Value(), out.Body)
			}
		}
	})
}

// partValues lists what mime/multipart reads, quoted.
func partValues(body string) string {
	r := multipart.NewReader(strings.NewReader(body), "b0")
	var b strings.Builder
	for {
		p, err := r.NextRawPart()
		if err != nil {
			return b.String()
		}
		data, err := io.ReadAll(p)
		if err != nil {
			return b.String()
		}
		if textproto.MIMEHeader(p.Header).Get("Content-Disposition") != "" {
			fmt.Fprintf(&b, "%q ", data)
		}
	}
}
