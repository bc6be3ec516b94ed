package mime_test

import (
	"net/mail"
	"slices"
	"strings"
	"testing"

	"cordon/internal/wire/mime"
	"cordon/internal/wire/wiretest"
)

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{
		"Anna <anna@example.com>, b@e.org (Bo)", `"Berg, \"A\"" <a@e.org>`, "T: a@e.org; , b@e.org", "a@e.org b@e.org (x) c", "=?utf-8?q?J=C3=B6rg=2C?= Berg <j@e.org>",
		`"=?utf-8?b?SsO2cmc=?=" <j@e.org>`, "<@a,@b:c@d>", `"a b"@c, <"d\"">@e`, "(a (b) \\) c) d@e", "a@[1.2.3.4]", "a <b@c> (d) e <f@g>",
	} {
		f.Add(s, ^uint64(0))
		f.Add(s, uint64(0x5555555555555555))
	}
	f.Fuzz(func(t *testing.T, text string, pick uint64) {
		if len(text) > 1<<10 {
			return
		}
		wiretest.Hold(t, text, mime.ReadAddresses, pick)
		againstNetMail(t, text)
	})
}

// What Go's own reader reads has the same addresses here, or is told as odd.
func againstNetMail(t *testing.T, text string) {
	theirs, err := mail.ParseAddressList(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return
	}
	ours, odd := mime.Addresses(text)
	if odd {
		return
	}
	var a, b []string
	for _, m := range theirs {
		a = append(a, m.Address)
	}
	for _, m := range ours {
		// Go drops the quotes that a local part needs.
		plain, err := mail.ParseAddress(m.Email)
		if err != nil {
			t.Fatalf("%q: Go does not read %q: %v", text, m.Email, err)
		}
		b = append(b, plain.Address)
	}
	if !slices.Equal(a, b) {
		t.Fatalf("%q holds %q, Go reads %q", text, b, a)
	}
}

func FuzzAddressValue(f *testing.F) {
	f.Add("Anna <anna@example.com>, b@e.org (Bo)", 0, "Berg, A")
	f.Add("T: a@e.org; , b@e.org", 1, "x@y.org")
	f.Add("=?utf-8?q?J=C3=B6rg=2C?= Berg <j@e.org>", 0, "=?utf-8?q?x?=")
	f.Fuzz(func(t *testing.T, text string, i int, value string) {
		if len(text) > 1<<10 || i < 0 {
			return
		}
		wiretest.HoldValue(t, text, mime.ReadAddresses, i, strings.Trim(value, " \t"))
	})
}

func FuzzMail(f *testing.F) {
	for _, s := range []string{
		"From: a@e.org\nTo: =?utf-8?q?J=C3=B6?= <b@e.org>,\n c@e.org\nSubject: =?utf-8?b?SsO2?=\n\nhello\n",
		"Content-Type: multipart/mixed; boundary=x\n\npre\n--x\n\na\n--x\nContent-Type: text/html; charset=latin1\nContent-Transfer-Encoding: quoted-printable\n\n=E4=\nb \n--x--\npost\n",
		"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/alternative; boundary=xy\n\n--xy\nX: y\n\n\n--xy--\n--x\n--x--",
		"Content-Type: text/csv; name=\"=?utf-8?q?J=C3=B6?=\"\nContent-Disposition: attachment; filename*0*=utf-8''a%20;\n filename*1=b\nContent-Transfer-Encoding: base64\n\nYSxi\nYw==\n",
		"no mail", "a: b", "a:b\n c\n \nd\n\n", "Date: now\nFrom: x\nFrom: y\n\n",
	} {
		f.Add(s, ^uint64(0))
		f.Add(strings.ReplaceAll(s, "\n", "\r\n"), uint64(0x5555555555555555))
	}
	f.Fuzz(func(t *testing.T, text string, pick uint64) {
		if len(text) > 1<<12 {
			return
		}
		wiretest.Hold(t, text, mime.Read, pick)
	})
}

func FuzzMailValue(f *testing.F) {
	for i := range 6 {
		f.Add("Subject: =?utf-8?b?SsO2?=\nTo: Bo <b@e.org>\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain; charset=latin1; name=x\nContent-Transfer-Encoding: quoted-printable\n\n=E4=\nb \nc\n--x\n\nx\n--x\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\nYSxi\nYw==\n--x--\n", i, "ä --x\n--x")
	}
	f.Fuzz(func(t *testing.T, text string, i int, value string) {
		if len(text) > 1<<12 || i < 0 {
			return
		}
		wiretest.HoldValue(t, text, mime.Read, i, strings.Trim(value, " \t"))
	})
}
