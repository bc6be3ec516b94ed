package mime

import (
	"net/url"
	"strconv"
	"strings"
)

// param is one parameter of a header, as "name=x" in "text/csv; name=x".
type param struct {
	key        string // in lower case, as written: "filename*0*"
	start, end int    // from its semicolon to the end of its value
	at         int    // where its key begins
	value      string // without quotes; not decoded further
	loose      bool   // not in quotes, and with blanks: programs stop at one
}

// parameters reads what is behind a header's first value. Positions are into s.
func parameters(s string) (kind string, list []param) {
	kind, pos := uncommented(s, 0)
	for pos < len(s) {
		p := param{start: pos}
		pos = skipBlanks(s, pos+1)
		p.at = pos
		for pos < len(s) && s[pos] != '=' && s[pos] != ';' {
			pos++
		}
		p.key = strings.ToLower(strings.TrimRight(s[p.at:pos], " \t\r\n"))
		if pos == len(s) || s[pos] == ';' {
			continue // a stray word says nothing
		}
		pos = skipBlanks(s, pos+1)
		if pos < len(s) && s[pos] == '"' {
			p.value, pos = quotedString(s, pos)
			p.end = pos
			var more string
			more, pos = uncommented(s, pos)
			if more != "" {
				p.loose, p.end = true, pos
				p.value += more
			}
		} else {
			begin := pos
			p.value, pos = uncommented(s, pos)
			p.end = begin + len(strings.TrimRight(s[begin:pos], " \t\r\n"))
			p.loose = strings.ContainsAny(p.value, " \t\r\n")
		}
		list = append(list, p)
	}
	return kind, list
}

func skipBlanks(s string, pos int) int {
	for pos < len(s) && strings.IndexByte(" \t\r\n", s[pos]) >= 0 {
		pos++
	}
	return pos
}

// uncommented reads to the next semicolon, without comments and blanks around.
func uncommented(s string, pos int) (string, int) {
	if i := strings.IndexAny(s[pos:], ";("); i < 0 || s[pos+i] == ';' {
		if i < 0 {
			i = len(s) - pos
		}
		return strings.Trim(s[pos:pos+i], " \t\r\n"), pos + i
	}
	var b strings.Builder
	depth := 0
	for ; pos < len(s); pos++ {
		switch c := s[pos]; {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == ';':
			return strings.Trim(b.String(), " \t\r\n"), pos
		default:
			b.WriteByte(c)
		}
	}
	return strings.Trim(b.String(), " \t\r\n"), pos
}

// quotedString reads the quoted string at pos and returns where it ends.
func quotedString(s string, pos int) (string, int) {
	if i := strings.IndexAny(s[pos+1:], "\"\\\r\n"); i >= 0 && s[pos+1+i] == '"' {
		return s[pos+1 : pos+1+i], pos + i + 2
	}
	var b strings.Builder
	for pos++; pos < len(s) && s[pos] != '"'; pos++ {
		if s[pos] == '\\' && pos+1 < len(s) {
			pos++
		}
		if s[pos] != '\r' && s[pos] != '\n' {
			b.WriteByte(s[pos])
		}
	}
	return b.String(), min(pos+1, len(s))
}

// parameter is how a parameter is written: with its key, since another value may
// need another form of it (RFC 2231).
type parameter struct{ eol string }

func (parameter) Decode(raw string) (string, bool) {
	_, list := parameters(";" + raw)
	if len(list) == 0 {
		return "", false
	}
	var joined strings.Builder
	ok, of := true, ""
	for i, p := range list {
		_, section, extended := p.form()
		ok = ok && section == i // out of order, or not of one value
		value := p.value
		if extended {
			if i == 0 {
				var lang string
				of, lang, _ = strings.Cut(value, "'")
				_, value, _ = strings.Cut(lang, "'")
			}
			plain, err := url.PathUnescape(value)
			ok = ok && err == nil
			if err == nil {
				value = plain
			}
		}
		joined.WriteString(value)
	}
	if _, _, extended := list[0].form(); extended {
		value, whole := charsetOf(of).decode(joined.String())
		return value, ok && whole
	}
	value, whole := decodeWords(joined.String())
	decoded, utf8 := utf8Charset.decode(value)
	return decoded, ok && whole && utf8
}

// form splits a key as in RFC 2231: "filename*0*" is section 0 of filename, and
// extended. A key without a number is section 0.
func (p param) form() (base string, section int, extended bool) {
	base, rest, _ := strings.Cut(p.key, "*")
	if rest == "" {
		return base, 0, strings.HasSuffix(p.key, "*")
	}
	number, extended := strings.CutSuffix(rest, "*")
	section, err := strconv.Atoi(number)
	if err != nil || section < 0 {
		return p.key, 0, false
	}
	return base, section, extended
}

func (c parameter) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	_, list := parameters(";" + raw)
	if len(list) == 0 || !printable(value) {
		return "", false
	}
	_, _, extended := list[0].form()
	key, _, _ := strings.Cut(raw, "=")
	key, _, _ = strings.Cut(strings.TrimSpace(key), "*")
	switch plain := ascii(value) && !strings.Contains(value, "=?"); {
	case plain && !extended:
		return key + "=" + quote(value), true
	case !extended && strings.Contains(raw, "=?"): // a mailer that reads no RFC 2231
		return key + `="` + encodeWords(value, c.eol+" ") + `"`, true
	}
	return key + "*=utf-8''" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20"), true
}

// quote writes a quoted string (RFC 5322 section 3.2.4).
func quote(value string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(value); i++ {
		if value[i] == '"' || value[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(value[i])
	}
	b.WriteByte('"')
	return b.String()
}
