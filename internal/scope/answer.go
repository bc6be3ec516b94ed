package scope

import (
	"time"

	"cordon/internal/exposure"
)

// Basis says which disclosures a question is about.
type Basis uint8

const (
	// Held is everything that the vendor may have held at any instant of the
	// window: sent before Until, and not attested deleted before Since.
	Held Basis = iota
	// SentWithin is only what was sent inside the window.
	SentWithin
)

func (b Basis) String() string {
	if b == SentWithin {
		return "sent"
	}
	return "held"
}

// ParseBasis reads "held", "sent" or "" (held).
func ParseBasis(text string) (Basis, bool) {
	switch text {
	case "", "held":
		return Held, true
	case "sent":
		return SentWithin, true
	default:
		return Held, false
	}
}

// Query asks who was exposed to one vendor. Route, App and Credential narrow
// the question to the pathways that have them; empty ones narrow nothing.
type Query struct {
	Vendor     exposure.VendorID
	Route      string
	App        string
	Credential string
	// Since and Until are exact instants; zero means without bound. A
	// disclosure at Since is inside; one at Until is inside on the basis
	// SentWithin and not on the basis Held ("sent before until").
	Since, Until time.Time
	Basis        Basis
	// Collects is what the vendor gathers by itself, from its manifest.
	Collects []exposure.Category
	// Grouped asks for Answer.Groups, at some cost.
	Grouped bool
	// Incident narrows who is certain to the lists of one incident; "" takes
	// those of all incidents of the vendor.
	Incident string
	// Checkpoint and Unfinished are printed in the answer.
	Checkpoint string
	Unfinished []uint64
}

