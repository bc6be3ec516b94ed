package api

// RouteTest is one message to be read but never sent: a raw HTTP/1.1 request,
// or with URL a body and what would stand around it.
type RouteTest struct {
	ID     string              `json:"id,omitempty"`
	Vendor string              `json:"vendor,omitempty"`
	Method string              `json:"method,omitempty"`
	URL    string              `json:"url,omitempty"`
	Header map[string][]string `json:"headers,omitempty"`
	// Body is the message's body; with Raw unset and no URL, see Raw.
	Body []byte `json:"body_b64,omitempty"`
	// Raw is a whole HTTP/1.1 request; Method, URL, Header and Body are then
	// unused.
	Raw []byte `json:"raw_b64,omitempty"`
}

// RouteTestAnswer is what `cordon route test --json` prints.
type RouteTestAnswer struct {
	ID     string `json:"id,omitempty"`
	Vendor string `json:"vendor"`
	Route  string `json:"route"`
	// Status is classified, incomplete or refused.
	Status string `json:"status"`
	// Reason is the machine-readable word why, "" when classified.
	Reason string `json:"reason"`
	// Detail is the same in a sentence.
	Detail string `json:"detail,omitempty"`
	// Verdict is what the gateway would do: pass, hold or refuse.
	Verdict  string             `json:"verdict,omitempty"`
	Subjects []RouteTestSubject `json:"subjects"`
	// Unmapped are the leaves that no mapping names, as templates.
	Unmapped []string `json:"unmapped"`
	// Cleared is the body as it would leave; "" when refused.
	Cleared string `json:"cleared"`
	// ClearedB64 stands instead of Cleared when the body is not UTF-8.
	ClearedB64 []byte `json:"cleared_b64,omitempty"`
}

// RouteTestSubject is one person found in the message; without identifiers it
// holds what belongs to nobody known.
type RouteTestSubject struct {
	Identifiers map[string]string `json:"identifiers"`
	Fields      []RouteTestField  `json:"fields"`
}

// RouteTestField is one leaf: where it was found, its clear decoded value, and
// what becomes of it.
type RouteTestField struct {
	Category string `json:"category"`
	Path     string `json:"path"`
	Value    string `json:"value"`
	Action   string `json:"action"`
}

// RouteTestBatch is many at once; the answers come in the same order.
type RouteTestBatch struct {
	Messages []RouteTest `json:"messages" maxItems:"10000"`
}

// RouteTestAnswers answers a RouteTestBatch.
type RouteTestAnswers struct {
	Answers []RouteTestAnswer `json:"answers"`
}
