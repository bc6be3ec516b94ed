package api

import (
	"time"

	"cordon/internal/care"
)

// Status is what `cordon status --json` and GET /status answer.
type Status struct {
	Organization string         `json:"organization"`
	At           time.Time      `json:"at"`
	Vendors      []VendorStatus `json:"vendors"`
	Ledger       LedgerStatus   `json:"ledger"`
	// SubjectsToday counts the people exposed to any vendor since 00:00 UTC.
	SubjectsToday uint64 `json:"subjects_today"`
	// Witness is absent where nobody is configured to countersign.
	Witness *WitnessStatus `json:"witness,omitempty"`
	// DutiesOverdue is the number of duties past their deadline.
	DutiesOverdue int `json:"duties_overdue"`
	// IncidentsOpen is the number of open incidents; each vendor names its own.
	IncidentsOpen int `json:"incidents_open"`
	// Alarms are what nobody should find out later: that somebody broke the glass,
	// that a start loaded a file from which much of the directory is missing.
	Alarms []string `json:"alarms,omitempty"`
	// Scrub is what the last reading of everything found.
	Scrub *care.ScrubStatus `json:"scrub,omitempty"`
	// IndexError says why the figures may be behind.
	IndexError string `json:"index_error,omitempty"`
	// Server says whether a running server answered. Without one the figures
	// come from the store, read-only, and connections are unknown (zero).
	Server bool `json:"server"`
}

// VendorStatus is one vendor at one instant. The 24 hours end now.
type VendorStatus struct {
	Vendor string `json:"vendor"`
	Name   string `json:"name"`
	// Gate is open, hold or cut.
	Gate  string `json:"gate"`
	Epoch uint64 `json:"epoch"`
	// Mode is enforce or shadow.
	Mode string `json:"mode"`
	// Incidents are the open ones about it, the oldest first.
	Incidents []string `json:"incidents,omitempty"`
	// GateProblem is set when the gate file could not be read; the gate then
	// counts as cut.
	GateProblem string `json:"gate_problem,omitempty"`
	// Routes lists the routes whose own gate is not open.
	Routes []RouteGate `json:"routes,omitempty"`
	// Connections are the live sockets to the vendor.
	Connections int `json:"connections"`
	// Held is the number of messages waiting for the gate.
	Held int `json:"held"`
	// Disclosures24h counts messages that carried personal data.
	Disclosures24h uint64 `json:"disclosures_24h"`
	// Subjects24h counts the people in them, exactly.
	Subjects24h uint64 `json:"subjects_24h"`
	// SubjectsToday is the same since 00:00 UTC.
	SubjectsToday uint64 `json:"subjects_today"`
	// Requests counts recorded messages, Refused those turned away, since the server started.
	Requests uint64 `json:"requests"`
	Refused  uint64 `json:"refused"`
	// LastAt is when the last message was recorded, since the server started.
	LastAt time.Time `json:"last_at,omitzero"`
	// InFlight are messages on their way at this instant.
	InFlight int `json:"in_flight"`
	// AttemptsAfterCut counts what was tried since the gate closed.
	AttemptsAfterCut uint64 `json:"attempts_after_cut"`
	// Attempts are the same by who tried.
	Attempts []Attempt `json:"attempts,omitempty"`
}

// Attempt counts what one sender tried while the gate was closed. Credential
// and Token are keyed digests or references, never secrets.
type Attempt struct {
	Route      string `json:"route"`
	App        string `json:"app"`
	Credential string `json:"credential"`
	Token      string `json:"token,omitempty"`
	Count      uint64 `json:"count"`
}

// RouteGate is the gate of one route.
type RouteGate struct {
	Route string `json:"route"`
	Gate  string `json:"gate"`
}

// WitnessStatus is how the ledger stands with its witness.
type WitnessStatus struct {
	Name string `json:"name"`
	// Size is how many batches the newest cosigned head covers, of Batches that
	// there are; At when it was cosigned, by the witness's clock.
	Size    uint64    `json:"size"`
	Batches uint64    `json:"batches"`
	At      time.Time `json:"at,omitzero"`
	// Late: a head has waited for its cosignature for more than a minute.
	Late bool `json:"late"`
	// Problem is what the last request met.
	Problem string `json:"problem,omitempty"`
	// Rewritten: the witness showed a head, signed with this ledger's own key,
	// that is not over this ledger.
	Rewritten string `json:"rewritten,omitempty"`
}

// LedgerStatus is the ledger at one instant.
type LedgerStatus struct {
	// Size is the number of entries.
	Size uint64 `json:"size"`
	// Checkpoint is the newest signed head, in signed-note form.
	Checkpoint string `json:"checkpoint"`
	// LastSync is when entries were last made durable.
	LastSync time.Time `json:"last_sync,omitzero"`
	// Pending counts disclosures whose outcome is not known yet.
	Pending int `json:"pending"`
	// Warnings name what was found wrong at start and is no reason to refuse.
	Warnings []string `json:"warnings,omitempty"`
	// Failover is the second place for new entries, where one is configured.
	Failover *FailoverStatus `json:"failover,omitempty"`
	// Error says why the ledger refuses to record; nothing is forwarded then.
	Error string `json:"error,omitempty"`
}
