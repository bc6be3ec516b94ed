package incident

// Error is a refusal that a person can do something about.
type Error struct {
	Reason string // kebab-case, for programs
	What   string // a sentence without a full stop; no personal value
	Next   string // the step that helps
	// Refused: policy refuses it to whoever asks now; Conflict: the state of the
	// case does. Neither: what was asked is wrong, or (unknown-incident) not there.
	Refused, Conflict bool
}

func (e *Error) Error() string { return e.What }

func unknown(id string) error {
	return &Error{Reason: "unknown-incident", What: "there is no incident \"" + id + "\"", Next: "see `cordon incident list`"}
}
