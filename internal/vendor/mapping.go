package vendor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/strict"
)

// Mapping says where one group of personal data stands in one route's
// messages. Each instance of Subjects, one element at one concrete path, is a
// group of its own; mappings of one route are listed one after another.
type Mapping struct {
	On       string              `yaml:"on" required:"true" kind:"on" doc:"METHOD /template; {name} or * stand for one segment, {name}.json for one with that end, ** for the rest. SMTP / is a mail."`
	Subjects string              `yaml:"subjects" default:"." kind:"path" doc:"The elements that stand for one person each: a path of dots and []; \".\" is the body itself, \"[]\" a body that is an array, \"batch[type=identify]\" those elements whose key type says identify."`
	Apart    bool                `yaml:"apart" doc:"Whether each of these subjects is somebody else than the person around it, even where nothing identifies them: who gets the money, who flies, who invites."`
	When     map[string][]string `yaml:"when" keykind:"when" single:"true" doc:"Keys of the subject, or of objects in it (subscription.type), and the values, one or a list, that they must have, all of them; where one has not, the mapping says nothing of this subject."`
	Fields   map[string]string   `yaml:"fields" required:"true" keykind:"field" kind:"mapped" doc:"Paths below the subject and their categories; \"=\" alone is the element itself, \"#\" the key under which it stands. A category covers everything below its path that nothing else names; none says that it is not personal data, or the organisation's own. Write to[] where a form may repeat the key to: without [] a second value is a duplicate."`
	Deliver  []string            `yaml:"deliver" doc:"Keys of fields that the vendor needs as they are to reach the person: token, hash and generalize are not applied there; alias is, to an e-mail address."`
	Render   []string            `yaml:"render" doc:"Keys of fields that the vendor shows to the person: token, alias, hash and generalize are not applied there."`
	In       string              `yaml:"in" enum:"path query header response" doc:"Where to look when it is not the body: fields then name path parameters, query parameters or headers. response is the body of the vendor's answer, from which the identifiers of the request's one person are learnt."`
}

// None is what Fields maps to where the leaf is known not to be personal data
// of a subject: amounts, template ids, the organisation's own address.
const None = "none"

// InResponse is the In of mappings that look at the vendor's answer.
const InResponse = "response"

// identifying are the categories of what names one person, by which an answer
// may tell us who somebody is at the vendor.
var identifying = []string{
	exposure.Email.Key(), exposure.Phone.Key(), exposure.UserID.Key(), exposure.Pseudonym.Key(), exposure.Username.Key(),
}

// Conditions are When as filters of the subject itself, sorted by key; all of
// them must take it.
func (m *Mapping) Conditions() []Filter {
	var all []Filter
	for _, key := range slices.Sorted(maps.Keys(m.When)) {
		steps, err := ParsePath(key)
		if err != nil {
			continue // refused when it was read
		}
		f := Filter{Values: m.When[key]}
		for _, s := range steps {
			f.Keys = append(f.Keys, s.Key)
		}
		all = append(all, f)
	}
	return all
}

// inParameter reports whether the subjects stand in what one parameter of a
// query holds, data|base64|json[], or in a parameter that comes several times,
// email[].
func (m *Mapping) inParameter() bool {
	name, below, err := CutField(m.Subjects)
	list := len(name) > len("[]") && strings.HasSuffix(name, "[]")
	return m.In == "query" && name != "" && (len(below) > 0 || list) && err == nil
}

// checkWhen takes plain keys, joined by dots where they lie in objects within
// and quoted where they have signs of their own.
func checkWhen(v string) (string, string) {
	steps, err := ParsePath(v)
	if err != nil || len(steps) == 0 || slices.ContainsFunc(steps, func(s Step) bool { return s.Kind != StepKey }) {
		return fmt.Sprintf("%q is not a key of the subject or of an object in it", v), "write plain keys with dots, and let subjects lead to the element that has them"
	}
	return "", ""
}

// checkField also takes the names of headers and parameters, which are plain
// keys; a mapping's Check knows which of the two it is.
func checkField(v string) (string, string) {
	if v == "" || strings.ContainsAny(v, "\r\n\x00") {
		return fmt.Sprintf("%q is not a path", v), `write keys with dots and [], or "=" for the element itself`
	}
	return "", ""
}

