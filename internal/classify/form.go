package classify

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"cordon/internal/exposure"
)

// form reads w.s[from:to] as application/x-www-form-urlencoded, or a query.
// Keys carry their structure in brackets or dots: a[b][0][] is a.b[][].
func (w *walk) form(root *node, g int32, from, to int) {
	lists := places{}
	for pos := from; pos < to; {
		end := pos + strings.IndexByte(w.s[pos:to], '&')
		if end < pos {
			end = to
		}
		w.work += 1 + end - pos
		if end > pos {
			w.pair(root, g, pos, end, &lists)
		}
		if w.stopped {
			return
		}
		pos = end + 1
	}
}

func (w *walk) pair(root *node, g int32, start, end int, lists *places) {
	pair := w.s[start:end]
	if strings.IndexByte(pair, ';') >= 0 { // a separator to some, a character to others
		w.flag(exposure.IncompleteSyntax)
	}
	raw, value, hasValue := strings.Cut(pair, "=")
	key := w.percent(raw)
	if value == "" {
		if personal(key) || !hasValue && !plainKey(key) { // ?ada@example.org
			w.push(crumb{key: "*"})
			w.found(nil, g, spot{src: w.src, enc: formText, start: int32(start), member: int32(start)}, raw)
			w.pop()
		}
		return
	}
	at := w.descend(cursor{node: root, group: g, leaf: root.leaf}, key, lists)
	w.once(at, lists)
	for n := at.node; n != nil && n.elem != nil && !n.named(); n = n.elem {
		at = w.enter(at, n.elem, nil) // a single value where a list is mapped
	}
	w.text(at.leaf, at.group, spot{src: w.src, enc: formText, start: int32(end - len(value)), member: int32(start)}, value)
	w.crumbs = w.crumbs[:len(w.crumbs)-at.depth]
}

// text takes a leaf whose bytes stand for themselves but for percent signs.
func (w *walk) text(l *leaf, g int32, at spot, raw string) {
	v := raw
	if at.enc == formText || at.enc == pathText {
		var clean bool
		if v, clean = percentDecode(raw, at.enc == formText); !clean {
			w.flag(exposure.IncompleteSyntax)
		}
	}
	if !utf8.ValidString(v) {
		w.flag(exposure.IncompleteUTF8)
	}
	w.found(l, g, at, raw)
}

// percent decodes a key.
func (w *walk) percent(raw string) string {
	key, clean := percentDecode(raw, true)
	if !clean {
		w.flag(exposure.IncompleteSyntax)
	}
	if !utf8.ValidString(key) {
		w.flag(exposure.IncompleteUTF8)
	}
	return key
}

// cursor is where a key has led so far.
type cursor struct {
	node  *node
	leaf  *leaf // what an enclosing name was said to be
	group int32
	depth int // crumbs pushed
}

// places tells elements and groups of one form apart. Pairs come in any order,
// so what belongs together is found by its concrete path.
type places struct {
	groups map[string]int32
	lists  map[string]*list
	values map[string]struct{} // where a mapped value stood already
	path   []byte              // the concrete path, as steps
	rest   []byte              // scratch
}

// The kinds of steps that a concrete path consists of. A step begins with its
// kind, and names carry their length, so that no name, whatever bytes it is made
// of, reads like the steps to another place: two people would become one.
const (
	stepKey     = iota // length, name
	stepElement        // number, length, name as written
	stepImplied        // an element that the key does not write
)

func appendName(path []byte, name string) []byte {
	return append(binary.AppendUvarint(path, uint64(len(name))), name...)
}

// list is where the elements written a[] are counted.
type list struct {
	index int
	seen  map[string]int // the rest of a key: the element that had it last
}

// once flags a mapped value that stands twice at one place. Parsers take the
// first, the last or both. Where a list is mapped, every one of them is meant,
// and where nothing is mapped it is on record as often as it comes.
func (w *walk) once(at cursor, p *places) {
	if at.leaf == nil || at.leaf.none || at.node != nil && at.node.elem != nil {
		return
	}
	if _, twice := p.values[string(p.path)]; twice {
		w.flag(exposure.IncompleteDuplicateKey)
		return
	}
	if p.values == nil {
		p.values = map[string]struct{}{}
	}
	p.values[string(p.path)] = struct{}{}
}

