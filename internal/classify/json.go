package classify

import (
	"strings"
	"unicode/utf8"

	"cordon/internal/exposure"
)

// listNames is up to how many keys of one object are compared one by one; an
// object with more gets a set.
const listNames = 16

// json reads w.s[from:to] as JSON, as strictly as go-json-experiment's
// jsontext does, and goes on after every defect: a message that breaks the
// grammar may still be understood by its vendor.
func (w *walk) json(n *node, inherited *leaf, g int32, from, to int) {
	whole := w.s
	w.s, w.pos = whole[:to], from
	w.space()
	if len(w.s)-w.pos >= 3 && w.s[w.pos:w.pos+3] == "\ufeff" {
		w.flag(exposure.IncompleteSyntax)
		w.pos += 3
	}
	for values := 0; ; values++ {
		w.space()
		if w.pos >= len(w.s) {
			if values == 0 {
				w.flag(exposure.IncompleteSyntax)
			}
			break
		}
		if values > 0 { // a second document behind the first
			w.flag(exposure.IncompleteSyntax)
		}
		before := w.pos
		w.value(n, inherited, g, -1)
		if w.pos == before {
			w.flag(exposure.IncompleteSyntax)
			w.pos++
		}
	}
	w.s = whole
}

// value reads one value. n is what is mapped here; inherited is what an
// enclosing container was said to be; g is the group around; member is where
// the key or, in an array, the value begins, -1 for a whole document.
//
// A single value where a list is mapped is taken as its one element, and a
// list where a single value is mapped as several of it: vendors accept both,
// and to look away would lose people.
func (w *walk) value(n *node, inherited *leaf, g int32, member int) {
	w.work++
	if w.pos >= len(w.s) {
		w.flag(exposure.IncompleteSyntax)
		return
	}
	c := w.s[w.pos]
	groups, fields := len(w.f.groups), len(w.f.fields)
	for n != nil {
		if n.variants != nil && c == '{' {
			n = w.variant(n)
		}
		if n.subject > rootSubject {
			g = w.open(n.subject, g)
		}
		if n.leaf != nil {
			inherited = n.leaf
		}
		if n.own != nil {
			w.ownKey(n.own.leaf, g, member)
		}
		if n.json != nil && (c == '{' || c == '[') {
			n = n.json
			continue
		}
		if c == '[' || n.elem == nil || n.named() {
			break
		}
		n = n.elem
	}
	switch c {
	case '{', '[':
		if w.depth == maxDepth {
			w.flag(exposure.IncompleteDepth)
			start := w.pos
			w.skip()
			w.found(inherited, g, position{enc: jsonSubtree, start: int32(start), member: int32(member)}, w.s[start:w.pos])
			break
		}
		w.depth++
		if c == '{' {
			w.object(n, inherited, g)
		} else {
			w.array(n, inherited, g)
		}
		w.depth--
	case '"':
		start := w.pos + 1
		if raw := w.str(); raw != "" {
			at := position{enc: jsonString, start: int32(start), member: int32(member)}
			if inherited != nil && !inherited.search && (n == nil || !n.opens) || !w.opened(n, inherited, g, at, raw) {
				w.found(inherited, g, at, raw)
			}
		}
	default:
		start := w.pos
		if w.bare(); w.pos > start && w.s[start:w.pos] != "null" {
			w.found(inherited, g, position{enc: jsonBare, start: int32(start), member: int32(member)}, w.s[start:w.pos])
		}
	}
	w.forget(groups, fields)
}

// forget takes back the groups begun since then if they came to hold nothing,
// so that a body of empty elements costs no memory.
func (w *walk) forget(groups, fields int) {
	if len(w.f.fields) == fields {
		w.f.groups = w.f.groups[:groups]
	}
}

func (w *walk) object(n *node, inherited *leaf, g int32) {
	w.pos++
	base := len(w.names)
	var seen map[string]struct{}
	comma := false // a member must follow
	for index := 0; ; index++ {
		w.space()
		if w.pos >= len(w.s) {
			w.flag(exposure.IncompleteSyntax)
			break
		}
		c := w.s[w.pos]
		if c == '}' || c == ']' {
			if comma || c == ']' {
				w.flag(exposure.IncompleteSyntax)
			}
			w.pos++
			break
		}
		member, key := w.pos, ""
		if c == '"' {
			key = w.key()
		} else {
			w.flag(exposure.IncompleteSyntax)
			if w.bareWord(); w.pos == member { // a stray comma, colon or bracket
				w.pos++
				continue
			}
			key = w.s[member:w.pos]
		}
		if w.duplicate(key, base, &seen) {
			w.flag(exposure.IncompleteDuplicateKey)
		}
		w.space()
		if w.pos < len(w.s) && w.s[w.pos] == ':' {
			w.pos++
			w.space()
			next := n.under(key)
			start, fields := w.pos, len(w.f.fields)
			w.push(crumb{node: next, key: key, index: int32(index)})
			if strings.IndexByte(key, '@') > 0 && !n.names(key) {
				w.strayKey(next, inherited, g, member)
			}
			w.value(next, inherited, g, member)
			if next == nil && inherited == nil && len(w.f.fields) == fields && personal(key) {
				// {"ada@example.org": null}: the key says it all.
				w.found(nil, g, position{enc: jsonSubtree, start: int32(start), member: int32(member)}, w.s[start:w.pos])
			}
			w.pop()
		} else { // a key without a value may be a value
			w.flag(exposure.IncompleteSyntax)
			w.found(inherited, g, position{enc: jsonSubtree, start: int32(member), member: int32(member)}, w.s[member:w.pos])
		}
		comma = w.separator('}')
	}
	w.names = w.names[:base]
}

