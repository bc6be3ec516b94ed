package mime

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// Address is one mailbox of a list, decoded. The spans are into the list.
type Address struct {
	Name, Email          string
	NameStart, NameEnd   int // equal when there is no name
	EmailStart, EmailEnd int
}

// Addresses lists the mailboxes of an RFC 5322 list, those in groups too. Odd
// says that programs may find other mailboxes in it.
func Addresses(text string) (all []Address, odd bool) {
	boxes, odd := parseList(text)
	for _, m := range boxes {
		if m.group {
			continue
		}
		a := Address{NameStart: m.start, NameEnd: m.start, EmailStart: m.email.start, EmailEnd: m.email.end}
		a.Email, _ = address{}.Decode(text[m.email.start:m.email.end])
		switch {
		case !m.name.empty():
			a.NameStart, a.NameEnd = m.name.start, m.name.end
			a.Name, _ = phrase{}.Decode(text[a.NameStart:a.NameEnd])
		case len(m.comments) > 0:
			a.NameStart, a.NameEnd = m.comments[0].start, m.comments[0].end
			a.Name, _ = comment{}.Decode(text[a.NameStart:a.NameEnd])
		}
		all = append(all, a)
	}
	return all, odd
}

// ReadAddresses tells v of the mailboxes of a list, as elements with the
// members "email" and "name"; a comment is the name where no other is, and
// "comment" beside one. The name of a group is an element of its own with the
// member "group". An address that goes takes its whole mailbox.
func ReadAddresses(text string, v wire.Visitor) {
	boxes, odd := parseList(text)
	if odd {
		v.Problem(exposure.IncompleteSyntax)
	}
	r := boxReader{text, v}
	n := 0
	for _, m := range boxes {
		if m.group && nobody(text[m.name.start:m.name.end]) {
			continue
		}
		v.Element(n)
		ok := r.mailbox(m)
		v.Leave()
		if !ok {
			return
		}
		n++
	}
}

// boxReader tells of the mailboxes of a list.
type boxReader struct {
	text string
	v    wire.Visitor
}

func (r boxReader) mailbox(m mailbox) bool {
	if m.group {
		return r.leaf("group", wire.Leaf{Start: m.name.start, End: m.name.end, Member: -1, Codec: phrase{}})
	}
	nameKey := "name"
	if !m.name.empty() {
		l := wire.Leaf{Start: m.name.start, End: m.name.end, Member: -1, Codec: phrase{}}
		if !m.email.empty() && m.name.end <= m.email.start { // what is behind it begins with a bracket
			l.Member, l.MemberEnd = m.name.start, m.name.end+len(r.text[m.name.end:])-len(strings.TrimLeft(r.text[m.name.end:], blanks))
		}
		if !r.leaf("name", l) {
			return false
		}
		nameKey = "comment"
	}
	told := m.email.empty()
	for _, c := range m.comments {
		if !told && c.start > m.email.start {
			if told = true; !r.email(m) {
				return false
			}
		}
		l := wire.Leaf{Start: c.start, End: c.end, Member: c.start, MemberEnd: c.end, Codec: comment{}}
		if told && m.email.empty() {
			l.Member = -1
		}
		if !r.leaf(nameKey, l) {
			return false
		}
		nameKey = "comment"
	}
	if !told && !r.email(m) {
		return false
	}
	if !m.rest.empty() {
		return r.leaf("unreadable", wire.Leaf{Start: m.rest.start, End: m.rest.end, Member: -1, Codec: phrase{}})
	}
	return true
}

const blanks = " \t\r\n"

func (r boxReader) email(m mailbox) bool {
	return r.leaf("email", wire.Leaf{
		Start: m.email.start, End: m.email.end, Member: m.start, MemberEnd: m.end, Between: m.between, Codec: address{},
	})
}

func (r boxReader) leaf(key string, l wire.Leaf) bool {
	r.v.Enter(key)
	ok := r.v.Leaf(l)
	r.v.Leave()
	return ok
}

// nobody reports the groups that stand in place of recipients.
func nobody(group string) bool {
	group = strings.ToLower(strings.Trim(group, `" `))
	return strings.HasPrefix(group, "undisclosed") || strings.HasPrefix(group, "unlisted") || group == "recipient list not shown"
}
