package mime_test

import (
	"bytes"
	"encoding/base64"
	"flag"
	"io"
	stdmime "mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/htmlindex"

	"cordon/internal/wire/mime"
	"cordon/internal/wire/wiretest"
)

var update = flag.Bool("update", false, "write what is read beside the mails; then read it")

// mails are what nodemailer, Python's email (both of its policies) and swaks
// wrote.
func mails(t testing.TB) map[string]string {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) < 5 {
		t.Fatalf("mails in testdata: %v %v", files, err)
	}
	all := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(text)
	}
	return all
}

func TestMailsOfRealMailers(t *testing.T) {
	for name, text := range mails(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			tree := wiretest.Read(t, text, mime.Read)
			want := strings.TrimSuffix(name, ".eml") + ".want"
			if *update {
				os.WriteFile(want, []byte(tree.String()+"\n"), 0o644)
			}
			wanted, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if got := tree.String() + "\n"; got != string(wanted) {
				t.Errorf("read\n%s\nwanted\n%s", got, wanted)
			}
			for i := range tree.Leaves {
				wiretest.Hold(t, text, mime.Read, 1<<i)
				wiretest.HoldValue(t, text, mime.Read, i, "u.k4t7pq@relay.example.com")
				wiretest.HoldValue(t, text, mime.Read, i, strings.Replace(tree.Leaves[i].Value, "Anna", "Talin", 1))
			}
			wiretest.Hold(t, text, mime.Read, ^uint64(0))
			againstGo(t, text)
		})
	}
}

// againstGo reads a mail with Go's own readers, which know nothing of ours, and
// holds that every text and every decoded header is the same.
func againstGo(t *testing.T, text string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatalf("Go does not read it: %v", err)
	}
	tree := wiretest.Read(t, text, mime.Read)
	ours := map[string]int{}
	for _, f := range tree.Leaves {
		ours[squeeze(f.Value)]++
	}
	has := func(what, value string) {
		if value = squeeze(value); value != "" && ours[value] == 0 {
			t.Errorf("%s: Go reads %q, which is not among\n%s", what, value, tree)
		}
		ours[value]--
	}
	words := stdmime.WordDecoder{CharsetReader: charsetReader}
	has("subject", mustDecode(t, &words, m.Header.Get("Subject")))
	for _, name := range []string{"From", "To", "Cc"} {
		if m.Header.Get(name) == "" {
			continue
		}
		p := mail.AddressParser{WordDecoder: &words}
		theirs, err := p.ParseList(m.Header.Get(name))
		if err != nil {
			t.Fatal(err)
		}
		list, odd := mime.Addresses(tree.Get(strings.ToLower(name)))
		if odd || len(list) != len(theirs) {
			t.Fatalf("%s: %v, Go reads %v", name, list, theirs)
		}
		for i, a := range theirs {
			if list[i].Email != a.Address || list[i].Name != a.Name {
				t.Errorf("%s: %v, Go reads %v", name, list[i], a)
			}
		}
	}
	eachPart(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, func(kind, name, content string) {
		has("file name", name)
		has(kind, content)
	})
}

func eachPart(t *testing.T, contentType, transfer string, body io.Reader, tell func(kind, name, content string)) {
	kind, params, err := stdmime.ParseMediaType(contentType)
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		r := multipart.NewReader(body, params["boundary"])
		for {
			p, err := r.NextRawPart()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			eachPart(t, p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, func(kind, name, content string) {
				if name == "" {
					name = p.FileName()
				}
				tell(kind, name, content)
			})
		}
	}
	switch strings.ToLower(transfer) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	if e, err := htmlindex.Get(params["charset"]); err == nil && strings.HasPrefix(kind, "text/") {
		body = e.NewDecoder().Reader(body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	tell(kind, "", string(bytes.TrimSpace(content)))
}

func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return e.NewDecoder().Reader(r), nil
}

func mustDecode(t *testing.T, d *stdmime.WordDecoder, s string) string {
	value, err := d.DecodeHeader(s)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func BenchmarkMailOfNodemailer(b *testing.B) {
	wiretest.Bench(b, mails(b)["testdata/nodemailer-attachments.eml"], mime.Read)
}

func BenchmarkMailWithLargeAttachment(b *testing.B) {
	line := strings.Repeat("QUJD", 19) + "\r\n"
	wiretest.Bench(b, "Subject: x\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"+strings.Repeat(line, 20000), mime.Read)
}

func BenchmarkAddresses(b *testing.B) {
	wiretest.Bench(b, strings.Repeat("\"Berg, Anna\" <anna@example.com>, bo@example.org, ", 1000), mime.ReadAddresses)
}
