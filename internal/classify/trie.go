package classify

import (
	"errors"
	"fmt"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// node is one place in the tries of a route. The walk moves along nodes while
// it moves over the bytes; where a node has no child the walk goes on with nil.
type node struct {
	template string // "personalizations[].to[]"
	keys     []edge
	index    map[string]*node // instead of keys, when there are many
	any      *node            // every key that keys does not name
	elem     *node            // every element
	leaf     *leaf            // what a value here is; also of everything below that nothing names
	subject  int32            // the subjects path that begins here, noSubject otherwise
}

type edge struct {
	key  string
	node *node
}

const (
	noSubject   int32 = -1
	rootSubject int32 = 0 // the message itself
	// linearKeys is up to where comparing one by one beats hashing.
	linearKeys = 8
)

// leaf says what a value is.
type leaf struct {
	template string
	category exposure.Category
	none     bool
	// identifies: the category names a person. search: undeclared data is looked
	// for within the value.
	identifies, search bool
	marks              marks
	subject            int32 // whose it is: the nearest group around it that began at this subjects path
}

// tries are one route's mappings, by where they look.
type tries struct {
	body, path, query, header *node
	// unnamed says that the path has segments without a name: the template's
	// are * or **, or there is no template.
	unnamed bool
}

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
	return &tries{body: root(), path: root(), query: root(), header: root()}
}

func compileRoute(route *vendor.RouteSpec) (*tries, error) {
	t := newTries()
	t.unnamed = strings.Contains(route.Path, "*")
	subjects := map[string]int32{}
	for _, m := range route.Mappings {
		root := map[string]*node{"": t.body, "path": t.path, "query": t.query, "header": t.header}[m.In]
		if root == nil {
			return nil, fmt.Errorf("looking in %q, which is neither path, query nor header", m.In)
		}
		at := root
		if m.Subjects != "" && m.Subjects != "." {
			prefix, err := vendor.ParsePath(m.Subjects)
			if err != nil {
				return nil, fmt.Errorf("reading subjects %q: %w", m.Subjects, err)
			}
			at = root.grow(prefix, m.In)
		}
		if at != root && at.subject == noSubject {
			// Mappings with the same subjects speak of the same people, so what a
			// manifest adds to the catalogue joins them.
			id, ok := subjects[m.In+" "+at.template]
			if !ok {
				id = int32(len(subjects)) + 1
				subjects[m.In+" "+at.template] = id
			}
			at.subject = id
		}
		for path, category := range m.Fields {
			below, err := steps(path, m.In)
			if err != nil {
				return nil, fmt.Errorf("reading the path %q: %w", path, err)
			}
			n := at.grow(below, m.In)
			if n.leaf != nil { // the manifest's mappings come before the catalogue's
				continue
			}
			n.leaf = &leaf{template: n.template, none: category == vendor.None, subject: at.subject}
			if n.template == "" {
				n.leaf.template = "."
			}
			if !n.leaf.none {
				c, ok := exposure.LookupCategory(category)
				if !ok {
					return nil, fmt.Errorf("mapping %q to the unknown category %q", path, category)
				}
				n.leaf.category = c
				_, n.leaf.identifies = exposure.KindOf(c)
				n.leaf.search = searched(c)
			}
		}
	}
	for _, root := range []*node{t.body, t.path, t.query, t.header} {
		root.finish()
	}
	return t, nil
}

// steps reads a path. Parameters and headers have plain names; a query's names
// may have brackets, as a form's keys do.
func steps(path, in string) ([]vendor.Step, error) {
	switch in {
	case "":
		return vendor.ParsePath(path)
	case "query":
		var list []vendor.Step
		for _, part := range splitKey(path, nil) {
			switch part {
			case "":
				list = append(list, vendor.Step{Kind: vendor.StepItem})
			case "*":
				list = append(list, vendor.Step{Kind: vendor.StepAny})
			default:
				list = append(list, vendor.Step{Key: part})
			}
		}
		return list, nil
	default:
		if path == "*" {
			return []vendor.Step{{Kind: vendor.StepAny}}, nil
		}
		return []vendor.Step{{Key: path}}, nil
	}
}

// grow returns the node at the end of steps, making what is missing.
func (n *node) grow(path []vendor.Step, in string) *node {
	for _, s := range path {
		switch {
		case s.Kind == vendor.StepItem:
			if n.elem == nil {
				n.elem = &node{template: n.template + "[]", subject: noSubject}
			}
			n = n.elem
		case s.Kind == vendor.StepAny:
			if n.any == nil {
				n.any = &node{template: joinKey(n.template, "*", in), subject: noSubject}
			}
			n = n.any
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

// child is the node under exactly this key.
func (n *node) child(key string) *node {
	if n.index != nil {
		return n.index[key]
	}
	for i := range n.keys {
		if n.keys[i].key == key {
			return n.keys[i].node
		}
	}
	return nil
}

// under is the node that a key leads to, and nil when nothing is mapped there.
func (n *node) under(key string) *node {
	if n == nil {
		return nil
	}
	if next := n.child(key); next != nil {
		return next
	}
	return n.any
}

// named reports whether anything is mapped to the place itself or to its keys,
// as opposed to its elements only.
func (n *node) named() bool {
	return n.leaf != nil || n.any != nil || len(n.keys) > 0 || n.index != nil
}

// finish makes one deterministic pass possible: what "*" says holds for the
// named keys too, wherever these say nothing.
func (n *node) finish() {
	for _, e := range n.keys {
		if n.any != nil {
			e.node.fill(n.any)
		}
		e.node.finish()
	}
	if n.any != nil {
		n.any.finish()
	}
	if n.elem != nil {
		n.elem.finish()
	}
	if len(n.keys) > linearKeys {
		n.index = make(map[string]*node, len(n.keys))
		for _, e := range n.keys {
			n.index[e.key] = e.node
		}
	}
}

// fill copies from o what n does not say itself. Nodes are copied, not shared,
// because a shared one would be filled from two sides.
func (n *node) fill(o *node) {
	if n.leaf == nil {
		n.leaf = o.leaf
	}
	if n.subject == noSubject {
		n.subject = o.subject
	}
	fillChild := func(into **node, from *node) {
		if from == nil {
			return
		}
		if *into == nil {
			*into = &node{template: from.template, subject: noSubject}
		}
		(*into).fill(from)
	}
	fillChild(&n.any, o.any)
	fillChild(&n.elem, o.elem)
	for _, e := range o.keys {
		next := n.child(e.key)
		if next == nil {
			next = &node{template: e.node.template, subject: noSubject}
			n.keys = append(n.keys, edge{e.key, next})
		}
		next.fill(e.node)
	}
}
