package classify

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"cordon/internal/exposure"
)

func TestCompressedBodiesAreReadAndWrittenAgain(t *testing.T) {
	const body = `{"email":"ada@example.org","name":"Ada"}`
	m := message("/person", "application/json", "")
	m.Body = append(compressed(t, body[:10]), compressed(t, body[10:])...) // two members
	m.Header["Content-Encoding"] = []string{"GZip"}
	f := read(t, flat, m)
	expect(t, f, `email=ada@example.org: user.contact.email email="ada@example.org" user.name name="Ada"`)
	if out, err := f.Rewrite(nil); err != nil || &out.Body[0] != &m.Body[0] {
		t.Error("without edits the body is not the message's own")
	}
	if out, err := f.Rewrite(keepAll(f)); err != nil || &out.Body[0] != &m.Body[0] {
		t.Error("after edits that change nothing the body is not the message's own")
	}
	out, err := f.Rewrite([]Edit{{Field: 1, Drop: true}})
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(out.Body))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != `{"email":"ada@example.org"}` || out.Text != string(got) {
		t.Errorf("rewritten to %s, %v", got, err)
	}

	m.Body = compressed(t, string(compressed(t, body)))
	m.Header["Content-Encoding"] = []string{"gzip", "gzip"}
	expect(t, read(t, flat, m), `email=ada@example.org: user.contact.email email="ada@example.org" user.name name="Ada"`)
}

func TestBodiesThatCannotBeDecompressed(t *testing.T) {
	const body = `{"email":"ada@example.org"}`
	whole := compressed(t, body)
	for name, c := range map[string]struct {
		body   []byte
		coding string
		reason exposure.Reason
		found  bool
	}{
		"another coding":       {[]byte("\x1f\x9d"), "compress", exposure.IncompleteCoding, false},
		"gzip and another":     {whole, "gzip, dcb", exposure.IncompleteCoding, false},
		"gzip, not zstd":       {whole, "gzip, zstd", exposure.IncompleteContentTypeLies, true},
		"brotli, not done":     {[]byte(body), "br", exposure.IncompleteContentTypeLies, true},
		"deflate, not done":    {[]byte(body), "deflate", exposure.IncompleteContentTypeLies, true},
		"gzip without saying":  {whole, "", exposure.IncompleteContentTypeLies, true},
		"said and not done":    {[]byte(body), "gzip", exposure.IncompleteContentTypeLies, true},
		"cut off":              {whole[:len(whole)-9], "gzip", exposure.IncompleteSyntax, true},
		"a wrong sum":          {append(bytes.Clone(whole[:len(whole)-8]), 1, 2, 3, 4, 27, 0, 0, 0), "gzip", exposure.IncompleteSyntax, true},
		"something behind it":  {append(bytes.Clone(whole), "tail"...), "gzip", exposure.IncompleteSyntax, true},
		"ratio":                {compressed(t, body+strings.Repeat(" ", 1<<20)), "gzip", exposure.IncompleteRatio, true},
		"gzip in gzip in gzip": {whole, "gzip,gzip,gzip,gzip", exposure.IncompleteCoding, false},
	} {
		m := message("/person", "application/json", "")
		m.Body = c.body
		if c.coding != "" {
			m.Header["Content-Encoding"] = []string{c.coding}
		}
		f := read(t, flat, m)
		if r := f.Incomplete(); len(r) == 0 || r[0] != c.reason {
			t.Errorf("%s: %v, want %s", name, r, c.reason)
		}
		if found := strings.Contains(show(f), "email=ada@example.org"); found != c.found {
			t.Errorf("%s: found %s", name, show(f))
		}
		if len(f.body) > maxRatio*len(c.body) {
			t.Errorf("%s: %d bytes became %d", name, len(c.body), len(f.body))
		}
		if out, err := f.Rewrite(dropAll(f)); f.partial && (err == nil || out.Body != nil) {
			t.Errorf("%s: a body that was read in part was changed to %q", name, out.Body)
		}
	}
}

