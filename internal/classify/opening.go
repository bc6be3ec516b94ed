package classify

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire/mime"
	"cordon/internal/wire/xml"
)

// formats are the decoders that paths of mappings name. Each reads all of the
// text that the walk stands in.
var formats map[string]format

type format struct {
	// fits reports whether a text can be of this format.
	fits func(text string) bool
	read func(w *walk, n *node, l *leaf, g int32)
	// values: the text as a whole is one value, as it is in JSON.
	values bool
}

func init() { // they read each other's
	formats = map[string]format{
		"json":      {looksJSON, func(w *walk, n *node, l *leaf, g int32) { w.json(n, l, g, 0, len(w.s)) }, true},
		"form":      {looksPairs, func(w *walk, n *node, l *leaf, g int32) { w.form(n, l, g, 0, len(w.s)) }, false},
		"lines":     {looksJSON, func(w *walk, n *node, l *leaf, g int32) { w.lines(n, l, g, 0, len(w.s)) }, false},
		"base64":    {looksBase64, (*walk).base64, true},
		"addresses": {looksAddresses, (*walk).addresses, false},
		"csv":       {looksTable, func(w *walk, n *node, l *leaf, g int32) { w.table(n, l, g, "") }, false},
		"mime":      {looksMail, func(w *walk, n *node, l *leaf, g int32) { w.tell(n, l, g, mime.Read) }, false},
		"xml":       {looksXML, func(w *walk, n *node, l *leaf, g int32) { w.tell(n, l, g, xml.Read) }, false},
	}
}

func looksAddresses(text string) bool { return strings.IndexByte(text, '@') > 0 }

func looksTable(text string) bool { return strings.ContainsAny(text, "\n,;\t|") }

// looksMail wants a header field first.
func looksMail(text string) bool {
	line, _, _ := strings.Cut(text, "\n")
	name, _, ok := strings.Cut(line, ":")
	return ok && token(strings.TrimSpace(name)) || strings.HasPrefix(text, "From ")
}

func looksPairs(text string) bool { return strings.IndexByte(text, '=') > 0 }

// opened reads what a value holds where that is a document, and reports
// whether it is one. n is what is mapped at the value, l what it, or something
// around it, was said to be.
func (w *walk) opened(n *node, l *leaf, g int32, at position, raw string) bool {
	if w.dry || w.stopped {
		return false
	}
	if n != nil && n.opens && w.openedAsMapped(n, l, g, at, raw) {
		return true
	}
	if l != nil {
		return w.openedFile(l, g, at, raw)
	}
	return w.openedUnasked(n, g, at, raw)
}

// openedAsMapped opens a value below which something is mapped.
func (w *walk) openedAsMapped(n *node, l *leaf, g int32, at position, raw string) bool {
	text, _ := at.enc.decode(raw)
	for _, d := range n.decoders {
		f := formats[d.key]
		if f.read == nil || !f.fits(text) {
			continue
		}
		if !w.deeper() {
			return false
		}
		w.inner(at, raw, text, func() {
			w.decoded(d.key, d.node, func() { w.reading(f, d.node, l, g) })
		})
		return true
	}
	if looksJSON(text) && (n.keyed() || n.elem != nil) && (strings.HasPrefix(strings.TrimLeft(text, "[ \t\r\n"), `{"`) || w.isJSON(text)) {
		if !w.deeper() {
			return false
		}
		w.inner(at, raw, text, func() {
			w.decoded("", n, func() { w.json(n, l, g, 0, len(w.s)) })
		})
		return true
	}
	if l == nil && len(n.decoders) > 0 && find(n.decoders, "addresses") == nil {
		w.flag(exposure.IncompleteSyntax) // it is not what the mapping says
	}
	return false
}

// reading reads the whole of a layer by a mapped format. The decoder's own
// node may begin a subject and have a leaf; JSON looks at that itself.
func (w *walk) reading(f format, n *node, l *leaf, g int32) {
	if !f.values {
		if n.subject > rootSubject {
			g = w.open(n.subject, g)
		}
		if n.leaf != nil {
			l = n.leaf
		}
	}
	f.read(w, n, l, g)
}

// isJSON reports whether a text is one JSON document of an object or an array.
func (w *walk) isJSON(text string) bool {
	s, pos := w.s, w.pos
	w.dry, w.broken = true, false
	w.s = text
	w.json(nil, nil, 0, 0, len(text))
	w.s, w.pos, w.dry = s, pos, false
	return !w.broken && !w.stopped
}
