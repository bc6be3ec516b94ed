package xml

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// startTag reads <name a="b"> or <name/>.
func (r *reader) startTag() {
	start := r.pos
	name := r.name(start + 1)
	if name == "" { // a bracket in a text: some stop, some go on
		r.broken()
		r.pos++
		return
	}
	r.pos = start // flush tells of the text before
	r.flush(true)
	r.pos = start + 1 + len(name)
	switch {
	case len(r.open) > 0:
		r.open[len(r.open)-1].children = true
	case r.rooted:
		r.broken() // a second root
	}
	r.rooted = true
	r.open = append(r.open, element{name: name, start: start})
	if len(r.open) <= maxNesting {
		r.v.Enter(r.key(name))
	} else {
		r.flag(exposure.IncompleteDepth)
	}
	empty := r.attributes()
	r.from = r.pos
	if empty {
		r.shut()
	}
}

// name is the name at pos; "" when there is none.
func (r *reader) name(pos int) string {
	end, plain := pos, true
	for end < len(r.text) && r.text[end] > ' ' && strings.IndexByte(`/>=<"'&`, r.text[end]) < 0 {
		c := r.text[end] | 0x20
		plain = plain && ('a' <= c && c <= 'z' || end > pos && strings.IndexByte("0123456789._-:", r.text[end]) >= 0)
		end++
	}
	name := r.text[pos:end]
	if plain {
		return name
	}
	first, _ := utf8.DecodeRuneInString(name)
	if !unicode.IsLetter(first) && first != '_' && first != ':' {
		return ""
	}
	for _, c := range name {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.Is(unicode.M, c) && !strings.ContainsRune("._-:\u00b7", c) {
			r.broken()
			break
		}
	}
	return name
}

// local is a name without its prefix.
func local(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

// attributes reads the attributes of a tag and its end; true for an element
// that is closed at once.
func (r *reader) attributes() (empty bool) {
	var seen names
	for r.pos < len(r.text) {
		before := r.pos
		for r.pos < len(r.text) && space(r.text[r.pos]) {
			r.pos++
		}
		rest := r.text[r.pos:]
		switch {
		case rest == "":
		case rest[0] == '>':
			r.pos++
			return false
		case strings.HasPrefix(rest, "/>"):
			r.pos += 2
			return true
		case rest[0] == '<': // the tag is not closed
			r.broken()
			return false
		default:
			name := r.name(r.pos)
			if name == "" || before == r.pos {
				r.broken()
			}
			if name == "" {
				r.pos++
				continue
			}
			if seen.again(name) {
				r.flag(exposure.IncompleteDuplicateKey)
			}
			r.attribute(before, name)
		}
	}
	r.broken()
	return false
}

// names are those of one tag's attributes, of which there are few.
type names struct {
	few  []string
	many map[string]bool
}

const fewNames = 16

// again reports whether a name was there before.
func (n *names) again(name string) bool {
	if n.many == nil && slices.Contains(n.few, name) || n.many[name] {
		return true
	}
	if len(n.few) < fewNames {
		n.few = append(n.few, name)
		return false
	}
	if n.many == nil {
		n.many = map[string]bool{}
		for _, was := range n.few {
			n.many[was] = true
		}
	}
	n.many[name] = true
	return false
}

// attribute reads ="value" behind a name. member is where the blanks before the
// name begin.
func (r *reader) attribute(member int, name string) {
	r.pos += len(name)
	for r.pos < len(r.text) && space(r.text[r.pos]) {
		r.pos++
	}
	if r.pos == len(r.text) || r.text[r.pos] != '=' {
		r.broken() // HTML has such
		return
	}
	for r.pos++; r.pos < len(r.text) && space(r.text[r.pos]); r.pos++ {
	}
	l := wire.Leaf{Start: r.pos, Member: member, Codec: attributeCodec}
	if r.pos < len(r.text) && (r.text[r.pos] == '"' || r.text[r.pos] == '\'') {
		quote := r.text[r.pos : r.pos+1]
		l.Start++
		l.End = r.until(quote, 1)
	} else {
		r.broken()
		for r.pos < len(r.text) && !space(r.text[r.pos]) && r.text[r.pos] != '>' {
			r.pos++
		}
		l.End = r.pos
		l.Codec, l.Member = bareCodec, -1
	}
	if l.Member >= 0 {
		l.MemberEnd = r.pos
	}
	value := r.text[l.Start:l.End]
	if strings.IndexByte(value, '<') >= 0 {
		r.broken()
	}
	prefix, _, _ := strings.Cut(name, ":")
	if prefix == "xmlns" || prefix == "xsi" || value == "" {
		return
	}
	r.check(value, false)
	r.open[len(r.open)-1].attributes = true
	r.leaf("@"+r.key(name), l)
}

// endTag reads </name>.
func (r *reader) endTag() {
	start := r.pos
	name := r.name(start + 2)
	at := len(r.open) - 1
	for at >= 0 && r.open[at].name != name && at > len(r.open)-maxNesting {
		at--
	}
	if at < 0 || r.open[at].name != name {
		r.broken() // closes nothing that is open
		r.until(">", 2)
		return
	}
	for len(r.open) > at+1 {
		r.broken()
		r.flush(false)
		r.shut()
		r.from = start
	}
	r.pos = start + 2 + len(name)
	for r.pos < len(r.text) && space(r.text[r.pos]) {
		r.pos++
	}
	if r.pos < len(r.text) && r.text[r.pos] == '>' {
		r.pos++
	} else {
		r.broken()
	}
	r.flushTo(start, false)
	r.shut()
	r.from = r.pos
}

// shut ends the innermost element.
func (r *reader) shut() {
	if len(r.open) <= maxNesting {
		r.v.Leave()
	}
	r.open = r.open[:len(r.open)-1]
}
