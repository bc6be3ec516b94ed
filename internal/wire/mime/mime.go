// Package mime reads mails (RFC 5322, MIME) and lists of addresses.
package mime

import (
	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// Read tells v of a mail's headers, texts and attachments.
func Read(text string, v wire.Visitor) {
	v.Problem(exposure.IncompleteContentType)
}
