package roll

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lines reads line by line and can give lines back, for a record that began
// with a quote which nothing closes.
type lines struct {
	in     *bufio.Reader
	line   uint64
	gave   []string // given back, next first
	failed error
}

// next gives a line without its end. A line that is too long is a problem.
func (l *lines) next() (string, error) {
	if len(l.gave) > 0 {
		text := l.gave[0]
		l.gave = l.gave[1:]
		l.line++
		return text, nil
	}
	if l.failed != nil {
		return "", l.failed
	}
	var b strings.Builder
	for long := false; ; {
		part, err := l.in.ReadSlice('\n')
		if long = long || b.Len()+len(part) > maxLine; !long {
			b.Write(part)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			if l.failed = io.EOF; b.Len() == 0 && !long {
				return "", io.EOF
			}
		case err != nil:
			l.failed = fmt.Errorf("reading the list: %w", err)
			return "", l.failed
		}
		l.line++
		if long {
			return "", problem(fmt.Sprintf("is longer than %d bytes", maxLine))
		}
		return strings.TrimRight(b.String(), "\r\n"), nil
	}
}

// back gives lines back, the earliest first.
func (l *lines) back(list []string) {
	l.gave = append(slices.Clone(list), l.gave...)
	l.line -= uint64(len(list))
}

// first looks at the first line that is not blank.
func (l *lines) first() (string, error) {
	var seen []string
	for {
		text, err := l.next()
		if errors.Is(err, io.EOF) {
			return "", errors.New("the list is empty")
		}
		if err != nil {
			return "", fmt.Errorf("the first line of the list %w", err)
		}
		seen = append(seen, text)
		if strings.TrimSpace(text) != "" {
			l.back(seen)
			return strings.TrimSpace(text), nil
		}
	}
}

// filled is the next line that is not blank, with its number.
func (l *lines) filled() (string, uint64, error) {
	for {
		text, err := l.next()
		if err != nil || strings.TrimSpace(text) != "" {
			return text, l.line, err
		}
	}
}

// bareRows is a list of identifiers, one a line.
type bareRows struct{ in *lines }

func (b *bareRows) ignored() []string { return nil }

func (b *bareRows) next(r *raw) (err error) {
	if r.text, r.line, err = b.in.filled(); err != nil {
		r.line = b.in.line
		return err
	}
	r.bare = strings.Trim(strings.TrimSpace(r.text), `"`)
	return nil
}

// jsonRows is one object a line. Values are strings, numbers, lists of them, or
// objects, which are looked into: logs nest what they know of a person.
type jsonRows struct {
	in      *lines
	unknown []string
}

const (
	maxUnknown = 100
	maxDepth   = 8
)

func (j *jsonRows) ignored() []string { slices.Sort(j.unknown); return j.unknown }

func (j *jsonRows) next(r *raw) (err error) {
	if r.text, r.line, err = j.in.filled(); err != nil {
		r.line = j.in.line
		return err
	}
	return j.object(jsontext.Value(r.text), r, 0)
}

func (j *jsonRows) object(text jsontext.Value, r *raw, depth int) error {
	var object map[string]jsontext.Value
	if depth > maxDepth || json.Unmarshal(text, &object) != nil || object == nil {
		return problem("is not one JSON object with different keys") // the decoder's error would quote it
	}
	for key, v := range object {
		at, ok := columnOf(key)
		if ok {
			if err := r.take(at, v); err != nil {
				return err
			}
			continue
		}
		if v.Kind() == '{' {
			if err := j.object(v, r, depth+1); err != nil {
				return err
			}
		}
		if len(j.unknown) < maxUnknown && !slices.Contains(j.unknown, key) {
			j.unknown = append(j.unknown, key)
		}
	}
	return nil
}

func (r *raw) take(at column, v jsontext.Value) error {
	switch v.Kind() {
	case 'n':
	case '0':
		r.put(at, strings.TrimSpace(string(v)))
	case '"':
		var text string
		if err := json.Unmarshal(v, &text); err != nil {
			return problem("is not UTF-8 text")
		}
		r.put(at, text)
	case '[':
		var list []jsontext.Value
		if err := json.Unmarshal(v, &list); err != nil {
			return problem(at.String() + " is no list")
		}
		for _, v := range list {
			if v.Kind() == '[' || v.Kind() == '{' {
				return problem(at.String() + " must be a string or a list of strings")
			}
			if err := r.take(at, v); err != nil {
				return err
			}
		}
	default:
		return problem(at.String() + " must be a string or a list of strings")
	}
	return nil
}

// put adds a value; the first one of a column stands in its cell.
func (r *raw) put(at column, value string) {
	if value = strings.TrimSpace(value); value == "" {
		return
	}
	switch {
	case r.cells[at] == "":
		r.cells[at] = value
	case at == columnCategories:
		r.cells[at] += " " + value
	default:
		r.more = append(r.more, cell{at, value})
	}
}
