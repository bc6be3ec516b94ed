package mime

import (
	"slices"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// part tells of a part of a multipart: its header and its body.
func (m *mail) part(e entity, depth int) {
	if m.stopped {
		return
	}
	_, shown := e.shown()
	if (shown || e.multipart()) && slices.ContainsFunc(e.fields, func(f field) bool { return !syntax(f.name, "1.0") }) {
		m.element("parts", &m.furtherAt, func() { m.fields(e.fields) })
	}
	if !shown && !e.multipart() {
		m.file(e, e.fields)
		return
	}
	m.body(e, depth)
}

func (e *entity) multipart() bool { return strings.HasPrefix(e.kind, "multipart/") }

// body tells of a body whose header has been told of.
func (m *mail) body(e entity, depth int) {
	if e.multipart() {
		for _, p := range e.leaves {
			m.member(p.key, p.Leaf)
		}
		m.multipart(e, depth)
		return
	}
	key, shown := e.shown()
	if !shown {
		m.file(e, nil)
		return
	}
	n := &m.texts
	if key == "html" {
		n = &m.htmls
	}
	for _, p := range e.leaves {
		m.member(p.key, p.Leaf)
	}
	if e.body < e.to {
		l := wire.Leaf{Start: e.body, End: e.to, Member: -1, Codec: m.codec(e)}
		m.element(key, n, func() { m.leaf(l) })
	}
}

// file tells of a part that is an attachment.
func (m *mail) file(e entity, fields []field) {
	if len(e.leaves) == 0 && e.body >= e.to && !slices.ContainsFunc(fields, func(f field) bool { return !syntax(f.name, "1.0") }) {
		return
	}
	if strings.HasPrefix(e.kind, "message/") && e.transfer != asIs {
		m.flag(exposure.IncompleteCoding) // RFC 2045 section 6.4 forbids it
	}
	m.element("attachments", &m.files, func() {
		m.fields(fields)
		for _, p := range e.leaves {
			m.member(p.key, p.Leaf)
		}
		if e.body < e.to {
			m.member("content", wire.Leaf{
				Start: e.body, End: e.to, Member: -1, Codec: m.codec(e), Type: e.kind, Name: e.name,
			})
		}
	})
}

// multipart tells of the parts of e (RFC 2046 section 5.1).
func (m *mail) multipart(e entity, depth int) {
	if depth >= maxNesting {
		m.flag(exposure.IncompleteDepth)
		m.around("preamble", e.body, e.to)
		return
	}
	if e.transfer != asIs {
		m.flag(exposure.IncompleteCoding) // forbidden; some decode it
	}
	if e.boundary == "" || len(e.boundary) > 70 || strings.TrimRight(e.boundary, " ") != e.boundary || !printable(e.boundary) {
		m.flag(exposure.IncompleteBoundary)
	}
	if e.boundary == "" {
		m.around("preamble", e.body, e.to)
		return
	}
	m.boundaries = append(m.boundaries, e.boundary)
	defer func() { m.boundaries = m.boundaries[: len(m.boundaries)-1 : len(m.boundaries)-1] }()
	kind := "text/plain"
	if e.kind == "multipart/digest" {
		kind = "message/rfc822"
	}
	at, found := m.delimiter(e.boundary, e.body, e.to)
	m.around("preamble", e.body, at.before)
	for found && !m.stopped {
		if at.last {
			m.around("epilogue", at.after, e.to)
			return
		}
		var next delimiter
		next, found = m.delimiter(e.boundary, at.after, e.to)
		m.part(m.entity(at.after, max(at.after, next.before), kind), depth+1)
		at = next
	}
	m.flag(exposure.IncompleteBoundary) // never closed
}

// delimiter is a line that parts parts.
type delimiter struct {
	before int // where what is before ends, without the line end that is the delimiter's
	after  int // where what is behind begins
	last   bool
}

// delimiter finds the next one at or after pos; without one, the end.
func (m *mail) delimiter(boundary string, pos, to int) (delimiter, bool) {
	mark := "--" + boundary
	for at := pos; at < to; {
		i := strings.Index(m.text[at:to], mark)
		if i < 0 {
			break
		}
		i += at
		at = i + len(mark)
		if i > pos && m.text[i-1] != '\n' {
			if m.text[i-1] == '\r' {
				m.flag(exposure.IncompleteBoundary) // a line's begin to some
			}
			continue
		}
		d := delimiter{before: i}
		rest := m.text[at:to]
		if d.last = strings.HasPrefix(rest, "--"); d.last {
			at += 2
		}
		stop, next := m.line(at, to)
		if strings.Trim(m.text[at:stop], " \t") != "" {
			m.flag(exposure.IncompleteBoundary) // longer, and begins alike
			continue
		}
		d.after = next
		if i > pos {
			_, d.before = m.lineEnd(pos, i)
		}
		return d, true
	}
	return delimiter{before: to, after: to}, false
}

// lineEnd is where the line end before i begins.
func (m *mail) lineEnd(pos, i int) (crlf bool, start int) {
	start = i - 1
	if crlf = start > pos && m.text[start-1] == '\r'; crlf {
		start--
	}
	if crlf != (m.eol == "\r\n") {
		m.flag(exposure.IncompleteSyntax)
	}
	return crlf, start
}

// around tells of text before, between or behind the parts. Readers do not show
// it, but it goes to the vendor all the same.
func (m *mail) around(key string, from, to int) {
	text := strings.TrimSpace(m.text[from:max(from, to)])
	if text == "" || len(text) < 200 && key == "preamble" && customary(text) {
		return
	}
	m.member(key, wire.Leaf{Start: from, End: to, Member: -1, Codec: &body{eol: m.eol, boundaries: m.boundaries}})
}

// customary reports what mailers say to readers that do not know MIME.
func customary(text string) bool {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	for _, known := range []string{
		"this is a multi-part message in mime format",
		"this is a multipart message in mime format",
		"this is a mime-encapsulated message",
		"this is a mime-formatted message. if you see this text it means that your e-mail software does not support mime-formatted messages",
		"this message is in mime format. since your mail reader does not understand this format, some or all of this message may not be legible",
		"this is a cryptographically signed message in mime format",
		"this is an openpgp/mime signed message (rfc 4880 and 3156)",
		"this is an openpgp/mime encrypted message (rfc 4880 and 3156)",
	} {
		if strings.Trim(text, " .-") == known {
			return true
		}
	}
	return false
}
