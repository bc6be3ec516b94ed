package classify

import (
	"strings"
	"unicode/utf8"
)

// ruler finds, for positions in a decoded text, the positions where these
// stand as written. Positions must be asked for in ascending order.
type ruler struct {
	raw           string
	enc           encoding
	rawAt, textAt int
}

// at gives the position as written; false when the text's position lies inside
// what is written as one, such as an escape for a character of several bytes.
func (r *ruler) at(text int) (raw int, exact bool) {
	for r.textAt < text && r.rawAt < len(r.raw) {
		plain := r.plain()
		if plain > 0 {
			step := min(plain, text-r.textAt)
			r.rawAt, r.textAt = r.rawAt+step, r.textAt+step
			continue
		}
		written, means := r.unit()
		if r.textAt+means > text {
			return r.rawAt, false
		}
		r.rawAt, r.textAt = r.rawAt+written, r.textAt+means
	}
	return r.rawAt, r.textAt == text
}

// plain is how many bytes stand for themselves.
func (r *ruler) plain() int {
	rest := r.raw[r.rawAt:]
	n := len(rest)
	switch r.enc {
	case jsonString, jsonKey:
		n = strings.IndexByte(rest, '\\')
	case formText, formKey:
		n = strings.IndexAny(rest, "%+")
	case pathText:
		n = strings.IndexByte(rest, '%')
	}
	if n < 0 {
		n = len(rest)
	}
	return n
}

// unit is the length of the escape that comes next, and of what it stands for.
func (r *ruler) unit() (written, means int) {
	switch r.enc {
	case jsonString, jsonKey:
		n, char, _, _ := unescapeAt(r.raw, r.rawAt)
		return n, utf8.RuneLen(char)
	default:
		if r.raw[r.rawAt] == '%' && r.rawAt+2 < len(r.raw) {
			_, hi := unhex(r.raw[r.rawAt+1])
			_, lo := unhex(r.raw[r.rawAt+2])
			if hi && lo {
				return 3, 1
			}
		}
		return 1, 1
	}
}
