package mime

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// entity is a mail or a part of one: a header and what it says of the body.
type entity struct {
	fields   []field
	body, to int
	kind     string // media type, in lower case
	charset  string
	boundary string
	transfer transfer
	attached bool // by its disposition or by having a name
	name     string
	leaves   []paramLeaf
}

// paramLeaf is a parameter that is no syntax.
type paramLeaf struct {
	key string
	wire.Leaf
}

// entity reads the header at pos.
func (m *mail) entity(pos, to int, kind string) entity {
	e := entity{to: to, kind: kind}
	e.fields, e.body = m.header(pos, to)
	for _, f := range e.fields {
		value := m.text[f.value:f.stop]
		switch f.name {
		case "content-type":
			m.contentType(&e, f, value)
		case "content-disposition":
			disposition, list := parameters(value)
			e.attached = e.attached || !strings.EqualFold(disposition, "inline")
			m.params(&e, f, value, list)
		case "content-transfer-encoding":
			name, _ := uncommented(value, 0)
			e.transfer = transferOf(name)
			if e.transfer == unknownTransfer || name != strings.TrimSpace(value) { // with more behind it, unknown to some
				m.flag(exposure.IncompleteCoding)
			}
		}
	}
	e.attached = e.attached || e.name != ""
	return e
}

func (m *mail) contentType(e *entity, f field, value string) {
	kind, list := parameters(value)
	e.kind = strings.ToLower(kind)
	if major, minor, ok := strings.Cut(e.kind, "/"); !ok || major == "" || minor == "" || strings.ContainsAny(e.kind, " \t\r\n\"=") {
		// RFC 2045 section 5.2 takes it as text; programs guess.
		m.flag(exposure.IncompleteContentType)
		e.kind = "text/plain"
	}
	seen := map[string]bool{}
	for _, p := range list {
		base, _, _ := p.form()
		if base != "boundary" && base != "charset" {
			continue
		}
		// Twice, in pieces, or with blanks: programs take different ones.
		if seen[base] || p.key != base || p.loose {
			m.flag(exposure.IncompleteBoundary)
		}
		seen[base] = true
		if base == "boundary" {
			e.boundary = p.value
		} else {
			e.charset = p.value
		}
	}
	m.params(e, f, value, list)
}

// params keeps the parameters that are no syntax; the pieces of one value
// (RFC 2231) are one leaf.
func (m *mail) params(e *entity, f field, value string, list []param) {
	for i := 0; i < len(list); i++ {
		p := list[i]
		base, _, _ := p.form()
		end := p.end
		for i+1 < len(list) {
			next, section, _ := list[i+1].form()
			if next != base || section == 0 {
				break
			}
			i++
			end = list[i].end
		}
		if parametersKnown[base] {
			continue
		}
		l := wire.Leaf{
			Start: f.value + p.at, End: f.value + end, Member: f.value + p.start, MemberEnd: f.value + end,
			Codec: parameter{m.eol},
		}
		key := base
		if base == "filename" || base == "name" {
			key = "name"
			if name, _ := l.Codec.Decode(value[p.at:end]); base == "filename" || e.name == "" {
				e.name = name
			}
		}
		e.leaves = append(e.leaves, paramLeaf{key, l})
	}
}

// parametersKnown say how to read a part, when a file was changed, or how large
// it is.
var parametersKnown = words(`boundary charset format delsp type start start-info protocol micalg report-type
	method component smime-type profile version reply-type size creation-date modification-date read-date
	x-unix-mode x-apple-part-url-type hreflang conversions`)

// shown reports text that a reader shows as the mail, and under which key.
func (e *entity) shown() (key string, ok bool) {
	if e.attached {
		return "", false
	}
	switch e.kind {
	case "text/plain", "text/enriched", "text/richtext":
		return "text", true
	case "text/html", "text/x-amp-html", "text/watch-html":
		return "html", true
	}
	return "", false
}

func (m *mail) codec(e entity) *body {
	c := &body{transfer: e.transfer, charset: binaryCharset, eol: m.eol, boundaries: m.boundaries}
	if strings.HasPrefix(e.kind, "text/") {
		c.charset = charsetOf(e.charset)
		if c.charset.unknown {
			m.flag(exposure.IncompleteContentType)
		}
	}
	return c
}
