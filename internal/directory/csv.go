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
	"unsafe"
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

// next gives the rows up to the next full block of lines. What needs more than a
// look, a quote that may be open or a row that is too long, is parsed here; of
// all else only the ends of the rows are found.
func (c *csvRows) next() (*lines, error) {
	b := &lines{csv: c}
	for b.size < blockBytes {
		view, err := c.in.Peek(blockBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return b.orError(err)
		}
		if len(view) == 0 {
			break
		}
		n, count := c.whole(view, err != nil, untilBlock(c.line))
		if n > 0 {
			b.add(part{line: c.line + 1, text: string(view[:n])})
			c.in.Discard(n)
			c.line, c.bytes = c.line+count, c.bytes+int64(n)
		} else {
			first := c.line + 1
			blank, err := c.record()
			var why problem
			switch {
			case errors.As(err, &why):
				b.add(part{line: first, problem: why})
			case err != nil:
				return b.orError(err)
			case !blank:
				b.add(part{line: first, fields: slices.Clone(c.fields)})
			}
		}
		if c.line%progressEvery == 0 {
			break
		}
	}
	return b.orEnd()
}

// whole finds how many bytes of view are whole rows, at most of so many lines.
func (c *csvRows) whole(view []byte, atEnd bool, most uint64) (n int, count uint64) {
	quote := -1 // the first one from n on
	for n < len(view) && count < most {
		if quote < n {
			if quote = bytes.IndexByte(view[n:], '"'); quote < 0 {
				quote = len(view)
			} else {
				quote += n
			}
		}
		end := bytes.IndexByte(view[n:], '\n')
		switch {
		case end >= 0 && n+end < quote:
			n += end + 1
			count++
			continue
		case quote == len(view) && atEnd: // the last line has no end
			return len(view), count + 1
		case quote == len(view):
			return n, count
		}
		rest := view[n:]
		fields, end, complete, why := fieldsOf(unsafe.String(&rest[0], len(rest)), c.separator, atEnd, c.fields[:0])
		c.fields = fields
		if !complete || why != "" {
			break
		}
		count += uint64(bytes.Count(rest[:end], []byte{'\n'}))
		if end == len(rest) && rest[end-1] != '\n' {
			count++
		}
		n += end
	}
	return n, count
}

// rows calls take for each row of a part that holds whole ones.
func (c *csvRows) rows(p *part, r *row, take func(*row) error) error {
	line := p.line
	quotes := strings.IndexByte(p.text, '"') >= 0
	for text := p.text; text != ""; {
		n := strings.IndexByte(text, '\n') + 1
		if n == 0 {
			n = len(text)
		}
		r.line, r.fields = line, r.fields[:0]
		if quotes && strings.IndexByte(text[:n], '"') >= 0 {
			r.fields, n, _, _ = fieldsOf(text, c.separator, true, r.fields)
			line += uint64(strings.Count(text[:n], "\n"))
		} else {
			body := strings.TrimSuffix(strings.TrimSuffix(text[:n], "\n"), "\r")
			for at := strings.IndexByte(body, c.separator); at >= 0; at = strings.IndexByte(body, c.separator) {
				r.fields, body = append(r.fields, body[:at]), body[at+1:]
			}
			r.fields = append(r.fields, body)
			line++
		}
		blank := len(r.fields) == 1 && strings.TrimRight(text[:n], "\r\n") == ""
		text = text[n:]
		if blank {
			continue
		}
		if err := take(r); err != nil {
			return err
		}
	}
	return nil
}

// place puts fields into their columns.
func (c *csvRows) place(r *row) error {
	if n := len(r.fields); n != len(c.places) {
		return problem(fmt.Sprintf("has %d fields, the header names %d columns", n, len(c.places)))
	}
	for i, at := range c.places {
		if at != columnNone {
			r.values[at] = r.fields[i]
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
		fields, n, complete, why := fieldsOf(unsafe.String(&view[0], len(view)), c.separator, err != nil, c.fields[:0])
		c.fields = fields
		switch {
		case complete && why == "":
			blank = len(c.fields) == 1 && len(bytes.TrimRight(view[:n], "\r\n")) == 0
			for i := range c.fields {
				c.fields[i] = strings.Clone(c.fields[i]) // the view is about to change
			}
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

// fieldsOf splits the record at the beginning of view and returns its length. It
// is not complete if its end may lie behind the view; a length above zero then
// says that a quote is open. atEnd says that the file ends with the view. Fields
// lie in the view where they can.
func fieldsOf(view string, separator byte, atEnd bool, fields []string) (_ []string, n int, complete bool, why problem) {
	for {
		if n < len(view) && view[n] == '"' {
			text, end, ok := quoted(view, n+1)
			if !ok {
				return fields, max(end, 1), false, ""
			}
			if end == len(view) && !atEnd {
				return fields, 0, false, "" // the quote may be the first of two
			}
			n = end
			if n < len(view) && view[n] == '\r' && n+1 == len(view) && !atEnd {
				return fields, 0, false, ""
			}
			fields = append(fields, text)
		} else {
			end := n
			for end < len(view) && view[end] != separator && view[end] != '\n' {
				if view[end] == '"' {
					return fields, n, true, "has a quote in the middle of a field; a field with quotes must be quoted as a whole"
				}
				end++
			}
			if end == len(view) && !atEnd {
				return fields, 0, false, ""
			}
			field := view[n:end]
			if end == len(view) || view[end] == '\n' {
				field = strings.TrimSuffix(field, "\r")
			}
			fields = append(fields, field)
			n = end
		}
		if n < len(view) && view[n] == '\r' && (n+1 == len(view) || view[n+1] == '\n') {
			n++
		}
		switch {
		case n == len(view) && atEnd:
			return fields, n, true, ""
		case n == len(view):
			return fields, 0, false, ""
		case view[n] == '\n':
			return fields, n + 1, true, ""
		case view[n] == separator:
			n++
		default:
			return fields, n, true, "has text after a closing quote"
		}
	}
}

// quoted reads up to the closing quote and returns the text and the place
// behind it.
func quoted(view string, from int) (text string, end int, ok bool) {
	var doubled bool
	for i := from; i < len(view); i++ {
		at := strings.IndexByte(view[i:], '"')
		if at < 0 {
			break
		}
		i += at
		if i+1 < len(view) && view[i+1] == '"' {
			doubled = true
			i++
			continue
		}
		text = view[from:i]
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
	for i := range r.values {
		if v := r.values[i]; v != "" && (!utf8.ValidString(v) || strings.IndexByte(v, 0) >= 0) {
			return false
		}
	}
	return true
}
