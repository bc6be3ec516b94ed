package directory

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxRow bounds one row. A quote that is never closed would otherwise take the
// rest of the file into memory.
const maxRow = 1 << 20

// csvRows reads RFC 4180 with line feeds or CRLF: a field in quotes may hold
// the separator, quotes written twice, and line ends. Separators are what the
// header uses: comma, semicolon or tab.
//
// It is not encoding/csv because a directory of a million people has a broken
// quote somewhere: a row that is too long or whose quote never closes costs
// its first line, and reading goes on at the second.
type csvRows struct {
	in        *bufio.Reader
	separator byte
	fields    []string
	places    []column // by field: which column, or none
	unknown   []string
	line      uint64 // lines read
	bytes     int64
}

func openCSV(r io.Reader) (*csvRows, error) {
	c := &csvRows{in: bufio.NewReaderSize(r, maxRow), separator: ','}
	begin, err := c.in.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the directory: %w", err)
	}
	if err := utf16(begin); err != nil {
		return nil, err
	}
	if bytes.Equal(begin, byteOrderMark) {
		c.skip(len(byteOrderMark))
	}
	return c, c.header()
}

// header finds the separator and the columns.
func (c *csvRows) header() error {
	first, err := c.in.Peek(maxRow)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the directory: %w", err)
	}
	if end := bytes.IndexByte(first, '\n'); end >= 0 {
		first = first[:end]
	}
	if bytes.IndexByte(first, ',') < 0 {
		for _, s := range []byte{';', '\t'} {
			if bytes.IndexByte(first, s) >= 0 {
				c.separator = s
			}
		}
	}
	if _, err := c.record(); errors.Is(err, io.EOF) {
		return errors.New("the directory is empty; its first line must name the columns: id,email,phone and more")
	} else if err != nil {
		return fmt.Errorf("reading the directory's first line: %w", err)
	}
	for _, name := range c.fields {
		at, ok := columnOf(name)
		if !ok {
			c.unknown = append(c.unknown, strings.TrimSpace(name))
		} else if slices.Contains(c.places, at) {
			return fmt.Errorf("the directory has two columns %q", at)
		}
		c.places = append(c.places, at)
	}
	if !slices.Contains(c.places, columnID) {
		return errors.New("the directory has no column id; its first line must name the columns: id,email,phone and more")
	}
	return nil
}

func (c *csvRows) ignored() []string { return c.unknown }

func (c *csvRows) read() (int64, uint64) { return c.bytes, c.line }

func (c *csvRows) next(r *row) error {
	for {
		r.line = c.line + 1
		blank, err := c.record()
		if err != nil {
			return err
		}
		if !blank {
			break
		}
	}
	if n := len(c.fields); n != len(c.places) {
		return problem(fmt.Sprintf("has %d fields, the header names %d columns", n, len(c.places)))
	}
	for i, at := range c.places {
		if at != columnNone {
			r.values[at] = c.fields[i]
		}
	}
	return nil
}

// record reads one record into fields. A blank line has none.
func (c *csvRows) record() (blank bool, err error) {
	// Grow the view until it holds the whole record: most fit the first one.
	for size := 4 << 10; ; size *= 4 {
		size = min(size, maxRow)
		view, err := c.in.Peek(size)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if len(view) == 0 {
			return false, io.EOF
		}
		last := err != nil || size == maxRow // there is no more to look at
		n, complete, why := c.parse(view, err != nil)
		switch {
		case complete && why == "":
			blank = len(c.fields) == 1 && len(bytes.TrimRight(view[:n], "\r\n")) == 0
			c.skip(n)
			return blank, nil
		case complete || last:
			if why == "" {
				why = "a quote is opened and never closed"
				if n == 0 {
					why = problem(fmt.Sprintf("is longer than %d bytes", maxRow))
				}
			}
			return false, errors.Join(problem(why), c.skipLine())
		}
	}
}

// parse splits the record at the beginning of view and returns its length. It
// is not complete if its end may lie behind the view; a length above zero then
// says that a quote is open. atEnd says that the file ends with the view.
func (c *csvRows) parse(view []byte, atEnd bool) (n int, complete bool, why problem) {
	c.fields = c.fields[:0]
	for {
		if n < len(view) && view[n] == '"' {
			text, end, ok := quoted(view, n+1)
			if !ok {
				return max(end, 1), false, ""
			}
			if end == len(view) && !atEnd {
				return 0, false, "" // the quote may be the first of two
			}
			n = end
			if n < len(view) && view[n] == '\r' && n+1 == len(view) && !atEnd {
				return 0, false, ""
			}
			c.fields = append(c.fields, text)
		} else {
			end := n
			for end < len(view) && view[end] != c.separator && view[end] != '\n' {
				if view[end] == '"' {
					return n, true, "has a quote in the middle of a field; a field with quotes must be quoted as a whole"
				}
				end++
			}
			if end == len(view) && !atEnd {
				return 0, false, ""
			}
			field := view[n:end]
			if end == len(view) || view[end] == '\n' {
				field = bytes.TrimSuffix(field, []byte{'\r'})
			}
			c.fields = append(c.fields, string(field))
			n = end
		}
		if n < len(view) && view[n] == '\r' && (n+1 == len(view) || view[n+1] == '\n') {
			n++
		}
		switch {
		case n == len(view) && atEnd:
			return n, true, ""
		case n == len(view):
			return 0, false, ""
		case view[n] == '\n':
			return n + 1, true, ""
		case view[n] == c.separator:
			n++
		default:
			return n, true, "has text after a closing quote"
		}
	}
}

// quoted reads up to the closing quote and returns the text and the place
// behind it.
func quoted(view []byte, from int) (text string, end int, ok bool) {
	var doubled bool
	for i := from; i < len(view); i++ {
		if view[i] != '"' {
			continue
		}
		if i+1 < len(view) && view[i+1] == '"' {
			doubled = true
			i++
			continue
		}
		text = string(view[from:i])
		if doubled {
			text = strings.ReplaceAll(text, `""`, `"`)
		}
		return text, i + 1, true
	}
	return "", from, false
}

// skip moves behind n bytes that were looked at.
func (c *csvRows) skip(n int) {
	view, _ := c.in.Peek(n)
	c.line += uint64(bytes.Count(view, []byte{'\n'}))
	if n > 0 && view[n-1] != '\n' {
		if _, err := c.in.Peek(n + 1); err != nil && !bytes.Equal(view, byteOrderMark) {
			c.line++ // the last line has no line end
		}
	}
	c.bytes += int64(n)
	c.in.Discard(n)
}

// skipLine moves behind the line at hand.
func (c *csvRows) skipLine() error {
	for {
		part, err := c.in.ReadSlice('\n')
		c.bytes += int64(len(part))
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			c.line++
			return nil
		}
		c.line++
		return err
	}
}

// valid reports whether every value is text.
func (r *row) valid() bool {
	for _, v := range r.values {
		if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			return false
		}
	}
	return true
}
