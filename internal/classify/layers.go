package classify

import "cordon/internal/exposure"

// layer is a text that was decoded from a place in another text: what a string
// of JSON, a part of a mail or a piece of base64 holds. Fields that stand in it
// have positions in it; what happens to them is folded back outwards.
type layer struct {
	text string
	raw  string // as it stands in the text around
	spot        // where it stands there
	// sealed: a signature covers the text, so nothing in it can be changed.
	sealed bool
}

// inner reads the text that raw, at a place in what is being read, stands for.
func (w *walk) inner(at position, raw, text string, read func()) {
	if w.inside += len(text); w.inside > maxInside || len(w.f.layers) >= maxFields {
		w.stop()
	}
	if w.stopped {
		return
	}
	w.f.layers = append(w.f.layers, layer{text: text, raw: raw, spot: spot{at, w.layer, w.src}})
	s, pos, number := w.s, w.pos, w.layer
	w.s, w.pos, w.layer = text, 0, int32(len(w.f.layers))
	read()
	w.s, w.pos, w.layer = s, pos, number
	if w.stopped {
		w.pos = len(w.s)
	}
}

// deeper reports whether one more decoder may be opened inside those around.
func (w *walk) deeper() bool {
	if w.nested == maxNested {
		w.flag(exposure.IncompleteDepth)
		return false
	}
	return true
}

// decoded reads by read what the value is, named by decoder in templates;
// without a name what is inside has the value's own path.
func (w *walk) decoded(decoder string, n *node, read func()) {
	w.nested++
	if decoder != "" {
		w.push(crumb{node: n, key: decoder, decoder: true})
	}
	read()
	if decoder != "" {
		w.pop()
	}
	w.nested--
}
