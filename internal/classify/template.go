package classify

import (
	"strconv"
	"strings"
)

// template is the way to an unmapped leaf without anything personal in it.
func (w *walk) template() string {
	known := len(w.crumbs)
	for known > 0 && w.crumbs[known-1].node == nil {
		known--
	}
	var b strings.Builder
	if known > 0 {
		b.WriteString(w.crumbs[known-1].node.template)
	} else {
		w.outside(&b)
	}
	for _, c := range w.crumbs[known:] {
		if c.elem || c.decoder {
			b.WriteString(c.sign())
			continue
		}
		w.dot(&b)
		if c.index < listKeys && plainKey(c.key) {
			b.WriteString(c.key)
		} else {
			b.WriteByte('*')
		}
	}
	w.outsideEnd(&b)
	return b.String()
}

// place is the concrete path to where the walk stands.
func (w *walk) place() string {
	var b strings.Builder
	w.outside(&b)
	for _, c := range w.crumbs {
		if c.elem {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(c.index))
			b.WriteByte(']')
			continue
		}
		if c.decoder {
			b.WriteString(c.sign())
			continue
		}
		w.dot(&b)
		b.WriteString(c.key)
	}
	w.outsideEnd(&b)
	return b.String()
}

// sign is how a template writes a step that is no key.
func (c *crumb) sign() string {
	if c.elem {
		return "[]"
	}
	return "|" + c.key
}

func (w *walk) dot(b *strings.Builder) {
	if s := b.String(); s != "" && s != "?" && s != "{" && s != "." {
		b.WriteByte('.')
	}
}

// outside and outsideEnd write the marks of joinKey.
func (w *walk) outside(b *strings.Builder) {
	switch w.src {
	case inQuery:
		b.WriteByte('?')
	case inPath:
		b.WriteByte('{')
	}
}

func (w *walk) outsideEnd(b *strings.Builder) {
	switch s := b.String(); {
	case w.src == inPath && !strings.HasSuffix(s, "}"):
		b.WriteByte('}')
	case w.src == inHeader && !strings.HasSuffix(s, ":"):
		b.WriteByte(':')
	case s == "":
		b.WriteByte('.')
	}
}

// plainKey reports whether a key looks like the name of a field and not like
// somebody's address, number or name.
func plainKey(key string) bool {
	digits := 0
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c == '-', c == '$':
		case '0' <= c && c <= '9':
			digits++
		default:
			return false
		}
	}
	return key != "" && len(key) <= 40 && digits < 4
}
