package directory

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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

func (j *jsonRows) ignored() []string { return j.unknown }

func (j *jsonRows) next(r *row) error {
	for {
		line, err := j.in.ReadSlice('\n')
		j.bytes += int64(len(line))
		if len(line) == 0 && err != nil {
			return err
		}
		j.line++
		r.line = j.line
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			for errors.Is(err, bufio.ErrBufferFull) {
				line, err = j.in.ReadSlice('\n')
				j.bytes += int64(len(line))
			}
			return problem(fmt.Sprintf("is longer than %d bytes", maxRow))
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return j.parse(line, r)
		}
	}
}

func (j *jsonRows) parse(line []byte, r *row) error {
	var object map[string]jsontext.Value
	if err := json.Unmarshal(line, &object); err != nil || object == nil {
		return problem("is not one JSON object with different keys") // the decoder's error would quote it
	}
	for key, v := range object {
		at, ok := columnOf(key)
		if !ok {
			if len(j.unknown) < maxUnknown && !slices.Contains(j.unknown, key) {
				j.unknown = append(j.unknown, key)
				slices.Sort(j.unknown)
			}
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
