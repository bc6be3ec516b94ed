// Package scope answers "who was exposed": an index over the ledger's journal,
// vendor by category set by day, that can be thrown away and built again.
//
// # What is stored
//
// For each vendor and UTC day the people whom a message named, by pathway and
// exact category set. They lie in pages (page.go): one value for a block of
// 2^20 ordinals as long as it holds at most 4096 (person, way, set), beyond that
// one for every chunk of 2^16. The key order is vendor, block, chunk, day, so that
// a question about one vendor is one read forward, chunk by chunk, in memory
// that does not grow with the number of people, and the history of one person
// is one short range per vendor.
//
// Beside each page, and read by few questions, stand its times: in which half hour
// each person got how many messages. So a question whose bound falls within a day
// takes half hours from the index, and reads only the one that it cuts through
// from the journal; and somebody's messages are counted without reading any.
//
// Weeks and months (four weeks, so that they nest) are rolled up when they are
// over (rollup.go), each block on its own, where that makes them at most a third as
// long as what they stand for; elsewhere the parts are read. What comes later
// about a day is added to the roll-ups above it in the batch that adds it to the day.
//
// Category sets and pathways are numbered by vendor, up to a limit past which sets
// are taken apart into categories and pathways are one (names.go), so that
// whoever makes up sets or credentials fills neither the store nor memory.
//
// Beside the pages: counters per pathway and day and half hour, the intents that
// have no outcome yet, when Cordon stood in the way of each vendor, and the
// position in the journal up to which all of this is true. One Pebble batch moves
// all of it together.
//
// # What exposes
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
// nothing else happens. Where a question's bound falls within a half hour, that
// one's entries are read from the journal itself, exact to the millisecond that
// the ledger keeps.
package scope
