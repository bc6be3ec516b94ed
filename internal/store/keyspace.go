package store

// The keyspaces of the one store. Each is owned by one package, which alone
// writes there; the first byte of a key says whose it is. Numbers are stored
// big-endian, so that keys sort as the numbers do. Letters are never reused.
const (
	// Meta (ledger): format, fingerprint of the keys, counters.
	// 'm' name
	Meta byte = 'm'
	// Journal (ledger): 'j' batch number (8) -> batch record. Batch numbers
	// count from 0 and are the leaf indexes of the Merkle tree.
	Journal byte = 'j'
	// Tree (ledger): 't' level (1: 8, 16, 24 …) index (8) -> hash of the full
	// subtree of 2^level batches.
	Tree byte = 't'
	// Checkpoint (ledger): 'c' size (8) -> signed checkpoint (the newest, and one a day).
	Checkpoint byte = 'c'
	// Dictionary (ledger): 'd' kind (1) id (4) -> text.
	Dictionary byte = 'd'
	// Identity (ledger): 'i' keyed hash (12) -> ordinal (4), and for addresses
	// whether they are shared and which user ids they came with.
	Identity byte = 'i'
	// Link (ledger): 'l' ordinal (4) keyed hash (12) -> why an identifier became
	// that person's: which entry, when, beside which other identifier.
	Link byte = 'l'
	// Known (ledger): 'v' ordinal (4) -> keyed hashes of what the directory
	// knows of a person, by which a message is searched for it.
	Known byte = 'v'
	// Contact (ledger): 's' ordinal (4) hash (4) -> contact of a stranger,
	// sealed to a key whose private half is not on this machine.
	Contact byte = 's'
	// Person (ledger): 'p' ordinal (4) -> attributes and sealed directory id
	// of somebody in the directory.
	Person byte = 'p'
	// Token (ledger): 'n' keyed hash of vendor and token (16) -> what the token
	// stands for, sealed under keys of those whom it concerns.
	Token byte = 'n'
	// PersonKey (ledger): 'q' ordinal (4) -> the key under which values of this
	// person are sealed, itself wrapped; for values of nobody known the ordinal
	// is 0, followed by day (2) vendor. Without it they are gone.
	PersonKey byte = 'q'
	// TokenEpoch (ledger): 'g' vendor 0 epoch (2) -> since when (8), how many
	// tokens were written (8).
	TokenEpoch byte = 'g'
	// Pin (ledger): 'e' day (2) keyed hash of vendor, app and idempotency key
	// (16) -> epoch (2), when (4). Kept for a day.
	Pin byte = 'e'
	// Index (scope): 'x' … -> bitmap chunks; rebuildable from the journal.
	Index byte = 'x'
	// Rollup (scope): 'r' … -> bitmaps over longer windows; rebuildable.
	Rollup byte = 'r'
	// Scope (scope): 'k' … -> position of the index follower, gaps, other state.
	Scope byte = 'k'
	// Held (gateway): 'h' … -> messages on hold, each sealed.
	Held byte = 'h'
	// Watch (watch): 'w' … -> how often what nothing declared was seen;
	// statistics, which may lag by seconds after a crash.
	Watch byte = 'w'
	// User (api): 'u' … -> digests of tokens, roles.
	User byte = 'u'
	// EventAt (ledger): 'E' entry (8) -> batch (8). Which entries are events that
	// state is folded from, so that nobody reads a billion disclosures for them.
	EventAt byte = 'E'
	// DayKey (ledger): 'y' day (4) -> the key under which the disclosures and
	// outcomes of a day's batches are sealed, itself wrapped. Without it they are gone.
	DayKey byte = 'y'
	// Erased (ledger): 'z' … -> whom an erasure concerned, and what of them is
	// still to be rewritten.
	Erased byte = 'z'
	// Base (ledger): 'B' … -> which files hold the sorted base of people, and
	// their digests.
	Base byte = 'B'
	// Frozen (scope): 'f' … -> scopes that were frozen: description and bitmaps.
	Frozen byte = 'f'
	// Accessed (scope): 'a' … -> bitmaps of people proved to have been accessed.
	Accessed byte = 'a'
	// Cosigned (ledger): 'o' … -> newest cosignatures of each witness.
	Cosigned byte = 'o'
	// SealedText (ledger): 'N' … -> free text that belongs to an event, sealed,
	// and the keys of such texts, wrapped.
	SealedText byte = 'N'
)
