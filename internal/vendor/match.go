package vendor

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strings"
)

// unmappedNames are prepared, so that strangers cannot make the ledger intern
// one route name per invented method.
var unmappedNames = func() map[string]string {
	m := map[string]string{}
	for _, method := range methods {
		m[method] = method + " /*"
	}
	return m
}()

const unmappedOther = "OTHER /*"

// IsUnmappedName reports whether name is one of those that Match gives to
// requests that nothing maps.
func IsUnmappedName(name string) bool {
	method, _, _ := strings.Cut(name, " ")
	return name == unmappedOther || (name != "" && unmappedNames[method] == name)
}

// Match finds the route of a request. It never fails: what nothing maps gets
// the route METHOD + " /*". Path is percent-encoded, without query, relative
// to the upstream's address.
//
// A path has one meaning here and maybe another at the vendor, whose server may
// decode %2F before it routes, resolve dot segments, merge slashes, cut
// ;parameters or ignore case. So every path that could be read in two ways is
// read in both: strictly (RFC 3986: only escapes of unreserved characters are
// undone) and as the most lenient server would. If that gives two routes the
// request is Ambiguous and mapped by neither.
//
// Where templates overlap, a literal beats {name}.json beats a parameter beats
// **, from left to right, whatever their order in the file. HEAD is answered from GET's routes.
func (s *Spec) Match(method, escapedPath string) Route {
	r := Route{Name: unmappedNames[method], Spec: s, Index: -1}
	if r.Name == "" { // methods are case-sensitive (RFC 9110 section 9.1); a lenient server may disagree
		r.Name = unmappedOther
		r.Ambiguous = unmappedNames[strings.ToUpper(method)] != ""
		return r
	}
	if !strings.HasPrefix(escapedPath, "/") {
		return r
	}
	strict, lenient := s.routes.find(method, escapedPath)
	if strict == none && lenient == none && method == "HEAD" {
		strict, lenient = s.routes.find("GET", escapedPath)
	}
	if strict != lenient {
		r.Ambiguous = true
		return r
	}
	if strict == none {
		return r
	}
	r.Index = strict
	r.Name = s.Routes[strict].Name
	r.Params = s.routes.params(strict, escapedPath)
	return r
}

// Special results of a walk.
const (
	none   = -1 // no template matches
	unsure = -2 // two templates differ in case only
)

// matcher is a compiled list of routes: per method one trie of their templates
// as written, and one in lower case with every escape undone.
type matcher struct {
	strict, lenient map[string]*branch
	names           [][]named // by route
}

// named is a {name} segment of a route's template.
type named struct {
	segment      int
	name, suffix string
}

// branch is a node of a trie; an index is none where no template ends.
type branch struct {
	literal     map[string]*branch
	suffixed    []ending // {name}.json, the longest suffix first
	any         *branch  // {name} or *
	route, rest int      // a template ends here; one ends here with **
}

// ending is where segments with one suffix lead.
type ending struct {
	suffix string
	next   *branch
}

func newBranch() *branch { return &branch{route: none, rest: none} }

func compileRoutes(routes []RouteSpec) matcher {
	m := matcher{strict: map[string]*branch{}, lenient: map[string]*branch{}, names: make([][]named, len(routes))}
	for i, r := range routes {
		for trie, fold := range map[*map[string]*branch]bool{&m.strict: false, &m.lenient: true} {
			if (*trie)[r.Method] == nil {
				(*trie)[r.Method] = newBranch()
			}
			(*trie)[r.Method].insert(r.Path, i, fold)
		}
		for n, segment := range segments(r.Path) {
			if name, suffix, ok := parameter(segment); ok {
				m.names[i] = append(m.names[i], named{n, name, suffix})
			}
		}
	}
	return m
}

// segments splits a path; one slash at the end changes nothing.
func segments(path string) []string {
	return strings.Split(strings.TrimSuffix(path[1:], "/"), "/")
}

func (b *branch) insert(template string, route int, fold bool) {
	for _, segment := range segments(template) {
		_, suffix, isParam := parameter(segment)
		switch {
		case segment == "**":
			b.rest = route
			return
		case suffix != "":
			if fold {
				suffix = strings.ToLower(suffix)
			}
			b = b.ending(suffix)
		case isParam || segment == "*":
			if b.any == nil {
				b.any = newBranch()
			}
			b = b.any
		default:
			if fold {
				segment = strings.ToLower(segment)
			}
			if b.literal == nil {
				b.literal = map[string]*branch{}
			}
			if b.literal[segment] == nil {
				b.literal[segment] = newBranch()
			}
			b = b.literal[segment]
		}
	}
	if b.route != none && b.route != route {
		route = unsure
	}
	b.route = route
}

