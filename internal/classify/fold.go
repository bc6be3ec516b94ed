package classify

import (
	"net/url"
	"strings"
)

// lift writes the changes of a text into the text around, where it stands at
// place, written as raw. Where every character is written by itself only what
// changed is written anew, so that the rest keeps its own way of escaping.
func (r *rewriting) lift(place spot, raw string, t *editor) error {
	if place.layer > 0 && r.Findings.layers[place.layer-1].sealed {
		return ErrSealed
	}
	switch place.enc {
	case base64Text, wired, jsonBare, jsonKey, formKey:
		return r.put(place, raw, Edit{Value: t.apply()})
	}
	if place.src == inEnvelope && place.layer == 0 {
		return r.put(place, raw, Edit{Value: t.apply()})
	}
	around, err := r.editor(place)
	if err != nil {
		return err
	}
	start := int(place.start)
	if place.src == inHeader && place.layer == 0 {
		start = 0
	}
	rule := ruler{raw: raw, enc: place.enc}
	for _, s := range t.settled() {
		from, exact := rule.at(s.start)
		to, end := rule.at(s.end)
		if !exact || !end { // an escape would be cut in two
			return r.put(place, raw, Edit{Value: t.apply()})
		}
		with, ok := place.enc.encode(s.with)
		if !ok {
			return ErrUnfit
		}
		around.add(start+from, start+to, with)
	}
	return nil
}

// encode writes a piece of a text as the encoding writes it.
func (e encoding) encode(value string) (written string, ok bool) {
	switch e {
	case jsonString, jsonSubtree:
		return escaped(value), true
	case formText:
		return url.QueryEscape(value), true
	case pathText:
		return url.PathEscape(value), true
	case fileName:
		return plainName(value), true
	case partText: // it might become a delimiter
		return value, !strings.Contains("\n"+value, "\n--")
	default:
		return value, true
	}
}
