package api

// GateRequest asks for a gate to be changed, or with DryRun for what would
// happen.
type GateRequest struct {
	Route  string `json:"route,omitempty" doc:"one route only, by its name, such as POST /v3/mail/send"`
	Reason string `json:"reason,omitempty" maxLength:"400" doc:"kept in the ledger; no personal data"`
	DryRun bool   `json:"dry_run,omitempty" doc:"change nothing, report what would be"`
	// BreakGlass restores a vendor in an incident by one person: after a quarter
	// of an hour in which everybody sees it coming.
	BreakGlass bool `json:"break_glass,omitempty" doc:"restore only: by one person, after 15 minutes; alarmed and recorded"`
}

// GateChange is what `cordon cut`, `hold` and `restore` answer.
type GateChange struct {
	Vendor string `json:"vendor"`
	Route  string `json:"route,omitempty"`
	Epoch  uint64 `json:"epoch"`
	// Gate is the state after the change: cut, hold or open.
	Gate string `json:"gate"`
	// Was is the state before it.
	Was string `json:"was"`
	// ConnectionsClosed are the vendor's sockets that were closed (or, in a
	// dry run, would be).
	ConnectionsClosed int `json:"connections_closed"`
	// Held is the number of messages that wait for the gate.
	Held int `json:"held"`
	// Released is the number of held messages that went out; restore only.
	Released int     `json:"released"`
	TookMS   float64 `json:"took_ms"`
	DryRun   bool    `json:"dry_run,omitempty"`
	// Incident is the open case whose approvals a restore takes; dry run only.
	Incident string `json:"incident,omitempty"`
	// Routes are those that refuse from now on.
	Routes []string `json:"routes"`
	// Live are the messages that were on their way: how much had been handed
	// to the vendor's sockets when the gate closed.
	Live []LiveMessage `json:"live,omitempty"`
	// Entry is the ledger's sequence number of the change; zero while pending.
	Entry uint64 `json:"entry"`
	// Pending says that the gate is closed but the ledger could not write it.
	Pending string `json:"pending,omitempty"`
	// Unconfirmed says that nobody answered: the gate's file was written, and
	// a running gateway sees it at once, but nothing was counted.
	Unconfirmed string `json:"unconfirmed,omitempty"`
}

// LiveMessage is one message that a cut stopped.
type LiveMessage struct {
	Route string `json:"route"`
	App   string `json:"app"`
	// Bytes were handed to the vendor's socket.
	Bytes int64 `json:"bytes"`
}
