package classify

import (
	"maps"
	"slices"
	"strings"
)

// header is the editor of one value of a header.
func (r *rewriting) header(number int32) *editor {
	if t := r.headers[number]; t != nil {
		return t
	}
	if r.headers == nil {
		r.headers = map[int32]*editor{}
	}
	h := r.Findings.headers[number]
	t := &editor{text: r.message.Header[h.name][h.index]}
	r.headers[number] = t
	return t
}

// setHeader changes one value of a header. The header map is copied once.
func (r *rewriting) setHeader(name string, index int, value string) {
	if r.out.Header == nil {
		r.out.Header = maps.Clone(r.message.Header)
	}
	before := r.message.Header[name]
	if &r.out.Header[name][0] == &before[0] { // still shared with the message
		r.out.Header[name] = slices.Clone(before)
	}
	// Dropped values become empty ones first, so that the others keep their
	// numbers until all edits are made.
	r.out.Header[name][index] = unfolded(value)
}

// settleHeader removes the values that were dropped.
func settleHeader(header map[string][]string, values []headerValue) {
	for _, h := range values {
		var left []string // never in place: an unchanged slice is still the message's
		for _, v := range header[h.name] {
			if v != "" {
				left = append(left, v)
			}
		}
		if header[h.name] = left; len(left) == 0 {
			delete(header, h.name)
		}
	}
}

// unfolded keeps a value on its line, whatever it is made of.
func unfolded(value string) string {
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(value)
}
