// Package mime reads mails (RFC 5322 with MIME, RFC 2045 to 2049, 2231, 6532)
// and lists of addresses.
//
// Every header is a member under its name in lower case, unfolded and with its
// encoded words decoded; in headers that hold addresses the display names are
// quoted where what was encoded in them would part the list. Texts that a
// reader shows are elements of "text" and "html", everything else is an element
// of "attachments": its file name under "name" (RFC 2231 and what mailers write
// instead), its further headers under their names, what it contains under
// "content", with its media type; a mail within a mail is such a content.
// Further headers of texts and of multiparts are elements of "parts", text
// around the parts is "preamble" and "epilogue".
//
// Read: quoted-printable and base64, any nesting of multiparts down to 64, all
// charsets of the WHATWG and of IANA's MIME names that Go knows. Content-Type
// and the like are syntax and no leaves, but their parameters that are not
// known are; a date that is one and the version of MIME are none either.
//
// Said to be incomplete, because two programs may read it differently: headers
// given twice that may stand once, two kinds of line ends in headers or around
// delimiters, bare carriage returns and NULs, lines that are no header, blanks
// before a colon, continuations of blanks alone, boundaries that are missing,
// begin alike or are never closed, encodings of multiparts, unknown charsets and
// encodings, UTF-8 that is broken. Signatures (S/MIME, PGP, DKIM) are not
// checked and do not survive a rewrite.
package mime

import (
	"slices"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// maxNesting bounds multiparts within multiparts.
const maxNesting = 64

// Read tells v of a mail's headers, texts and attachments.
func Read(text string, v wire.Visitor) {
	m := mail{text: text, v: v, eol: "\n"}
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		m.eol = "\r\n"
	}
	e := m.entity(0, len(text), "text/plain")
	if len(e.fields) > 0 && e.fields[0].name == unreadable && e.body == len(text) && !slices.ContainsFunc(e.fields, readable) {
		e = entity{to: len(text), kind: "text/plain"} // no mail at all
	}
	m.fields(e.fields)
	m.body(e, 0)
}

// mail is the reading of one.
type mail struct {
	text       string
	v          wire.Visitor
	eol        string
	boundaries []string // of the multiparts around
	flagged    []exposure.Reason

	stopped                        bool
	texts, htmls, files, furtherAt int
}

func (m *mail) flag(r exposure.Reason) {
	if !m.stopped && !slices.Contains(m.flagged, r) {
		m.flagged = append(m.flagged, r)
		m.v.Problem(r)
	}
}

func (m *mail) leaf(l wire.Leaf) {
	if !m.stopped {
		m.stopped = !m.v.Leaf(l)
	}
}

// member tells of one value under a key.
func (m *mail) member(key string, l wire.Leaf) {
	if !m.stopped {
		m.v.Enter(key)
		m.leaf(l)
		m.v.Leave()
	}
}

// element tells of one element of the list under a key.
func (m *mail) element(key string, n *int, tell func()) {
	if !m.stopped {
		m.v.Enter(key)
		m.v.Element(*n)
		*n++
		tell()
		m.v.Leave()
		m.v.Leave()
	}
}
