package vendor

import (
	"errors"
	"fmt"
	"strings"
)

// Step is one step of a path into a body.
type Step struct {
	Key     string  // the key, for StepKey
	Filter  *Filter // which elements, for StepItem; nil: all
	Decoder string  // one of Decoders, for StepDecode
	Kind    StepKind
}

// StepKind says what a Step does.
type StepKind uint8

const (
	StepKey    StepKind = iota // one key of an object
	StepAny                    // * every key of an object
	StepItem                   // [] every element of an array, or those that Filter takes
	StepOwnKey                 // # the key under which the element of a * stands
	StepDecode                 // |json and the like: what the string holds, read by Decoder
)

// Filter takes those objects whose key, or that of an object within, in JSON also
// of the objects of a list within, has one of Values. A value that is no scalar, or an absent key, is not taken.
type Filter struct {
	Keys   []string // from the object inwards: subscription, type
	Values []string // as JSON writes a number or a literal, without the quotes of a string
}

// Decoders are the formats that a string may hold, as paths name them.
var Decoders = []string{"addresses", "base64", "csv", "form", "json", "lines", "mime", "xml"}

// maxSteps bounds paths as bodies are bounded.
const maxSteps = 64

// ParsePath reads a path as mappings write it: keys joined by dots, [] for the
// elements of an array, [key=value|other] or [key.key=value] for those elements
// only, * for every key, # for the key itself that a * stands for, |decoder for what a string
// holds, and double quotes around a key or a value that has such signs of its
// own. "." and "=" are the element itself and have no steps. Form keys written
// customer[email] are customer.email.
func ParsePath(path string) ([]Step, error) {
	if path == "." || path == "=" {
		return nil, nil
	}
	var steps []Step
	rest := path
	if strings.HasPrefix(rest, "=|") { // the element itself, decoded
		rest = rest[1:]
	}
	for first := true; rest != ""; first = false {
		if len(steps) > maxSteps {
			return nil, errors.New("it has too many steps")
		}
		step, after, err := cutStep(rest, first)
		if err != nil {
			return nil, err
		}
		steps, rest = append(steps, step), after
	}
	if len(steps) == 0 {
		return nil, errors.New("it is empty")
	}
	return steps, possible(steps)
}

// cutStep takes the first step off s; only the very first of a path does
// without the dot before a key.
func cutStep(s string, first bool) (step Step, rest string, err error) {
	switch {
	case s[0] == '|':
		end := strings.IndexAny(s[1:], `.[]|"=`) + 1
		if end == 0 {
			end = len(s)
		}
		return Step{Kind: StepDecode, Decoder: s[1:end]}, s[end:], nil
	case s[0] == '[':
		return cutItem(s)
	case !first && s[0] != '.':
		return step, "", fmt.Errorf("a dot or [] is missing before %q", s)
	case !first:
		s = s[1:]
	}
	key, rest, err := cutKey(s, `.[]|"`)
	switch {
	case err != nil:
		return step, "", err
	case s[0] == '"':
		return Step{Key: key}, rest, nil
	case key == "*":
		return Step{Kind: StepAny}, rest, nil
	case key == "#":
		return Step{Kind: StepOwnKey}, rest, nil
	default:
		return Step{Key: key}, rest, nil
	}
}

// cutItem takes [] or [key=value|other] off s.
func cutItem(s string) (step Step, rest string, err error) {
	if after, ok := strings.CutPrefix(s, "[]"); ok {
		return Step{Kind: StepItem}, after, nil
	}
	f := &Filter{}
	for sign := byte('.'); sign == '.'; sign = rest[0] {
		from := s[1:]
		if len(f.Keys) > 0 {
			from = rest[1:]
		}
		var key string
		if key, rest, err = cutKey(from, `.=[]|"`); err != nil || rest == "" || rest[0] != '.' && rest[0] != '=' {
			return step, "", fmt.Errorf("%q is neither [] nor a filter [key=value]", s)
		}
		f.Keys = append(f.Keys, key)
	}
	for sign := byte('='); sign != ']'; {
		var value string
		if value, rest, err = cutKey(rest[1:], `]|"`); err != nil || rest == "" {
			return step, "", fmt.Errorf("the filter %q has no value or no end", s)
		}
		if f.Values, sign = append(f.Values, value), rest[0]; sign != ']' && sign != '|' {
			return step, "", fmt.Errorf("a ] or | is missing before %q", rest)
		}
	}
	return Step{Kind: StepItem, Filter: f}, rest[1:], nil
}

// cutKey takes a quoted key, or one up to the first of the signs, off s.
func cutKey(s, signs string) (key, rest string, err error) {
	if quoted, ok := strings.CutPrefix(s, `"`); ok {
		end := strings.IndexByte(quoted, '"')
		if end < 0 {
			return "", "", errors.New("a quote is not closed")
		}
		return quoted[:end], quoted[end+1:], nil
	}
	end := strings.IndexAny(s, signs)
	if end < 0 {
		end = len(s)
	}
	if end == 0 {
		return "", "", errors.New("a key is missing")
	}
	return s[:end], s[end:], nil
}

// CutField takes apart a field of a mapping that looks at the path, a query or
// headers: the name there, and the steps into what its value holds, as in
// data|base64|json.event. The name is as it is written: a query's may have
// brackets, as a form's keys do.
func CutField(field string) (name string, below []Step, err error) {
	at := strings.IndexByte(field, '|')
	if at < 0 {
		return field, nil, nil
	}
	below, err = ParsePath(field[at:])
	return field[:at], below, err
}