// ending is the branch for a suffix, made when it is missing.
func (b *branch) ending(suffix string) *branch {
	at, found := slices.BinarySearchFunc(b.suffixed, suffix, func(e ending, suffix string) int {
		return cmp.Or(cmp.Compare(len(suffix), len(e.suffix)), strings.Compare(e.suffix, suffix))
	})
	if !found {
		b.suffixed = slices.Insert(b.suffixed, at, ending{suffix, newBranch()})
	}
	return b.suffixed[at].next
}

// find gives the route by the strict and by the lenient reading. For a path
// that has only one reading both are the same, found without allocation.
func (m *matcher) find(method, path string) (strict, lenient int) {
	root := m.strict[method]
	if root == nil {
		return none, none
	}
	strict = root.walk(path[1:])
	if strict != none && onlyOneReading(path) {
		return strict, strict
	}
	return strict, m.lenient[method].walk(mostLenient(path)[1:])
}

// walk follows path, which has lost its first slash. Every node is visited at
// most once per level, so the work is bounded by the size of the trie.
func (b *branch) walk(path string) int {
	if path == "" {
		switch {
		case b.route != none:
			return b.route
		case b.literal[""] != nil:
			return b.literal[""].route // the template "/"
		default:
			return b.rest
		}
	}
	segment, tail, _ := strings.Cut(path, "/")
	if next := b.literal[segment]; next != nil {
		if r := next.walk(tail); r != none {
			return r
		}
	} else if strings.IndexByte(segment, '%') >= 0 && len(b.literal) > 0 {
		if next := b.literal[unreserved(segment)]; next != nil {
			if r := next.walk(tail); r != none {
				return r
			}
		}
	}
	for _, e := range b.suffixed {
		if stem, ok := cutSuffix(segment, e.suffix); ok && stem != "" {
			if r := e.next.walk(tail); r != none {
				return r
			}
		}
	}
	if b.any != nil && segment != "" {
		if r := b.any.walk(tail); r != none {
			return r
		}
	}
	return b.rest
}

// params finds the {name} segments of a route in path.
func (m *matcher) params(route int, path string) []Param {
	want := m.names[route]
	if len(want) == 0 {
		return nil
	}
	found := make([]Param, 0, len(want))
	for start, n := 1, 0; len(found) < len(want); n++ {
		end := start + strings.IndexByte(path[start:], '/')
		if end < start {
			end = len(path)
		}
		if w := want[len(found)]; w.segment == n {
			stem, _ := cutSuffix(path[start:end], w.suffix)
			found = append(found, Param{w.name, stem, start, start + len(stem)})
		}
		start = end + 1
	}
	return found
}

// cutSuffix cuts a suffix off a segment, in which it may be escaped.
func cutSuffix(segment, suffix string) (stem string, ok bool) {
	stem = segment
	for i := len(suffix) - 1; i >= 0; i-- {
		n := len(stem)
		if n >= 3 && stem[n-3] == '%' {
			if c, err := url.PathUnescape(stem[n-3:]); err == nil {
				if c[0] != suffix[i] || !isUnreserved(c[0]) {
					return segment, false
				}
				stem = stem[:n-3]
				continue
			}
		}
		if n == 0 || stem[n-1] != suffix[i] {
			return segment, false
		}
		stem = stem[:n-1]
	}
	return stem, true
}

// onlyOneReading reports whether every server reads the path alike: lower-case
// letters, digits and harmless marks, no empty and no dot segments.
func onlyOneReading(path string) bool {
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '~', c == '@', c == ':':
		case c == '/':
			if i > 0 && path[i-1] == '/' {
				return false
			}
		case c == '.':
			if path[i-1] == '/' { // i > 0: the path begins with a slash
				return false
			}
		default:
			return false
		}
	}
	return true
}

// mostLenient is the path as the most obliging server would read it. Escapes
// are undone more than once, since a proxy before that server may do so too.
func mostLenient(p string) string {
	for range 3 {
		decoded, err := url.PathUnescape(p)
		if err != nil || decoded == p {
			break
		}
		p = decoded
	}
	p = strings.ReplaceAll(p, `\`, "/")
	if strings.IndexByte(p, ';') >= 0 {
		parts := strings.Split(p, "/")
		for i, s := range parts {
			parts[i], _, _ = strings.Cut(s, ";")
		}
		p = strings.Join(parts, "/")
	}
	if i := strings.IndexAny(p, "?#\x00"); i >= 0 {
		p = p[:i]
	}
	return path.Clean("/" + strings.ToLower(p))
}

// unreserved undoes the escapes that RFC 3986 section 6.2.2.2 calls equivalent
// to what they stand for: letters, digits, hyphen, dot, underscore, tilde.
func unreserved(segment string) string {
	var b strings.Builder
	for i := 0; i < len(segment); i++ {
		if segment[i] == '%' && i+2 < len(segment) {
			if c, err := url.PathUnescape(segment[i : i+3]); err == nil && isUnreserved(c[0]) {
				b.WriteByte(c[0])
				i += 2
				continue
			}
		}
		b.WriteByte(segment[i])
	}
	return b.String()
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || slices.Contains([]byte("-._~"), c)
}
