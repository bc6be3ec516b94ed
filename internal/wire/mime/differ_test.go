package mime_test

import (
	"bytes"
	"encoding/base64"
	"io"
	stdmime "mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/encoding/htmlindex"

	"cordon/internal/wire/mime"
	"cordon/internal/wire/wiretest"
)

// Where nothing is told to be odd, Go reads no text that is not read here.
func FuzzMailAsGoReadsIt(f *testing.F) {
	for _, text := range mails(f) {
		f.Add(text)
	}
	for _, text := range []string{
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--x--\r\n",
		"Content-Type: text/plain; charset=\"iso-8859-1\"\nContent-Transfer-Encoding: quoted-printable\nSubject: =?utf-8?q?=C3=A4?=\n =?utf-8?q?b?=\n\n=E4=\nb\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// Encoded words that are empty or not apart are left as they stand by Go.
		if len(text) > 1<<13 || strings.Contains(text, "??=") || notApart.MatchString(text) {
			return
		}
		theirs, ok := goReads(text)
		if !ok {
			return
		}
		tree := wiretest.Read(t, text, mime.Read)
		ours := map[string]bool{}
		for _, l := range tree.Leaves {
			if !l.OK {
				return
			}
			ours[squeeze(l.Value)] = true
		}
		if len(tree.Problems) > 0 {
			return
		}
		for _, value := range theirs {
			if value = squeeze(value); value != "" && !ours[value] {
				t.Fatalf("Go reads %q in\n%q\nwhich is not among\n%s", value, text, tree)
			}
		}
	})
}

var notApart = regexp.MustCompile(`[^ \t\r\n:]=\?|\?=[^ \t\r\n]`)

// goReads lists what Go's own readers find in a mail; false where they give up.
func goReads(text string) (values []string, ok bool) {
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return nil, false
	}
	words := stdmime.WordDecoder{CharsetReader: func(charset string, r io.Reader) (io.Reader, error) {
		e, err := htmlindex.Get(charset)
		if err != nil {
			return nil, err
		}
		return e.NewDecoder().Reader(r), nil
	}}
	for _, subject := range m.Header["Subject"] {
		value, err := words.DecodeHeader(subject)
		if err != nil {
			return nil, false
		}
		values = append(values, value)
	}
	ok = goPart(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0, func(value string) { values = append(values, value) })
	return values, ok
}

func goPart(contentType, transfer string, body io.Reader, depth int, tell func(string)) bool {
	kind, params, err := stdmime.ParseMediaType(contentType)
	if contentType == "" {
		kind, err = "text/plain", nil
	}
	if err != nil || depth > 8 {
		return false
	}
	if strings.HasPrefix(kind, "multipart/") {
		r := multipart.NewReader(body, params["boundary"])
		for {
			p, err := r.NextRawPart()
			if err == io.EOF {
				return true
			}
			if err != nil || !goPart(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, depth+1, tell) {
				return false
			}
		}
	}
	switch strings.ToLower(transfer) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return false
	}
	if charset := params["charset"]; charset != "" && strings.HasPrefix(kind, "text/") {
		e, err := htmlindex.Get(charset)
		if err != nil {
			return false
		}
		if content, err = e.NewDecoder().Bytes(content); err != nil || bytes.ContainsRune(content, '\ufffd') {
			return false
		}
	}
	tell(string(content))
	return true
}
