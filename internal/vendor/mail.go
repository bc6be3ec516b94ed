package vendor

import (
	"slices"

	"cordon/internal/exposure"
)

// mailRoute is the route of a mail that the relay hands on.
const mailRoute = methodSMTP + " /"

// Mail is what a mail says of people, whoever sends it: those whom it goes to
// are in the envelope, their names in its head; the sender is the organisation.
// Every Spec has these mappings unless its manifest or catalogue maps SMTP /.
var Mail = func() []Mapping {
	list := []Mapping{{
		On: mailRoute, Subjects: "envelope.to[]", Deliver: []string{"="},
		Fields: map[string]string{"=": exposure.Email.Key()},
	}}
	for _, header := range []string{"to", "cc", "bcc"} {
		list = append(list, Mapping{
			On: mailRoute, Subjects: header + "|addresses[]",
			Fields: map[string]string{"email": exposure.Email.Key(), "name": exposure.Name.Key()},
		})
	}
	return append(list, Mapping{On: mailRoute, Subjects: ".", Fields: map[string]string{
		"subject": exposure.Text.Key(), "text[]": exposure.Text.Key(), "html[]": exposure.Text.Key(),
		"from": None, "reply-to": None, "sender": None, "envelope.from": None,
	}})
}()

// withMail adds Mail to what a catalogue knows, unless a mail is mapped.
func withMail(own, known []Mapping) []Mapping {
	if slices.ContainsFunc(slices.Concat(own, known), func(m Mapping) bool { return m.On == mailRoute }) {
		return known
	}
	return slices.Concat(known, Mail)
}
