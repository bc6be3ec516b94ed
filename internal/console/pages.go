package console

import (
	"time"

	"cordon/internal/api"
	"cordon/internal/scope"
)

// frame is what every page shows around its content.
type frame struct {
	Title        string
	Organization string
	Actor, Role  string // "" when nobody is logged in
	Ledger       *api.LedgerStatus
	Witness      *api.WitnessStatus
	Now          time.Time
}

// overviewPage lists the vendors.
type overviewPage struct {
	frame
	SubjectsToday uint64
	Closed        int // vendors whose gate is not open
	IndexError    string
	Vendors       []vendorRow
	MayChange     bool
}

type vendorRow struct {
	api.VendorStatus
	// PerSecond is the flow of the last three seconds; Spark the last minute.
	PerSecond float64
	Spark     sparkline
	MayChange bool
}

// askPage asks before a gate is changed, with the consequence in figures.
type askPage struct {
	frame
	Verb    string // cut, hold, restore
	Vendor  api.VendorStatus
	Preview api.GateChange
	Reason  string
	Problem string // why the last try was not taken
}

// resultPage says what a change did.
type resultPage struct {
	frame
	Verb   string
	Vendor api.VendorStatus
	Change api.GateChange
	Handed int64
	// Scope is who may be affected, nil if it could not be told; ScopeProblem
	// then says why.
	Scope        *scope.Answer
	ScopeProblem string
}

type loginPage struct {
	frame
	Problem string
}

type problemPage struct {
	frame
	What, Next string
}
