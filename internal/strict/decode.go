package strict

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Bounds on a file. An alias counts as often as it is used, so that a few
// lines cannot unfold into gigabytes, nor refer to themselves.
const (
	MaxFile  = 4 << 20
	maxNodes = 200_000
	maxDepth = 64
)

// checker is a struct that knows more about itself than its tags say.
type checker interface{ Check(*Report) }

// Decode reads the one YAML document in data into the struct that into points
// to, with defaults filled in. The report holds every problem found; file is
// only named in it. With problems, what they concern keeps its default.
func Decode(file string, data []byte, into any, kinds Kinds) *Report {
	r := NewReport(file)
	root := parse(r, data)
	if root == nil {
		return r
	}
	r.doc.lines[""] = root.Line // where what is missing would have to stand
	d := &decoder{doc: r.doc, kinds: kinds}
	d.value(root, reflect.ValueOf(into).Elem(), field{}, "", 0)
	return r
}

// parse gives the document's root, an empty mapping for an empty document, or
// nil when the text is not one YAML document at all.
func parse(r *Report, data []byte) *yaml.Node {
	complain := func(line int, problem, fix string) *yaml.Node {
		r.doc.problems = append(r.doc.problems, Problem{r.doc.file, line, problem, fix})
		return nil
	}
	if len(data) > MaxFile {
		return complain(0, fmt.Sprintf("the file has %d bytes, more than %s", len(data), Size(MaxFile)), "split it or remove what does not belong here")
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) {
			return complain(i+1, "the line is not valid UTF-8", "save the file as UTF-8")
		}
		if at := bytes.IndexFunc(line, func(c rune) bool { return c < ' ' && c != '\t' && c != '\r' || c == 0x7f }); at >= 0 {
			return complain(i+1, fmt.Sprintf("the line holds the control character %#02x", line[at]), "remove it")
		}
	}
	var node yaml.Node
	err := yaml.Load(data, &node)
	var syntax *yaml.LoadError
	switch {
	case err == nil && node.Kind == yaml.DocumentNode && len(node.Content) == 1:
		if root := node.Content[0]; root.ShortTag() != "!!null" {
			return root
		}
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: 1}
	case err != nil && strings.Contains(err.Error(), "no documents"):
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: 1}
	case err != nil && strings.Contains(err.Error(), "multiple"):
		return complain(0, "the file holds several documents", "remove the lines that are only ---")
	case errors.As(err, &syntax):
		return complain(syntax.Mark.Line, "this is not YAML: "+syntax.Message, "check indentation and brackets around this line, and quote values that hold { } [ ] or a colon")
	default:
		return complain(0, fmt.Sprintf("this is not one YAML document: %v", err), "start from an example")
	}
}

// decoder is one walk over one document.
type decoder struct {
	doc   *document
	kinds Kinds
	nodes int
	full  bool // the node budget is spent and said to be
}

func (d *decoder) problem(line int, problem, fix string) {
	d.doc.problems = append(d.doc.problems, Problem{d.doc.file, line, problem, fix})
}

// value decodes one node into v, which f describes.
func (d *decoder) value(n *yaml.Node, v reflect.Value, f field, path string, depth int) {
	if d.nodes++; d.nodes > maxNodes || depth > maxDepth {
		if !d.full {
			d.full = true
			d.problem(n.Line, "the file unfolds without bound", "write values out instead of using aliases (*name)")
		}
		return
	}
	if n.Kind == yaml.AliasNode {
		d.value(n.Alias, v, f, path, depth+1)
		return
	}
	if n.Style&yaml.TaggedStyle != 0 {
		d.problem(n.Line, fmt.Sprintf("the tag %s is not understood here", n.Tag), "remove it")
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, u)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, path, depth)
	case reflect.Slice:
		d.list(n, v, f, path, depth)
	case reflect.Map:
		d.mapping(n, v, f, path, depth)
	default:
		d.scalar(n, v, f)
	}
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string, depth int) {
	fields, plain := fieldsOf(v.Type())
	v.SetZero() // the default of the struct as a whole gives way
	fill(v)
	if n.Kind == yaml.ScalarNode && plain != nil {
		d.value(n, v.Field(plain.index), *plain, path, depth+1)
		d.check(v, path)
		return
	}
	if !d.want(n, yaml.MappingNode) {
		return
	}
	// A key that is misspelt is not also missing, nor is a wrong value empty.
	seen, blamed := map[string]int{}, map[string]bool{}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	for key, value := range d.pairs(n, seen) {
		i := indexOf(names, key.Value)
		if i < 0 {
			d.problem(key.Line, fmt.Sprintf("unknown key %q%s", key.Value, inside(path)), Suggest(key.Value, names))
			blamed[Nearest(key.Value, names)] = true
			continue
		}
		at := join(path, key.Value)
		d.doc.lines[at] = key.Line
		if isNull(value) {
			continue // "key:" with nothing behind it is an absent key
		}
		before := len(d.doc.problems)
		d.value(value, v.Field(fields[i].index), fields[i], at, depth+1)
		blamed[key.Value] = len(d.doc.problems) > before
	}
	for _, f := range fields {
		if !f.required || blamed[f.name] || !v.Field(f.index).IsZero() && !emptyList(v.Field(f.index)) {
			continue
		}
		if line, there := seen[f.name]; there {
			d.problem(line, fmt.Sprintf("%q is empty", f.name), f.doc)
		} else {
			d.problem(n.Line, fmt.Sprintf("missing key %q%s", f.name, inside(path)), fmt.Sprintf("add %s: %s", f.name, f.doc))
		}
	}
	d.check(v, path)
}

