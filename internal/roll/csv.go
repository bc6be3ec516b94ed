package roll

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// csvRows reads RFC 4180. A quote that nothing closes costs its own line only.
type csvRows struct {
	in        *lines
	separator byte
	places    []column
	unknown   []string
	fields    []string
}

// separatorOf is what parts the columns of a first line.
func separatorOf(first string) byte {
	for _, s := range []byte{',', ';', '\t', '|'} {
		if strings.IndexByte(first, s) >= 0 {
			return s
		}
	}
	return ','
}

// header takes the first line if it names columns of which one identifies, and
// each at most once.
func (c *csvRows) header(first string) bool {
	if !c.split(first) {
		return false
	}
	names := false
	for _, field := range c.fields {
		at, ok := columnOf(field)
		switch {
		case !ok:
			at, c.unknown = columnNone, append(c.unknown, strings.TrimSpace(field))
		case slices.Contains(c.places, at):
			return false
		}
		names = names || ok && at.identifying()
		c.places = append(c.places, at)
	}
	if names {
		_, _, err := c.in.filled()
		return err == nil
	}
	return false
}

func (c *csvRows) ignored() []string { return c.unknown }

// maxJoined bounds how many lines one quoted field may reach over.
const maxJoined = 64

func (c *csvRows) next(r *raw) (err error) {
	if r.text, r.line, err = c.in.filled(); err != nil {
		r.line = c.in.line
		return err
	}
	var joined []string
	for !c.split(r.text) {
		more, err := c.in.next()
		if err == nil {
			joined = append(joined, more)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || len(joined) > maxJoined || len(r.text)+len(more) > maxLine {
			c.in.back(joined)
			return problem("a quote is opened and never closed, or not where a field begins")
		}
		r.text += "\n" + more
	}
	if n := len(c.fields); n != len(c.places) {
		return problem(fmt.Sprintf("has %d fields, the first line names %d columns", n, len(c.places)))
	}
	for i, at := range c.places {
		if at != columnNone {
			r.put(at, c.fields[i])
		}
	}
	return nil
}

// split parts a record into fields; false when a quote is open at its end, or
// misplaced.
func (c *csvRows) split(text string) bool {
	c.fields = c.fields[:0]
	for {
		if strings.HasPrefix(text, `"`) {
			end := 1
			for {
				at := strings.IndexByte(text[end:], '"')
				if at < 0 {
					return false
				}
				end += at + 1
				if end == len(text) || text[end] != '"' {
					break
				}
				end++ // two quotes are one
			}
			c.fields = append(c.fields, strings.ReplaceAll(text[1:end-1], `""`, `"`))
			if text = text[end:]; text == "" {
				return true
			}
			if text[0] != c.separator {
				return false
			}
			text = text[1:]
			continue
		}
		field, rest, more := strings.Cut(text, string(c.separator))
		c.fields = append(c.fields, field)
		if !more {
			return true
		}
		text = rest
	}
}
