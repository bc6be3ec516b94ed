package classify

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unsafe"
)

// Why a message cannot be changed as asked.
var (
	// ErrPath: another path is another resource, so a person's record would be
	// deleted in place of no one's.
	ErrPath = errors.New("the value stands in the path, which names what the request is about")
	// ErrPartial: what was not read would be lost, or left as it is.
	ErrPartial = errors.New("the body could be read only in part")
	// ErrUnfit: the new value cannot stand in this place.
	ErrUnfit = errors.New("the new value does not fit into its place")
	// ErrSealed: a signature over the text around would no longer hold.
	ErrSealed = errors.New("the value stands in a signed token, which cannot be changed")
)

// Rewrite applies edits to the message. Every byte that no edit concerns stays,
// and an edit that changes nothing leaves the message's own path, query and
// body. A document that was valid stays valid: a dropped member goes with its
// comma, a dropped pair with its ampersand, a dropped file with its part; a
// document that is nothing but the dropped value becomes null.
//
// What stands in a text inside another, as JSON in a string of JSON, is changed
// there, and the change is written into the text around as that is written.
func (f *Findings) Rewrite(edits []Edit) (Outgoing, error) {
	m := f.message
	out := Outgoing{Path: m.Path, Query: m.Query, Body: m.Body, Text: f.body, Envelope: m.Envelope}
	if len(edits) == 0 {
		return out, nil
	}
	r := rewriting{Findings: f, out: &out}
	r.layers = make([]editor, 1+len(f.layers))
	r.layers[0].text, r.query.text = f.body, m.Query
	r.layers[0].splices = make([]splice, 0, len(edits))
	for _, e := range edits {
		at := &f.fields[e.Field]
		if !e.Drop && e.Value == at.Value() {
			continue
		}
		if err := r.edit(at, e); err != nil {
			return Outgoing{}, fmt.Errorf("rewriting %s: %w", at.Path, err)
		}
	}
	if err := r.fold(); err != nil {
		return Outgoing{}, err
	}
	return out, r.settle()
}

// rewriting is the making of one outgoing message.
type rewriting struct {
	*Findings
	out     *Outgoing
	layers  []editor // by layer; 0 is the body
	query   editor
	headers map[int32]*editor // by the number of the value
	hosts   map[int32]*editor // by field: changes to pieces of its value
	gone    []int             // recipients that are dropped
}

// edit notes one change where the field stands.
func (r *rewriting) edit(at *Field, e Edit) error {
	if at.enc == piece {
		return r.editPiece(at, e)
	}
	place, raw := at.spot, at.raw
	if e.Drop { // what is nothing but the value goes with it
		place, raw = r.outermost(place, raw)
	}
	return r.put(place, raw, e)
}

// outermost follows a value that is all of its layer out to where that stands,
// and one in a signed token out to where the token stands.
func (r *rewriting) outermost(place spot, raw string) (spot, string) {
	for at := place; at.layer > 0; { // a signed token goes as a whole
		around := &r.Findings.layers[at.layer-1]
		if at = around.spot; around.sealed {
			token := &r.Findings.layers[at.layer-1]
			place, raw = token.spot, token.raw
			at = place
		}
	}
	for place.layer > 0 && place.start == 0 && (place.enc == wholeText || place.enc == base64Text) {
		around := &r.Findings.layers[place.layer-1]
		if len(raw) != len(around.text) {
			break
		}
		place, raw = around.spot, around.raw
	}
	return place, raw
}

// put notes a change of what stands, written as raw, at a place.
func (r *rewriting) put(place spot, raw string, e Edit) error {
	if place.src == inEnvelope && place.layer == 0 {
		r.editEnvelope(int(place.start), e)
		return nil
	}
	t, err := r.editor(place)
	if err != nil {
		return err
	}
	if place.src == inHeader && place.layer == 0 {
		place.start = 0 // it was the number of the value
	}
	if place.enc == wired {
		return t.editWired(&r.wired[place.member], int(place.start), e)
	}
	return t.edit(place, raw, e)
}

// editor is that of the text in which a place is.
func (r *rewriting) editor(place spot) (*editor, error) {
	switch {
	case place.layer > 0:
		around := &r.Findings.layers[place.layer-1]
		if around.sealed {
			return nil, ErrSealed
		}
		t := &r.layers[place.layer]
		t.text = around.text
		return t, nil
	case place.src == inPath:
		return nil, ErrPath
	case place.src == inQuery:
		return &r.query, nil
	case place.src == inHeader:
		return r.header(place.start), nil
	case r.partial:
		return nil, ErrPartial
	default:
		return &r.layers[0], nil
	}
}

// editPiece notes a change of a piece of a field's value.
func (r *rewriting) editPiece(at *Field, e Edit) error {
	t := r.hosts[at.host]
	if t == nil {
		if r.hosts == nil {
			r.hosts = map[int32]*editor{}
		}
		t = &editor{text: r.fields[at.host].Value()}
		r.hosts[at.host] = t
	}
	if e.Drop {
		e.Value = ""
	}
	t.add(int(at.start), int(at.start)+len(at.raw), e.Value)
	return nil
}

// fold writes what changed inside into what is around it, from the innermost
// text outwards. A layer's number is higher than that of the layer around it.
func (r *rewriting) fold() error {
	var hosts []int32
	if len(r.hosts) > 0 {
		hosts = slices.Sorted(maps.Keys(r.hosts))
	}
	for _, host := range hosts {
		at := &r.fields[host]
		if err := r.lift(at.spot, at.raw, r.hosts[host]); err != nil {
			return fmt.Errorf("rewriting %s: %w", at.Path, err)
		}
	}
	for i := len(r.layers) - 1; i > 0; i-- {
		if t := &r.layers[i]; t.changed() {
			of := &r.Findings.layers[i-1]
			if err := r.lift(of.spot, of.raw, t); err != nil {
				return fmt.Errorf("rewriting what is inside another text: %w", err)
			}
		}
	}
	return nil
}

// settle puts the parts of the message together.
func (r *rewriting) settle() (err error) {
	out, m := r.out, r.message
	for number, t := range r.headers {
		if text := t.apply(); text != t.text {
			h := r.Findings.headers[number]
			r.setHeader(h.name, h.index, text)
		}
	}
	if out.Header != nil {
		settleHeader(out.Header, r.Findings.headers)
	}
	if len(r.gone) > 0 {
		r.dropRecipients()
	}
	out.Query = r.query.apply()
	if out.Text = r.layers[0].apply(); out.Text == r.body {
		return nil
	}
	// Nobody writes into a body, so without a coding it may be the text itself.
	text := unsafe.Slice(unsafe.StringData(out.Text), len(out.Text))
	if out.Body, err = r.coding.encode(text); err != nil {
		return err
	}
	return r.digests(m.Header)
}
