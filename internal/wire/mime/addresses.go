package mime

import (
	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// Address is one mailbox of a list. The spans are into the list.
type Address struct {
	Name, Email          string
	NameStart, NameEnd   int // equal when there is no name
	EmailStart, EmailEnd int
}

// Addresses lists the mailboxes of an RFC 5322 list, those in groups too.
func Addresses(list string) []Address { return nil }

// ReadAddresses tells v of the mailboxes of a list: elements with the members
// "email" and "name".
func ReadAddresses(list string, v wire.Visitor) {
	v.Problem(exposure.IncompleteContentType)
}
