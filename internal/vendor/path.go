package vendor

import (
	"errors"
	"fmt"
	"strings"
)

// Step is one step of a path into a body.
type Step struct {
	Key  string // the key, for StepKey
	Kind StepKind
}

// StepKind says what a Step does.
type StepKind uint8

const (
	StepKey  StepKind = iota // one key of an object
	StepAny                  // * every key of an object
	StepItem                 // [] every element of an array
)

// maxSteps bounds paths as bodies are bounded.
const maxSteps = 64

// ParsePath reads a path as mappings write it: keys joined by dots, [] for the
// elements of an array, * for every key, and double quotes around a key that
// has dots, brackets or quotes of its own. "." and "=" are the element itself
// and have no steps. Form keys written customer[email] are customer.email.
func ParsePath(path string) ([]Step, error) {
	if path == "." || path == "=" {
		return nil, nil
	}
	var steps []Step
	for rest, first := path, true; rest != ""; first = false {
		if len(steps) > maxSteps {
			return nil, errors.New("it has too many steps")
		}
		switch {
		case strings.HasPrefix(rest, "[]"):
			steps, rest = append(steps, Step{Kind: StepItem}), rest[2:]
			continue
		case !first && rest[0] != '.':
			return nil, fmt.Errorf("a dot or [] is missing before %q", rest)
		case !first:
			rest = rest[1:]
		}
		key, after, err := cutKey(rest)
		if err != nil {
			return nil, err
		}
		if key == "*" && rest[0] == '*' {
			steps = append(steps, Step{Kind: StepAny})
		} else {
			steps = append(steps, Step{Key: key})
		}
		rest = after
	}
	if len(steps) == 0 {
		return nil, errors.New("it is empty")
	}
	return steps, nil
}

func cutKey(s string) (key, rest string, err error) {
	if quoted, ok := strings.CutPrefix(s, `"`); ok {
		end := strings.IndexByte(quoted, '"')
		if end < 0 {
			return "", "", errors.New("a quote is not closed")
		}
		return quoted[:end], quoted[end+1:], nil
	}
	end := strings.IndexAny(s, `.[]"`)
	if end < 0 {
		end = len(s)
	}
	if end == 0 {
		return "", "", errors.New("a key is missing")
	}
	return s[:end], s[end:], nil
}

func checkPath(v string) (string, string) {
	if _, err := ParsePath(v); err != nil {
		return fmt.Sprintf("%q is not a path: %v", v, err), `write keys with dots and [], such as "personalizations[].to[]"; "." is the body`
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
