package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// exactJSON decodes the members of an object into the pointers given by name.
// encoding/json takes a name in any case and of doubled names the last, which
// other readers do not: what two readers may read differently is refused.
func exactJSON(text []byte, into map[string]any) error {
	if !utf8.Valid(text) { // encoding/json would mend it
		return errors.New("not UTF-8")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	if err := noNameTwice(text); err != nil {
		return err
	}
	for name, value := range into {
		if raw, ok := members[name]; ok {
			if err := json.Unmarshal(raw, value); err != nil {
				return fmt.Errorf("member %q: %w", name, err)
			}
		}
	}
	return nil
}

// noNameTwice walks JSON that is valid. A string is a name where a colon comes
// behind it.
func noNameTwice(text []byte) error {
	var open []map[string]bool // names so far, by open object or array
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			open = append(open, nil)
		case '}', ']':
			open = open[:len(open)-1]
		case '"':
			begin := i
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			behind := i + 1
			for behind < len(text) && strings.IndexByte(" \t\r\n", text[behind]) >= 0 {
				behind++
			}
			if behind == len(text) || text[behind] != ':' {
				continue
			}
			name := string(text[begin+1 : i])
			if strings.IndexByte(name, '\\') >= 0 {
				if err := json.Unmarshal(text[begin:i+1], &name); err != nil {
					return err
				}
			}
			here := &open[len(open)-1]
			if (*here)[name] {
				return fmt.Errorf("the name %q stands twice in one object", name)
			}
			if *here == nil {
				*here = map[string]bool{}
			}
			(*here)[name] = true
		}
	}
	return nil
}
