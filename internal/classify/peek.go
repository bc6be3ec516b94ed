package classify

import "strings"

// variant is what is mapped to the object that begins at w.pos, by the values
// of the keys that its conditions ask for: these may stand behind what they
// decide about.
func (w *walk) variant(n *node) *node {
	for n.variants != nil {
		next := n.choose(w.peekObject(n.variants.keys))
		if next == n {
			break
		}
		n = next
	}
	return n
}

// peekObject gives the values of some keys of the object that begins at w.pos.
// Of a key that comes twice it takes the first; the walk says that it does.
func (w *walk) peekObject(keys []string) []scalar {
	values := make([]scalar, len(keys))
	ahead := walk{s: w.s, pos: w.pos, dry: true}
	missing := len(keys)
	ahead.peekMembers(keys, "", values, &missing)
	w.work += ahead.work
	return values
}

// peekMembers looks at the object that begins at w.pos, which lies under the
// keys of around, until it has everything or is behind the object.
func (w *walk) peekMembers(keys []string, around string, values []scalar, missing *int) {
	w.pos++
	for *missing > 0 && !w.broken {
		w.space()
		if w.pos >= len(w.s) {
			return
		}
		if w.s[w.pos] == '}' {
			w.pos++
			return
		}
		if w.s[w.pos] != '"' {
			w.broken = true
			return
		}
		key := w.key()
		w.space()
		if w.pos >= len(w.s) || w.s[w.pos] != ':' {
			w.broken = true
			return
		}
		w.pos++
		w.space()
		wanted, deeper := -1, false
		for i := range keys {
			rest, ok := strings.CutPrefix(keys[i], around+key)
			if !ok || values[i].there {
				continue
			}
			if rest == "" {
				wanted = i
			}
			deeper = deeper || strings.HasPrefix(rest, inObject)
		}
		if deeper && w.pos < len(w.s) && w.s[w.pos] == '{' {
			w.peekMembers(keys, around+key+inObject, values, missing)
		} else if deeper && w.pos < len(w.s) && w.s[w.pos] == '[' {
			w.peekElements(keys, around+key+inObject, values, missing)
		} else if value, is := w.scalar(); wanted >= 0 {
			values[wanted] = scalar{value, is}
			*missing--
		}
		w.separator('}')
	}
}

// peekElements looks at the objects of the list that begins at w.pos: a condition
// on what lies in a list holds by the first element that says anything.
func (w *walk) peekElements(keys []string, around string, values []scalar, missing *int) {
	w.pos++
	for *missing > 0 && !w.broken {
		w.space()
		switch {
		case w.pos >= len(w.s):
			return
		case w.s[w.pos] == ']':
			w.pos++
			return
		case w.s[w.pos] == '{':
			w.peekMembers(keys, around, values, missing)
		default:
			w.scalar()
		}
		w.separator(']')
	}
}

// scalar moves over one value and gives it when it is a string, a number, true
// or false.
func (w *walk) scalar() (value string, is bool) {
	if w.pos >= len(w.s) {
		return "", false
	}
	start := w.pos
	switch w.s[w.pos] {
	case '{', '[':
		w.skip()
		return "", false
	case '"':
		return w.key(), true
	default:
		w.bareWord()
		return w.s[start:w.pos], w.s[start:w.pos] != "null"
	}
}

// peek remembers every value of a form, since pairs come in any order.
func (p *places) peek(w *walk, from, to int) {
	p.peeked = map[string]string{}
	ahead := places{}
	for pair := range strings.SplitSeq(w.s[from:to], "&") {
		w.work += 1 + len(pair)
		raw, value, _ := strings.Cut(pair, "=")
		key, _ := percentDecode(raw, true)
		if value, _ = percentDecode(value, true); value == "" {
			continue
		}
		parts := splitKey(key, make([]string, 0, 8))
		if len(parts) > maxDepth {
			continue
		}
		ahead.path = ahead.path[:0]
		for i := range parts {
			ahead.step(parts, i)
		}
		if _, twice := p.peeked[string(ahead.path)]; !twice {
			p.peeked[string(ahead.path)] = value
		}
	}
}

// choose is the variant of n for the values at the path.
func (p *places) choose(n *node) *node {
	for n.variants != nil && p.peeked != nil {
		given := make([]scalar, len(n.variants.keys))
		length := len(p.path)
		for i, key := range n.variants.keys {
			p.path = p.path[:length]
			for part := range strings.SplitSeq(key, inObject) {
				p.path = appendName(append(p.path, stepKey), part)
			}
			given[i].value, given[i].there = p.peeked[string(p.path)]
		}
		p.path = p.path[:length]
		next := n.choose(given)
		if next == n {
			break
		}
		n = next
	}
	return n
}

// memberEnd is the end of the member of an object that begins with the key at
// start.
func memberEnd(text string, start int) int {
	ahead := walk{s: text, pos: start, dry: true}
	ahead.key()
	ahead.space()
	if ahead.pos < len(text) && text[ahead.pos] == ':' {
		ahead.pos++
		ahead.space()
		ahead.scalar()
	}
	return ahead.pos
}
