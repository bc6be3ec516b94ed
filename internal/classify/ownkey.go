package classify

import "strings"

// ownKey takes the key under which the value stands that the walk has come to,
// where the key is data: {"ada@example.org": {...}}. It begins at member.
func (w *walk) ownKey(l *leaf, g int32, member int) {
	if l == nil || member < 0 || w.s[member] != '"' || len(w.crumbs) == 0 || w.crumbs[len(w.crumbs)-1].elem {
		return // a value in a list, under the same key
	}
	end, _, defects := scanString(w.s, member)
	if !defects.open && end-1 > member+1 {
		w.found(l, g, position{enc: jsonKey, start: int32(member + 1), member: int32(member)}, w.s[member+1:end-1])
	}
}

// names reports whether a key is one that the mappings know, by its name or as
// data of its own.
func (n *node) names(key string) bool {
	return n != nil && (n.child(key) != nil || n.any != nil && n.any.own != nil)
}

// strayKey takes a key that looks like an address where no mapping expects data
// in keys: {"ada@example.org": {"daily": true}}.
func (w *walk) strayKey(next *node, l *leaf, g int32, member int) {
	if next != nil && next.leaf != nil {
		l = next.leaf
	}
	switch {
	case l == nil:
		w.ownKey(&unnamedLeaf, g, member)
	case l.identifies: // what it says is said of the value
		w.ownKey(&unnamedLeaf, w.of(l, g), member)
	default:
		w.ownKey(l, g, member)
	}
}

// strayPart takes a form's key that looks like an address where no mapping
// expects data in keys: ada@example.org=1, to[ada@example.org]=1.
func (w *walk) strayPart(at cursor, start int, raw, key string) {
	if strings.IndexByte(key, '[') < 0 { // dots part a key, and addresses have some
		all := w.crumbs
		w.crumbs = all[:len(all)-at.depth]
		w.push(crumb{key: "*"})
		w.found(nil, at.group, position{enc: formKey, start: int32(start), member: int32(start)}, raw)
		w.crumbs = all
		return
	}
	for i, part := range splitKey(key, make([]string, 0, 8)) {
		if strings.IndexByte(part, '@') > 0 {
			at.own, at.ownPart, at.ownGroup = &unnamedLeaf, i, at.group
			w.ownPart(at, start, raw)
			return
		}
	}
}

// ownPart takes the part of a form's key that is data: to[ada@example.org]=1.
// raw is the key as it stands at start.
func (w *walk) ownPart(at cursor, start int, raw string) {
	key, _ := percentDecode(raw, true)
	parts := splitKey(key, make([]string, 0, 8))
	if at.ownPart >= len(parts) {
		return
	}
	from := 0 // in the key decoded
	for i, part := range parts {
		from += strings.Index(key[from:], part)
		if i == at.ownPart {
			break
		}
		from += len(part)
	}
	r := ruler{raw: raw, enc: formText}
	first, _ := r.at(from)
	last, _ := r.at(from + len(parts[at.ownPart]))
	if first < last {
		all := w.crumbs
		w.crumbs = all[:len(all)-(at.depth-at.ownPart-1)]
		defer func() { w.crumbs = all }()
		w.found(at.own, at.ownGroup, position{enc: formKey, start: int32(start + first), member: int32(start)}, raw[first:last])
	}
}
