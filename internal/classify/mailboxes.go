package classify

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire"
	"cordon/internal/wire/mime"
)

// mailboxSubject is the subjects path of the mailboxes of a list that a mapping
// calls one address; mappings have lower numbers.
const mailboxSubject = rowSubject + 1

// boxes is what is mapped to mailboxes where a leaf is mapped as an address.
// APIs that take an address mostly take "Ada <ada@example.org>" as well, and
// several parted by commas, and no mapping needs to say so.
type boxes struct {
	// list is mapped to several: the same as |addresses[] with email and name.
	list *node
	// email and name have the leaves for the parts of a single one.
	email, name *node
}

func boxesOf(l *leaf) *boxes {
	list := l.template + "|addresses"
	box := &node{template: list + "[]", subject: mailboxSubject}
	for _, key := range []string{"email", "name", "comment"} {
		at := boxPart(l, list+"[]."+key, mailboxSubject, key)
		box.keys = append(box.keys, edge{key, at})
	}
	return &boxes{
		list:  &node{template: list, subject: noSubject, elem: box},
		email: boxPart(l, l.template, l.subject, "email"),
		name:  boxPart(l, l.template, l.subject, "name"),
	}
}

// boxPart is the node of one part of a mailbox. What delivery needs is the
// address alone.
func boxPart(l *leaf, template string, subject int32, key string) *node {
	part := *l
	if key != "email" {
		part = leaf{category: exposure.Name, marks: l.marks & render}
	}
	part.template, part.subject, part.boxes = template, subject, nil
	return &node{template: template, subject: noSubject, leaf: &part}
}

// written reports whether a value as written may be more than an address.
func written(raw string) bool {
	return strings.ContainsAny(raw, "<(,;%\\") || strings.IndexByte(raw, '@') != strings.LastIndexByte(raw, '@')
}

// mailboxes reads a value that is mapped as an address and is a mailbox with a
// name or a list of several, each of them a person of its own. It reports
// whether the value is that.
func (w *walk) mailboxes(b *boxes, g int32, at position, raw string) bool {
	text, _ := at.enc.decode(raw)
	if first := strings.IndexByte(text, '@'); first < 0 || first == strings.LastIndexByte(text, '@') && !strings.ContainsAny(text, "<(,;") {
		return false
	}
	w.work += len(text)
	all, odd := mime.Addresses(text)
	if odd { // semicolons part mailboxes nearly everywhere but in RFC 5322
		_, odd = mime.Addresses(strings.ReplaceAll(text, ";", ","))
	}
	addresses := 0
	for _, b := range all {
		if strings.IndexByte(b.Email, '@') > 0 {
			addresses++
		}
	}
	if addresses == 1 && len(all) == 1 && !odd {
		w.inner(at, raw, text, func() {
			mime.ReadAddresses(text, &oneBox{d: document{w: w}, boxes: b, group: g})
		})
		return true
	}
	if addresses < 2 || !w.deeper() {
		return false
	}
	w.inner(at, raw, text, func() {
		w.decoded("addresses", b.list, func() {
			w.tell(b.list, nil, g, func(text string, v wire.Visitor) {
				mime.ReadAddresses(text, listVisitor{v, odd})
			})
		})
	})
	return true
}

// listVisitor passes over the oddities of a list that programs do not read in
// several ways.
type listVisitor struct {
	wire.Visitor
	odd bool
}

func (v listVisitor) Problem(r exposure.Reason) {
	if v.odd {
		v.Visitor.Problem(r)
	}
}

// oneBox takes the parts of a single mailbox. They stand where it stands.
type oneBox struct {
	d     document
	boxes *boxes
	group int32
	part  *node
	named bool // the last field is the name
}

func (v *oneBox) Element(int)             {}
func (v *oneBox) Leave()                  {}
func (v *oneBox) Problem(exposure.Reason) {}

func (v *oneBox) Enter(key string) {
	if v.part = v.boxes.name; key == "email" {
		v.part = v.boxes.email
	}
}

func (v *oneBox) Leaf(l wire.Leaf) bool {
	w := v.d.w
	value, _ := l.Codec.Decode(w.s[l.Start:l.End])
	if value == "" {
		return !w.stopped
	}
	at := position{enc: wired, start: int32(l.Start), member: int32(len(w.f.wired))}
	w.f.wired = append(w.f.wired, v.d.place(&l))
	if last := len(w.crumbs) - 1; last >= 0 {
		around := w.crumbs[last].node
		w.crumbs[last].node = v.part
		defer func() { w.crumbs[last].node = around }()
	}
	before := len(w.f.fields) - 1
	w.found(v.part.leaf, v.group, at, value)
	if v.part == v.boxes.email && v.named && strings.EqualFold(w.f.fields[before].raw, value) {
		w.f.fields[before].Category = v.part.leaf.category // ada@example.org <ada@example.org>
	}
	v.named = v.part == v.boxes.name && len(w.f.fields) > before+1
	return !w.stopped
}