// Answer is what `cordon scope --json` prints.
type Answer struct {
	Vendor exposure.VendorID `json:"vendor"`
	Basis  string            `json:"basis"`
	Since  time.Time         `json:"since,omitzero"`
	Until  time.Time         `json:"until,omitzero"`

	// Subjects = Certain + Possible, strangers included. Certain are those whose
	// data is proved to have been accessed (see accessed.go), Possible all others
	// of whom the vendor may have held something.
	Subjects    uint64 `json:"subjects"`
	Disclosures uint64 `json:"disclosures"`
	Certain     uint64 `json:"certain"`
	Possible    uint64 `json:"possible"`
	// IncompleteMessages could not be read fully; IncompleteReasons says why
	// (a message may have several reasons).
	IncompleteMessages uint64            `json:"incomplete_messages"`
	IncompleteReasons  map[string]uint64 `json:"incomplete_reasons,omitempty"`
	// UnknownSubjects are the people whom no directory names.
	UnknownSubjects uint64 `json:"unknown_subjects"`
	// Pending are disclosures whose outcome is not known yet; they are counted.
	Pending uint64 `json:"pending"`
	// Declared of the subjects are known by a declaration only. Excluded are not
	// among them.
	Declared uint64     `json:"declared"`
	Excluded []Excluded `json:"excluded"`
	// DeclaredLeftOut says that a question about one route, app or credential
	// left out what is declared: nobody knows by which way the vendor got it.
	DeclaredLeftOut bool `json:"declared_left_out,omitempty"`
	// Unfinished are entries that began a declaration which never came to its
	// end: there may be people whom nobody declared yet.
	Unfinished []uint64 `json:"unfinished_declarations,omitempty"`

	// CoveredSince is the first instant at which Cordon stood in this vendor's
	// way, null if never. Gaps are those after it that meet the window.
	CoveredSince *time.Time `json:"covered_since"`
	Gaps         []Gap      `json:"gaps"`

	Categories []CategoryCount  `json:"categories"`
	Protected  []ProtectedCount `json:"protected"`
	// Unattributed is what left about somebody whom the message did not name.
	Unattributed []UnattributedCount `json:"unattributed"`

	// NeverExposed is proved for the time from NeverExposedSince to Until, and
	// for no other; see claims.go.
	NeverExposed      []string   `json:"never_exposed"`
	NeverExposedSince *time.Time `json:"never_exposed_since"`
	// NotProved says why NeverExposed is empty, if it is.
	NotProved   []string `json:"never_exposed_not_proved,omitempty"`
	NotObserved []string `json:"not_observed"`

	Languages []LanguageCount `json:"languages"`
	// Minors were not of age at some instant of the window, as far as birth
	// dates tell; without a beginning of the window, at its end.
	Minors uint64 `json:"minors"`
	// Frozen is the id under which the answer was frozen, or "".
	Frozen  string   `json:"frozen"`
	Cohorts []Cohort `json:"cohorts"`
	// ApproximateCohorts says that the vendor was sent more category sets or
	// pathways than have names of their own (see names.go): cohorts, what is
	// counted by set, or a narrow question may then say too much, never too little.
	ApproximateCohorts bool `json:"approximate_cohorts,omitempty"`
	// Rounded are days, as 2026-05-01, of which the answer takes up to half an hour
	// more than was asked at a bound of the window: their disclosures have expired,
	// and the index is no finer.
	Rounded   []string       `json:"rounded,omitempty"`
	Countries []CountryCount `json:"countries"`

	// Entries is the number of the last ledger entry the answer knows of.
	Entries uint64 `json:"entries"`
	// Checkpoint is the newest signed head when the question was asked.
	Checkpoint string  `json:"checkpoint"`
	TookMS     float64 `json:"took_ms"`

	// Groups splits the cohorts by country, state and language, for duties
	// and notices. Subjects over all groups = Subjects. Only with Query.Grouped.
	Groups []Group `json:"-"`
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

// ProtectedCount counts the people whose category left in this form and never
// in the clear.
type ProtectedCount struct {
	Category string `json:"category"`
	Form     string `json:"form"`
	Subjects uint64 `json:"subjects"`
}

// UnattributedCount counts messages that carried the set about nobody known.
type UnattributedCount struct {
	Categories []string          `json:"categories"`
	Protected  map[string]string `json:"protected,omitempty"`
	Messages   uint64            `json:"messages"`
}

// LanguageCount counts people by language, "" where it is unknown.
type LanguageCount struct {
	Language string `json:"language"`
	Subjects uint64 `json:"subjects"`
}

// CountryCount counts people by country, "" where it is unknown.
type CountryCount struct {
	Country  string `json:"country"`
	Subjects uint64 `json:"subjects"`
}

// Cohort is the people with exactly the same category set over the window.
type Cohort struct {
	// ID is the same for the same set in every answer.
	ID         string            `json:"id"`
	Categories []string          `json:"categories"`
	Protected  map[string]string `json:"protected,omitempty"`
	Subjects   uint64            `json:"subjects"`
}

// Group is the part of a cohort that lives in one place and reads one language.
type Group struct {
	Cohort   string // Cohort.ID
	Country  string
	State    string
	Language string
	Subjects uint64
	Minors   uint64
}

// Person is what `cordon subject --json` prints.
type Person struct {
	// Subject is the ordinal in an opaque form, null for somebody of whom the
	// ledger knows nothing.
	Subject *string        `json:"subject"`
	Vendors []PersonVendor `json:"vendors"`
}

// PersonVendor is what one vendor got about one person.
type PersonVendor struct {
	Vendor exposure.VendorID `json:"vendor"`
	// Categories left in the clear or are declared to be held so, Protected only
	// in the form named.
	Categories []string          `json:"categories"`
	Protected  map[string]string `json:"protected,omitempty"`
	// First and Last are instants of messages, absent where all is declared.
	First       time.Time `json:"first,omitzero"`
	Last        time.Time `json:"last,omitzero"`
	Disclosures uint64    `json:"disclosures"`
	// Declared is what the vendor is said to hold and nobody saw sent.
	Declared *PersonDeclared `json:"declared,omitempty"`
	// Attestations are the vendor's letters about deletion. MayHold is false when
	// they cover everything about this person: then nothing is held any more.
	Attestations []Attested `json:"attestations"`
	MayHold      bool       `json:"may_hold"`
	// Name, Role, Country and Purposes are the manifest's, set by the caller.
	Name     string   `json:"name,omitempty"`
	Role     string   `json:"role,omitempty"`
	Country  string   `json:"country,omitempty"`
	Purposes []string `json:"purposes,omitempty"`
	// CoveredSince is the first instant at which Cordon stood in this vendor's
	// way, null if never; Gaps are when, after it, it did not. Of what passed at
	// other times only declarations speak.
	CoveredSince *time.Time `json:"covered_since"`
	Gaps         []Gap      `json:"gaps"`
}

// PersonDeclared is what a vendor is said to hold about one person.
type PersonDeclared struct {
	Categories []string          `json:"categories"`
	Protected  map[string]string `json:"protected,omitempty"`
	// HeldSince is the earliest instant given; absent: since ever.
	HeldSince time.Time `json:"held_since,omitzero"`
	// Entries are those that began the declarations.
	Entries []uint64 `json:"entries"`
}
