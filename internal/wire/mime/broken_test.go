package mime_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"cordon/internal/exposure"
	"cordon/internal/wire/mime"
	"cordon/internal/wire/wiretest"
)

// What two programs read differently is said, and what can be found is found.
func TestBrokenMails(t *testing.T) {
	mixed := "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
	for name, c := range map[string]struct {
		text   string
		reason exposure.Reason
	}{
		"bare line feed in the header":  {"From: a@example.com\nTo: anna@example.org\r\n\r\nhi", exposure.IncompleteSyntax},
		"bare carriage return":          {"Subject: hi\rBcc: anna@example.org\r\n\r\nhi", exposure.IncompleteSyntax},
		"NUL in the header":             {"Subject: hi\x00\r\nX: anna\r\n\r\nhi", exposure.IncompleteSyntax},
		"no colon":                      {"Subject: hi\r\nanna@example.org\r\nX: y\r\n\r\nhi", exposure.IncompleteSyntax},
		"blank before the colon":        {"Subject : anna\r\n\r\nhi", exposure.IncompleteSyntax},
		"continuation first":            {" anna\r\nX: y\r\n\r\nhi", exposure.IncompleteSyntax},
		"continuation of blanks":        {"X: y\r\n \r\nTo: anna@example.org\r\n\r\nhi", exposure.IncompleteSyntax},
		"no mail":                       {"anna@example.org\r\nis here", exposure.IncompleteSyntax},
		"Latin-1 in the header":         {"Subject: J\xf6rg and anna\r\n\r\nhi", exposure.IncompleteUTF8},
		"two From":                      {"From: anna@example.org\r\nFrom: b@example.com\r\n\r\nhi", exposure.IncompleteDuplicateKey},
		"two Content-Type":              {"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nanna", exposure.IncompleteDuplicateKey},
		"no boundary":                   {"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\nanna\r\n--x--", exposure.IncompleteBoundary},
		"two boundaries":                {"Content-Type: multipart/mixed; boundary=x; boundary=y\r\n\r\n--x\r\n\r\nanna\r\n--x--", exposure.IncompleteBoundary},
		"boundary in pieces":            {"Content-Type: multipart/mixed; boundary*0=x; boundary*1=y\r\n\r\n--xy\r\n\r\nanna\r\n--xy--", exposure.IncompleteBoundary},
		"boundary never opened":         {mixed + "anna", exposure.IncompleteBoundary},
		"boundary never closed":         {mixed + "--x\r\n\r\nanna", exposure.IncompleteBoundary},
		"boundary that begins alike":    {mixed + "--x\r\n\r\nanna\r\n--xy\r\n\r\n--x--", exposure.IncompleteBoundary},
		"boundary behind a bare return": {mixed + "--x\r\n\r\nanna\r--x\r\n\r\n--x--", exposure.IncompleteBoundary},
		"boundary behind a bare feed":   {mixed + "--x\r\n\r\nanna\n--x\r\n\r\n--x--", exposure.IncompleteSyntax},
		"inner boundary never closed":   {mixed + "--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\nanna\r\n--x--", exposure.IncompleteBoundary},
		"multipart in base64":           {"Content-Transfer-Encoding: base64\r\n" + mixed + "--x\r\n\r\nanna\r\n--x--", exposure.IncompleteCoding},
		"unknown encoding":              {"Content-Transfer-Encoding: x-uuencode\r\n\r\nanna", exposure.IncompleteCoding},
		"encoding with more behind":     {"Content-Transfer-Encoding: base64; x\r\n\r\nYW5uYQ==", exposure.IncompleteCoding},
		"mail in a mail in base64":      {mixed + "--x\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogYW5uYQ0KDQo=\r\n--x--", exposure.IncompleteCoding},
		"unknown charset":               {"Content-Type: text/plain; charset=utf-7\r\n\r\n+AEA-anna", exposure.IncompleteContentType},
		"no media type":                 {"Content-Type: anna\r\n\r\nanna", exposure.IncompleteContentType},
		"deep":                          {strings.Repeat("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n", 1) + deep(70), exposure.IncompleteDepth},
	} {
		t.Run(name, func(t *testing.T) {
			tree := wiretest.Read(t, c.text, mime.Read)
			if !slices.Contains(tree.Problems, c.reason) {
				t.Errorf("problems %q, wanted %s", tree.Problems, c.reason)
			}
			if !strings.Contains(tree.String(), "anna") {
				t.Errorf("what is there was not found:\n%s", tree)
			}
		})
	}
}

// deep nests multiparts, with distinct boundaries of one length.
func deep(n int) string {
	head, tail := "", ""
	for i := range n {
		b := string([]byte{'a' + byte(i/10), 'a' + byte(i%10)})
		head += "Content-Type: multipart/mixed; boundary=" + b + "\r\n\r\n--" + b + "\r\n"
		tail = "\r\n--" + b + "--" + tail
	}
	return head + "\r\nanna" + tail + "\r\n--x--"
}

func TestBrokenValuesAreTold(t *testing.T) {
	for name, text := range map[string]string{
		"base64":           "Content-Transfer-Encoding: base64\n\nYW5u*YQ=\n",
		"padding inside":   "Content-Transfer-Encoding: base64\n\nYW4=bmE=\n",
		"quoted-printable": "Content-Transfer-Encoding: quoted-printable\n\nan=na\n",
		"charset":          "Content-Type: text/plain; charset=utf-8\n\nanna \xff\n",
		"encoded word":     "Subject: =?utf-8?b?YW5u*YQ?=\n\n",
		"half a character": "Subject: =?utf-8?q?anna=C3?=\n\n",
		"unknown word":     "Subject: =?x-klingon?q?anna?=\n\n",
		"file name":        "Content-Disposition: attachment; filename*=utf-8''an%na\n\nx",
		"pieces":           "Content-Disposition: attachment; filename*1=anna; filename*0=b\n\nx",
	} {
		tree := wiretest.Read(t, text, mime.Read)
		if !slices.ContainsFunc(tree.Leaves, func(f wiretest.Found) bool { return !f.OK }) {
			t.Errorf("%s: not told\n%s", name, tree)
		}
	}
}

// A value of many lines must not become a header, nor a delimiter.
func TestValuesStayInTheirPlace(t *testing.T) {
	text := "Subject: x\r\nTo: a@example.com\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Disposition: attachment; filename=x\r\n\r\nhi\r\n--x--\r\n"
	tree := wiretest.Read(t, text, mime.Read)
	for i, value := range []string{"x\r\nBcc: anna@example.org", "a@example.com\r\nBcc: anna@example.org", "x\"\r\nX: y", "hi\r\n--x\r\n"} {
		if written, ok := tree.Replace(map[int]string{i: value}); ok {
			t.Errorf("%s took %q:\n%s", tree.Leaves[i].Path, value, written)
		}
	}
}

func TestVeryLongEncodedWord(t *testing.T) {
	name := strings.Repeat("Anna Berg ", 400)
	text := "Subject: =?utf-8?B?" + base64.StdEncoding.EncodeToString([]byte(name)) + "?=\n\n"
	if got := wiretest.Read(t, text, mime.Read).Get("subject"); got != name {
		t.Errorf("read %.40q…", got)
	}
}
