package api

import "time"

// Entry is one entry of the ledger, as `cordon ledger tail --json` prints it,
// one per line. It names people by ordinal only.
type Entry struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Vendor string    `json:"vendor,omitempty"`
	Route  string    `json:"route,omitempty"`
	App    string    `json:"app,omitempty"`
	Actor  string    `json:"actor,omitempty"`
	// Subjects is the number of people in a disclosure.
	Subjects int `json:"subjects,omitzero"`
	// Categories is the union over them, "user.name:masked" when protected.
	Categories []string `json:"categories,omitempty"`
	Incomplete []string `json:"incomplete,omitempty"`
	Shadow     bool     `json:"shadow,omitzero"`
	// Of is the entry that an outcome belongs to.
	Of     uint64         `json:"of,omitzero"`
	Result string         `json:"result,omitempty"`
	Status int            `json:"status,omitzero"`
	Bytes  int64          `json:"bytes,omitzero"`
	Fields map[string]any `json:"fields,omitempty"`
}