// descend follows a key from where the cursor is.
func (w *walk) descend(at cursor, key string, p *places) cursor {
	p.path = p.path[:0]
	parts := splitKey(key, make([]string, 0, 8))
	for i, part := range parts {
		if strings.ContainsAny(part, "[]") && len(parts) == 1 {
			w.flag(exposure.IncompleteSyntax) // brackets that do not match
		}
		if i >= maxDepth {
			w.flag(exposure.IncompleteDepth)
			return at
		}
		n, isIndex := at.node, index(part)
		for n != nil && !isIndex && n.elem != nil && !n.named() {
			p.path = append(p.path, stepImplied)
			at = w.enter(at, n.elem, p)
			n = at.node
		}
		var next *node
		elem := isIndex
		switch {
		case n == nil:
		case isIndex && n.elem != nil:
			next = n.elem
		case isIndex && part != "" && n.under(part) != nil: // a map with numbers for keys
			next, elem = n.under(part), false
		case isIndex && n.named(): // several where a single value is mapped
			next = n
		default:
			next = n.under(part)
		}
		c := crumb{node: next, key: part, elem: elem}
		if elem {
			c.index = p.element(part, parts[i+1:])
		}
		w.push(c)
		at.depth++
		if elem {
			p.path = binary.AppendUvarint(append(p.path, stepElement), uint64(c.index))
		} else {
			p.path = append(p.path, stepKey)
		}
		p.path = appendName(p.path, part)
		at = w.enter(at, next, p)
	}
	return at
}

// enter moves the cursor to a node. The group that begins there is the one that
// began at the same concrete path before; without places it is always new.
func (w *walk) enter(at cursor, n *node, p *places) cursor {
	at.node = n
	if n == nil {
		return at
	}
	if n.leaf != nil {
		at.leaf = n.leaf
	}
	if n.subject == noSubject || n.subject == rootSubject {
		return at
	}
	if p == nil {
		at.group = w.open(n.subject, at.group)
		return at
	}
	g, ok := p.groups[string(p.path)]
	if !ok {
		g = w.open(n.subject, at.group)
		if p.groups == nil {
			p.groups = map[string]int32{}
		}
		p.groups[string(p.path)] = g
	}
	at.group = g
	return at
}

// element numbers an element. Where the key gives no number, a new element
// begins when the rest of the key comes a second time, as in Rails and Rack.
func (p *places) element(part string, rest []string) int {
	if part != "" {
		n := 0
		for i := 0; i < len(part) && i < 9; i++ {
			n = n*10 + int(part[i]-'0')
		}
		return n
	}
	if p.lists == nil {
		p.lists = map[string]*list{}
	}
	l := p.lists[string(p.path)]
	if l == nil {
		l = &list{seen: map[string]int{}}
		p.lists[string(p.path)] = l
	}
	p.rest = p.rest[:0]
	for _, name := range rest {
		p.rest = appendName(p.rest, name)
	}
	if last, ok := l.seen[string(p.rest)]; ok && last == l.index {
		l.index++
	}
	l.seen[string(p.rest)] = l.index
	return l.index
}

func index(part string) bool {
	for i := 0; i < len(part); i++ {
		if part[i] < '0' || part[i] > '9' {
			return false
		}
	}
	return true
}

// splitKey takes a[b][0][] apart: "a", "b", "0", "". Dots outside brackets part
// too. A key whose brackets do not match is one part.
func splitKey(key string, parts []string) []string {
	open := strings.IndexByte(key, '[')
	outer, rest := key, ""
	if open >= 0 {
		outer, rest = key[:open], key[open:]
	}
	if outer == "" {
		return append(parts, key)
	}
	if strings.HasPrefix(outer, ".") || strings.HasSuffix(outer, ".") || strings.Contains(outer, "..") {
		parts = append(parts, outer)
	} else {
		for part := range strings.SplitSeq(outer, ".") {
			parts = append(parts, part)
		}
	}
	for rest != "" {
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 0 || strings.IndexByte(rest[1:end], '[') >= 0 {
			return append(parts[:0], key)
		}
		parts = append(parts, rest[1:end])
		rest = rest[end+1:]
	}
	return parts
}
