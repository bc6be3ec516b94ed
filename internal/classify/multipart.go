package classify

import (
	"mime"
	"strings"
	"unicode/utf8"

	"cordon/internal/exposure"
)

// multipart reads w.s[from:to] as multipart/form-data (RFC 7578). Where RFC
// 2046 leaves room that parsers use differently (text around the parts, bare
// line feeds, folded headers), the message is incomplete.
func (w *walk) multipart(n *node, l *leaf, g int32, contentType string) {
	from, to := 0, len(w.s)
	var boundary string
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		boundary = params["boundary"]
	}
	body := w.s[from:to]
	if boundary == "" {
		w.flag(exposure.IncompleteBoundary)
		if first, _, ok := strings.Cut(body, "\n"); ok && strings.HasPrefix(first, "--") {
			boundary = strings.TrimRight(first[2:], "\r \t")
		}
	}
	delimiter := "--" + boundary
	if boundary == "" || !strings.Contains(body, delimiter) {
		w.flag(exposure.IncompleteBoundary)
		w.found(l, g, position{enc: wholeText, member: -1}, body)
		return
	}
	m := parts{walk: w, root: cursor{node: n, leaf: l, group: g}, delimiter: delimiter}
	start, ok := m.next(from, to)
	if start != from {
		w.flag(exposure.IncompleteBoundary) // a preamble: data to whoever shows it
	}
	for ok && !w.stopped {
		after := start + len(delimiter)
		if strings.HasPrefix(w.s[after:to], "--") {
			if strings.Trim(w.s[after+2:to], "\r\n") != "" {
				w.flag(exposure.IncompleteBoundary) // an epilogue
			}
			return
		}
		var end int
		end, ok = m.next(after, to)
		m.part(start, after, end)
		start = end
	}
	w.flag(exposure.IncompleteBoundary) // no closing delimiter
}

// parts is the reading of one multipart body.
type parts struct {
	*walk
	root      cursor
	delimiter string
	lists     places
}

// next finds the next delimiter that begins a line at or after pos; without
// one, the end.
func (m *parts) next(pos, to int) (int, bool) {
	for at := pos; at < to; {
		i := strings.Index(m.s[at:to], m.delimiter)
		if i < 0 {
			break
		}
		m.work += i
		i += at
		after := m.s[i+len(m.delimiter) : to]
		ends := after == "" || strings.HasPrefix(after, "--") || strings.IndexByte("\r\n \t", after[0]) >= 0
		if (i == 0 || m.s[i-1] == '\n') && ends {
			return i, true
		}
		if i == 0 || m.s[i-1] == '\n' { // a longer line that begins alike
			m.flag(exposure.IncompleteBoundary)
		}
		at = i + len(m.delimiter)
	}
	m.work += to - pos
	return to, false
}

// part reads the part that lies between the delimiter at start, whose text ends
// at after, and the next one at end.
func (m *parts) part(start, after, end int) {
	h, body := m.head(after, end)
	stop := end
	switch { // the line end before a delimiter belongs to it
	case stop > body && strings.HasSuffix(m.s[body:stop], "\r\n"):
		stop -= 2
	case stop > body && m.s[stop-1] == '\n':
		stop--
		m.flag(exposure.IncompleteBoundary)
	}
	at := m.descend(m.root, h.name, &m.lists)
	defer func() { m.crumbs = m.crumbs[:len(m.crumbs)-at.depth] }()

	place := position{enc: partText, start: int32(body), member: int32(start)}
	if stop <= body { // the names of an empty file and of an empty field still say something
		if h.fileName != "" {
			m.fileName(&h, m.fileLeaf(at), at)
		} else if personal(h.name) {
			m.found(at.leaf, at.group, position{enc: fileName, start: int32(h.nameAt), member: -1}, m.s[h.nameAt:h.nameEnd])
		}
		return
	}
	value := m.s[body:stop]
	if h.file { // several may share a name (RFC 7578 section 4.3)
		m.file(&h, at, place, value)
		return
	}
	m.once(at, &m.lists)
	t, params := mediaType(h.contentType)
	whole := at.leaf != nil && (at.node == nil || !at.node.opens)
	if d := declared(t); d != nil && d.parts && !h.encoded && !(d.table && whole) {
		if !utf8Charset(params) {
			m.flag(exposure.IncompleteContentType)
		}
		m.document(d, at, place, value, h.contentType)
		return
	}
	for n := at.node; n != nil && n.elem != nil && !n.named(); n = n.elem {
		at = m.enter(at, n.elem, nil)
	}
	if t != "" && t != "text/plain" || !utf8Charset(params) {
		m.flag(exposure.IncompleteContentType)
	} else if !utf8.ValidString(value) {
		m.flag(exposure.IncompleteUTF8)
	}
	if !m.opened(at.node, at.leaf, at.group, place, value) {
		m.found(at.leaf, at.group, place, value)
	}
}

// document reads a part as what it is, which may not be what it says.
func (m *parts) document(d *decoder, at cursor, place position, value, contentType string) {
	if looks := sniffed(value); looks != nil && looks != d && d.looks != nil && !(looks.untyped && d.untyped) {
		m.flag(exposure.IncompleteContentTypeLies)
		d = looks
	}
	m.inner(place, value, value, func() { d.read(m.walk, at.node, at.leaf, at.group, contentType) })
}

// file takes an uploaded file. Without a mapping its name and what cannot be
// looked into are somebody's content; a table is read, and so is what a picture
// says besides itself.
func (m *parts) file(h *head, at cursor, place position, value string) {
	l := m.fileLeaf(at)
	if h.fileName != "" {
		m.fileName(h, l, at)
	}
	if at.node != nil && at.node.opens && m.opened(at.node, at.leaf, at.group, place, value) {
		return // a decoder of the mapping: message|mime, file|csv
	}
	mapped := at.node != nil && (at.node.keyed() || at.node.elem != nil)
	d := declared(mediaTypeName(typeOf(h.contentType, h.fileName)))
	if d != nil && !h.encoded && (mapped || at.leaf == nil && d.table) {
		m.document(d, at, place, value, h.contentType)
		return
	}
	m.walk.file(l, at.group, place, value)
}

// fileLeaf is what a file is: without a mapping, somebody's content.
func (m *parts) fileLeaf(at cursor) *leaf {
	if at.leaf != nil {
		return at.leaf
	}
	return &leaf{template: m.template(), category: exposure.Text, search: true, subject: m.f.groups[at.group].subject}
}

// fileName takes the name of a file.
func (m *parts) fileName(h *head, l *leaf, at cursor) {
	m.push(crumb{key: "filename"})
	name := *l
	if at.leaf == nil {
		name.template = m.template()
	}
	m.found(&name, at.group, position{enc: fileName, start: int32(h.fileNameAt), member: -1}, h.fileName)
	m.pop()
}
