// Package xml reads XML 1.0 documents with their places.
//
// An element is a member under its local name, without prefix; elements of one
// name beside each other repeat the key, since XML does not say which are lists.
// An attribute is the member "@name". The text of an element without children
// is the element's own value, pieces of text between children are "#text",
// comments are "#comment" and processing instructions "?target". Values are
// without the white space around them, entities and CDATA sections decoded.
// An element that has nothing but text goes with its tags; otherwise the text
// goes alone.
//
// Declarations of name spaces and the attributes of XML Schema instances (xsi:)
// are syntax and no leaves.
//
// Said to be incomplete: a document type (it can define entities and default
// values), entities that XML does not define, another encoding than UTF-8
// where it matters, everything that is not well-formed, comments that part a
// text, two attributes of one name. Elements deeper than 64 are told as if they
// stood at that depth.
package xml

import (
	"strings"
	"unicode/utf8"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

const maxNesting = 64

// Read tells v of every element's text and of every attribute.
func Read(text string, v wire.Visitor) { read(text, v, local) }

// ReadQualified is Read with the prefixes left on the names, for formats that
// prescribe them.
func ReadQualified(text string, v wire.Visitor) {
	read(text, v, func(name string) string { return name })
}

func read(text string, v wire.Visitor, key func(string) string) {
	r := reader{text: text, v: v, key: key, flagged: map[exposure.Reason]bool{}}
	r.pos = len(text) - len(strings.TrimPrefix(text, "\ufeff"))
	if !utf8.ValidString(text) {
		r.flag(exposure.IncompleteUTF8)
	}
	r.declaration()
	for r.from = r.pos; r.pos < len(text) && !r.stopped; {
		r.step()
	}
	if len(r.open) > 0 || !r.rooted {
		r.flag(exposure.IncompleteSyntax)
	}
	r.flush(false)
	for len(r.open) > 0 {
		r.shut()
	}
}

// reader is the reading of one document.
type reader struct {
	text string
	pos  int
	v    wire.Visitor
	key  func(name string) string
	open []element
	// from is where the text since the last tag begins; asides are the comments
	// and instructions in it.
	from    int
	asides  []aside
	rooted  bool
	stopped bool
	flagged map[exposure.Reason]bool
}

// element is one that is open.
type element struct {
	name       string // with its prefix
	start      int
	attributes bool // has leaves
	children   bool
}

// aside is a comment or an instruction.
type aside struct {
	key          string
	start, end   int // all of it
	inner, outer int // what it says
}

func (r *reader) flag(reason exposure.Reason) {
	if !r.stopped && !r.flagged[reason] {
		r.flagged[reason] = true
		r.v.Problem(reason)
	}
}

func (r *reader) broken() { r.flag(exposure.IncompleteSyntax) }

func (r *reader) leaf(key string, l wire.Leaf) {
	if r.stopped {
		return
	}
	if key != "" {
		r.v.Enter(key)
	}
	r.stopped = !r.v.Leaf(l)
	if key != "" {
		r.v.Leave()
	}
}

// declaration passes over <?xml …?>.
func (r *reader) declaration() {
	rest := r.text[r.pos:]
	if !strings.HasPrefix(rest, "<?xml") || len(rest) > 5 && strings.IndexByte(" \t\r\n", rest[5]) < 0 {
		return
	}
	end := strings.Index(rest, "?>")
	if end < 0 {
		return // an instruction that is never closed
	}
	r.pos += end + 2
	says := strings.ToLower(rest[:end])
	i := strings.Index(says, "encoding")
	if i < 0 {
		return
	}
	if name := quotedValue(says[i:]); !utf8Names[name] && (!beyondASCII(name) || !ascii(r.text)) {
		r.flag(exposure.IncompleteContentType)
	}
}

// beyondASCII reports encodings in which ASCII is ASCII; UTF-7 is none of them.
func beyondASCII(name string) bool {
	for _, family := range []string{"iso-8859-", "windows-125", "cp125", "latin", "koi8-", "macintosh"} {
		if strings.HasPrefix(name, family) {
			return true
		}
	}
	return false
}

var utf8Names = map[string]bool{"utf-8": true, "utf8": true, "us-ascii": true, "ascii": true}

// quotedValue is what stands in the first quotes of s.
func quotedValue(s string) string {
	i := strings.IndexAny(s, `"'`)
	if i < 0 {
		return ""
	}
	value, _, _ := strings.Cut(s[i+1:], s[i:i+1])
	return value
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// step reads to behind the next piece of markup.
func (r *reader) step() {
	i := strings.IndexByte(r.text[r.pos:], '<')
	if i < 0 {
		r.pos = len(r.text)
		return
	}
	r.pos += i
	switch rest := r.text[r.pos:]; {
	case strings.HasPrefix(rest, "<!--"):
		r.comment()
	case strings.HasPrefix(rest, cdata):
		if r.until("]]>", len(cdata)); len(r.open) == 0 {
			r.broken()
		}
	case strings.HasPrefix(rest, "<?"):
		r.instruction()
	case strings.HasPrefix(rest, "<!"):
		r.broken()
		start := r.pos
		r.doctype()
		r.asides = append(r.asides, aside{"!", start, r.pos, start, r.pos})
	case strings.HasPrefix(rest, "</"):
		r.endTag()
	default:
		r.startTag()
	}
}

const cdata = "<![CDATA["

// until passes over what end closes and returns where that begins.
func (r *reader) until(end string, skip int) int {
	from := min(r.pos+skip, len(r.text))
	i := strings.Index(r.text[from:], end)
	if i < 0 {
		r.broken()
		r.pos = len(r.text)
		return r.pos
	}
	r.pos = from + i + len(end)
	return from + i
}

func (r *reader) comment() {
	start := r.pos
	end := r.until("-->", 4)
	inner := r.text[start+4 : end]
	if strings.Contains(inner, "--") || strings.HasSuffix(inner, "-") {
		r.broken()
	}
	r.asides = append(r.asides, aside{"#comment", start, r.pos, start + 4, end})
}

func (r *reader) instruction() {
	start := r.pos
	end := r.until("?>", 2)
	inner := start + 2
	for inner < end && !space(r.text[inner]) {
		inner++
	}
	target := r.text[start+2 : inner]
	if target == "" || strings.EqualFold(target, "xml") {
		r.broken()
	}
	for inner < end && space(r.text[inner]) {
		inner++
	}
	r.asides = append(r.asides, aside{"?" + target, start, r.pos, inner, end})
}

func space(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// doctype passes over a document type and its internal subset.
func (r *reader) doctype() {
	depth := 0
	for r.pos++; r.pos < len(r.text); r.pos++ {
		switch c := r.text[r.pos]; c {
		case '[':
			depth++
		case ']':
			depth--
		case '"', '\'':
			i := strings.IndexByte(r.text[r.pos+1:], c)
			if i < 0 {
				r.pos = len(r.text)
				return
			}
			r.pos += i + 1
		case '>':
			if depth <= 0 {
				r.pos++
				return
			}
		}
	}
}
