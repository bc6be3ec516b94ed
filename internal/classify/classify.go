package classify

import (
	"slices"
	"strings"

	"cordon/internal/detect"
	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// Classify reads one message that takes route r. It is called by many
// goroutines at once.
func (c *Classifier) Classify(r vendor.Route, m *Message) Findings {
	f := Findings{route: r, message: m, tries: c.unmapped}
	if r.Spec == c.spec && r.Index >= 0 && r.Index < len(c.routes) {
		f.tries = c.routes[r.Index]
	}
	w := walks.Get().(*walk)
	f.read(w)
	f.attribute(c.spec.ID, &w.scratch)
	f.own(w)
	w.release()
	return f
}

// begin makes ready for the reading of a message.
func (f *Findings) begin(w *walk) {
	w.f = f
	f.fields = w.fields[:0]
	f.groups = append(w.groups[:0], group{parent: -1, subject: rootSubject, person: nobody})
}

// own gives the findings memory of their own, of just the size that they need.
func (f *Findings) own(w *walk) {
	w.fields, w.groups = f.fields, f.groups
	f.fields, f.groups = slices.Clone(f.fields), slices.Clone(f.groups)
}

// read walks over every part of the message.
func (f *Findings) read(w *walk) {
	f.begin(w)
	if f.route.Ambiguous {
		w.flag(exposure.IncompletePath)
	}
	if f.message.Method == "CONNECT" { // what a tunnel carries is not here to be read
		w.flag(exposure.IncompleteTunnel)
	}
	f.path(w)
	if f.message.Query != "" {
		w.begin(inQuery, f.message.Query)
		w.form(f.tries.query, nil, 0, 0, len(w.s))
	}
	f.namedHeaders(w)
	f.envelope(w)
	f.content(w)

	f.work = w.work
}

func (w *walk) begin(src source, text string) {
	w.src, w.s, w.pos, w.layer = src, text, 0, 0
}

// release lets go of everything that holds a piece of the message.
func (w *walk) release() {
	if cap(w.names)+cap(w.scratch.known)+cap(w.scratch.roots)+cap(w.fields)+cap(w.groups) > 1<<12 || cap(w.plain) > 1<<16 || len(w.templates) > 1<<12 {
		return // one large message does not keep its memory for the small ones
	}
	clear(w.fields)
	clear(w.names[:cap(w.names)])
	clear(w.crumbs[:cap(w.crumbs)])
	clear(w.scratch.known[:cap(w.scratch.known)])
	*w = walk{names: w.names[:0], crumbs: w.crumbs[:0], scratch: w.scratch,
		fields: w.fields[:0], groups: w.groups[:0], written: w.written, plain: w.plain[:0], templates: w.templates}
	walks.Put(w)
}

// path reads the path's parameters. Where the template has no names for its
// segments, and on a route that nothing maps, those segments are taken that do
// not look like a word of an API.
func (f *Findings) path(w *walk) {
	w.begin(inPath, f.message.Path)
	take := func(name string, start, end int) {
		n := f.tries.path.under(name)
		var l *leaf
		if n != nil {
			l = n.leaf
		}
		raw := w.s[start:end]
		if raw == "" {
			return
		}
		w.push(crumb{node: n, key: name})
		w.text(n, l, 0, position{enc: pathText, start: int32(start), member: -1}, raw)
		w.pop()
	}
	for _, p := range f.route.Params {
		if p.Start >= 0 && p.Start <= p.End && p.End <= len(w.s) {
			take(p.Name, p.Start, p.End)
		}
	}
	if !f.tries.unnamed {
		return
	}
	start := 0
	for segment := range strings.SplitSeq(w.s, "/") {
		end := start + len(segment)
		named := slices.ContainsFunc(f.route.Params, func(p vendor.Param) bool { return p.Start == start })
		if !named && personal(segment) {
			take("*", start, end)
		}
		start = end + 1
	}
}

// personal reports whether a segment of an unknown path, or a key, looks like a
// value: an address, something escaped, a long number.
func personal(s string) bool {
	digits := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '@' || c == '%' || c >= 0x80:
			return true
		case '0' <= c && c <= '9':
			digits++
		}
	}
	return digits >= 4
}

// namedHeaders reads the headers that a mapping names, and those of which
// nobody says that they are about the message and not about a person.
func (f *Findings) namedHeaders(w *walk) {
	header := f.tries.header
	w.src = inHeader
	var names []string
	for name, values := range f.message.Header {
		n := header.mappedHeader(name)
		if n != nil || !aboutTheMessage(name) || slices.ContainsFunc(values, func(v string) bool { return !credential(name) && holdsAddress(v) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names) // fields must have the same order each time
	for _, name := range names {
		n := header.mappedHeader(name)
		var l *leaf
		if n != nil {
			l = n.leaf
		}
		for i, value := range f.message.Header[name] {
			if value == "" || n == nil && aboutTheMessage(name) && (credential(name) || !holdsAddress(value)) {
				continue
			}
			w.begin(inHeader, value)
			w.push(crumb{node: n, key: name})
			w.text(n, l, 0, position{enc: wholeText, start: int32(len(f.headers)), member: -1}, value)
			w.pop()
			f.headers = append(f.headers, headerValue{name, i})
		}
	}
}

// mappedHeader is the node of a header that a mapping names.
func (n *node) mappedHeader(name string) *node {
	if !n.named() {
		return nil
	}
	if n = n.child(strings.ToLower(name)); n == nil || n.leaf == nil && !n.opens {
		return nil
	}
	return n
}

// credential reports whether a header proves who calls, and is nobody's data.
func credential(header string) bool {
	return strings.EqualFold(header, "Authorization") || strings.EqualFold(header, "Proxy-Authorization")
}

// holdsAddress reports whether a header's value has an e-mail address in it.
func holdsAddress(value string) bool {
	if strings.IndexByte(value, '@') < 0 {
		return false
	}
	var room [8]detect.Hit
	for _, h := range detect.Append(room[:0], value, detect.Context{}) {
		if h.Kind == detect.Email {
			return true
		}
	}
	return false
}
