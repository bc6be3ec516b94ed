package envelope

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// itemHeader is what an item's line says.
type itemHeader struct {
	text                string
	kind                string
	contentType         string
	fileName            string
	length              int
	lengthAt, lengthEnd int
	words               []word
}

// word is a value of the line that is no word of the protocol.
type word struct {
	key, kind  string
	start, end int
}

// protocol are the words that say how to read an item, and counts.
var protocol = map[string]bool{
	"type": true, "length": true, "content_type": true, "attachment_type": true, "item_count": true,
	"platform": true, "retry_after": true, "content_encoding": true, "meta_length": true,
}

// read reads the line; false when programs may read it differently.
func (h *itemHeader) read(start, stop int) bool {
	s := h.text[start:stop]
	if !object(s) {
		return false
	}
	ok := true
	seen := map[string]bool{}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	d.Token() // the brace
	for d.More() {
		key, _ := d.Token()
		name, _ := key.(string)
		ok = ok && !seen[name]
		seen[name] = true
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return false
		}
		end := start + int(d.InputOffset())
		h.word(name, string(value), end-len(value), end, &ok)
	}
	return ok && utf8.ValidString(s)
}

func (h *itemHeader) word(name, value string, start, end int, ok *bool) {
	if name == "length" {
		n, err := strconv.Atoi(value)
		if value == "null" {
			return
		}
		if err != nil || n < 0 {
			*ok = false
			return
		}
		h.length, h.lengthAt, h.lengthEnd = n, start, end
		return
	}
	plain, isText := text(value)
	switch name {
	case "type":
		h.kind = plain
	case "content_type":
		h.contentType = plain
	case "filename", "file_name":
		h.fileName, name = plain, "name"
	}
	if protocol[name] && (isText || value == "null" || number(value)) || value == "null" || value == `""` {
		return
	}
	w := word{key: name, start: start, end: end}
	if !isText {
		w.kind = jsonType
	}
	h.words = append(h.words, w)
}

func number(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// object reports whether a line is one valid JSON object.
func object(s string) bool {
	return strings.HasPrefix(strings.TrimLeft(s, " \t"), "{") && json.Valid([]byte(s)) && utf8.ValidString(s)
}

// text reads a JSON string.
func text(raw string) (string, bool) {
	var s string
	if !strings.HasPrefix(raw, `"`) || json.Unmarshal([]byte(raw), &s) != nil {
		return "", false
	}
	return s, true
}

// jsonValue is how a value stands in an item's line: a string in quotes, or any
// JSON.
type jsonValue struct{}

func (jsonValue) Decode(raw string) (string, bool) {
	if s, ok := text(raw); ok {
		return s, !strings.ContainsRune(s, utf8.RuneError) // half a surrogate
	}
	return raw, json.Valid([]byte(raw))
}

func (c jsonValue) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	if _, isText := text(raw); !isText {
		if value == "" {
			return "null", true
		}
		return value, json.Valid([]byte(value)) && strings.IndexByte(value, '\n') < 0
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if !utf8.ValidString(value) || e.Encode(value) != nil {
		return "", false
	}
	return strings.TrimSuffix(b.String(), "\n"), true
}
