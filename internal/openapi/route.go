package openapi

import (
	"fmt"
	"strings"
)

// route is an operation's route as mappings name it.
type route struct {
	on      string            // METHOD /template
	written string            // METHOD /path as in the description
	names   map[string]string // the description's parameters, and the template's
	parts   []string          // segments of the description's path
}

// routes gives operations whose templates match the same paths one template.
type routes struct {
	byShape map[string][]string // the segments of the template
}

func newRoutes() *routes { return &routes{map[string][]string{}} }

func (rs *routes) of(op operation, base string) route {
	path, _, _ := strings.Cut(op.path, "?") // some describe queries in their paths
	path, _, _ = strings.Cut(path, "#")
	path = base + "/" + strings.Trim(path, "/")
	written := strings.Split(strings.Trim(path, "/"), "/")
	segments := make([]string, len(written))
	shape := make([]string, len(written))
	taken := map[string]bool{}
	for i, s := range written {
		segments[i], shape[i] = templateSegment(s, taken)
	}
	key := op.method + " " + strings.Join(shape, "/")
	if first := rs.byShape[key]; first != nil {
		segments = first
	} else {
		rs.byShape[key] = segments
	}
	r := route{on: op.method + " /" + strings.Join(segments, "/"), written: op.method + " " + op.path, names: map[string]string{}, parts: written}
	for i, s := range written {
		before, _, _ := strings.Cut(strings.TrimPrefix(s, "{"), "}")
		name, _, ok := strings.Cut(strings.TrimPrefix(segments[i], "{"), "}")
		if strings.HasPrefix(s, "{") && ok && strings.HasPrefix(segments[i], "{") {
			r.names[before] = name
		}
	}
	return r
}

// templateSegment writes a segment as a route's template has it, and its shape:
// segments of one shape match the same. What stands around a parameter, or
// between two, cannot be said: the whole segment is a *.
func templateSegment(s string, taken map[string]bool) (segment, shape string) {
	open := strings.IndexByte(s, '{')
	if open < 0 {
		if strings.ContainsAny(s, "*}%; \\\t") || s == "" || s == "." || s == ".." {
			return "*", "*"
		}
		return s, s
	}
	name, suffix, ok := strings.Cut(s[open+1:], "}")
	if open > 0 || !ok || name == "" || strings.ContainsAny(name, "{*") || strings.ContainsAny(suffix, "{}*%; \\\t") || taken[name] {
		return "*", "*"
	}
	taken[name] = true
	return fmt.Sprintf("{%s}%s", name, suffix), "*" + suffix
}

// around gives the words of the path's literal segments, the last first.
func (r route) around() [][]string { return wordsOf(r.parts) }

// before gives those of the segments before a parameter.
func (r route) before(parameter string) [][]string {
	for i, s := range r.parts {
		if strings.HasPrefix(s, "{"+parameter+"}") {
			return wordsOf(r.parts[:i])
		}
	}
	return nil
}

func wordsOf(segments []string) [][]string {
	var list [][]string
	for i := len(segments) - 1; i >= 0; i-- {
		if s := segments[i]; !strings.Contains(s, "{") {
			if w := words(s); len(w) > 0 {
				list = append(list, w)
			}
		}
	}
	return list
}

// doing gives all words of the path and the operation's name: what it does.
func (r route) doing(op operation) []string {
	all := words(op.id)
	for _, w := range r.around() {
		all = append(all, w...)
	}
	return all
}
