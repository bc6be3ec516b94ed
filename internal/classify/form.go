package classify

import (
	"strings"
	"unicode/utf8"

	"cordon/internal/exposure"
)

// form reads w.s[from:to] as application/x-www-form-urlencoded, or a query.
// Keys carry their structure in brackets or dots: a[b][0][] is a.b[][].
func (w *walk) form(root *node, l *leaf, g int32, from, to int) {
	if root != nil && root.leaf != nil {
		l = root.leaf
	}
	at, lists := cursor{node: root, leaf: l, group: g}, places{}
	if root != nil && root.varies {
		lists.peek(w, from, to)
		at.node = lists.choose(root)
	}
	for pos := from; pos < to; {
		end := pos + strings.IndexByte(w.s[pos:to], '&')
		if end < pos {
			end = to
		}
		w.work += 1 + end - pos
		if end > pos {
			w.pair(at, pos, end, &lists)
		}
		if w.stopped {
			return
		}
		pos = end + 1
	}
}

func (w *walk) pair(at cursor, start, end int, lists *places) {
	pair := w.s[start:end]
	if strings.IndexByte(pair, ';') >= 0 { // a separator to some, a character to others
		w.flag(exposure.IncompleteSyntax)
	}
	raw, value, hasValue := strings.Cut(pair, "=")
	key := w.percent(raw)
	if value == "" {
		if personal(key) || !hasValue && !plainKey(key) { // ?ada@example.org
			w.push(crumb{key: "*"})
			w.found(nil, at.group, position{enc: formText, start: int32(start), member: int32(start)}, raw)
			w.pop()
		}
		return
	}
	at = w.descend(at, key, lists)
	w.once(at, lists)
	switch {
	case at.own != nil:
		w.ownPart(at, start, raw)
	case strings.IndexByte(key, '@') > 0 && (at.leaf == nil || !at.leaf.none):
		w.strayPart(at, start, raw, key)
	}
	for n := at.node; n != nil && n.elem != nil && !n.named(); n = n.elem {
		at = w.enter(at, n.elem, nil) // a single value where a list is mapped
	}
	w.text(at.node, at.leaf, at.group, position{enc: formText, start: int32(end - len(value)), member: int32(start)}, value)
	w.crumbs = w.crumbs[:len(w.crumbs)-at.depth]
}

// text takes a leaf whose bytes stand for themselves but for percent signs.
func (w *walk) text(n *node, l *leaf, g int32, at position, raw string) {
	v := raw
	if at.enc == formText || at.enc == pathText {
		var clean bool
		if v, clean = percentDecode(raw, at.enc == formText); !clean {
			w.flag(exposure.IncompleteSyntax)
		}
	}
	if !utf8.ValidString(v) || strings.IndexByte(v, 0) >= 0 { // UTF-16 is full of zeros
		w.flag(exposure.IncompleteUTF8)
	}
	if !w.opened(n, l, g, at, raw) {
		w.found(l, g, at, raw)
	}
}

// percent decodes a key.
func (w *walk) percent(raw string) string {
	key, clean := percentDecode(raw, true)
	if !clean {
		w.flag(exposure.IncompleteSyntax)
	}
	if !utf8.ValidString(key) || strings.IndexByte(key, 0) >= 0 {
		w.flag(exposure.IncompleteUTF8)
	}
	return key
}
