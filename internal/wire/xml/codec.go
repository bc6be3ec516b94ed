package xml

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// codec is how a value is written.
type codec uint8

const (
	textCodec      codec = iota // between tags
	attributeCodec              // in quotes of either kind
	bareCodec                   // an attribute without quotes, which XML forbids
	asideCodec                  // in a comment or an instruction
)

func (c codec) Decode(raw string) (string, bool) {
	if c == asideCodec {
		return strings.TrimSpace(raw), true
	}
	if !strings.ContainsAny(raw, "&<\r\n\t") {
		return raw, true
	}
	var b strings.Builder
	ok := true
	for i := 0; i < len(raw); {
		rest := raw[i:]
		switch {
		case rest[0] == '&':
			s, size := entity(rest)
			if size == 0 {
				ok = false
				s, size = "&", 1
			}
			b.WriteString(s)
			i += size
		case rest[0] == '\r': // XML 1.0 section 2.11
			if !strings.HasPrefix(rest, "\r\n") {
				b.WriteByte(c.lineEnd('\n'))
			}
			i++
		case rest[0] == '\n', rest[0] == '\t':
			b.WriteByte(c.lineEnd(rest[0]))
			i++
		case c == textCodec && strings.HasPrefix(rest, cdata):
			inner, after, closed := strings.Cut(rest[len(cdata):], "]]>")
			ok = ok && closed
			b.WriteString(strings.ReplaceAll(strings.ReplaceAll(inner, "\r\n", "\n"), "\r", "\n"))
			i = len(raw) - len(after)
		case c == textCodec && strings.HasPrefix(rest, "<!--"):
			_, after, _ := strings.Cut(rest[4:], "-->")
			i = len(raw) - len(after)
		case c == textCodec && strings.HasPrefix(rest, "<?"):
			_, after, _ := strings.Cut(rest[2:], "?>")
			i = len(raw) - len(after)
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	return b.String(), ok
}

// lineEnd is a blank in attributes (XML 1.0 section 3.3.3).
func (c codec) lineEnd(b byte) byte {
	if c == textCodec {
		return b
	}
	return ' '
}

// entity reads the reference that s begins with; size 0 for one that XML does
// not define, or to a character that it does not allow.
func entity(s string) (value string, size int) {
	end := strings.IndexByte(s[:min(len(s), 32)], ';')
	if end < 0 {
		return "", 0
	}
	switch name := s[1:end]; name {
	case "amp":
		value = "&"
	case "lt":
		value = "<"
	case "gt":
		value = ">"
	case "quot":
		value = `"`
	case "apos":
		value = "'"
	default:
		digits, is := strings.CutPrefix(name, "#")
		if !is {
			return "", 0
		}
		base := 10
		if hex, is := strings.CutPrefix(digits, "x"); is {
			digits, base = hex, 16
		}
		n, err := strconv.ParseUint(digits, base, 31)
		if err != nil || !allowed(rune(n)) {
			return "", 0
		}
		value = string(rune(n))
	}
	return value, end + 1
}

// allowed: XML 1.0 section 2.2.
func allowed(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r < 0xd800 || r >= 0xe000 && r < 0xfffe || r >= 0x10000 && r <= utf8.MaxRune
}

func (c codec) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	if !utf8.ValidString(value) {
		return "", false
	}
	for _, r := range value {
		if !allowed(r) {
			return "", false
		}
	}
	switch {
	case c == bareCodec:
		return "", false
	case c == asideCodec:
		return value, strings.TrimSpace(value) == value && !strings.Contains(value, "--") && !strings.Contains(value, "?>") && !strings.HasSuffix(value, "-") && !strings.HasPrefix(value, ">")
	case c == textCodec && strings.HasPrefix(raw, cdata) && strings.HasSuffix(raw, "]]>") && strings.IndexByte(value, '\r') < 0:
		return cdata + strings.ReplaceAll(value, "]]>", "]]]]><![CDATA[>") + "]]>", true
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		switch x := value[i]; {
		case x == '&':
			b.WriteString("&amp;")
		case x == '<':
			b.WriteString("&lt;")
		case x == '>':
			b.WriteString("&gt;")
		case x == '"' && c == attributeCodec:
			b.WriteString("&quot;")
		case x == '\'' && c == attributeCodec:
			b.WriteString("&#39;")
		case x == '\r',
			space(x) && x != ' ' && c == attributeCodec,                 // would become a blank
			space(x) && c == textCodec && (i == 0 || i == len(value)-1): // would be white space around
			b.WriteString("&#" + strconv.Itoa(int(x)) + ";")
		default:
			b.WriteByte(x)
		}
	}
	return b.String(), true
}
