package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cordon/internal/strict"
)

// Times are the facts that are instants, in the order of a case's life. Legal
// clocks hang on them and on nothing else; they are the names of `times` in the
// facts of a duty.
func Times() []string {
	return []string{
		"occurred", "vendor_told_us", "aware", "determined", "assessed", "material", "classified",
		"initial_filed", "notification_filed", "intermediate_filed", "notice_sent",
	}
}

// Risks are what the fact risk may be.
func Risks() []string { return []string{"unassessed", "unlikely", "risk", "high"} }

// Nature are the facts that are true or false.
func Nature() []string {
	return []string{"confidentiality", "integrity", "availability", "malicious", "external", "encrypted", "key_taken"}
}

// Facts lists the names of all facts.
func Facts() []string { return slices.Concat(Times(), []string{"risk"}, Nature()) }

// clockSkew is how far a time may lie ahead of our own clock.
const clockSkew = 5 * time.Minute

// CheckFact gives the value of a fact as it is recorded. An empty value takes
// the fact back. Only closed vocabularies are taken: what stands in the ledger
// stands there for ever and must not be somebody's name.
func CheckFact(name, value string, now time.Time) (string, error) {
	value = strings.TrimSpace(value)
	if !slices.Contains(Facts(), name) {
		next := "use one of " + strings.Join(Facts(), ", ") + "; free text goes into `cordon incident note`"
		if near := strict.Nearest(name, Facts()); near != "" {
			next = "did you mean " + near + "?"
		}
		return "", &Error{Reason: "unknown-fact", What: fmt.Sprintf("there is no fact %q", name), Next: next}
	}
	if value == "" || value == "null" {
		return "", nil
	}
	switch {
	case slices.Contains(Times(), name):
		t, err := time.Parse(time.RFC3339Nano, value)
		if err != nil {
			return "", invalid(name, value, "an instant", "write it with its zone: 2026-02-05T18:30:00-08:00")
		}
		if t.After(now.Add(clockSkew)) {
			return "", invalid(name, value, "an instant that has been", "a fact is recorded when it has happened")
		}
		return t.Format(time.RFC3339Nano), nil // the offset is kept: whose day it was may matter
	case name == "risk":
		if !slices.Contains(Risks(), value) {
			return "", invalid(name, value, "a risk", "use "+strings.Join(Risks(), ", "))
		}
	case value != "true" && value != "false":
		return "", invalid(name, value, "true or false", "write "+name+"=true or "+name+"=false")
	}
	return value, nil
}

func invalid(name, value, what, next string) error {
	return &Error{Reason: "fact-invalid", What: fmt.Sprintf("%s: %q is not %s", name, value, what), Next: next}
}
