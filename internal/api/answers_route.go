package api

import "cordon/internal/minimize"

// RouteTest is one message to be read but never sent: Raw, a whole HTTP/1.1
// request; or Method, URL, Header and Body; or a mail: Method SMTP, or an
// Envelope, with Raw or Body being what follows DATA.
type RouteTest struct {
	ID string `json:"id,omitempty"`
	// Vendor names the manifest when the host does not.
	Vendor string            `json:"vendor,omitempty"`
	Method string            `json:"method,omitempty"`
	URL    string            `json:"url,omitempty"`
	Header map[string]string `json:"headers,omitempty"`
	Body   []byte            `json:"body_b64,omitempty"`
	Raw    []byte            `json:"raw_b64,omitempty"`
	// Envelope is that of a mail. Without one, leading X-Envelope-From: and
	// X-Envelope-To: lines of the mail are, which end at its first other line.
	Envelope *Envelope `json:"envelope,omitempty"`
}

// Envelope is the SMTP envelope of a mail.
type Envelope struct {
	From string   `json:"from"`
	To   []string `json:"to"`
}

// RouteTestAnswer is what `cordon route test --json` prints.
type RouteTestAnswer struct {
	ID string `json:"id,omitempty"`
	minimize.Answer
}

// RouteTestBatch is many at once; the answers come in the same order.
type RouteTestBatch struct {
	Messages []RouteTest `json:"messages" maxItems:"1000"`
}

// RouteTestAnswers answers a RouteTestBatch.
type RouteTestAnswers struct {
	Answers []RouteTestAnswer `json:"answers"`
}
