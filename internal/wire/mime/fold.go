package mime

import "strings"

// lineLength is where RFC 5322 section 2.1.1 asks to fold; it forbids 998.
const lineLength = 76

// unfold joins the lines of a header's value.
func unfold(raw string) string {
	if strings.IndexByte(raw, '\n') < 0 {
		return strings.TrimRight(raw, " \t\r")
	}
	var b strings.Builder
	for line := range strings.SplitSeq(raw, "\n") {
		b.WriteString(strings.TrimSuffix(line, "\r"))
	}
	return strings.Trim(b.String(), " \t")
}

// fold breaks a value at single blanks; unfold gives it back as it was.
func fold(value string, column int, eol string) string {
	if column+len(value) <= lineLength {
		return value
	}
	var b strings.Builder
	last := 0 // written until here
	for i := 1; i+1 < len(value); i++ {
		if value[i] != ' ' || blank(value[i-1]) || blank(value[i+1]) {
			continue
		}
		next := strings.IndexByte(value[i+1:], ' ')
		if next < 0 {
			next = len(value) - i - 1
		}
		if column+(i-last)+1+next > lineLength && i > last {
			b.WriteString(value[last:i])
			b.WriteString(eol)
			last, column = i, 0
		}
	}
	b.WriteString(value[last:])
	return b.String()
}

// headerText is how a header of free text is written.
type headerText struct {
	eol    string
	column int // at which the value begins
}

func (headerText) Decode(raw string) (string, bool) {
	value, ok := decodeWords(unfold(raw))
	return value, ok && !hidden(raw)
}

func (h headerText) Encode(value, raw string) (string, bool) {
	if was, _ := h.Decode(raw); was == value {
		return raw, true
	}
	if !printable(value) {
		return "", false // a line end would begin another header
	}
	if !ascii(value) || strings.Contains(value, "=?") || strings.Trim(value, " \t") != value {
		words := encodeWords(value, h.eol+" ")
		if h.column+len(words) > lineLength && !strings.HasPrefix(raw, h.eol) && h.column > 20 {
			return h.eol + " " + words, true
		}
		return words, true
	}
	return fold(value, h.column, h.eol), true
}
