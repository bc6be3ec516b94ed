package mime_test

import (
	"strings"
	"testing"

	"cordon/internal/wire/mime"
	"cordon/internal/wire/wiretest"
)

// crlf writes a mail as SMTP does.
func crlf(s string) string { return strings.ReplaceAll(strings.TrimPrefix(s, "\n"), "\n", "\r\n") }

func TestMailWithEverything(t *testing.T) {
	text := crlf(`
From: =?utf-8?q?M=C3=BCller=2C_J=C3=B6rg?= <joerg@example.com>
To: "Berg, Anna" <anna@example.com>,
	Bo Lund <bo@example.org>
Subject: =?utf-8?b?R3LDvMOfZSBhdXMg?=
 =?utf-8?b?S8O2bG4=?=
Date: Tue, 24 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
X-Customer: 4711
Content-Type: multipart/mixed; boundary="outer"

This is a multi-part message in MIME format.
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Liebe Anna, deine Stra=DFe ist eine sehr lange Stra=DFe, die nicht auf eine =
Zeile passt.
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+TGllYmUgQW5uYTwvcD4=

--inner--

--outer
Content-Type: text/csv; name="people.csv"
Content-Disposition: attachment; filename*0*=utf-8''Leute%20in;
 filename*1*=%20K%C3%B6ln.csv
Content-Transfer-Encoding: base64

ZW1haWwKYW5uYUBleGFtcGxlLmNvbQo=
--outer
Content-Type: message/rfc822

Subject: inside

hello
--outer--
`)
	wiretest.Read(t, text, mime.Read).Want(
		`from="Müller, Jörg" <joerg@example.com>`,
		"to=\"Berg, Anna\" <anna@example.com>,\tBo Lund <bo@example.org>",
		"subject=Grüße aus Köln",
		"x-customer=4711",
		"text[0]=Liebe Anna, deine Straße ist eine sehr lange Straße, die nicht auf eine Zeile passt.",
		"html[0]=<p>Liebe Anna</p>",
		"attachments[0].name=people.csv",
		"attachments[0].name=Leute in Köln.csv",
		"attachments[0].content=email\nanna@example.com\n <text/csv> name=Leute in Köln.csv",
		"attachments[1].content=Subject: inside\r\n\r\nhello <message/rfc822>",
	)
	wiretest.Hold(t, text, mime.Read, ^uint64(0))
	wiretest.Hold(t, text, mime.Read, 0x5555)
	for i := range 10 {
		wiretest.HoldValue(t, text, mime.Read, i, "Zoë <z@example.net>")
		wiretest.HoldValue(t, text, mime.Read, i, "plain@example.net")
	}
}

func TestAddressLists(t *testing.T) {
	for text, want := range map[string]string{
		"anna@example.com":                      "[0].email=anna@example.com",
		" Anna <anna@example.com> ":             "[0].name=Anna [0].email=anna@example.com",
		`"Berg, Anna" <a@example.com>,b@e.org`:  "[0].name=Berg, Anna [0].email=a@example.com [1].email=b@e.org",
		"a@example.com (Anna Berg)":             "[0].email=a@example.com [0].name=Anna Berg",
		"(Anna) a@example.com":                  "[0].name=Anna [0].email=a@example.com",
		"Anna <a@example.com> (home)":           "[0].name=Anna [0].email=a@example.com [0].comment=home",
		"Team: a@e.org, Bo <b@e.org>; , c@e.de": "[0].group=Team [1].email=a@e.org [2].name=Bo [2].email=b@e.org [3].email=c@e.de",
		"undisclosed-recipients:;":              "",
		`"j\"d"@example.com`:                    `[0].email="j\"d"@example.com`,
		`"john"@example.com`:                    "[0].email=john@example.com",
		`<"john doe"@example.com>`:              `[0].email="john doe"@example.com`,
		"<@relay.org,@b.org:anna@example.com>":  "[0].email=anna@example.com",
		"=?utf-8?q?J=C3=B6rg?= <j@example.com>": "[0].name=Jörg [0].email=j@example.com",
		"jörg@müller.example":                   "[0].email=jörg@müller.example",
		"J. Doe <j@example.com>":                "[0].name=J. Doe [0].email=j@example.com",
		"<>":                                    "",
		"a@[192.0.2.1]":                         "[0].email=a@[192.0.2.1]",
		"a@e.org, , b@e.org,":                   "[0].email=a@e.org [1].email=b@e.org",

		"a@e.org; b@e.org":            "[0].email=a@e.org [1].email=b@e.org !broken-syntax",
		"a@e.org b@e.org":             "[0].email=a@e.org [1].email=b@e.org !broken-syntax",
		"Anna a@e.org":                "[0].name=Anna [0].email=a@e.org !broken-syntax",
		"Anna <a@e.org> <b@e.org>":    "[0].name=Anna [0].email=a@e.org [1].email=b@e.org !broken-syntax",
		"Anna <a@e.org, Bo <b@e.org>": "[0].name=Anna [0].email=a@e.org [1].name=Bo [1].email=b@e.org !broken-syntax",
		"Anna":                        "[0].name=Anna !broken-syntax",
		`"Anna <a@e.org>`:             `[0].name=Anna <a@e.org> !broken-syntax`,
		"Anna <a@e.org> Berg":         "[0].name=Anna [0].email=a@e.org [0].unreadable=Berg !broken-syntax",
		"anna(x)@e.org":               "[0].email=anna@e.org !broken-syntax",
		"a@e.org (Anna":               "[0].email=a@e.org [0].name!Anna !broken-syntax",
	} {
		t.Run(text, func(t *testing.T) {
			tree := wiretest.Read(t, text, mime.ReadAddresses)
			if got := strings.ReplaceAll(tree.String(), "\n", " "); got != want {
				t.Errorf("read %s\nwanted %s", got, want)
			}
			for pick := range uint64(16) {
				wiretest.Hold(t, text, mime.ReadAddresses, pick)
			}
		})
	}
}

func TestStrangeMailsAreReadInLinearTime(t *testing.T) {
	for name, unit := range map[string]string{
		"fields": "a: b\n", "folds": " x\n", "no colon": "x\n", "words": "=?utf-8?q?a?= ", "open words": "=?", "parts": "--x\n\n", "alike": "--xy\n",
		"mark": "--x", "nested": "--x\nContent-Type: multipart/mixed; boundary=x\n\n", "parameters": "; a=b", "comments": "(", "quotes": `"`, "returns": "\r",
	} {
		wiretest.Linear(t, name, mime.Read, func(n int) string { return strings.Repeat(unit, n) })
		wiretest.Linear(t, name, mime.Read, func(n int) string { return "To: " + strings.Repeat(unit, n) })
		wiretest.Linear(t, name, mime.Read, func(n int) string {
			return "Content-Type: multipart/mixed; boundary=x\nContent-Disposition: x" + strings.Repeat(unit, n)
		})
		wiretest.Linear(t, name, mime.Read, func(n int) string {
			return "Content-Type: multipart/mixed; boundary=x\n\n" + strings.Repeat(unit, n)
		})
	}
	for name, unit := range map[string]string{
		"angle": "<", "open": "a <b@c", "list": "a@b,", "crowd": "a@b ", "comment": "(a)", "nested": "(", "quote": `"`, "escape": `\`, "group": "a:", "end": ";", "route": "<@",
	} {
		wiretest.Linear(t, name, mime.ReadAddresses, func(n int) string { return strings.Repeat(unit, n) })
		wiretest.Linear(t, name, mime.ReadAddresses, func(n int) string { return "a@b " + strings.Repeat(unit, n) })
	}
}