func (d *decoder) check(v reflect.Value, path string) {
	if c, ok := v.Addr().Interface().(checker); ok {
		c.Check((&Report{doc: d.doc}).at(path))
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, f field, path string, depth int) {
	if !d.want(n, yaml.MappingNode) {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for key, value := range d.pairs(n, map[string]int{}) {
		at := join(path, key.Value)
		d.doc.lines[at] = key.Line
		if f.keykind != "" {
			if problem, fix := d.kinds.Get(f.keykind).Problem(key.Value); problem != "" {
				d.problem(key.Line, problem, fix)
				continue
			}
		}
		if isNull(value) {
			d.problem(key.Line, fmt.Sprintf("%q has no value", key.Value), "write one or remove the key")
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(value, item, f, at, depth+1)
		v.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), item)
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, f field, path string, depth int) {
	items := n.Content
	if f.single && n.Kind == yaml.ScalarNode {
		items = []*yaml.Node{n}
	} else if !d.want(n, yaml.SequenceNode) {
		return
	}
	list := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.doc.lines[at] = item.Line
		if isNull(item) {
			d.problem(item.Line, "an item of the list is empty", "write it or remove the dash")
			continue
		}
		d.value(item, list.Index(i), f, at, depth+1)
	}
	v.Set(list)
}

// pairs yields the keys and values of a mapping, complains about keys that are
// no plain words or come twice, and notes each key's line in seen.
func (d *decoder) pairs(n *yaml.Node, seen map[string]int) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if key.ShortTag() == "!!merge" {
				d.problem(key.Line, "merge keys (<<) are not understood here", "write the keys out")
				continue
			}
			if key.Kind != yaml.ScalarNode {
				d.problem(key.Line, "a key is not a word", "quote it")
				continue
			}
			if line, twice := seen[key.Value]; twice {
				d.problem(key.Line, fmt.Sprintf("key %q comes twice; it stands on line %d already", key.Value, line), "remove one of them")
				continue
			}
			seen[key.Value] = key.Line
			if !yield(key, value) {
				return
			}
		}
	}
}

func (d *decoder) text(n *yaml.Node, u encoding.TextUnmarshaler) {
	if !d.want(n, yaml.ScalarNode) {
		return
	}
	if err := u.UnmarshalText([]byte(n.Value)); err != nil {
		problem, fix, _ := strings.Cut(err.Error(), "; ")
		d.problem(n.Line, problem, fix)
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, f field) {
	if !d.want(n, yaml.ScalarNode) {
		return
	}
	tag := n.ShortTag()
	switch v.Kind() {
	case reflect.String:
		if tag == "!!bool" {
			d.problem(n.Line, fmt.Sprintf("%s is true or false where text is expected", n.Value), fmt.Sprintf("quote it: %q", n.Value))
			return
		}
		if problem, fix := d.refuse(n.Value, f); problem != "" {
			d.problem(n.Line, problem, fix)
			return
		}
		v.SetString(n.Value)
	case reflect.Bool:
		if tag != "!!bool" {
			d.problem(n.Line, fmt.Sprintf("%q is neither true nor false", n.Value), "write true or false")
			return
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int:
		i, err := strconv.ParseInt(n.Value, 10, 32)
		if tag != "!!int" || err != nil {
			d.problem(n.Line, fmt.Sprintf("%q is not a whole number", n.Value), "write digits only")
			return
		}
		if f.min != nil && i < *f.min || f.max != nil && i > *f.max {
			d.problem(n.Line, fmt.Sprintf("%d is out of range", i), "write a number "+f.bounds())
			return
		}
		v.SetInt(i)
	default:
		panic("strict: no way to decode " + v.Type().String())
	}
}

// refuse says what is wrong with a string by its enum or kind. An empty string
// of a kind is an absent one; required keys complain about it elsewhere.
func (d *decoder) refuse(value string, f field) (problem, fix string) {
	if len(f.enum) > 0 && indexOf(f.enum, value) < 0 {
		return fmt.Sprintf("%q is not a value of %q", value, f.name), Suggest(value, f.enum)
	}
	if f.kind == "" || value == "" {
		return "", ""
	}
	return d.kinds.Get(f.kind).Problem(value)
}

var shapes = map[yaml.Kind]string{
	yaml.MappingNode: "a mapping (key: value)", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value",
}

func (d *decoder) want(n *yaml.Node, kind yaml.Kind) bool {
	if n.Kind == kind {
		return true
	}
	d.problem(n.Line, fmt.Sprintf("%s stands where %s is expected", shapes[n.Kind], shapes[kind]), "write "+shapes[kind])
	return false
}

func inside(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style&yaml.TaggedStyle == 0 && n.ShortTag() == "!!null"
}

// emptyList tells [] from a list with items. An empty mapping counts as
// given: "fields: {}" says that there are none.
func emptyList(v reflect.Value) bool { return v.Kind() == reflect.Slice && v.Len() == 0 }

func indexOf(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return -1
}
