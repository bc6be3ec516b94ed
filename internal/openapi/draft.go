package openapi

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"cordon/internal/exposure"
)

// Options narrow and name a draft.
type Options struct {
	Vendor string // the manifest's vendor; "": made from the description
	On     string // only this route, as METHOD /path; "": all
}

// Draft is a proposed mapping, in a fixed order.
type Draft struct {
	Vendor     string    `json:"vendor"`
	Title      string    `json:"title"`
	Upstream   string    `json:"upstream"` // "": the description does not say
	Mappings   []Mapping `json:"mappings"`
	Operations int       `json:"operations"` // looked at
	Values     int       `json:"values"`     // places of values looked at
	// NotProposed counts the other places by why.
	NotProposed map[string]int `json:"not_proposed"`
	// Cut counts where a schema led back to itself or was too deep, Lost the
	// references to other files.
	Cut  int `json:"cut"`
	Lost int `json:"lost"`
}

// Mapping is one mapping of a draft.
type Mapping struct {
	On       string  `json:"on"`
	In       string  `json:"in"`
	Subjects string  `json:"subjects"`
	Other    bool    `json:"maybe_another_person"`
	Fields   []Field `json:"fields"`
}

// Field is one line of a mapping.
type Field struct {
	Path      string `json:"path"`
	Category  string `json:"category"`
	Certainty string `json:"certainty"` // sure, likely, guess; ours: the organisation's own
	Why       string `json:"why"`
	Deliver   bool   `json:"deliver"`
	Render    bool   `json:"render"`
}

// New drafts a mapping from a description.
func New(data []byte, o Options) (*Draft, error) {
	d, err := read(data)
	if err != nil {
		return nil, err
	}
	draft := &Draft{Vendor: o.Vendor, Title: d.title, Upstream: d.upstream, NotProposed: map[string]int{}}
	if draft.Vendor == "" {
		draft.Vendor = nameOf(d)
	}
	routes := newRoutes()
	for _, op := range d.operations() {
		r := routes.of(op, d.base)
		if o.On != "" && r.on != o.On && r.written != o.On {
			continue
		}
		draft.Operations++
		draft.operation(d, op, r)
	}
	return draft, nil
}

// operation drafts the mappings of one operation.
func (draft *Draft) operation(d *document, op operation, r route) {
	around, doing := r.around(), r.doing(op)
	var body, answer []judged
	params := map[string][]judged{}
	spots, cut, lost := d.spotsOf(op, r, around)
	draft.Cut, draft.Lost = draft.Cut+cut, draft.Lost+lost
	for _, s := range spots {
		draft.Values++
		j, whyNot := known.judge(s, doing)
		if whyNot == "" && !writable(s.steps) {
			whyNot = unknownKey
		}
		if whyNot != "" {
			draft.NotProposed[whyNot]++
			continue
		}
		if j.certainty == ours {
			draft.NotProposed[ownSide]++
		}
		if s.in == "" {
			body = append(body, judged{s, j})
		} else {
			params[s.in] = append(params[s.in], judged{s, j})
		}
	}
	answer = d.learnt(op, around, body, params)
	for _, in := range []string{"path", "query", "header"} {
		if len(params[in]) > 0 {
			draft.add(r.on, group{in: in, fields: params[in]})
		}
	}
	for _, g := range known.grouped(body) {
		draft.add(r.on, g)
	}
	if len(answer) > 0 {
		draft.add(r.on, group{in: "response", fields: answer})
	}
}

// add appends a group as a mapping, or to the one that is there for it already.
func (draft *Draft) add(on string, g group) {
	m := Mapping{On: on, In: g.in, Subjects: ".", Other: g.other}
	if len(g.subjects) > 0 {
		m.Subjects = pathOf(g.subjects)
	}
	for _, f := range g.fields {
		field := Field{f.name(len(g.subjects)), f.category.Key(), string(f.certainty), f.why, f.deliver, f.render}
		if !slices.ContainsFunc(m.Fields, func(o Field) bool { return o.Path == field.Path }) {
			m.Fields = append(m.Fields, field)
		}
	}
	at := slices.IndexFunc(draft.Mappings, func(o Mapping) bool { return o.On == m.On && o.In == m.In && o.Subjects == m.Subjects })
	if at < 0 {
		draft.Mappings = append(draft.Mappings, m)
		return
	}
	for _, field := range m.Fields {
		if !slices.ContainsFunc(draft.Mappings[at].Fields, func(o Field) bool { return o.Path == field.Path }) {
			draft.Mappings[at].Fields = append(draft.Mappings[at].Fields, field)
		}
	}
}