func (w *walk) array(n *node, inherited *leaf, g int32) {
	w.pos++
	var next *node
	if n != nil {
		if next = n.elem; next == nil && n.named() {
			next = n
		}
	}
	comma := false
	for index := 0; ; index++ {
		w.space()
		if w.pos >= len(w.s) {
			w.flag(exposure.IncompleteSyntax)
			return
		}
		if c := w.s[w.pos]; c == ']' || c == '}' {
			if comma || c == '}' {
				w.flag(exposure.IncompleteSyntax)
			}
			w.pos++
			return
		}
		before, of := w.pos, g
		groups, fields := len(w.f.groups), len(w.f.fields)
		if next == n && next != nil && n.subject == rootSubject {
			// A list of what is mapped as one message: each is a message.
			of = w.open(rootSubject, g)
		}
		w.push(crumb{node: next, index: int32(index), elem: true})
		w.value(next, inherited, of, before)
		w.pop()
		w.forget(groups, fields)
		if w.pos == before {
			w.flag(exposure.IncompleteSyntax)
			w.pos++
			continue
		}
		comma = w.separator(']')
	}
}

// separator reads the comma between two members and reports whether there was
// one. Before the closing bracket none is needed.
func (w *walk) separator(closing byte) bool {
	w.space()
	if w.pos >= len(w.s) {
		return false // the loop that called says so
	}
	switch w.s[w.pos] {
	case ',':
		w.pos++
		return true
	case closing:
	default:
		w.flag(exposure.IncompleteSyntax)
	}
	return false
}

// str reads a string and returns what stands between its quotes.
func (w *walk) str() string {
	start := w.pos
	end, _, defects := scanString(w.s, start)
	w.took(end, defects)
	if defects.open {
		return w.s[start+1 : end]
	}
	return w.s[start+1 : end-1]
}

// key reads a string and decodes it: parsers compare keys decoded.
func (w *walk) key() string {
	start := w.pos
	end, escaped, defects := scanString(w.s, start)
	w.took(end, defects)
	if defects.open {
		return w.s[start+1 : end]
	}
	if key := w.s[start+1 : end-1]; !escaped {
		return key
	}
	return unescape(w.s[start+1 : end-1])
}

func (w *walk) took(end int, d stringDefects) {
	w.work += (end - w.pos) / 8
	w.pos = end
	if d.syntax || d.open {
		w.flag(exposure.IncompleteSyntax)
	}
	if d.utf8 {
		w.flag(exposure.IncompleteUTF8)
	}
}

// bare reads a number, true, false or null, and anything else that stands
// where a value should as one word.
func (w *walk) bare() {
	start := w.pos
	w.bareWord()
	switch word := w.s[start:w.pos]; word {
	case "true", "false", "null":
	default:
		if !number(word) {
			w.flag(exposure.IncompleteSyntax)
			if !utf8.ValidString(word) {
				w.flag(exposure.IncompleteUTF8)
			}
		}
	}
}

func (w *walk) bareWord() {
	for w.pos < len(w.s) {
		switch w.s[w.pos] {
		case ' ', '\t', '\r', '\n', ',', ':', '{', '}', '[', ']', '"':
			return
		}
		w.pos++
		w.work++
	}
}

// number reports whether s is a number by RFC 8259 section 6.
func number(s string) bool {
	i := 0
	digits := func() bool {
		start := i
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if !digits() {
		return false
	}
	if i < len(s) && s[i] == '.' {
		if i++; !digits() {
			return false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(s)
}

func (w *walk) space() {
	for w.pos < len(w.s) {
		switch w.s[w.pos] {
		case ' ', '\t', '\r', '\n':
			w.pos++
			w.work++
		default:
			return
		}
	}
}

// skip moves over an array or object that nests too deep, by counting brackets.
func (w *walk) skip() {
	for open := 0; w.pos < len(w.s); {
		w.work++
		switch w.s[w.pos] {
		case '{', '[':
			open++
		case '}', ']':
			open--
		case '"':
			end, _, defects := scanString(w.s, w.pos)
			w.took(end, defects)
			continue
		}
		w.pos++
		if open == 0 {
			return
		}
	}
	w.flag(exposure.IncompleteSyntax)
}

// duplicate reports whether the object whose keys begin at w.names[base] has
// this key already, and remembers it.
func (w *walk) duplicate(key string, base int, seen *map[string]struct{}) bool {
	if *seen != nil {
		before := len(*seen)
		(*seen)[key] = struct{}{}
		return len(*seen) == before
	}
	names := w.names[base:]
	w.work += len(names)
	for _, name := range names {
		if name == key {
			return true
		}
	}
	w.names = append(w.names, key)
	if len(names)+1 > listNames {
		*seen = make(map[string]struct{}, 4*listNames)
		for _, name := range w.names[base:] {
			(*seen)[name] = struct{}{}
		}
	}
	return false
}
