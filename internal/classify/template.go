package classify

import (
	"bytes"
	"strconv"
)

// template is the way to an unmapped leaf without anything personal in it.
// There are few, so each is made once and then found again.
func (w *walk) template() string {
	known := len(w.crumbs)
	for known > 0 && w.crumbs[known-1].node == nil {
		known--
	}
	b := w.written[:0]
	if known > 0 {
		b = append(b, w.crumbs[known-1].node.template...)
	} else {
		b = w.outside(b)
	}
	for i := known; i < len(w.crumbs); i++ {
		c := &w.crumbs[i]
		switch {
		case c.elem || c.decoder:
			b = c.sign(b)
		case c.index < listKeys && plainKey(c.key):
			b = append(dot(b), c.key...)
		default:
			b = append(dot(b), '*')
		}
	}
	b = w.outsideEnd(b)
	w.written = b
	if t, ok := w.templates[string(b)]; ok {
		return t
	}
	if w.templates == nil {
		w.templates = map[string]string{}
	}
	t := string(b)
	w.templates[t] = t
	return t
}

// place is the concrete path to where the walk stands.
func (w *walk) place() string {
	b := w.outside(nil)
	for i := range w.crumbs {
		switch c := &w.crumbs[i]; {
		case c.elem:
			b = append(strconv.AppendInt(append(b, '['), int64(c.index), 10), ']')
		case c.decoder:
			b = c.sign(b)
		default:
			b = append(dot(b), c.key...)
		}
	}
	return string(w.outsideEnd(b))
}

// sign writes a step that is no key.
func (c *crumb) sign(b []byte) []byte {
	if c.elem {
		return append(b, "[]"...)
	}
	return append(append(b, '|'), c.key...)
}

// dot stands before every key but the first.
func dot(b []byte) []byte {
	if len(b) == 0 || len(b) == 1 && (b[0] == '?' || b[0] == '{' || b[0] == '.') {
		return b
	}
	return append(b, '.')
}

// outside and outsideEnd write the marks of joinKey.
func (w *walk) outside(b []byte) []byte {
	switch w.src {
	case inQuery:
		return append(b, '?')
	case inPath:
		return append(b, '{')
	}
	return b
}

func (w *walk) outsideEnd(b []byte) []byte {
	switch {
	case w.src == inPath && !bytes.HasSuffix(b, []byte("}")):
		return append(b, '}')
	case w.src == inHeader && !bytes.HasSuffix(b, []byte(":")):
		return append(b, ':')
	case len(b) == 0:
		return append(b, '.')
	}
	return b
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
