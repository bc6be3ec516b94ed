package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// object is a mapping of a decoded document.
type object = map[string]any

// document is a decoded description.
type document struct {
	root     object
	title    string
	swagger  bool // version 2.0
	upstream string
	base     string // the path before every operation's, without a slash at its end
}

// read decodes a description.
func read(data []byte) (*document, error) {
	var root any
	if trimmed := bytes.TrimLeft(data, " \t\r\n\ufeff"); len(trimmed) > 0 && trimmed[0] == '{' {
		if err := json.Unmarshal(trimmed, &root); err != nil {
			return nil, fmt.Errorf("reading the description as JSON: %w", err)
		}
	} else if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("reading the description as YAML: %w", err)
	}
	d := &document{root: asObject(root)}
	version := text1(d.root["openapi"])
	switch swagger := text1(d.root["swagger"]); {
	case strings.HasPrefix(version, "3."):
	case strings.HasPrefix(swagger, "2"):
		d.swagger = true
	default:
		return nil, errors.New("the file describes no API: it has neither openapi: 3.x nor swagger: 2.0")
	}
	if len(asObject(d.root["paths"])) == 0 {
		return nil, errors.New("the description has no paths")
	}
	d.title = text1(asObject(d.root["info"])["title"])
	d.address()
	return d, nil
}

// address finds where the API is. Variables get their defaults.
func (d *document) address() {
	where := ""
	if d.swagger {
		where = "https://" + text1(d.root["host"]) + text1(d.root["basePath"])
	} else if servers := asList(d.root["servers"]); len(servers) > 0 {
		server := asObject(servers[0])
		where = text1(server["url"])
		for name, v := range asObject(server["variables"]) {
			where = strings.ReplaceAll(where, "{"+name+"}", text1(asObject(v)["default"]))
		}
	}
	u, err := url.Parse(where)
	if err != nil {
		return
	}
	if u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		// Old descriptions say http of servers that have long refused it; a
		// manifest may not.
		d.upstream = "https://" + strings.ToLower(u.Host)
	}
	if strings.HasPrefix(u.Path, "/") {
		d.base = strings.TrimRight(u.Path, "/")
	}
}

// operation is one method of one path.
type operation struct {
	method, path string
	id           string
	parameters   []object
	bodies       []body
	answers      []any // schemas of successful answers
}

// body is one form of an operation's body.
type body struct {
	media  string
	schema any
}

// methods in the order in which a draft has them.
var methods = []string{"get", "head", "post", "put", "patch", "delete", "options", "trace"}

// operations lists all operations by path and method.
func (d *document) operations() []operation {
	var list []operation
	paths := asObject(d.root["paths"])
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := d.follow(paths[path])
		for _, method := range methods {
			described := asObject(item[method])
			if described == nil {
				continue
			}
			op := operation{method: strings.ToUpper(method), path: path, id: text1(described["operationId"])}
			op.parameters = d.parameters(asList(described["parameters"]), asList(item["parameters"]))
			if d.swagger {
				op.bodies = d.swaggerBodies(described, op.parameters)
			} else {
				content := asObject(d.follow(described["requestBody"])["content"])
				for _, media := range slices.Sorted(maps.Keys(content)) {
					op.bodies = append(op.bodies, body{media, asObject(content[media])["schema"]})
				}
			}
			op.answers = d.answers(described)
			list = append(list, op)
		}
	}
	return list
}

// parameters lists an operation's own parameters and those of its path that it
// does not replace.
func (d *document) parameters(own, shared []any) []object {
	var list []object
	seen := map[string]bool{}
	for _, p := range slices.Concat(own, shared) {
		o := d.follow(p)
		key := text1(o["in"]) + " " + text1(o["name"])
		if o == nil || seen[key] {
			continue
		}
		seen[key] = true
		list = append(list, o)
	}
	return list
}

// swaggerBodies are the body parameter and the form that the other parameters
// make together.
func (d *document) swaggerBodies(described object, parameters []object) []body {
	var list []body
	form := object{}
	for _, p := range parameters {
		switch text1(p["in"]) {
		case "body":
			list = append(list, body{"application/json", p["schema"]})
		case "formData":
			form[text1(p["name"])] = p
		}
	}
	if len(form) > 0 {
		list = append(list, body{"application/x-www-form-urlencoded", object{"type": "object", "properties": form}})
	}
	return list
}

var created = regexp.MustCompile(`^2(0[0-2]|XX)$`)

func (d *document) answers(described object) []any {
	var list []any
	responses := asObject(described["responses"])
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		if !created.MatchString(status) {
			continue
		}
		r := d.follow(responses[status])
		if d.swagger {
			list = append(list, r["schema"])
			continue
		}
		for media, content := range asObject(r["content"]) {
			if isJSON(media) {
				list = append(list, asObject(content)["schema"])
				break // they describe the same
			}
		}
	}
	return list
}

func isJSON(media string) bool {
	media, _, _ = strings.Cut(media, ";")
	return strings.HasSuffix(media, "/json") || strings.HasSuffix(media, "+json") || media == "*/*"
}

// follow gives the object that v is or refers to, nil when it is none.
func (d *document) follow(v any) object {
	o := asObject(v)
	for range 32 { // a reference to a reference; never round in circles
		ref := text1(o["$ref"])
		if ref == "" {
			return o
		}
		o = d.pointer(ref)
	}
	return nil
}

// pointer finds what a reference inside the document (RFC 6901) leads to. Other
// documents are not fetched.
func (d *document) pointer(ref string) object {
	rest, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	var at any = d.root
	for part := range strings.SplitSeq(rest, "/") {
		if decoded, err := url.PathUnescape(part); err == nil {
			part = decoded
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch v := at.(type) {
		case []any:
			i := 0
			if _, err := fmt.Sscanf(part, "%d", &i); err != nil || i < 0 || i >= len(v) {
				return nil
			}
			at = v[i]
		default:
			at = asObject(v)[part]
		}
	}
	return asObject(at)
}

// asObject takes the forms that JSON and YAML give a mapping.
func asObject(v any) object {
	switch m := v.(type) {
	case object:
		return m
	case map[any]any:
		o := make(object, len(m))
		for k, v := range m {
			o[fmt.Sprint(k)] = v
		}
		return o
	default:
		return nil
	}
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

func text1(v any) string {
	switch s := v.(type) {
	case string:
		return s
	case float64, int, bool:
		return fmt.Sprint(s)
	default:
		return ""
	}
}
