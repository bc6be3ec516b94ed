package vendor

import (
	"fmt"
	"slices"
	"strings"
)

// methodSMTP is the relay's own method: a message has no path, so its template
// is always "/".
const methodSMTP = "SMTP"

// methods are those that a route may have.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", methodSMTP}

// splitOn takes "POST /v3/mail/send" apart.
func splitOn(on string) (method, template string) {
	method, template, _ = strings.Cut(on, " ")
	return method, template
}

func checkOn(v string) (string, string) {
	const fix = "write METHOD /template, such as POST /v3/mail/send or GET /v1/customers/{id}"
	method, template := splitOn(v)
	if !slices.Contains(methods, method) {
		if up := strings.ToUpper(method); slices.Contains(methods, up) && up != method {
			return fmt.Sprintf("method %q is not in capital letters", method), fmt.Sprintf("write %q", up+" "+template)
		}
		return fmt.Sprintf("%q does not begin with a method", v), fix
	}
	if method == methodSMTP && template != "/" {
		return fmt.Sprintf("%q is not a route: a mail has no path", v), fmt.Sprintf("write %q", mailRoute)
	}
	if problem := templateProblem(template); problem != "" {
		return fmt.Sprintf("%q is not a route: %s", v, problem), fix
	}
	return "", ""
}

// templateProblem says why a template cannot be matched unambiguously.
func templateProblem(template string) string {
	if !strings.HasPrefix(template, "/") {
		return "the path does not begin with /"
	}
	if strings.ContainsAny(template, "?#%; \\\t") {
		return "the path has a query, a fragment, a space or percent signs"
	}
	segments := strings.Split(template[1:], "/")
	if len(segments) > maxSteps {
		return "the path is too long"
	}
	names := map[string]bool{}
	for i, s := range segments {
		name, suffix, isParam := parameter(s)
		switch {
		case s == "**" && i < len(segments)-1:
			return "** stands before the end"
		case s == "" && i < len(segments)-1:
			return "the path has an empty segment"
		case s == "." || s == "..":
			return "the path has dot segments"
		case isParam && names[name]:
			return "{" + name + "} comes twice"
		case s != "*" && s != "**" && !isParam && strings.ContainsAny(s, "{}*"), strings.ContainsAny(suffix, "{}*"):
			return "a parameter is a whole segment, or its beginning as in {id}.json"
		case isParam && (name == "" || strings.ContainsAny(name, "{}*")):
			return "a parameter has no proper name"
		}
		names[name] = isParam
	}
	return ""
}

// parameter gives the name of a {name} segment, and what must stand behind the
// value in the same segment: {Sid}.json has the suffix .json.
func parameter(segment string) (name, suffix string, ok bool) {
	if !strings.HasPrefix(segment, "{") {
		return "", "", false
	}
	return strings.Cut(segment[1:], "}")
}

// parametersOf lists the names of a template's parameters, from left to right.
func parametersOf(template string) []string {
	var names []string
	for _, s := range strings.Split(template, "/") {
		if name, _, ok := parameter(s); ok {
			names = append(names, name)
		}
	}
	return names
}

// shape is a template without the names of its parameters: two templates of
// one shape match the same paths.
func shape(on string) string {
	segments := strings.Split(on, "/")
	for i, s := range segments {
		if _, suffix, ok := parameter(s); ok {
			segments[i] = "*" + suffix
		}
	}
	return strings.TrimSuffix(strings.Join(segments, "/"), "/")
}
