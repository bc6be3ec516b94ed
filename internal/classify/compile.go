package classify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// Classifier reads the messages to one vendor. It never changes and may be
// used by many goroutines.
type Classifier struct {
	spec     *vendor.Spec
	routes   []*tries
	unmapped *tries
}

// Compile prepares a vendor's mappings. It is done once per spec.
func Compile(spec *vendor.Spec) (*Classifier, error) {
	c := &Classifier{spec: spec, unmapped: newTries()}
	c.unmapped.unnamed = true
	var problems []error
	for i := range spec.Routes {
		t, err := compileRoute(&spec.Routes[i])
		if err != nil {
			problems = append(problems, fmt.Errorf("compiling the mappings of %s for vendor %q: %w", spec.Routes[i].Name, spec.ID, err))
		}
		c.routes = append(c.routes, t)
	}
	return c, errors.Join(problems...)
}

func newTries() *tries {
	root := func() *node { return &node{subject: rootSubject} }
	return &tries{body: root(), path: root(), query: root(), header: root(), response: root()}
}

func (t *tries) roots() []*node { return []*node{t.body, t.path, t.query, t.header, t.response} }

func compileRoute(route *vendor.RouteSpec) (*tries, error) {
	t := newTries()
	t.unnamed = strings.Contains(route.Path, "*")
	subjects := map[string]int32{}
	for i := range route.Mappings {
		m := &route.Mappings[i]
		root := map[string]*node{"": t.body, "path": t.path, "query": t.query, "header": t.header, vendor.InResponse: t.response}[m.In]
		if root == nil {
			return nil, fmt.Errorf("looking in %q, which is neither path, query, header nor response", m.In)
		}
		at := root
		if m.Subjects != "" && m.Subjects != "." {
			prefix, err := steps(m.Subjects, m.In)
			if err != nil {
				return nil, fmt.Errorf("reading subjects %q: %w", m.Subjects, err)
			}
			at = root.grow(prefix, m.In)
		}
		at = at.when(m.Conditions())
		switch {
		case at.subject != noSubject:
		case at.template == root.template: // the message itself, on a condition
			at.subject = rootSubject
		default:
			// Mappings with the same subjects speak of the same people, so what a
			// manifest adds to the catalogue joins them.
			id, ok := subjects[m.In+" "+at.template]
			if !ok {
				id = int32(len(subjects)) + 1
				subjects[m.In+" "+at.template] = id
			}
			at.subject = id
		}
		if m.Apart && !slices.Contains(t.apart, at.subject) {
			t.apart = append(t.apart, at.subject)
		}
		if err := at.mapped(m); err != nil {
			return nil, err
		}
	}
	for _, root := range t.roots() {
		if err := root.finish(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// mapped puts a mapping's fields below the subject n.
func (n *node) mapped(m *vendor.Mapping) error {
	in := m.In
	if m.Subjects != "." && m.Subjects != "" {
		in = "" // what a parameter holds is read as a body is
	}
	for path, category := range m.Fields {
		below, err := steps(path, in)
		if err != nil {
			return fmt.Errorf("reading the path %q: %w", path, err)
		}
		at := n.grow(below, in)
		if at.leaf != nil { // the manifest's mappings come before the catalogue's
			continue
		}
		at.leaf = &leaf{template: at.template, none: category == vendor.None, subject: n.subject}
		if at.template == "" {
			at.leaf.template = "."
		}
		if at.leaf.none {
			continue
		}
		c, ok := exposure.LookupCategory(category)
		if !ok {
			return fmt.Errorf("mapping %q to the unknown category %q", path, category)
		}
		at.leaf.category = c
		_, at.leaf.identifies = exposure.KindOf(c)
		at.leaf.search = searched(c)
		if slices.ContainsFunc(below, func(s vendor.Step) bool { return s.Kind == vendor.StepItem || s.Kind == vendor.StepAny }) {
			at.leaf.marks |= several
		}
		at.leaf.open = len(below) > 0 && below[len(below)-1].Kind == vendor.StepAny
		if slices.Contains(m.Deliver, path) {
			at.leaf.marks |= deliver
		}
		if slices.Contains(m.Render, path) {
			at.leaf.marks |= render
		}
		if c == exposure.Email {
			at.leaf.boxes = boxesOf(at.leaf)
		}
	}
	return nil
}

// steps reads a path. Parameters and headers have plain names, which decoders
// may follow; a query's names may have brackets, as a form's keys do.
func steps(path, in string) ([]vendor.Step, error) {
	if in == "" || in == vendor.InResponse {
		return vendor.ParsePath(path)
	}
	name, below, err := vendor.CutField(path)
	if err != nil {
		return nil, err
	}
	var list []vendor.Step
	switch {
	case in == "query":
		for _, part := range splitKey(name, nil) {
			switch part {
			case "":
				list = append(list, vendor.Step{Kind: vendor.StepItem})
			case "*":
				list = append(list, vendor.Step{Kind: vendor.StepAny})
			default:
				list = append(list, vendor.Step{Key: part})
			}
		}
	case name == "*":
		list = []vendor.Step{{Kind: vendor.StepAny}}
	default:
		list = []vendor.Step{{Key: name}}
	}
	return append(list, below...), nil
}

// grow returns the node at the end of steps, making what is missing.
func (n *node) grow(path []vendor.Step, in string) *node {
	for _, s := range path {
		switch s.Kind {
		case vendor.StepItem:
			if n.elem == nil {
				n.elem = &node{template: n.template + "[]", subject: noSubject}
			}
			n = n.elem
			if s.Filter != nil {
				n = n.when([]vendor.Filter{*s.Filter})
			}
		case vendor.StepAny:
			if n.any == nil {
				n.any = &node{template: joinKey(n.template, "*", in), subject: noSubject}
			}
			n = n.any
		case vendor.StepOwnKey:
			if n.own == nil {
				n.own = &node{template: joinKey(n.template, "#", in), subject: noSubject}
			}
			n = n.own
		case vendor.StepDecode:
			next := find(n.decoders, s.Decoder)
			if next == nil {
				next = &node{template: n.template + "|" + s.Decoder, subject: noSubject}
				n.decoders = append(n.decoders, edge{s.Decoder, next})
			}
			n = next
		default:
			key := s.Key
			if in == "header" {
				key = strings.ToLower(key)
			}
			next := n.child(key)
			if next == nil {
				next = &node{template: joinKey(n.template, s.Key, in), subject: noSubject}
				n.keys = append(n.keys, edge{key, next})
			}
			n = next
		}
	}
	return n
}

// joinKey writes one more key behind a template. Places outside the body are
// told apart by their spelling: {name}, ?name, Name:.
func joinKey(template, key, in string) string {
	switch {
	case template != "":
		return template + "." + key
	case in == "path":
		return "{" + key + "}"
	case in == "query":
		return "?" + key
	case in == "header":
		return key + ":"
	default:
		return key
	}
}
