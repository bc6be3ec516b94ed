package incident

import (
	"maps"
	"slices"
	"time"

	"cordon/internal/exposure"
)

// States of a case.
const (
	Open   = "open"
	Closed = "closed"
)

// Case is one incident, as of some entry of the ledger. It is a copy: whoever
// got it may keep it.
type Case struct {
	ID     string // inc-1, inc-2 …, in the order of opening
	Vendor exposure.VendorID
	State  string // Open or Closed
	// Opened is when its first entry was written, Closed when it was last
	// closed; zero while it is open.
	Opened, Closed time.Time
	OpenedBy       string
	// Since and Until are the window that the vendor was exposed in, as given
	// at opening or by the newest scope; nil for no bound.
	Since, Until *time.Time
	// Facts are the newest values: times of the contract in RFC 3339, risk,
	// and what was hurt (confidentiality … key_taken) as true or false.
	Facts map[string]string
	// Scopes are the ids of the scopes that were frozen for it, oldest first.
	Scopes []string
	// Accessed are the entries of lists of accessed records.
	Accessed []uint64
	// Entries are the numbers of all entries of the case, in order: those that
	// name it, and those about its vendor's gate, findings, deletions and
	// declared holdings in its time. Without Since that begins a month before the
	// opening, and for deletions and declared holdings always.
	Entries []uint64
	// Plans are the steps that need, or needed, approvals.
	Plans []Plan
}

func (c *Case) clone() Case {
	out := *c
	out.Facts = maps.Clone(c.Facts)
	out.Scopes = slices.Clone(c.Scopes)
	out.Accessed = slices.Clone(c.Accessed)
	out.Entries = slices.Clone(c.Entries)
	out.Plans = make([]Plan, 0, len(c.Plans))
	for _, p := range c.Plans {
		p.Approvals = slices.Clone(p.Approvals)
		out.Plans = append(out.Plans, p)
	}
	return out
}
