package classify

import (
	"net/url"
	"strconv"
	"strings"
)

// editor collects the changes to one text.
type editor struct {
	text    string
	splices []splice
	drops   []drop
	keys    map[string]string // new keys, and what they stand for as written
}

// drop is a member that goes, with the separators on both sides of it.
type drop struct {
	splice
	separators
	before, after int // positions of the separators; -1 and len(text) at the ends
}

// edit changes what stands, written as raw, at a place of the text.
func (t *editor) edit(at spot, raw string, e Edit) error {
	start, end := int(at.start), int(at.start)+len(raw)
	value := e.Value
	switch at.enc {
	case jsonString:
		// The value's own quotes stay where they are.
		if e.Drop {
			t.dropMember(at.member, start-1, min(end+1, len(t.text)), jsonSeparators)
		} else {
			t.add(start, end, escaped(value))
		}
	case jsonBare, jsonSubtree:
		if e.Drop {
			t.dropMember(at.member, start, end, jsonSeparators)
		} else {
			t.add(start, end, bareOrQuoted(value))
		}
	case jsonKey:
		if e.Drop {
			t.dropMember(at.member, start-1, memberEnd(t.text, start-1), jsonSeparators)
		} else {
			t.add(start, end, escaped(t.unique(value, raw)))
		}
	case formText:
		if e.Drop {
			t.dropMember(at.member, start, end, formSeparators)
		} else {
			t.add(start, end, url.QueryEscape(value))
		}
	case formKey:
		if e.Drop {
			end += strings.IndexByte(t.text[end:]+"&", '&')
			t.dropMember(at.member, start, end, formSeparators)
		} else {
			t.add(start, end, url.QueryEscape(t.unique(value, raw)))
		}
	case pathText:
		if e.Drop {
			value = ""
		}
		t.add(start, end, url.PathEscape(value))
	case base64Text:
		if e.Drop {
			value = ""
		}
		t.add(start, end, rebase64(value, raw))
	case partText:
		if e.Drop {
			next := end
			if strings.HasPrefix(t.text[next:], "\r") {
				next++
			}
			if strings.HasPrefix(t.text[next:], "\n") {
				next++
			}
			t.add(int(at.member), next, "")
			return nil
		}
		if strings.Contains("\n"+value, "\n--") { // might be a delimiter
			return ErrUnfit
		}
		t.add(start, end, value)
	case fileName:
		if e.Drop {
			value = ""
		}
		t.add(start, end, plainName(value))
	default: // wholeText
		if e.Drop {
			value = ""
		}
		t.add(start, end, value)
	}
	return nil
}

// plainName leaves of a file's name what can stand in quotes.
func plainName(value string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || strings.ContainsRune(`"\;`, r) {
			return '_'
		}
		return r
	}, value)
}

// unique is a key that no other key of this text was replaced by: two people
// whose keys are masked alike would become one member, and one would be lost.
func (t *editor) unique(key, raw string) string {
	if t.keys == nil {
		t.keys = map[string]string{}
	}
	for n := 1; ; n++ {
		name := key
		if n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		if was, taken := t.keys[name]; !taken || was == raw {
			t.keys[name] = raw
			return name
		}
	}
}

// editWired changes what a reader of documents found.
func (t *editor) editWired(at *wiredSpot, start int, e Edit) error {
	end := int(at.end)
	if e.Drop && at.member >= 0 {
		if at.between == 0 {
			t.add(int(at.member), int(at.memberEnd), "")
			return nil
		}
		t.dropMember(at.member, int(at.member), int(at.memberEnd), separators{between: string(at.between), blank: " \t\r\n"})
		return nil
	}
	if e.Drop {
		e.Value = ""
	}
	written, ok := at.codec.Encode(e.Value, t.text[start:end])
	if !ok {
		return ErrUnfit
	}
	t.add(start, end, written)
	if at.lengthEnd > 0 {
		t.add(int(at.length), int(at.lengthEnd), strconv.Itoa(len(written)))
	}
	return nil
}
