package api

import "time"

// ScopeQuery asks who was exposed.
type ScopeQuery struct {
	Vendor     string    `json:"vendor"`
	Route      string    `json:"route,omitempty"`
	App        string    `json:"app,omitempty"`
	Credential string    `json:"credential,omitempty"`
	Since      time.Time `json:"since,omitzero"`
	Until      time.Time `json:"until,omitzero"`
	// Basis is held (default: what the vendor may have held in the window) or
	// sent (what was sent inside it).
	Basis string `json:"basis,omitempty"`
}

// Scope is what `cordon scope --json` answers.
type Scope struct {
	Vendor string    `json:"vendor"`
	Basis  string    `json:"basis"`
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	// Subjects = Certain + Possible, and counts UnknownSubjects too.
	Subjects           uint64             `json:"subjects"`
	Disclosures        uint64             `json:"disclosures"`
	Certain            uint64             `json:"certain"`
	Possible           uint64             `json:"possible"`
	IncompleteMessages uint64             `json:"incomplete_messages"`
	UnknownSubjects    uint64             `json:"unknown_subjects"`
	CoveredSince       *time.Time         `json:"covered_since"`
	Gaps               []Gap              `json:"gaps"`
	Categories         []CategoryCount    `json:"categories"`
	Protected          []ProtectedCount   `json:"protected"`
	NeverExposed       []string           `json:"never_exposed"`
	NotObserved        []string           `json:"not_observed"`
	Languages          []LanguageCount    `json:"languages"`
	Minors             uint64             `json:"minors"`
	Frozen             bool               `json:"frozen"`
	Cohorts            []Cohort           `json:"cohorts"`
	Countries          []CountryCount     `json:"countries"`
	Excluded           []ExcludedSubjects `json:"excluded,omitempty"`
	Checkpoint         string             `json:"checkpoint"`
	TookMS             float64            `json:"took_ms"`
}

// Gap is a time in which Cordon did not stand in the way.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Why  string    `json:"why,omitempty"`
}

// CategoryCount counts the people whose category left in the clear.
type CategoryCount struct {
	Category string `json:"category"`
	Subjects uint64 `json:"subjects"`
}

// ProtectedCount counts the people whose category left only in a form.
type ProtectedCount struct {
	Category string `json:"category"`
	Form     string `json:"form"`
	Subjects uint64 `json:"subjects"`
}

// LanguageCount counts people by the language of the directory.
type LanguageCount struct {
	Language string `json:"language"`
	Subjects uint64 `json:"subjects"`
}

// CountryCount counts people by country, "" where it is unknown.
type CountryCount struct {
	Country  string `json:"country"`
	Subjects uint64 `json:"subjects"`
}

// Cohort is the people with exactly the same exposed category set.
type Cohort struct {
	Categories []string          `json:"categories"`
	Protected  map[string]string `json:"protected,omitempty"`
	Subjects   uint64            `json:"subjects"`
}

// ExcludedSubjects stand apart from the answer, with the reason.
type ExcludedSubjects struct {
	Reason   string `json:"reason"`
	Subjects uint64 `json:"subjects"`
}

// SubjectQuery names a person by any identifier.
type SubjectQuery struct {
	Identifier string `json:"identifier"`
	// Kind is email, phone, user_id, username or pseudonym; guessed if empty.
	Kind string `json:"kind,omitempty"`
	// Vendor scopes a pseudonym to the vendor that issued it.
	Vendor string `json:"vendor,omitempty"`
}

// Subject is what one person's identifier leads to. Subject holds the
// directory's id, or "#" and the ordinal for a person whom no directory names;
// it is null when no entry of the ledger concerns the identifier.
type Subject struct {
	Subject *string         `json:"subject"`
	Vendors []SubjectVendor `json:"vendors"`
}

// SubjectVendor is what one vendor got about the person.
type SubjectVendor struct {
	Vendor      string    `json:"vendor"`
	Categories  []string  `json:"categories"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	Disclosures uint64    `json:"disclosures"`
}
