package classify

import (
	"slices"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// Learn gives the identifiers that a vendor's answer tells of the one person of
// the request that took route r, such as the id under which the vendor keeps
// what it just created: the places that mappings with in: response name. header
// has canonical keys and body is as received.
//
// An answer that could be read in two ways teaches nothing: what is learnt
// joins people, and a wrong join gives one person's record to another.
func (c *Classifier) Learn(r vendor.Route, status int, header map[string][]string, body []byte) []exposure.Identifier {
	if status/100 != 2 || r.Spec != c.spec || r.Index < 0 || r.Index >= len(c.routes) || len(body) == 0 {
		return nil
	}
	t := c.routes[r.Index]
	if !t.response.opens {
		return nil
	}
	if types := header["Content-Type"]; len(types) == 0 || !isJSON(mediaTypeName(types[0])) {
		return nil
	}
	f := Findings{route: r, message: &Message{Method: "POST", Header: header, Body: body}, tries: &tries{body: t.response}}
	w := walks.Get().(*walk)
	f.begin(w)
	f.content(w)
	f.own(w)
	w.release()
	if len(f.reasons) > 0 {
		return nil
	}
	var learnt []exposure.Identifier
	for i := range f.fields {
		at := &f.fields[i]
		kind, ok := exposure.KindOf(at.Category)
		if !ok || at.Unnamed() {
			continue
		}
		id, err := exposure.Canonical(kind, at.Value())
		if err != nil {
			continue
		}
		if kind == exposure.KindPseudonym {
			id.Vendor = c.spec.ID
		}
		if !slices.Contains(learnt, id) {
			learnt = append(learnt, id)
		}
	}
	return learnt
}
