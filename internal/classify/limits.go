package classify

// What one message may cost. Past a limit the message is incomplete, never
// quietly cut short.
const (
	// maxBody keeps every position in 32 bits.
	maxBody = 1 << 30
	// maxDecoded and maxRatio bound what a compressed body may grow to.
	maxDecoded = 64 << 20
	maxRatio   = 100
	// maxCodings bounds gzip within gzip.
	maxCodings = 3
	// maxDepth is how deep arrays and objects may nest. What lies deeper is one
	// leaf, so that no parser's own limit decides what we see.
	maxDepth = 64
	// maxLeaves bounds the leaves that are looked at, maxFields those that are
	// kept. A full SendGrid batch has 1,000 personalizations of more than ten
	// leaves each, so 10,000 would hold lawful mail.
	maxLeaves = 1_000_000
	maxFields = 100_000
	// maxNested bounds decoders within decoders, maxInside the bytes that they give
	// in all.
	maxNested = 3
	maxInside = 64 << 20
	// maxPeeked is how long a value may be that a condition asks for.
	maxPeeked = 1 << 10
	// maxTemplates bounds what Unmapped reports.
	maxTemplates = 1_000
	// listKeys is how many members of an object may show their keys in a
	// template; an object with more is a map, and its keys are data.
	listKeys = 64
)