// Check reads the paths of a mapping as its `in` demands.
func (m *Mapping) Check(r *strict.Report) {
	method, template := splitOn(m.On)
	switch {
	case m.In == InResponse && m.Subjects != ".":
		r.Add("subjects", "an answer tells of the one person of its request", "remove subjects, and let the fields lead to the identifiers")
	case m.In != "" && m.Subjects != "." && !m.inParameter():
		r.Add("subjects", "only a body has several subjects, or what one parameter of a query holds", `remove subjects, or write the parameter and what it holds, such as "data|base64|json[]"`)
	}
	if m.Apart && m.Subjects == "." {
		r.Add("apart", "the message itself stands apart from nobody", "let subjects lead to what is about somebody else, or remove apart")
	}
	if len(m.When) > 0 && m.In != "" && m.In != InResponse {
		r.Add("when", "only a body has keys to look at", "remove when: a path, a query and headers are mapped as they are")
	}
	for key, values := range m.When {
		if len(values) == 0 {
			r.Add("when."+key, fmt.Sprintf("no value is given for %q", key), "write one or several, or remove the key")
		}
	}
	subject, err := ParsePath(m.Subjects)
	if m.inParameter() {
		_, subject, err = CutField(m.Subjects)
	}
	if err != nil {
		subject = nil // said already
	} else if len(subject) > 0 && subject[0].Kind == StepOwnKey {
		r.Add("subjects", "# stands for a key, which has no fields", `let subjects end with *, and write the field "#"`)
	}
	parameters := parametersOf(template)
	for _, path := range slices.Sorted(maps.Keys(m.Fields)) {
		at := "fields." + path
		name, _, err := CutField(path)
		in := m.In
		if m.inParameter() {
			in = ""
		}
		switch in {
		case "path":
			if !slices.Contains(parameters, name) {
				r.Add(at, fmt.Sprintf("the route has no parameter {%s}", name), strict.Suggest(name, parameters))
			}
		case "header":
			if !isToken(name) {
				r.Add(at, fmt.Sprintf("%q is not the name of a header", name), "write the header's name")
			}
		case "query":
			if name == "" {
				r.Add(at, fmt.Sprintf("%q does not begin with the name of a parameter", path), "write the parameter's name, then |json or the like")
			}
		default:
			err = nil // the whole is a path
			m.checkBodyPath(r, at, path, subject, method)
		}
		if problem, fix := pathProblem(path, err); problem != "" {
			r.Add(at, problem, fix)
		}
		if category := m.Fields[path]; m.In == InResponse && !slices.Contains(identifying, category) {
			r.Add(at, fmt.Sprintf("%s does not identify a person", category), "leave of an answer only what does: "+strings.Join(identifying, ", "))
		}
	}
	m.checkMarks(r)
}

// checkBodyPath reads a field's path by itself and as the end of the subject's.
func (m *Mapping) checkBodyPath(r *strict.Report, at, path string, subject []Step, method string) {
	steps, err := ParsePath(path)
	if err == nil {
		whole := slices.Concat(subject, steps)
		if len(steps) > 0 && steps[0].Kind == StepOwnKey && len(subject) == 0 {
			err = ruled{"# does not stand below a *", `let subjects end with *, such as "people.*", or write *.#`}
		} else if err = possible(whole); err == nil {
			err = readable(whole, method)
		}
	}
	if problem, fix := pathProblem(path, err); problem != "" {
		r.Add(at, problem, fix)
	}
}

// readable says why a path that a message could have is still of no use to a
// field.
func readable(steps []Step, method string) error {
	n := len(steps)
	if n > 0 && steps[n-1].Decoder == "addresses" || n > 1 && steps[n-2].Decoder == "addresses" {
		return ruled{"an address has a mailbox and a name, which are not of one category", "write |addresses[].email and |addresses[].name"}
	}
	for i, s := range steps {
		mail := i > 0 && steps[i-1].Decoder == "mime" || i == 0 && method == methodSMTP
		if lower := strings.ToLower(s.Key); mail && lower != s.Key {
			return ruled{"the headers of a mail stand here in lower case", fmt.Sprintf("write %s", lower)}
		}
	}
	return nil
}

// checkMarks holds deliver and render against the fields.
func (m *Mapping) checkMarks(r *strict.Report) {
	for _, mark := range []struct {
		key  string
		list []string
	}{{"deliver", m.Deliver}, {"render", m.Render}} {
		if m.In == InResponse && len(mark.list) > 0 {
			r.Add(mark.key, "an answer is not delivered to a person", "remove "+mark.key)
			continue
		}
		for i, path := range mark.list {
			at := fmt.Sprintf("%s[%d]", mark.key, i)
			switch category, there := m.Fields[path]; {
			case !there && r.Has("fields."+path): // its category is refused already
			case !there:
				r.Add(at, fmt.Sprintf("the mapping has no field %q", path), strict.Suggest(path, slices.Sorted(maps.Keys(m.Fields))))
			case category == None:
				r.Add(at, fmt.Sprintf("the field %q is none, which is never changed", path), "remove it from "+mark.key)
			case slices.Index(mark.list, path) < i:
				r.Add(at, fmt.Sprintf("the field %q is named twice", path), "remove one of the two")
			}
		}
	}
}
