package classify

import (
	"strings"
	"sync"
	"unsafe"

	"cordon/internal/exposure"
)

// source is the part of a message in which a field stands.
type source uint8

const (
	inBody source = iota
	inPath
	inQuery
	inHeader
	inEnvelope
)

// group is one instance of a mapping: one element at one concrete place.
// Groups are numbered in the order in which they begin, so a parent's number
// is lower than its children's. Group 0 is the message.
type group struct {
	parent, subject int32
	person          int32 // set by people; -1 is nobody
	identifying     bool  // has a field of an identifying category
	inside          bool  // an identifying group lies within
}

// crumb is one step of the way from the root to where the walk stands.
type crumb struct {
	node  *node // nil where nothing is mapped
	key   string
	index int32 // the element's, or the member's place among its siblings
	elem  bool
	// decoder: not a member but what the value, read as key says, holds.
	decoder bool
}

// walk is one pass over a message. It is reused; what it found is not.
type walk struct {
	f       *Findings
	src     source
	s       string // what is being read; positions are into it
	pos     int
	layer   int32 // the number of s: 0 is the source itself
	depth   int   // brackets around
	nested  int   // decoders around
	inside  int   // bytes that were decoded from within others
	crumbs  []crumb
	names   []string // the keys seen in the objects around, for duplicates
	leaves  int
	stopped bool // out of budget: read no further
	dry     bool // only to see whether it is JSON: nothing is found
	broken  bool // it is not
	work    int  // steps taken; a test holds that they are linear

	scratch scratch
	// Memory that is used again: for what is found, until it is all there, and
	// for templates, which are few.
	fields    []Field
	groups    []group
	written   []byte
	plain     []byte
	templates map[string]string

	places []string // concrete paths, when traced
	traced bool
}

var walks = sync.Pool{New: func() any { return new(walk) }}

// flag records a reason once.
func (w *walk) flag(r exposure.Reason) {
	if w.stopped {
		return // what looks broken from here on is only unread
	}
	if w.dry {
		if r == exposure.IncompleteSyntax {
			w.broken, w.pos = true, len(w.s)
		}
		return
	}
	for _, have := range w.f.reasons {
		if have == r {
			return
		}
	}
	w.f.reasons = append(w.f.reasons, r)
}

func (w *walk) stop() {
	w.dry = false
	w.flag(exposure.IncompleteBudget)
	w.stopped = true
	w.pos = len(w.s)
}

// open begins a group inside parent.
func (w *walk) open(subject, parent int32) int32 {
	w.f.groups = append(w.f.groups, group{parent: parent, subject: subject, person: -1})
	return int32(len(w.f.groups) - 1)
}

func (w *walk) push(c crumb) { w.crumbs = append(w.crumbs, c) }
func (w *walk) pop()         { w.crumbs = w.crumbs[:len(w.crumbs)-1] }

// found takes one leaf. l is what the mappings say it is, nil when they say
// nothing; g is the group in which it stands.
func (w *walk) found(l *leaf, g int32, at position, raw string) {
	if w.stopped || w.dry {
		return
	}
	if w.leaves++; w.leaves > maxLeaves || len(w.f.fields) >= maxFields {
		w.stop()
		return
	}
	if l == nil {
		l = &unnamedLeaf
	} else if l.none {
		w.setAside(l, g, at, raw)
		return
	} else {
		g = w.of(l, g)
		if l.boxes != nil && written(raw) && w.mailboxes(l.boxes, g, at, raw) {
			return
		}
	}
	template := l.template
	if template == "" { // no mapping's
		template = w.template()
	}
	if l.identifies {
		w.f.groups[g].identifying = true
	}
	marks := l.marks
	if !l.identifies && w.covers(l) {
		marks |= covered
	}
	w.f.fields = append(w.f.fields, Field{Category: l.category, Path: template, marks: marks, raw: raw, group: g, spot: spot{at, w.layer, w.src}})
	if w.traced {
		w.trace()
	}
	if l.search || marks&covered != 0 {
		host := len(w.f.fields) - 1
		w.undeclared(l, g, host, w.clear(at.enc, raw))
	}
}

// covers reports whether a leaf is mapped by what stands around the place where
// the walk is, and not by that place's own name.
func (w *walk) covers(l *leaf) bool {
	if l.open || len(w.crumbs) == 0 {
		return l.open
	}
	n := w.crumbs[len(w.crumbs)-1].node
	return n == nil || n.leaf != l
}

// clear is a value decoded, in memory that is used again for the next.
func (w *walk) clear(e encoding, raw string) string {
	if e != jsonString || strings.IndexByte(raw, '\\') < 0 {
		v, _ := e.decode(raw)
		return v
	}
	if cap(w.plain) < len(raw) {
		w.plain = make([]byte, 0, len(raw))
	}
	w.plain = appendUnescaped(w.plain[:0], raw)
	return unsafe.String(unsafe.SliceData(w.plain), len(w.plain))
}

// of is the group, at or around g, that a leaf belongs to.
func (w *walk) of(l *leaf, g int32) int32 {
	for w.f.groups[g].subject != l.subject && w.f.groups[g].parent >= 0 {
		g = w.f.groups[g].parent
	}
	return g
}

// unnamedLeaf is what a leaf is that no mapping names.
var unnamedLeaf = leaf{category: exposure.Unclassified, marks: unnamed, search: true}

// trace remembers where the last field stands. Fields that were derived from
// others have their host's place.
func (w *walk) trace() {
	w.places = append(w.places, make([]string, len(w.f.fields)-len(w.places))...)
	w.places[len(w.f.fields)-1] = w.place()
}
