package classify

import (
	"strconv"
	"strings"
	"sync"

	"cordon/internal/exposure"
)

// source is the part of a message in which a field stands.
type source uint8

const (
	inBody source = iota
	inPath
	inQuery
	inHeader
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
	index int // the element's, or the member's place among its siblings
	elem  bool
}

// walk is one pass over a message. It is reused; what it found is not.
type walk struct {
	f       *Findings
	src     source
	s       string // what is being read; positions are into it
	pos     int
	depth   int
	crumbs  []crumb
	names   []string // the keys seen in the objects around, for duplicates
	leaves  int
	stopped bool // out of budget: read no further
	work    int  // steps taken; a test holds that they are linear

	scratch scratch

	places []string // concrete paths, when traced
	traced bool
}

var walks = sync.Pool{New: func() any { return new(walk) }}

// flag records a reason once.
func (w *walk) flag(r exposure.Reason) {
	if w.stopped {
		return // what looks broken from here on is only unread
	}
	for _, have := range w.f.reasons {
		if have == r {
			return
		}
	}
	w.f.reasons = append(w.f.reasons, r)
}

func (w *walk) stop() {
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
func (w *walk) found(l *leaf, g int32, at spot, raw string) {
	if w.stopped {
		return
	}
	if w.leaves++; w.leaves > maxLeaves || len(w.f.fields) >= maxFields {
		w.stop()
		return
	}
	switch {
	case l == nil:
		w.keep(&unnamedLeaf, g, at, raw, w.template())
	case !l.none:
		for w.f.groups[g].subject != l.subject && w.f.groups[g].parent >= 0 {
			g = w.f.groups[g].parent
		}
		w.keep(l, g, at, raw, l.template)
	}
}

// unnamedLeaf is what a leaf is that no mapping names.
var unnamedLeaf = leaf{category: exposure.Unclassified, marks: unnamed, search: true}

// keep takes a leaf as a field of group g.
func (w *walk) keep(l *leaf, g int32, at spot, raw, template string) {
	if l.identifies {
		w.f.groups[g].identifying = true
	}
	host := len(w.f.fields)
	w.f.fields = append(w.f.fields, Field{Category: l.category, Path: template, marks: l.marks, raw: raw, group: g, spot: at})
	if w.traced {
		w.places = append(w.places, w.place())
	}
	if l.search {
		w.undeclared(l, g, host, w.f.fields[host].Value())
	}
}

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
		if c.elem {
			b.WriteString("[]")
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
		w.dot(&b)
		b.WriteString(c.key)
	}
	w.outsideEnd(&b)
	return b.String()
}

func (w *walk) dot(b *strings.Builder) {
	if s := b.String(); s != "" && s != "?" && s != "{" {
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
