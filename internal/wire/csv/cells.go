package csv

import (
	"strings"
	"unicode/utf8"
)

// cells walks over the cells of a text.
type cells struct {
	text  string
	pos   int
	sep   byte
	width int
	odd   bool // the last cell may be read in several ways
}

// place is where a cell stands, with its quotes and the blanks before it.
type place struct {
	start, end int
	last       bool // of its record
}

func (c *cells) more() bool { return c.pos < len(c.text) }

// blankLine passes over a line that has nothing on it; it is no record.
func (c *cells) blankLine() bool {
	switch rest := c.text[c.pos:]; {
	case strings.HasPrefix(rest, "\r\n"):
		c.pos += 2
	case strings.HasPrefix(rest, "\n"):
		c.pos++
	default:
		return false
	}
	return true
}

// next reads one cell and what ends it.
func (c *cells) next() place {
	c.odd = false
	start := c.pos
	for c.more() && c.blank(c.text[c.pos]) {
		c.pos++
	}
	var at place
	if c.more() && c.text[c.pos] == '"' {
		c.odd = c.pos > start // a quote behind a blank is data to some
		at.start = c.pos
		c.quoted()
		at.end = c.pos
		behind := c.bare()
		if strings.Trim(c.text[at.end:behind], " \t") != "" {
			c.odd = true
			at.end = behind
		}
		c.pos = behind
	} else {
		at.start = start // the blanks, too: a quote must not come behind them
		at.end = c.bare()
		c.pos, start = at.end, c.pos
		for at.end > start && c.blank(c.text[at.end-1]) {
			at.end--
		}
		if strings.IndexByte(c.text[at.start:at.end], '"') >= 0 {
			c.odd = true
		}
	}
	if strings.IndexByte(c.text[at.start:at.end], 0) >= 0 {
		c.odd = true // the end of the text to some
	}
	at.last = c.end()
	return at
}

// end passes over the separator or line end behind a cell.
func (c *cells) end() (last bool) {
	if !c.more() {
		return true
	}
	switch b := c.text[c.pos]; b {
	case c.sep:
		c.pos++
		return false
	case '\r':
		c.pos++
		if c.more() && c.text[c.pos] == '\n' {
			c.pos++
		} else {
			c.odd = true // ends a line to some, is data to others
		}
	default:
		c.pos++
	}
	return true
}

func (c *cells) blank(b byte) bool { return (b == ' ' || b == '\t') && b != c.sep }

// quoted passes over a quoted value.
func (c *cells) quoted() {
	for c.pos++; c.more(); {
		i := strings.IndexByte(c.text[c.pos:], '"')
		if i < 0 {
			break
		}
		c.pos += i + 1
		if !c.more() || c.text[c.pos] != '"' {
			return
		}
		c.pos++
	}
	c.pos = len(c.text)
	c.odd = true // never closed
}

// bare is where a value without quotes ends.
func (c *cells) bare() int {
	for i := c.pos; i < len(c.text); i++ {
		if b := c.text[i]; b == c.sep || b == '\n' || b == '\r' {
			return i
		}
	}
	return len(c.text)
}

// record reads a whole record, decoded.
func (c *cells) record() (values []string) {
	odd := false
	for c.more() {
		at := c.next()
		odd = odd || c.odd
		value, _ := cell{}.Decode(c.text[at.start:at.end])
		values = append(values, strings.TrimSpace(value))
		if at.last {
			break
		}
	}
	c.odd = odd
	return values
}

// cell is how a value is written in a table.
type cell struct {
	alone bool // in its row, which must not become a blank line
}

// Decode leaves out the blanks around a value, which most programs drop and the
// others do not miss.
func (cell) Decode(raw string) (string, bool) {
	raw = strings.Trim(raw, " \t")
	if !strings.HasPrefix(raw, `"`) {
		return raw, strings.IndexByte(raw, '"') < 0
	}
	inner, ok := raw[1:], len(raw) > 1 && strings.HasSuffix(raw, `"`)
	if ok {
		inner = inner[:len(inner)-1]
	}
	value := strings.ReplaceAll(inner, `""`, `"`)
	return value, ok && len(inner)-len(value) == strings.Count(value, `"`)
}

// Encode quotes where the cell was quoted or where the value needs it; other
// separators count, so that the table's own stays the only one that fits.
func (c cell) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value && value != "" {
		return raw, true
	}
	if !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 {
		return "", false
	}
	quote := strings.HasPrefix(raw, `"`) || c.alone && value == "" ||
		strings.ContainsAny(value, separators+"\"\r\n") || strings.Trim(value, " \t") != value
	if !quote {
		blanks := raw[:len(raw)-len(strings.TrimLeft(raw, " \t"))]
		return blanks + value, true
	}
	return `"` + strings.ReplaceAll(value, `"`, `""`) + `"`, true
}
