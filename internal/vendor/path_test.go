package vendor

import (
	"fmt"
	"strings"
	"testing"
)

// show writes steps unlike paths are written, so that one does not hide a
// mistake of the other.
func show(steps []Step) string {
	var list []string
	for _, s := range steps {
		switch s.Kind {
		case StepKey:
			list = append(list, s.Key)
		case StepAny:
			list = append(list, "any")
		case StepItem:
			if s.Filter != nil {
				list = append(list, fmt.Sprintf("item %s in %q", strings.Join(s.Filter.Keys, "."), s.Filter.Values))
			} else {
				list = append(list, "item")
			}
		case StepOwnKey:
			list = append(list, "own key")
		case StepDecode:
			list = append(list, "as "+s.Decoder)
		}
	}
	return strings.Join(list, ", ")
}

func TestPathsThatAreRead(t *testing.T) {
	for path, want := range map[string]string{
		".": "", "=": "",
		"a.b[].c":                                "a, b, item, c",
		"[].properties.$email":                   "item, properties, $email",
		"[][]":                                   "item, item",
		"traits.*":                               "traits, any",
		`a."user.email".x`:                       "a, user.email, x",
		`"*"."#"."a|b"`:                          "*, #, a|b",
		"batch[type=identify].traits.email":      `batch, item type in ["identify"], traits, email`,
		"[type=identify|page].userId":            `item type in ["identify" "page"], userId`,
		`[a."b.c"=x].userId`:                     `item a.b.c in ["x"], userId`,
		`included["data.type"="a]b"|"c|d"].id`:   `included, item data.type in ["a]b" "c|d"], id`,
		`rows[kind="*"]`:                         `rows, item kind in ["*"]`,
		"recipient-variables|json.*":             "recipient-variables, as json, any",
		"recipient-variables|json.*.#":           "recipient-variables, as json, any, own key",
		"#":                                      "own key",
		"To|addresses[].email":                   "To, as addresses, item, email",
		"ToAddresses[]|addresses[]":              "ToAddresses, item, as addresses, item",
		"data|base64|json.event":                 "data, as base64, as json, event",
		"rows|csv[].E-Mail":                      "rows, as csv, item, E-Mail",
		`rows|csv[]."First name"`:                "rows, as csv, item, First name",
		"raw|base64|mime.to|addresses[].name":    "raw, as base64, as mime, to, as addresses, item, name",
		"envelope|lines[].user.email":            "envelope, as lines, item, user, email",
		"q|form.email":                           "q, as form, email",
		"doc|xml.Order.@id":                      "doc, as xml, Order, @id",
		"doc|xml.Order.#text":                    "doc, as xml, Order, #text",
		"a|json[].b":                             "a, as json, item, b",
		"a|json[kind=x].b":                       `a, as json, item kind in ["x"], b`,
		"note|base64":                            "note, as base64",
		"=|json.email":                           "as json, email",
		"|addresses[].email":                     "as addresses, item, email",
		"a=b.c":                                  "a=b, c",
		"h:X-Mailgun-Variables|json.*":           "h:X-Mailgun-Variables, as json, any",
		"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.": "", // see below: a dot at the end is a mistake
	} {
		steps, err := ParsePath(path)
		if strings.HasSuffix(path, "s.") {
			if err == nil {
				t.Errorf("%s is read", path)
			}
			continue
		}
		if err != nil || show(steps) != want {
			t.Errorf("%s: %s, %v", path, show(steps), err)
		}
	}
}

