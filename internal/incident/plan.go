package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Plan is a step that takes approvals by two users in different roles. An
// approval is one of exactly this content: another digest is another plan, and
// begins without approvals.
type Plan struct {
	Step   string // restore, close, scope …
	Digest string // of what exactly is to be done
	Detail string // the same in words that hold no personal value
	By     string
	At     time.Time
	// Entry is the plan's; a user who came after it cannot approve.
	Entry     uint64
	Approvals []Approval
	// Glass is when somebody began to break the glass: zero for nobody did.
	Glass   time.Time
	GlassBy string
	// Done: it was carried out. Void: what it was about is no longer so.
	Done, Void bool
}

// Approval is one user's word.
type Approval struct {
	By    string
	Role  string // at that moment
	At    time.Time
	Entry uint64
}

// Steps that take approvals while an incident is open.
const (
	CloseStep  = "close"  // of an incident whose vendor's gate is closed: nothing would stand before a restore
	ScopeStep  = "scope"  // a frozen scope that leaves out what an earlier one counted
	AttestStep = "attest" // a vendor's word that it deleted, which takes people out of a scope
)

// RestoreStep is the step of opening a vendor's gate, or one of its routes'.
func RestoreStep(route string) string {
	if route == "" {
		return "restore"
	}
	return "restore/" + route
}

// Step is what somebody wants to do.
type Step struct {
	Name string
	// Content is what exactly, in parts that hold no personal value. Two steps
	// with other content are not the same, and no approval of one is one of the
	// other.
	Content []string
	Detail  string // for whoever approves
}

// Digest names the content.
func (s Step) Digest() string {
	sum := sha256.Sum256([]byte(s.Name + "\x00" + strings.Join(s.Content, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Breaking the glass: one person alone restores a vendor, after a delay in which
// everybody sees it coming, and a cut stops it.
const (
	GlassDelay = 15 * time.Minute
	glassLasts = 24 * time.Hour // after that it begins anew
)

func (p *Plan) live() bool { return !p.Done && !p.Void }

// State is waiting, approved, done or void.
func (p *Plan) State() string {
	switch {
	case p.Done:
		return "done"
	case p.Void:
		return "void"
	case p.Approved():
		return "approved"
	}
	return "waiting"
}

func (p *Plan) by(name string) bool {
	for _, a := range p.Approvals {
		if a.By == name {
			return true
		}
	}
	return false
}

// Approved: two users in different roles have said yes to exactly this.
func (p *Plan) Approved() bool {
	for _, a := range p.Approvals {
		if a.Role != p.Approvals[0].Role {
			return true // whoever speaks is another: nobody is counted twice
		}
	}
	return false
}

// GlassOpens is from when on, and until when, the step may be done by one
// person; ok is false when nobody broke the glass.
func (p *Plan) GlassOpens() (from, until time.Time, ok bool) {
	if p.Glass.IsZero() {
		return from, until, false
	}
	from = p.Glass.Add(GlassDelay)
	return from, from.Add(glassLasts), true
}
