package incident

import "time"

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