func TestPathsThatNoMessageCanHave(t *testing.T) {
	for path, want := range map[string]string{
		"":                                 "empty",
		"a..b":                             "a key is missing",
		".a":                               "a key is missing",
		"a.":                               "a key is missing",
		`a."b`:                             "not closed",
		`"a"b`:                             "a dot or [] is missing",
		"a[]b":                             "a dot or [] is missing",
		"to[0]":                            "neither [] nor a filter",
		"a[type]":                          "neither [] nor a filter",
		"a[type=]":                         "no value",
		"a[type=x":                         "no end",
		"a[type=x|]":                       "no value",
		"a[=x]":                            "neither [] nor a filter",
		`a[type="x"y]`:                     "a ] or | is missing",
		"a|jsn.b":                          `no decoder "|jsn"`,
		"a|.b":                             `no decoder "|"`,
		"a|base64.b":                       "gives text or bytes",
		"a|base64[]":                       "gives text or bytes",
		"a|csv.email":                      "gives a list",
		"a|lines.x":                        "gives a list",
		"a|addresses.email":                "gives a list",
		"a|addresses[].mail":               "only email and name",
		"a|addresses[][]":                  "only email and name",
		"a|form[]":                         "gives keys",
		"a|mime[]":                         "gives headers",
		"a|xml[].b":                        "outermost element",
		"a|json|base64":                    "gives any value",
		"a|form|json":                      "gives keys",
		"a|json.b|json.c|json.d|json.e":    "more than 3 formats",
		"a.#":                              "directly below a *",
		"a[].#":                            "directly below a *",
		"a.*.#.b":                          "nothing lies below a key",
		"a.*.#|json.b":                     "nothing lies below a key",
		"#.a":                              "nothing lies below a key",
		strings.Repeat("a.", 65) + "a":     "too many steps",
		"a|" + strings.Repeat("x", 10_000): "no decoder",
	} {
		if _, err := ParsePath(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", path, err, want)
		}
		if problem, fix := checkPath(path); problem == "" || fix == "" {
			t.Errorf("%.60s: no problem or no fix", path)
		}
	}
}

// Keys with brackets, bars and equals signs are plain YAML in block style.
func TestGrammarIsPlainYAML(t *testing.T) {
	s, problems := Parse("a.yaml", []byte(`
vendor: acme
upstream: https://a.example
mapping:
  - on: POST /v1/batch
    subjects: batch[type=identify|alias]
    when: {operationName: customerCreate, version: [1, 2]}
    fields:
      userId: user.unique_id
      traits.email: user.contact.email
      traits.* : unclassified
      to|addresses[].email: user.contact.email
      inner[type=a].name: user.name
      data|base64|json.event: user.behavior
      doc|xml.Order.@id: none
      jwe: opaque
    deliver: [traits.email, 'to|addresses[].email']
    render:
      - traits.*
  - on: POST /v1/batch
    in: response
    fields:
      id: user.unique_id.pseudonymous
  - on: POST /lists
    subjects: recipient-variables|json.*
    fields:
      "#": user.contact.email
      "*": user.content.private
  - on: GET /track
    in: query
    fields:
      data|base64|json.properties.$email: user.contact.email
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	m := s.Routes[0].Mappings[0]
	if len(m.Fields) != 8 || m.Deliver[1] != "to|addresses[].email" || m.Render[0] != "traits.*" {
		t.Errorf("%+v", m)
	}
	if c := m.Conditions(); len(c) != 2 || c[0].Keys[0] != "operationName" || c[0].Values[0] != "customerCreate" || strings.Join(c[1].Values, " ") != "1 2" {
		t.Errorf("%+v", c)
	}
	if s.Routes[0].Mappings[1].In != InResponse {
		t.Errorf("%+v", s.Routes[0].Mappings[1])
	}
}

func TestFieldOutsideTheBodyIsANameAndWhatItHolds(t *testing.T) {
	for field, want := range map[string]string{
		"email": "email: ", "filter[a.b]": "filter[a.b]: ", "data|base64|json.a[].b": "data: as base64, as json, a, item, b",
	} {
		name, below, err := CutField(field)
		if got := name + ": " + show(below); err != nil || got != want {
			t.Errorf("%s: %s, %v", field, got, err)
		}
	}
	if _, _, err := CutField("data|base64.x"); err == nil {
		t.Error("base64 with keys is read")
	}
}

// FuzzParsePath holds that whatever is read leads somewhere, and that the
// problem of whatever is not has a fix.
func FuzzParsePath(f *testing.F) {
	for _, p := range []string{"a.b[].c", `"x"."y|z"`, "batch[type=identify|page].t", "r|json.*.#", "To|addresses[].email", "raw|base64|mime.to", "=|json.a", "[a=\"b\"]", "*"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, path string) {
		steps, err := ParsePath(path)
		if problem, fix := checkPath(path); (problem == "") != (err == nil) || err != nil && fix == "" {
			t.Errorf("%q: %v, problem %q, fix %q", path, err, problem, fix)
		}
		if err != nil {
			return
		}
		if len(steps) == 0 && path != "." && path != "=" || len(steps) > maxSteps+1 {
			t.Errorf("%q: %d steps", path, len(steps))
		}
		for i, s := range steps {
			if s.Filter != nil && (s.Kind != StepItem || len(s.Filter.Values) == 0) || s.Kind != StepKey && s.Key != "" || s.Kind == StepOwnKey && i < len(steps)-1 {
				t.Errorf("%q: step %d is %+v", path, i, s)
			}
		}
		// Every key can be written in quotes, unless it has one itself.
		var b strings.Builder
		for i, s := range steps {
			if i > 0 && s.Kind != StepItem && s.Kind != StepDecode {
				b.WriteByte('.')
			}
			switch s.Kind {
			case StepKey:
				b.WriteString(`"` + s.Key + `"`)
			case StepAny:
				b.WriteByte('*')
			case StepOwnKey:
				b.WriteByte('#')
			case StepDecode:
				b.WriteString("|" + s.Decoder)
			case StepItem:
				if s.Filter == nil {
					b.WriteString("[]")
				} else {
					b.WriteString(`["` + strings.Join(s.Filter.Keys, `"."`) + `"="` + strings.Join(s.Filter.Values, `"|"`) + `"]`)
				}
			}
		}
		if again, err := ParsePath(b.String()); len(steps) > 0 && (err != nil || show(again) != show(steps)) && !strings.Contains(path, `"`) {
			t.Errorf("%q: written as %q it is %s, %v", path, b.String(), show(again), err)
		}
	})
}

