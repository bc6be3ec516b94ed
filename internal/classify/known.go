package classify

import (
	"cordon/internal/detect"
	"cordon/internal/exposure"
)

// Known is what the directory knows: the ledger is one (keyed hashes), a file in
// memory another.
type Known interface {
	// Needles appends what to look for in messages about the person whom the
	// identifiers name; nothing when that is nobody known.
	Needles(ids []exposure.Identifier, dst []Needle) []Needle
	// Hash is keyed; words are normalised and joined by one blank.
	Hash(words string) uint64
	// Knows reports whether somebody in the directory has the identifier.
	Knows(id exposure.Identifier) bool
}

// Needle is one known value, hashed.
type Needle struct {
	Hash     uint64
	Words    uint8
	Category exposure.Category
}

// NeedlesOf gives what to look for of one value of the directory: its words, in
// order, joined by one blank.
func NeedlesOf(c exposure.Category, value string, hash func(words string) uint64) []Needle {
	var all []byte
	n := 0
	detect.Words(value, func(word string, _, _ int) bool {
		if n++; n > 1 {
			all = append(all, ' ')
		}
		all = append(all, word...)
		return n < 255
	})
	if n == 0 {
		return nil
	}
	return []Needle{{Hash: hash(string(all)), Words: uint8(n), Category: c}}
}
