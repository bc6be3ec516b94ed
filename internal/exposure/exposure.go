// Package exposure holds the words that every other package shares: what a
// category of personal data is, which set of categories one message carried
// about one person, who that person is, and what a decision looks like.
//
// It is a leaf: it imports nothing of Cordon. Everything in it is a value;
// nothing in it does I/O.
package exposure

// VendorID names a vendor as its manifest does: [a-z0-9-], at most 63 bytes.
type VendorID string

// Ordinal is a subject inside Cordon: an anonymous number handed out by a
// keyed permutation, so that neither its value nor its order says anything
// about the person. Nobody (zero) stands for "personal data of somebody whom
// the message does not identify".
type Ordinal uint32

// Nobody is the ordinal of data that no identifier in the message attributes.
const Nobody Ordinal = 0

// Pathway is one way that personal data takes to a vendor. Scope answers by
// any part of it, so it is interned in the ledger as a whole.
type Pathway struct {
	Vendor VendorID
	// Route is the template, never the concrete path: "POST /v3/mail/send".
	Route string
	// Credential says which credential at the vendor was used: the manifest's
	// reference ("file:acme.secret"), "app:" and a keyed digest for one that
	// the app brought itself, or "" for none. Never a secret.
	Credential string
	// App is the sender by name, or "anonymous".
	App string
}

// DeclaredRoute is the route of what no message carried: a vendor was said to
// hold it. The credential of such a pathway names where it was said:
// "backfill:" and the number of that entry. No way that a message takes is
// called so.
const DeclaredRoute = "declared"

// Verdict is what a decision came to.
type Verdict uint8

const (
	// Refuse is the zero value: what nobody decided is refused.
	Refuse Verdict = iota
	// Hold keeps the message (or, where it cannot be kept, answers 503).
	Hold
	// Pass lets the message go on.
	Pass
)

func (v Verdict) String() string {
	switch v {
	case Pass:
		return "pass"
	case Hold:
		return "hold"
	default:
		return "refuse"
	}
}

// Decision is a verdict with its reason; every branch that decides gives one.
type Decision struct {
	Verdict Verdict
	// Reason is a machine-readable kebab-case word, see reason.go.
	Reason Reason
	// Detail is one sentence for a person. It holds no personal value.
	Detail string
}
