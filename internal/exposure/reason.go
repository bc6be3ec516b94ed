package exposure

// Reason is a machine-readable kebab-case word that says why a message was
// refused, held or recorded as incomplete. Reasons are stored in the ledger
// and appear in problem details, so they are only ever added.
type Reason string

// Reasons for which a message does not go on.
const (
	ReasonCut              Reason = "vendor-cut"
	ReasonHold             Reason = "vendor-on-hold"
	ReasonUnknownHost      Reason = "unknown-host"
	ReasonUnknownVendor    Reason = "unknown-vendor"
	ReasonUnknownApp       Reason = "unknown-app"
	ReasonAppNotAllowed    Reason = "app-not-allowed"
	ReasonMalformedRequest Reason = "malformed-request"
	ReasonPolicy           Reason = "refused-by-policy"
	ReasonLedger           Reason = "ledger-unavailable"
	ReasonGateUnknown      Reason = "gate-unknown"
	ReasonAddressForbidden Reason = "address-forbidden"
	ReasonNotSupported     Reason = "not-supported"
	ReasonUnreachable      Reason = "vendor-unreachable"
	// ReasonRevealCap: an app has seen too many people in a vendor's answers, so
	// tokens stay tokens.
	ReasonRevealCap Reason = "reveal-capped"
)

// Reasons for which a message is incomplete: it could not be decoded, or two
// parsers may read it differently. Never "nothing personal here".
const (
	IncompleteTooLarge        Reason = "body-too-large"
	IncompleteRatio           Reason = "decompression-ratio"
	IncompleteDepth           Reason = "nesting-too-deep"
	IncompleteDuplicateKey    Reason = "duplicate-key"
	IncompleteUTF8            Reason = "invalid-utf8"
	IncompleteSyntax          Reason = "broken-syntax"
	IncompleteContentType     Reason = "content-type-unknown"
	IncompleteContentTypeLies Reason = "content-type-lies"
	IncompleteCoding          Reason = "content-coding-unknown"
	IncompleteBoundary        Reason = "multipart-boundary"
	IncompleteBudget          Reason = "work-budget"
	IncompleteTunnel          Reason = "not-inspected"
	IncompletePath            Reason = "ambiguous-path"
)
