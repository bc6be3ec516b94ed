// Package scope answers "who was exposed": an index over the ledger's journal,
// vendor by category set by day, that can be thrown away and built again.
//
// # What is stored
//
// One bitmap per (pathway, exact category set, day), cut into chunks of 65,536
// ordinals. The key order is vendor, chunk, day, pathway and set, so that a
// question about one vendor is one sequential read, chunk by chunk, in memory
// that does not grow with the number of people, and the history of one person
// is one short range per vendor. Beside the bitmaps: counters per (pathway,
// day), the intents that have no outcome yet, when Cordon stood in the way of
// each vendor, and the position in the journal up to which all of this is
// true. One Pebble batch moves all of it together.
//
// # What sets a bit
//
// An outcome: sent, or unknown (a crash between record and outcome may have
// sent). Never an intent: an hour in which a vendor refused every message
// exposes nobody. Intents whose outcome is not known yet wait in a small set
// that every answer adds, because their bytes may be on the wire at this very
// moment.
//
// # Instants
//
// A disclosure belongs to the instant at which it was recorded, just before
// its first byte left. Days are UTC days of that instant, not of the entry's
// place in the journal: a clock that jumps puts entries into other days, and
// nothing else happens. Where a question's bound falls within a day, that
// day's entries are read from the journal itself, exact to the nanosecond that
// the ledger keeps.
package scope
