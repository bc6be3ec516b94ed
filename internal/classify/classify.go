package classify

import "cordon/internal/vendor"

// Classifier reads the messages to one vendor. It never changes and may be
// used by many goroutines.
type Classifier struct{ spec *vendor.Spec }

// Compile prepares a vendor's mappings. It is done once per spec.
func Compile(spec *vendor.Spec) (*Classifier, error) { panic("classify: not yet") }

// Classify reads one message that takes route r.
func (c *Classifier) Classify(r vendor.Route, m *Message) Findings { panic("classify: not yet") }

// ParseHTTP reads a raw HTTP/1.1 request, as a file for `cordon route test`
// holds it, and the host it is for.
func ParseHTTP(raw []byte) (*Message, string, error) { panic("classify: not yet") }