func TestABodyOverTheLimitIsNeverCutShort(t *testing.T) {
	m := message("/person", "application/json", `{"email":"ada@example.org","na`)
	m.TooLarge = true
	f := read(t, flat, m)
	if r := f.Incomplete(); len(r) == 0 || r[0] != exposure.IncompleteTooLarge {
		t.Errorf("incomplete: %v", r)
	}
	if len(f.People()) == 0 || f.People()[0].Identifiers[0].Value != "ada@example.org" {
		t.Errorf("found %s", show(f))
	}
	if _, err := f.Rewrite(dropAll(f)); err == nil {
		t.Error("the beginning of a body was changed")
	}
}

func TestContentTypes(t *testing.T) {
	const body = `{"email":"ada@example.org"}`
	for contentType, reasons := range map[string][]exposure.Reason{
		"application/json":                     nil,
		"Application/JSON ; charset=UTF-8":     nil,
		"application/vnd.api+json":             nil,
		"":                                     nil,
		"text/plain;charset=utf-8":             nil,
		"application/json; charset=iso-8859-1": {exposure.IncompleteContentType},
		"application/octet-stream":             {exposure.IncompleteContentType},
		formType:                               {exposure.IncompleteContentTypeLies},
		multipartType:                          {exposure.IncompleteContentTypeLies},
	} {
		expect(t, read(t, flat, message("/person", contentType, body)), `email=ada@example.org: user.contact.email email="ada@example.org"`, reasons...)
	}
	expect(t, read(t, flat, message("/person", "application/json", "email=ada@example.org")), `email=ada@example.org: user.contact.email email="ada@example.org"`, exposure.IncompleteContentTypeLies)
	expect(t, read(t, flat, message("/person", "", "email=ada@example.org")), `email=ada@example.org: user.contact.email email="ada@example.org"`, exposure.IncompleteContentType)
	expect(t, read(t, flat, message("/person", "", "hello")), `: unclassified .="hello"`, exposure.IncompleteContentType)
	expect(t, read(t, flat, message("/person", "text/html", "<email>x</email>")), `: unclassified .="<email>x</email>"`, exposure.IncompleteContentType)
	expect(t, read(t, flat, message("/person", "application/json", "")), "")
	m := message("/person", "application/json", body)
	m.Header["Content-Type"] = []string{"application/json", "text/plain"}
	expect(t, read(t, flat, m), `email=ada@example.org: user.contact.email email="ada@example.org"`, exposure.IncompleteContentTypeLies)
}

func TestATunnelIsIncomplete(t *testing.T) {
	m := &Message{Method: "CONNECT", Path: "/"}
	expect(t, read(t, flat, m), "", exposure.IncompleteTunnel)
}

func TestTooManyLeavesEndTheReading(t *testing.T) {
	f := read(t, flat, message("/person", "application/json", `{"email":"ada@example.org","tags":[`+strings.Repeat(`1,`, maxFields+5)+`1],"name":"Ada"}`))
	if r := f.Incomplete(); len(r) != 1 || r[0] != exposure.IncompleteBudget {
		t.Errorf("incomplete: %v", r)
	}
	if len(f.Fields()) != maxFields {
		t.Errorf("%d fields", len(f.Fields()))
	}
}

// FuzzBody reads any bytes under any content type and coding.
func FuzzBody(f *testing.F) {
	f.Add("application/json", "gzip", compressed(f, `{"email":"ada@example.org"}`))
	f.Add("", "", []byte("a=b"))
	f.Add("text/plain", "gzip,gzip", compressed(f, string(compressed(f, "[]"))))
	f.Add("multipart/form-data; boundary=x", "", []byte("--x\r\n\r\n"))
	c := classifier(f, spec(f, flat))
	f.Fuzz(func(t *testing.T, contentType, coding string, body []byte) {
		m := message("/person", contentType, string(body))
		m.Header["Content-Encoding"] = []string{coding}
		found := c.Classify(c.spec.Match("POST", "/person"), m)
		linear(t, &found)
		if out, err := found.Rewrite(keepAll(&found)); err != nil || !bytes.Equal(out.Body, body) {
			t.Fatalf("became %q, %v", out.Body, err)
		}
		if len(found.Places()) != len(found.Fields()) {
			t.Fatal("places and fields differ")
		}
		if out, err := found.Rewrite(maskAll(&found)); err == nil && len(found.Fields()) == 0 && !bytes.Equal(out.Body, body) {
			t.Fatal("nothing was found and something changed")
		}
	})
}
