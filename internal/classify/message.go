package classify

// Message is one request on its way to a vendor. Nothing in it is modified.
type Message struct {
	Method string
	// Path is percent-encoded as received, without the "/<vendor>" prefix of
	// reverse routes; Query is raw, without the question mark.
	Path, Query string
	// Header has canonical keys (http.Header converts).
	Header map[string][]string
	// Body is whole and as received: still compressed, if it was.
	Body []byte
	// TooLarge says that the body exceeded the limit and Body holds only its
	// beginning.
	TooLarge bool
	// Envelope is that of a mail: Method is then SMTP, Path "/", and Body what
	// follows DATA, without the dots that SMTP stuffs.
	Envelope *Envelope
}

// Outgoing is a message as it may leave. Header is nil when no header changed.
type Outgoing struct {
	Path, Query string
	Header      map[string][]string
	// Body is never written into: it may share its memory with Text.
	Body []byte
	// Text is the body without its compression.
	Text string
	// Envelope is that of a mail, nil for a request.
	Envelope *Envelope
}

// Edit changes one field: it goes, or Value (clear, not yet escaped for the
// place where it stands) replaces it.
type Edit struct {
	Field int // index into Findings.Fields
	Drop  bool
	Value string
}
