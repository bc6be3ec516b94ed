package api

import "time"

// NewUser is what `cordon user add --json` answers, the one time that the
// token is shown.
type NewUser struct {
	User  string `json:"user"`
	Role  string `json:"role"`
	Token string `json:"token"`
	// Needs says what is still missing before the token works: "" or
	// "approval".
	Needs string `json:"needs,omitempty"`
}

// User is one row of `cordon user list --json`.
type User struct {
	User  string    `json:"user"`
	Role  string    `json:"role"`
	Added time.Time `json:"added"`
	By    string    `json:"by"`
	// State is active or waiting (for a second user's approval).
	State string `json:"state"`
	// Wants is the role that waits for approval, if it differs from Role.
	Wants      string `json:"wants,omitempty"`
	ApprovedBy string `json:"approved_by,omitempty"`
}

// UserList is what `cordon user list --json` answers.
type UserList struct {
	Users []User `json:"users"`
}
