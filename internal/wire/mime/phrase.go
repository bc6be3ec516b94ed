package mime

import (
	"strings"

	"golang.org/x/net/idna"
)

// phrase is how a display name is written in a list of addresses.
type phrase struct{}

// Decode reads words, quoted strings and encoded words, also the encoded words
// in quoted strings that RFC 2047 forbids and mailers write.
func (phrase) Decode(raw string) (string, bool) {
	var b strings.Builder
	ok := true
	add := func(s string) {
		value, whole := decodeWords(s)
		ok = ok && whole
		b.WriteString(value)
	}
	plain := 0
	for pos := 0; pos < len(raw); {
		if raw[pos] != '"' {
			pos++
			continue
		}
		add(unbroken(raw[plain:pos]))
		var content string
		content, pos = quotedString(raw, pos)
		add(content)
		plain = pos
	}
	add(unbroken(raw[plain:]))
	return strings.Trim(b.String(), " \t"), ok && printable(b.String())
}

// unbroken makes one blank of every run of blanks and line ends.
func unbroken(s string) string {
	if !strings.ContainsAny(s, "\t\r\n") && !strings.Contains(s, "  ") {
		return s
	}
	words := strings.Join(strings.Fields(s), " ")
	if words == "" {
		return " "
	}
	if strings.IndexByte(" \t\r\n", s[0]) >= 0 {
		words = " " + words
	}
	if strings.IndexByte(" \t\r\n", s[len(s)-1]) >= 0 {
		words += " "
	}
	return words
}

func (p phrase) Encode(value, raw string) (string, bool) {
	if was, _ := p.Decode(raw); was == value && raw != "" {
		return raw, true
	}
	if !printable(value) {
		return "", false
	}
	if value != "" && (strings.Contains(value, "=?") || strings.Trim(value, " \t") != value || !ascii(value) && strings.Contains(raw, "=?")) {
		return encodeWords(value, " "), true
	}
	for i := 0; i < len(value); i++ {
		if c := value[i]; !phraseByte(c) && c != ' ' && c < 0x80 || c == '*' {
			return quote(value), true
		}
	}
	if value == "" || strings.Contains(value, "  ") {
		return quote(value), true
	}
	return value, true
}

// comment is how a comment is written, brackets included.
type comment struct{}

func (comment) Decode(raw string) (string, bool) {
	inner := strings.TrimPrefix(raw, "(")
	closed := strings.HasSuffix(inner, ")")
	inner = strings.TrimSuffix(inner, ")")
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] == '\\' && i+1 < len(inner) {
			i++
		}
		b.WriteByte(inner[i])
	}
	value, ok := decodeWords(unfold(b.String()))
	return strings.Trim(value, " \t"), ok && closed && printable(value)
}

func (c comment) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	if !printable(value) {
		return "", false
	}
	if strings.Contains(value, "=?") || strings.Trim(value, " \t") != value || !ascii(value) && strings.Contains(raw, "=?") {
		return "(" + encodeWords(value, " ") + ")", true
	}
	return "(" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(value) + ")", true
}

// address is how an address is written in a list.
type address struct{}

// Decode leaves out comments and blanks, and quotes that are not needed.
func (address) Decode(raw string) (string, bool) {
	if !strings.ContainsAny(raw, "\"( \t\r\n\\") {
		return raw, printable(raw)
	}
	var local, all strings.Builder
	quoted, at, depth := false, false, 0
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0, strings.IndexByte(" \t\r\n", c) >= 0:
		case c == '"' && !at:
			var content string
			content, i = quotedString(raw, i)
			i--
			quoted = quoted || !dotAtom(content) || strings.Contains("."+content+".", "..")
			all.WriteString(content)
		case c == '@' && !at:
			at = true
			local, all = all, local
		default:
			all.WriteByte(c)
		}
	}
	if !at {
		local, all = all, local
	}
	value := local.String()
	if quoted {
		value = quote(value)
	}
	if at {
		value += "@" + all.String()
	}
	return value, printable(value)
}

// dotAtom reports a local part that needs no quotes; dots may stand anywhere.
func dotAtom(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`()<>[]:;@\,"`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

func (a address) Encode(value, raw string) (string, bool) {
	if was, _ := a.Decode(raw); was == value {
		return raw, true
	}
	at := strings.LastIndexByte(value, '@')
	if at < 1 || !printable(value) || strings.Contains(value, "=?") {
		return "", false
	}
	local, domain := value[:at], value[at+1:]
	if inner, ok := strings.CutPrefix(domain, "["); ok {
		domain = strings.TrimSuffix(inner, "]")
	}
	if !dotAtom(domain) {
		return "", false
	}
	if !dotAtom(local) {
		content, end := local, len(local)
		if local[0] == '"' {
			content, end = quotedString(local, 0)
		}
		if end != len(local) || quote(content) != local {
			return "", false
		}
	}
	return value, true
}

// asciiDomain writes the domain of an address as DNS does (RFC 5891).
func asciiDomain(address string) (string, bool) {
	at := strings.LastIndexByte(address, '@')
	if ascii(address) {
		return address, true
	}
	if at < 0 || !ascii(address[:at]) {
		return "", false // RFC 6531, which a vendor may not speak
	}
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	return address[:at+1] + domain, err == nil
}
