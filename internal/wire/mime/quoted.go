package mime

import "strings"

// decodeQP decodes quoted-printable. Blanks at the end of a line were added on
// the way and do not count; an equals sign that is no escape stands for itself,
// and is told.
func decodeQP(raw string) (string, bool) {
	var b strings.Builder
	b.Grow(len(raw))
	ok := true
	for raw != "" {
		var line string
		line, raw = cutLine(raw)
		whole := decodeQPLine(&b, line)
		ok = ok && whole
	}
	return b.String(), ok
}

// cutLine cuts behind the first line end.
func cutLine(s string) (line, rest string) {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return s[:i+1], s[i+1:]
	}
	return s, ""
}

func decodeQPLine(b *strings.Builder, line string) bool {
	text := strings.TrimRight(line, "\r\n")
	end := line[len(text):]
	text = strings.TrimRight(text, " \t")
	if strings.HasSuffix(text, "=") {
		text, end = text[:len(text)-1], ""
	}
	ok := true
	for text != "" {
		i := strings.IndexByte(text, '=')
		if i < 0 {
			break
		}
		b.WriteString(text[:i])
		v, hex := unhex(text, i+1)
		if !hex {
			b.WriteByte('=')
			text, ok = text[i+1:], false
			continue
		}
		b.WriteByte(v)
		text = text[i+3:]
	}
	b.WriteString(text)
	b.WriteString(end)
	return ok
}

// encodeQP encodes bytes, and keeps the lines of raw before and behind what
// changed as they were.
func (c *body) encodeQP(bytes, raw string) string {
	head := c.sameLines(bytes, raw)
	bytes, raw = bytes[head.value:], raw[head.raw:]
	tail := c.sameEnd(bytes, raw)
	middle := bytes[:len(bytes)-tail.value]
	var b strings.Builder
	b.WriteString(head.text)
	c.writeQP(&b, middle)
	if tail.raw > 0 && middle != "" && !strings.HasSuffix(middle, c.eol) {
		b.WriteString("=" + c.eol)
	}
	b.WriteString(raw[len(raw)-tail.raw:])
	return b.String()
}

// same is how much of the written text and of the value stays.
type same struct {
	raw, value int
	text       string
}

func (c *body) sameLines(bytes, raw string) (s same) {
	all := raw
	for raw != "" {
		line, rest := cutLine(raw)
		var b strings.Builder
		decodeQPLine(&b, line)
		// Only a line that ends in one of our line ends: what follows begins one.
		if !strings.HasSuffix(line, c.eol) || !strings.HasPrefix(bytes[s.value:], b.String()) {
			break
		}
		s.raw += len(line)
		s.value += b.Len()
		raw = rest
	}
	s.text = all[:s.raw]
	return s
}

func (c *body) sameEnd(bytes, raw string) (s same) {
	for raw != "" {
		start := strings.LastIndexByte(strings.TrimSuffix(raw, "\n"), '\n') + 1
		line := raw[start:]
		var b strings.Builder
		decodeQPLine(&b, line)
		if start > 0 && !strings.HasSuffix(raw[:start], c.eol) || !strings.HasSuffix(bytes[:len(bytes)-s.value], b.String()) {
			break
		}
		s.raw += len(line)
		s.value += b.Len()
		raw = raw[:start]
	}
	return s
}

// writeQP encodes bytes in lines of at most 76 characters.
func (c *body) writeQP(b *strings.Builder, bytes string) {
	column := 0
	for i := 0; i < len(bytes); i++ {
		if strings.HasPrefix(bytes[i:], c.eol) {
			b.WriteString(c.eol)
			i += len(c.eol) - 1
			column = 0
			continue
		}
		size := 1
		last := i+1 == len(bytes) || strings.HasPrefix(bytes[i+1:], c.eol)
		if x := bytes[i]; x == '=' || x < ' ' && x != '\t' || x > '~' || blank(x) && last ||
			x == '-' && column == 0 { // might begin a delimiter
			size = 3
		}
		if column+size > 75 {
			b.WriteString("=" + c.eol)
			column = 0
			if bytes[i] == '-' {
				size = 3
			}
		}
		if column += size; size == 1 {
			b.WriteByte(bytes[i])
			continue
		}
		b.WriteByte('=')
		b.WriteByte(hexDigits[bytes[i]>>4])
		b.WriteByte(hexDigits[bytes[i]&15])
	}
}
