package directory

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// jsonRows reads one JSON object a line. Values are strings, numbers (an id
// that is a number is its digits), null, or for the columns that identify,
// lists of strings. Two keys of the same name make the line unreadable rather
// than the later one win.
type jsonRows struct {
	in      *bufio.Reader
	line    uint64
	bytes   int64
	mu      sync.Mutex // guards unknown
	unknown []string
}

// maxUnknown bounds what is said about unknown keys.
const maxUnknown = 100

func openJSONL(r io.Reader) (*jsonRows, error) {
	j := &jsonRows{in: bufio.NewReaderSize(r, maxRow)}
	begin, err := j.in.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the directory: %w", err)
	}
	if bytes.Equal(begin, byteOrderMark) {
		j.in.Discard(len(byteOrderMark))
	}
	return j, utf16(begin)
}

func (j *jsonRows) read() (int64, uint64) { return j.bytes, j.line }

func (j *jsonRows) ignored() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.unknown
}

// next gives the lines up to the next full block of them.
func (j *jsonRows) next() (*lines, error) {
	b := &lines{json: j}
	for b.size < blockBytes {
		view, err := j.in.Peek(blockBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return b.orError(err)
		}
		if len(view) == 0 {
			break
		}
		n, count := 0, uint64(0)
		for most := untilBlock(j.line); count < most; count++ {
			end := bytes.IndexByte(view[n:], '\n')
			if end < 0 {
				break
			}
			n += end + 1
		}
		if n == 0 && err != nil { // the last line has no end
			n, count = len(view), 1
		}
		if n > 0 {
			b.add(part{line: j.line + 1, text: string(view[:n])})
			j.in.Discard(n)
			j.line, j.bytes = j.line+count, j.bytes+int64(n)
		} else if err := j.long(b); err != nil {
			return b.orError(err)
		}
		if j.line%progressEvery == 0 {
			break
		}
	}
	return b.orEnd()
}

// long reads a line that is longer than a block.
func (j *jsonRows) long(b *lines) error {
	line, err := j.in.ReadSlice('\n')
	j.bytes += int64(len(line))
	j.line++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = j.in.ReadSlice('\n')
			j.bytes += int64(len(line))
		}
		b.add(part{line: j.line, problem: problem(fmt.Sprintf("is longer than %d bytes", maxRow))})
	case err == nil || errors.Is(err, io.EOF):
		b.add(part{line: j.line, text: string(line)})
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

// rows calls take for each line of a part.
func (j *jsonRows) rows(p *part, r *row, take func(*row) error) error {
	line := p.line
	for text := range strings.Lines(p.text) {
		r.line = line
		line++
		if r.text = strings.TrimSpace(text); r.text == "" {
			continue
		}
		if err := take(r); err != nil {
			return err
		}
	}
	return nil
}

// place puts the values of a line into their columns.
func (j *jsonRows) place(r *row) error {
	var object map[string]jsontext.Value
	if err := json.Unmarshal([]byte(r.text), &object); err != nil || object == nil {
		return problem("is not one JSON object with different keys") // the decoder's error would quote it
	}
	for key, v := range object {
		at, ok := columnOf(key)
		if !ok {
			j.meet(key)
			continue
		}
		if r.values[at] != "" {
			return problem(fmt.Sprintf("names the column %s twice", at))
		}
		if err := r.take(at, v); err != nil {
			return err
		}
	}
	return nil
}

func (j *jsonRows) meet(key string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.unknown) < maxUnknown && !slices.Contains(j.unknown, key) {
		j.unknown = append(j.unknown, key)
		slices.Sort(j.unknown)
	}
}

// take reads one JSON value.
func (r *row) take(at column, v jsontext.Value) error {
	switch v.Kind() {
	case 'n':
	case '0':
		r.values[at] = strings.TrimSpace(string(v))
	case '"':
		return unquote(v, &r.values[at])
	case '[':
		if at != columnEmail && at != columnPhone && at != columnUsername {
			return problem(fmt.Sprintf("%s must be one value", at))
		}
		var list []string
		if err := json.Unmarshal(v, &list); err != nil {
			return problem(fmt.Sprintf("%s must be a string or a list of strings", at))
		}
		for _, text := range list {
			r.more = append(r.more, value{at, text})
		}
	default:
		return problem(fmt.Sprintf("%s must be a string", at))
	}
	return nil
}

func unquote(v jsontext.Value, into *string) error {
	if err := json.Unmarshal(v, into); err != nil {
		return problem("is not UTF-8 text")
	}
	return nil
}
