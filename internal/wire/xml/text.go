package xml

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

func (r *reader) flush(child bool) { r.flushTo(r.pos, child) }

// flushTo tells of the text from r.from to stop. child says that an element
// follows in it; otherwise the innermost element ends at r.pos.
func (r *reader) flushTo(stop int, child bool) {
	asides := r.asides
	r.asides = nil
	start, end, inside := r.bounds(r.from, stop, asides)
	for len(asides) > 0 && asides[0].end <= start {
		r.aside(asides[0])
		asides = asides[1:]
	}
	if start < end {
		r.piece(start, end, child)
	}
	for _, a := range asides[:inside] {
		if strings.TrimSpace(r.text[a.inner:a.outer]) != "" {
			r.broken() // what it says cannot be told apart from the text
		}
	}
	for _, a := range asides[inside:] {
		r.aside(a)
	}
	r.from = stop
}

// bounds is where the text between asides begins and ends, without white space,
// and how many asides are inside it.
func (r *reader) bounds(from, stop int, asides []aside) (start, end, inside int) {
	start, end = stop, from
	last := 0
	for i, pos := 0, from; i <= len(asides); i++ {
		to := stop
		if i < len(asides) {
			to = asides[i].start
		}
		a := pos
		for a < to && space(r.text[a]) {
			a++
		}
		if a < to {
			z := to
			for space(r.text[z-1]) {
				z--
			}
			if start > a {
				start, last = a, i
			}
			end, inside = z, i-last
		}
		if i < len(asides) {
			pos = asides[i].end
		}
	}
	if start >= end {
		return stop, stop, 0
	}
	return start, end, inside
}

// piece tells of text.
func (r *reader) piece(start, end int, child bool) {
	l := wire.Leaf{Start: start, End: end, Member: start, MemberEnd: end, Codec: textCodec}
	r.check(r.text[start:end], true)
	if len(r.open) == 0 { // text outside of the root
		r.broken()
		r.leaf("#text", l)
		return
	}
	e := r.open[len(r.open)-1]
	if e.children || child {
		r.leaf("#text", l)
		return
	}
	// Two texts that come together must not make up "]]>".
	if !e.attributes && len(r.open) > 1 && r.pos > end && r.text[r.pos-1] == '>' && r.text[e.start-1] != ']' {
		l.Member, l.MemberEnd = e.start, r.pos
	}
	r.leaf("", l)
}

func (r *reader) aside(a aside) {
	l := wire.Leaf{Start: a.inner, End: a.outer, Member: a.start, MemberEnd: a.end, Codec: asideCodec}
	if a.key == "!" {
		l.Member, l.MemberEnd, a.key = -1, 0, "#doctype"
	} else if a.start > 0 && r.text[a.start-1] == ']' {
		l.Member, l.MemberEnd = -1, 0
	}
	if strings.TrimSpace(r.text[a.inner:a.outer]) != "" {
		r.leaf(a.key, l)
	}
}

// check flags what is not well-formed in a text.
func (r *reader) check(raw string, cdataToo bool) {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c < ' ' && !space(c):
			r.broken()
		case c == '<' && cdataToo && strings.HasPrefix(raw[i:], cdata):
			end := strings.Index(raw[i:], "]]>")
			if end < 0 {
				return // told already
			}
			i += end + 2
		case c == '<' && cdataToo && strings.HasPrefix(raw[i:], "<!--"):
			if end := strings.Index(raw[i+4:], "-->"); end >= 0 {
				i += 4 + end + 2
			}
		case c == '&':
			if _, size := entity(raw[i:]); size == 0 {
				r.flag(exposure.IncompleteSyntax)
			}
		case c == ']' && strings.HasPrefix(raw[i:], "]]>") && cdataToo:
			r.broken()
		}
	}
}