// name is how a mapping's fields name the spot, below the subject.
func (s *spot) name(below int) string {
	if s.in == "" || s.in == "response" {
		return pathOf(s.steps[below:])
	}
	name := s.steps[0].key
	for _, st := range s.steps[1:] {
		name += "[" + st.key + "]"
	}
	return name
}

// spotsOf lists all values of an operation: of its parameters and its bodies.
func (d *document) spotsOf(op operation, r route, around [][]string) (list []*spot, cut, lost int) {
	for _, p := range op.parameters {
		in, name := text1(p["in"]), text1(p["name"])
		w := &walker{d: d, in: in, form: in == "query", spots: map[string]*spot{}}
		schema := any(p)
		if p["schema"] != nil {
			schema = p["schema"]
		}
		steps := w.stepsOf(name)
		switch {
		case in == "path":
			if name = r.names[name]; name == "" {
				continue // stands in a segment that a route cannot take apart
			}
			w.visit(schema, []step{{key: name}}, r.before(text1(p["name"])), nil, nil)
		case in == "query":
			w.visit(schema, steps, inside(steps, around), nil, nil)
		case in == "header" && !ownHeaders[strings.ToLower(name)]:
			w.visit(schema, []step{{key: name}}, around, nil, nil)
		default:
			continue
		}
		cut, lost = cut+w.cut, lost+w.lost
		for _, where := range w.order {
			s := w.spots[where]
			if in == "path" || in == "header" {
				s.steps = s.steps[:1]
			}
			if s.description == "" {
				s.description = text1(p["description"])
			}
			if s.example == "" {
				s.example = text1(p["example"])
			}
			list = append(list, s)
		}
	}
	w := &walker{d: d, spots: map[string]*spot{}}
	for _, b := range op.bodies {
		w.visits, w.form = 0, strings.Contains(b.media, "form")
		w.visit(b.schema, w.rootOf(b), around, nil, nil)
	}
	for _, where := range w.order {
		list = append(list, w.spots[where])
	}
	return list, cut + w.cut, lost + w.lost
}

// rootOf is the way to a body's outermost value: in XML it has a name.
func (w *walker) rootOf(b body) []step {
	if !strings.Contains(b.media, "xml") {
		return nil
	}
	name := text1(asObject(w.d.follow(b.schema)["xml"])["name"])
	if ref := text1(asObject(b.schema)["$ref"]); name == "" {
		name = ref[strings.LastIndexByte(ref, '/')+1:]
	}
	return []step{{key: name}}
}

// ownHeaders carry nothing of a person, or what other parts of Cordon handle.
var ownHeaders = map[string]bool{"authorization": true, "content-type": true, "accept": true, "user-agent": true, "host": true}

// learnt finds the vendor's own id of a person in the answer to a request that
// names one person.
func (d *document) learnt(op operation, around [][]string, body []judged, params map[string][]judged) []judged {
	if op.method != "POST" || len(around) == 0 {
		return nil
	}
	kinds, noun := known.surroundings(around[0])
	one := slices.ContainsFunc(body, func(j judged) bool { return j.identity && lastElement(j.steps) == 0 })
	if len(kinds) == 0 || kinds[0] != "person" || !one || len(params["path"]) > 0 {
		return nil
	}
	w := &walker{d: d, in: "response", spots: map[string]*spot{}}
	for _, schema := range op.answers {
		w.visit(schema, nil, nil, nil, nil)
	}
	for _, where := range []string{"id", "data.id", noun + ".id", noun + "_id", "data." + noun + ".id"} {
		if s := w.spots[where]; s != nil && !s.open && !s.closed {
			return []judged{{s, judgement{category: exposure.Pseudonym, certainty: likely, why: "the new " + noun + "'s id at the vendor"}}}
		}
	}
	return nil
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// nameOf makes a vendor's name of the API's host or title.
func nameOf(d *document) string {
	host := strings.TrimPrefix(strings.TrimPrefix(d.upstream, "https://"), "http://")
	host, _, _ = strings.Cut(host, ":")
	labels := strings.Split(host, ".")
	name := ""
	if len(labels) > 1 {
		name = labels[len(labels)-2]
	}
	name = cmp.Or(name, strings.ToLower(d.title))
	name = strings.Trim(notInName.ReplaceAllString(name, "-"), "-")
	return strings.Trim(cmp.Or(name[:min(len(name), 40)], "vendor"), "-")
}
