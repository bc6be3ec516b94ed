package api

import "time"

// ScopeQuery asks who was exposed; the answer is a scope.Answer.
type ScopeQuery struct {
	Vendor     string
	Route      string
	App        string
	Credential string
	// Since and Until are exact instants, zero for no bound.
	Since, Until time.Time
	// Basis is held (default: what the vendor may have held in the window) or
	// sent (what was sent inside it).
	Basis string
	// Incident narrows who is certain to the lists of one incident; a frozen
	// scope becomes one of its scopes.
	Incident string
}

// SubjectQuery names a person by any identifier; the answer is a scope.Person.
// It travels in a body and never in a URL, because URLs end up in logs.
type SubjectQuery struct {
	Identifier string `json:"identifier" minLength:"1" maxLength:"1024"`
	// Kind is email, phone, user_id, username or pseudonym; guessed if empty.
	Kind string `json:"kind,omitempty"`
	// Vendor scopes a pseudonym to the vendor that issued it.
	Vendor string `json:"vendor,omitempty"`
}