// A mapping's checks join the subject's path and the field's.
func TestFieldIsCheckedAsTheEndOfItsSubject(t *testing.T) {
	for mapping, want := range map[string]string{
		"{on: POST /x, subjects: 'to|addresses[]', fields: {'=': user.contact.email}}":     "not of one category",
		"{on: POST /x, subjects: 'to|addresses[]', fields: {mail: user.contact.email}}":    "only email and name",
		"{on: POST /x, subjects: 'data|base64', fields: {event: user.behavior}}":           "gives text or bytes",
		"{on: POST /x, subjects: 'a[]', fields: {'#': user.contact.email}}":                "directly below a *",
		"{on: POST /x, fields: {'#': user.contact.email}}":                                 "does not stand below a *",
		"{on: POST /x, subjects: 'a|json.b|json', fields: {'c|json.d|json.e': user.name}}": "more than 3",
		"{on: SMTP /, fields: {Subject: user.content.private}}":                            "lower case",
		"{on: POST /x, fields: {'m|mime.Subject': user.content.private}}":                  "lower case",
		"{on: POST /x, in: query, fields: {'d|base64.x': user.name}}":                      "gives text or bytes",
		"{on: 'GET /x/{id}', in: path, fields: {'idd|json.x': user.name}}":                 "no parameter {idd}",
		"{on: POST /x, in: response, fields: {name: user.name}}":                           "does not identify",
		"{on: POST /x, in: response, subjects: 'a[]', fields: {id: user.unique_id}}":       "one person",
		"{on: POST /x, in: response, fields: {id: user.unique_id}, deliver: [id]}":         "not delivered",
		"{on: POST /x, in: query, fields: {id: user.unique_id}, when: {a: b}}":             "only a body has keys",
		"{on: POST /x, fields: {id: user.unique_id}, when: {'a[].b': c}}":                  "not a key of the subject",
		"{on: POST /x, fields: {id: user.unique_id}, when: {a: []}}":                       "no value",
		"{on: POST /x, fields: {email: user.contact.email}, deliver: [emial]}":             `no field "emial"`,
		"{on: POST /x, fields: {email: user.contact.email, n: none}, render: [n]}":         "never changed",
		"{on: POST /x, fields: {email: user.contact.email}, deliver: [email, email]}":      "named twice",
		"{on: POST /x, fields: {email: user.contact.emial}, deliver: [email]}":             "unknown category",
		"{on: POST /x, subjects: 'a.*.#', fields: {x: user.contact.email}}":                "nothing lies below",
		"{on: POST /x, subjects: 'a[type=x', fields: {x: user.contact.email}}":             "no end",
	} {
		_, problems := Parse("a.yaml", []byte("vendor: acme\nupstream: https://a.example\nmapping:\n  - "+mapping+"\n"))
		if p := only(t, problems, want); p.Line != 4 {
			t.Errorf("%s: %+v", mapping, p)
		}
	}
}
