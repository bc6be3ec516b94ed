package classify

import (
	"strings"
	"unsafe"

	"cordon/internal/detect"
	"cordon/internal/exposure"
)

// minSearched is the length of the shortest value that can hold anything: a@b.co.
const minSearched = 6

// keyDepth is how many of the keys on the way to a value speak of it.
const keyDepth = 4

// searched reports whether undeclared data is looked for in leaves that a
// mapping calls c. Those that it calls something else are what it says; what it
// takes for a number or an id and is an address is seen to by attribute.
func searched(c exposure.Category) bool { return c.Within(exposure.Text) }

// undeclared looks for personal data in the value of the field host, which was
// just found: a text, a leaf that no mapping names, a body of an unknown kind.
// l is what the mapping says of it; its keys are w.crumbs, its group is g. The
// value is good until undeclared returns.
//
// What is found lies in its host and waits there, in a group that attribute
// replaces: whose it is can be told only when everybody in the message is known.
func (w *walk) undeclared(l *leaf, g int32, host int, value string) {
	if len(value) < minSearched {
		return
	}
	s := &w.scratch
	s.hits = detect.Append(s.hits[:0], value, detect.Context{Key: w.keys()})
	w.work += len(value)
	for _, h := range s.hits {
		if h.Kind.Category() == w.f.fields[host].Category { // the mapping says so already
			continue
		}
		m := marks(0)
		if h.Checked {
			m |= checked
		}
		if w.f.derive(host, int(h.Start), int(h.End), value, h.Kind.Category(), g, m) < 0 {
			w.stop()
			return
		}
	}
}

// keys joins the last names on the way to where the walk stands. The string is
// good until the next call.
func (w *walk) keys() string {
	from := len(w.crumbs)
	for n := 0; from > 0 && n < keyDepth; from-- {
		if c := &w.crumbs[from-1]; !c.elem && !c.decoder {
			n++
		}
	}
	b := w.scratch.key[:0]
	for _, c := range w.crumbs[from:] {
		if c.elem || c.decoder {
			continue
		}
		if len(b) > 0 {
			b = append(b, '.')
		}
		b = append(b, c.key...)
	}
	w.scratch.key = b
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// found reports whether a field is a piece of text that a detector found.
func (f *Field) found() bool {
	return f.enc == piece && f.marks&derived != 0 && f.Category != exposure.Opaque
}

// isWhole reports whether what was found in the field host, from the piece
// first on, is all of its value: no text speaks of it, the value is it. A list
// of addresses is all of each of them, and so is an address with its name
// before it: "Ada <ada@example.org>".
func (f *Findings) isWhole(host int32, first int) bool {
	value := f.fields[host].Value()
	if len(strings.TrimSpace(value)) == len(f.fields[first].raw) {
		return true
	}
	if len(value) > maxList {
		return false
	}
	rest := value
	for i := first; i < len(f.fields) && f.fields[i].found() && f.fields[i].host == host; i++ {
		piece := &f.fields[i]
		if piece.Category != exposure.Email {
			return false
		}
		from := len(rest) - (len(value) - int(piece.start))
		before := strings.TrimLeft(rest[:from], " >,;\t\r\n")
		rest = rest[from+len(piece.raw):]
		switch name, named := strings.CutSuffix(before, "<"); {
		case before == "":
		case !named || len(name) > 80 || strings.ContainsAny(name, "<>:;\n"):
			return false
		case !strings.HasPrefix(rest, ">"):
			return false
		}
	}
	return strings.Trim(rest, " >,;\t\r\n") == ""
}

// maxList is the length of the longest value that is taken for a list of
// addresses.
const maxList = 64 << 10
