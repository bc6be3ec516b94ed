package openapi

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Bounds on what one description may cost. Real ones stay far below; a schema
// whose branches multiply does not.
const (
	maxDepth  = 24
	maxVisits = 40_000 // schemas of one operation
)

// step is one step of the way to a place; key is "" for an element.
type step struct {
	key string
	any bool // every key
}

// spot is one value of a message as a description has it.
type spot struct {
	in    string // "" body, path, query, header, response
	steps []step
	// around are the words around the value's own key, the nearest first: keys,
	// names of schemas, segments of the operation's path.
	around [][]string
	beside []string // the other keys of its object
	facts
}

// facts are what a schema says of a value itself.
type facts struct {
	types       []string
	format      string
	description string
	example     string
	closed      bool // an enum or a constant
	open        bool // an object whose keys nobody names
}

func (f facts) is(kind string) bool { return slices.Contains(f.types, kind) }

// textual reports whether the value may be a string.
func (f facts) textual() bool { return len(f.types) == 0 || f.is("string") || f.is("file") }

// key is the nearest key on the way to the spot, which speaks for its elements too.
func (s *spot) key() string {
	for i := len(s.steps) - 1; i >= 0; i-- {
		if s.steps[i].key != "" {
			return s.steps[i].key
		}
	}
	return ""
}

// walker walks the schemas of one operation.
type walker struct {
	d      *document
	in     string
	form   bool // keys may be written a[b]
	spots  map[string]*spot
	order  []string
	seen   map[string]bool // references walked, with where
	visits int
	cut    int // references that lead back, and what was too deep
	lost   int // references to other documents or to nothing
}

// visit walks one schema. Refs are the references on the way to it.
func (w *walker) visit(schema any, steps []step, around [][]string, beside, refs []string) {
	if w.visits++; w.visits > maxVisits || len(steps) > maxDepth || len(refs) > 4*maxDepth {
		w.cut++
		return
	}
	s := asObject(schema)
	if s == nil {
		if schema == true || schema == nil {
			w.leaf(facts{}, steps, around, beside)
		}
		return
	}
	if ref := text1(s["$ref"]); ref != "" {
		if slices.Contains(refs, ref) {
			w.cut++
			return
		}
		// Alternatives often share what they refer to: once a place is enough.
		again := ref + " " + pathOf(steps)
		if w.seen[again] {
			return
		}
		if w.seen == nil {
			w.seen = map[string]bool{}
		}
		w.seen[again] = true
		target := w.d.pointer(ref)
		if target == nil {
			w.lost++
			return
		}
		name := ref[strings.LastIndexByte(ref, '/')+1:]
		w.visit(target, steps, append([][]string{words(name)}, around...), beside, append(slices.Clone(refs), ref))
		return
	}
	for _, key := range []string{"allOf", "oneOf", "anyOf"} {
		for _, part := range asList(s[key]) {
			w.visit(part, steps, around, beside, refs)
		}
	}
	f := factsOf(s)
	properties := asObject(s["properties"])
	w.properties(properties, steps, around, refs)
	if items, ok := s["items"]; ok {
		w.visit(items, append(slices.Clone(steps), step{}), around, beside, refs)
	}
	for _, item := range asList(s["prefixItems"]) {
		w.visit(item, append(slices.Clone(steps), step{}), around, beside, refs)
	}
	more, open := w.additional(s)
	if more != nil {
		w.visit(more, append(slices.Clone(steps), step{any: true}), w.under(steps, around), nil, refs)
	}
	combined := len(asList(s["allOf"]))+len(asList(s["oneOf"]))+len(asList(s["anyOf"])) > 0
	switch {
	case f.is("array") && s["items"] == nil && s["prefixItems"] == nil:
		w.leaf(facts{description: f.description}, append(slices.Clone(steps), step{}), around, beside)
	case len(properties) == 0 && (open || f.is("object") && more == nil && !combined):
		f.open = true
		w.leaf(f, steps, around, beside)
	case len(properties) == 0 && s["items"] == nil && !f.is("object") && !f.is("array") && (!combined || len(f.types) > 0):
		w.leaf(f, steps, around, beside)
	}
}

