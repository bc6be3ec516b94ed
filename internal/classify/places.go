package classify

import (
	"encoding/binary"
	"strings"

	"cordon/internal/exposure"
)

// cursor is where a key has led so far.
type cursor struct {
	node  *node
	leaf  *leaf // what an enclosing name was said to be
	group int32
	depth int // crumbs pushed
	// own is the leaf of a key that is data itself, the part of the form's key
	// that ownPart numbers.
	own      *leaf
	ownGroup int32
	ownPart  int
}

// places tells elements and groups of one form apart. Pairs come in any order,
// so what belongs together is found by its concrete path.
type places struct {
	groups map[string]int32
	lists  map[string]*list
	values map[string]struct{} // where a mapped value stood already
	peeked map[string]string   // every value by its path, where conditions ask for some
	path   []byte              // the concrete path, as steps
	rest   []byte              // scratch
}

// The kinds of steps that a concrete path consists of. A step begins with its
// kind, and names carry their length, so that no name, whatever bytes it is made
// of, reads like the steps to another place: two people would become one.
const (
	stepKey     = iota // length, name
	stepElement        // number, length, name as written
	stepImplied        // an element that the key does not write: last, and only for groups
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
		written := len(p.path)
		for n != nil && !isIndex && n.elem != nil && !n.named() {
			p.path = append(p.path, stepImplied)
			at = w.enter(at, n.elem, p)
			n = at.node
		}
		p.path = p.path[:written]
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
		c.index = int32(p.step(parts, i))
		if !elem {
			c.index = 0
		}
		w.push(c)
		at.depth++
		at = w.enter(at, next, p)
		if at.node != nil && at.node.own != nil {
			at.own, at.ownGroup, at.ownPart = at.node.own.leaf, at.group, i
		}
	}
	return at
}

// step puts one part of a key behind the path, and gives the number of the
// element that it is.
func (p *places) step(parts []string, i int) (number int) {
	if index(parts[i]) {
		number = p.element(parts[i], parts[i+1:])
		p.path = binary.AppendUvarint(append(p.path, stepElement), uint64(number))
	} else {
		p.path = append(p.path, stepKey)
	}
	p.path = appendName(p.path, parts[i])
	return number
}

// enter moves the cursor to a node. The group that begins there is the one that
// began at the same concrete path before; without places it is always new.
func (w *walk) enter(at cursor, n *node, p *places) cursor {
	if n != nil && n.variants != nil && p != nil {
		n = p.choose(n)
	}
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
// too, but not those of an address: its pieces would look like names of fields.
// A key whose brackets do not match is one part.
func splitKey(key string, parts []string) []string {
	open := strings.IndexByte(key, '[')
	outer, rest := key, ""
	if open >= 0 {
		outer, rest = key[:open], key[open:]
	}
	if outer == "" {
		return append(parts, key)
	}
	if strings.IndexByte(outer, '@') >= 0 || strings.HasPrefix(outer, ".") || strings.HasSuffix(outer, ".") || strings.Contains(outer, "..") {
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
