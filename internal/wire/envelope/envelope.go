// Package envelope reads Sentry's envelopes: lines of JSON headers and payloads.
package envelope

import (
	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// Read tells v of the envelope's header and of every item under its type.
func Read(text string, v wire.Visitor) {
	v.Problem(exposure.IncompleteContentType)
}
