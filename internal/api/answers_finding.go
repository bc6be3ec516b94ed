package api

import "time"

// FindingQuery narrows a list of findings; zero values do not.
type FindingQuery struct {
	Vendor, Kind string
	Since        time.Time
	// All lists closed findings too.
	All bool
}

// Finding is something that a person should look at. It names places, never
// values.
type Finding struct {
	Finding  string `json:"finding"` // its name: f-…
	Kind     string `json:"kind"`
	Vendor   string `json:"vendor"`
	Route    string `json:"route"`
	Path     string `json:"path"`
	Category string `json:"category"`
	// State is open or closed.
	State  string    `json:"state"`
	Raised time.Time `json:"raised"`
	Entry  uint64    `json:"entry"` // of the ledger
	// First, Last, Messages and People count since the path was first seen;
	// People is within about one percent.
	First    time.Time  `json:"first"`
	Last     time.Time  `json:"last"`
	Messages uint64     `json:"messages"`
	People   uint64     `json:"people"`
	Closed   *time.Time `json:"closed,omitempty"`
	ClosedBy string     `json:"closed_by,omitempty"`
	Reason   string     `json:"reason,omitempty"`
}

// FindingList is what `cordon finding list --json` prints, the newest first.
type FindingList struct {
	Findings []Finding `json:"findings"`
	Open     int       `json:"open"`
	// Missed counts messages that were recorded but not watched since the
	// server started, because too many came at once.
	Missed uint64 `json:"missed"`
}

// FindingClose is the decision about a finding.
type FindingClose struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500"`
}

// DriftQuery narrows a list of leaves; zero values do not.
type DriftQuery struct {
	Vendor, Route string
	Since         time.Time
}

// DriftLeaf is a leaf that no mapping names.
type DriftLeaf struct {
	Vendor   string    `json:"vendor"`
	Route    string    `json:"route"`
	Path     string    `json:"path"` // a template; keys that look like data are *
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Messages uint64    `json:"messages"`
	People   uint64    `json:"people"` // within about one percent
	Finding  string    `json:"finding,omitempty"`
}

// Drift is what `cordon drift --json` prints, the newest first.
type Drift struct {
	Leaves []DriftLeaf `json:"leaves"`
}
