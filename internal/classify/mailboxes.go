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

// mailboxes is what is mapped to a list of mailboxes where l, an e-mail address,
// is mapped: the same as |addresses[] with email and name. APIs that take one
// address mostly take several, parted by commas, and no mapping needs to say so.
func mailboxes(l *leaf) *node {
	list := l.template + "|addresses"
	box := &node{template: list + "[]", subject: mailboxSubject}
	email := *l
	email.template, email.subject = list+"[].email", mailboxSubject
	box.keys = []edge{{"email", &node{template: email.template, subject: noSubject, leaf: &email}}}
	// What delivery needs is the address alone.
	for _, key := range []string{"name", "comment"} {
		template := list + "[]." + key
		box.keys = append(box.keys, edge{key, &node{template: template, subject: noSubject,
			leaf: &leaf{template: template, category: exposure.Name, marks: l.marks & render, subject: mailboxSubject}}})
	}
	return &node{template: list, subject: noSubject, elem: box}
}

// several reports whether a value as written may hold more than one mailbox.
func several(raw string) bool {
	at := strings.IndexByte(raw, '@')
	if at < 0 {
		return strings.Contains(raw, "%40") || strings.Contains(raw, `\u0040`)
	}
	return strings.IndexByte(raw[at+1:], '@') >= 0 || strings.Contains(raw, "%40") || strings.Contains(raw, `\u0040`)
}

// mailboxes reads a value that is mapped as an address and is a list of them:
// each is a person of its own. It reports whether the value is one.
func (w *walk) mailboxes(l *leaf, g int32, at position, raw string) bool {
	text, _ := at.enc.decode(raw)
	w.work += len(text)
	boxes, odd := mime.Addresses(text)
	addresses := 0
	for _, b := range boxes {
		if strings.IndexByte(b.Email, '@') > 0 {
			addresses++
		}
	}
	if addresses < 2 || !w.deeper() {
		return false
	}
	if odd { // semicolons part mailboxes nearly everywhere but in RFC 5322
		_, odd = mime.Addresses(strings.ReplaceAll(text, ";", ","))
	}
	w.inner(at, raw, text, func() {
		w.decoded("addresses", l.list, func() {
			w.tell(l.list, nil, g, func(text string, v wire.Visitor) {
				mime.ReadAddresses(text, boxVisitor{v, odd})
			})
		})
	})
	return true
}

// boxVisitor passes over the oddities of a list that programs do not read in
// several ways.
type boxVisitor struct {
	wire.Visitor
	odd bool
}

func (v boxVisitor) Problem(r exposure.Reason) {
	if v.odd {
		v.Visitor.Problem(r)
	}
}

// displayName says of the address that was just found, Ada <ada@example.org>,
// that there is a name in it.
func (w *walk) displayName(l *leaf, g int32, at position, raw string) {
	if strings.IndexByte(raw, '@') < 0 && strings.IndexByte(raw, '%') < 0 && strings.IndexByte(raw, '\\') < 0 {
		return
	}
	if !strings.ContainsAny(raw, "<(%\\") {
		return
	}
	text, _ := at.enc.decode(raw)
	if !strings.ContainsAny(text, "<(") {
		return
	}
	w.work += len(text)
	boxes, _ := mime.Addresses(text)
	if len(boxes) != 1 || strings.IndexByte(boxes[0].Email, '@') <= 0 {
		return
	}
	start, end := boxes[0].NameStart, boxes[0].NameEnd
	for start < end && strings.IndexByte(`"( `, text[start]) >= 0 {
		start++
	}
	for end > start && strings.IndexByte(`") `, text[end-1]) >= 0 {
		end--
	}
	if start == end {
		return
	}
	if w.f.derive(len(w.f.fields)-1, start, end, text, exposure.Name, g, part) < 0 {
		w.stop()
	}
}