// properties walks the members of an object, by name.
func (w *walker) properties(properties object, steps []step, around [][]string, refs []string) {
	inner := w.under(steps, around)
	names := slices.Sorted(maps.Keys(properties))
	for _, name := range names {
		beside := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
		own := w.stepsOf(name)
		w.visit(properties[name], append(slices.Clone(steps), own...), inside(own, inner), beside, refs)
	}
}

// inside adds a form's outer keys to what surrounds its innermost: a[b] stands
// in a.
func inside(own []step, around [][]string) [][]string {
	for _, s := range own[:len(own)-1] {
		if s.key != "" {
			around = append([][]string{words(s.key)}, around...)
		}
	}
	return around
}

// under is what surrounds the members of the value that steps lead to.
func (w *walker) under(steps []step, around [][]string) [][]string {
	for i := len(steps) - 1; i >= 0; i-- {
		if k := steps[i].key; k != "" {
			return append([][]string{words(k)}, around...)
		}
	}
	return around
}

// additional is the schema of the members that an object does not name, when
// it says more than that they are there; open when it does not.
func (w *walker) additional(s object) (more any, open bool) {
	candidates := []any{s["additionalProperties"]}
	for _, p := range slices.Sorted(maps.Keys(asObject(s["patternProperties"]))) {
		candidates = append(candidates, asObject(s["patternProperties"])[p])
	}
	for _, c := range candidates {
		if c == true {
			open = true
		}
		o := w.d.follow(c)
		if o == nil {
			continue
		}
		if asObject(o["properties"]) != nil || o["items"] != nil || o["allOf"] != nil {
			return c, open
		}
		open = true
	}
	return nil, open
}

var brackets = regexp.MustCompile(`\[([^\[\]]*)\]`)

// stepsOf takes a form's key such as a[b][] apart.
func (w *walker) stepsOf(name string) []step {
	first, _, bracketed := strings.Cut(name, "[")
	if !w.form || !bracketed || first == "" {
		return []step{{key: name}}
	}
	list := []step{{key: first}}
	for _, m := range brackets.FindAllStringSubmatch(name, -1) {
		list = append(list, step{key: m[1]})
	}
	return list
}

// leaf notes a value. The same place may be reached by several branches; what
// they say of it is put together.
func (w *walker) leaf(f facts, steps []step, around [][]string, beside []string) {
	where := pathOf(steps)
	if s := w.spots[where]; s != nil {
		s.facts = s.facts.or(f)
		return
	}
	w.spots[where] = &spot{in: w.in, steps: steps, around: around, beside: beside, facts: f}
	w.order = append(w.order, where)
}

func (f facts) or(o facts) facts {
	for _, t := range o.types {
		if !f.is(t) {
			f.types = append(slices.Clone(f.types), t)
		}
	}
	if f.format == "" {
		f.format = o.format
	}
	if f.description == "" {
		f.description = o.description
	}
	if f.example == "" {
		f.example = o.example
	}
	f.closed = f.closed && o.closed // one branch that is free makes the value free
	f.open = f.open || o.open
	return f
}

func factsOf(s object) facts {
	f := facts{format: strings.ToLower(text1(s["format"])), description: text1(s["description"]), example: text1(s["example"])}
	switch t := s["type"].(type) {
	case string:
		f.types = []string{t}
	case []any: // OpenAPI 3.1
		for _, one := range t {
			if name := text1(one); name != "null" {
				f.types = append(f.types, name)
			}
		}
	}
	if examples := asList(s["examples"]); f.example == "" && len(examples) > 0 {
		f.example = text1(examples[0])
	}
	_, constant := s["const"]
	f.closed = constant || len(asList(s["enum"])) > 0
	return f
}

// pathOf writes steps as mappings do.
func pathOf(steps []step) string {
	var b strings.Builder
	for i, s := range steps {
		switch {
		case s.any:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteByte('*')
		case s.key == "":
			b.WriteString("[]")
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			if strings.ContainsAny(s.key, `.[]|`) || s.key == "*" || s.key == "#" || s.key == "=" {
				b.WriteString(`"` + s.key + `"`)
			} else {
				b.WriteString(s.key)
			}
		}
	}
	if b.Len() == 0 {
		return "="
	}
	return b.String()
}

// writable reports whether a mapping can name the way: no key has quotes or
// line breaks of its own.
func writable(steps []step) bool {
	return !slices.ContainsFunc(steps, func(s step) bool { return strings.ContainsAny(s.key, "\"\r\n\x00") })
}
