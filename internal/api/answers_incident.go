package api

import (
	"time"

	"cordon/internal/scope"
)

// IncidentOpen opens an incident.
type IncidentOpen struct {
	Vendor string `json:"vendor" minLength:"1"`
	// Since and Until bound when the vendor was exposed; absent: no bound.
	Since *time.Time `json:"since,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	// Facts that are known already, as in IncidentFacts.
	Facts map[string]string `json:"facts,omitempty"`
	// Again opens another one about a vendor that has an open incident.
	Again bool `json:"again,omitempty"`
	// DryRun opens nothing and shows what would be.
	DryRun bool `json:"dry_run,omitempty"`
}

// IncidentFacts states or corrects facts. Names are those of `times` in the
// facts of a duty, risk, and what was hurt; "" takes a fact back.
type IncidentFacts struct {
	Facts map[string]string `json:"facts" minProperties:"1"`
	// Discovered is when they became known, where that is not what they say.
	Discovered *time.Time `json:"discovered,omitempty"`
}

// IncidentText is free text, sealed beside the ledger.
type IncidentText struct {
	Text string `json:"text,omitempty" maxLength:"4000"`
}

// IncidentWindow asks for a new frozen scope. An absent bound stays as it is.
type IncidentWindow struct {
	Since *time.Time `json:"since,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	// AllTime takes both bounds away first.
	AllTime bool `json:"all_time,omitempty"`
}

// IncidentApproval approves a step by its name, and by the digest of what was
// looked at where one plan has taken the place of another.
type IncidentApproval struct {
	Step   string `json:"step" minLength:"1" maxLength:"300"`
	Digest string `json:"digest,omitempty" pattern:"^[0-9a-f]{16,32}$"`
}

// Incident is one case. Its state is a fold over the ledger's entries.
type Incident struct {
	Incident string `json:"incident"`
	Vendor   string `json:"vendor"`
	State    string `json:"state"` // open or closed
	// Gate is the vendor's gate now: open, hold or cut.
	Gate     string     `json:"gate"`
	Opened   time.Time  `json:"opened"`
	OpenedBy string     `json:"opened_by"`
	Closed   *time.Time `json:"closed,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	Until    *time.Time `json:"until,omitempty"`
	// Facts are the newest values.
	Facts map[string]string `json:"facts"`
	// Scope is the answer that was frozen last, or as of now where none was.
	Scope *scope.Answer `json:"scope"`
	// Scopes are all that were frozen, the oldest first.
	Scopes []string `json:"scopes"`
	// Steps are those that take approvals.
	Steps []IncidentStep `json:"steps"`
	// Entries are the numbers of all entries of the case.
	Entries  []uint64         `json:"entries"`
	Timeline []IncidentMoment `json:"timeline"`
	Warnings []string         `json:"warnings,omitempty"`
	DryRun   bool             `json:"dry_run,omitempty"`
}

// IncidentStep is a step that takes approvals by two users in different roles.
type IncidentStep struct {
	Step   string `json:"step"`
	Detail string `json:"detail"`
	// State is waiting, approved, done or void (what was asked for is no longer so).
	State     string             `json:"state"`
	Asked     time.Time          `json:"asked"`
	AskedBy   string             `json:"asked_by"`
	Approvals []IncidentApproved `json:"approvals"`
	// GlassOpens is from when on one person may do it, since somebody broke the glass.
	GlassOpens *time.Time `json:"glass_opens,omitempty"`
	GlassBy    string     `json:"glass_by,omitempty"`
	Digest     string     `json:"digest"` // of what exactly is to be done
}

// IncidentApproved is one approval.
type IncidentApproved struct {
	By    string    `json:"by"`
	Role  string    `json:"role"`
	At    time.Time `json:"at"`
	Entry uint64    `json:"entry"`
}

// IncidentMoment is one line of a timeline.
type IncidentMoment struct {
	// At is when it happened, Discovered when we learned of it, Recorded when
	// its entry was written.
	At         time.Time `json:"at"`
	Discovered time.Time `json:"discovered"`
	Recorded   time.Time `json:"recorded"`
	Actor      string    `json:"actor"`
	What       string    `json:"what"`
	Kind       string    `json:"kind"`
	Entry      uint64    `json:"entry"`
	// Superseded: a later entry says otherwise.
	Superseded bool `json:"superseded,omitzero"`
	// Text is a sealed note, for those who may read about people.
	Text string `json:"text,omitempty"`
}

// IncidentList is what `cordon incident list --json` prints, the newest first.
type IncidentList struct {
	Incidents []IncidentSummary `json:"incidents"`
	Open      int               `json:"open"`
}

// IncidentSummary is one line of the list.
type IncidentSummary struct {
	Incident string            `json:"incident"`
	Vendor   string            `json:"vendor"`
	State    string            `json:"state"`
	Opened   time.Time         `json:"opened"`
	OpenedBy string            `json:"opened_by"`
	Closed   *time.Time        `json:"closed,omitempty"`
	Facts    map[string]string `json:"facts"`
	Scopes   []string          `json:"scopes"`
	// Waiting are the steps that wait for approvals.
	Waiting []string `json:"waiting"`
}

// IncidentAccessed is what `cordon incident accessed --json` answers.
type IncidentAccessed struct {
	Accessed
	// Frozen is the scope that was frozen with the list, FrozenCertain how many
	// in it are certain.
	Frozen        string   `json:"frozen,omitempty"`
	FrozenCertain uint64   `json:"frozen_certain"`
	Warnings      []string `json:"warnings,omitempty"`
}
