// Package detect finds personal data by its shape alone: e-mail addresses,
// telephone numbers, payment cards, bank accounts, network addresses and
// national numbers, in running text and in single values.
//
// One pass over the bytes looks for what may begin a value; a candidate is then
// read strictly and proved by what its kind offers: a list of top-level domains,
// a checksum, the lengths that a country assigns. Where a kind proves too little
// (a national number is a row of digits) a word nearby has to say what it is.
//
// Whatever a gate calls personal data without reason destroys an order number or
// is recorded against a person, so a doubt is settled by the context or not at
// all. Every step advances, looks back a bounded distance, and allocates
// nothing: what strangers send decides over neither time nor memory.
package detect
