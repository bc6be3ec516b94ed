package ledger

import (
	"encoding/binary"

	"github.com/dchest/siphash"

	"cordon/internal/exposure"
)

// wordKey is the key under which words of the directory are hashed. It is
// derived, never stored, and unlike the key of identifiers.
type wordKey struct{ k0, k1 uint64 }

func newWordKey(secret [32]byte) wordKey {
	key := deriveKey(secret, "known values")
	return wordKey{binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint64(key[8:])}
}

// Hash is the keyed hash of normalised words joined by one blank: SipHash-2-4.
// Sixty-four bits are enough to find a value in the messages of one person;
// without the key they can be neither computed nor guessed from.
func (l *Ledger) Hash(words string) uint64 {
	return siphash.Hash(l.words.k0, l.words.k1, []byte(words))
}

// Knows reports whether somebody in the directory has the identifier.
func (l *Ledger) Knows(id exposure.Identifier) bool {
	o, known, err := l.Lookup(id)
	if err != nil || !known {
		return false
	}
	row, known, err := l.personRow(o)
	return err == nil && known && row.inDirectory
}
