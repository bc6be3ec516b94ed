package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"

	"cordon/internal/exposure"
)

// Ordinals are handed out by a keyed permutation inside blocks of 2^20, so
// that neither their value nor their order says who came first, while a ledger
// of a few people keeps them small (three bytes) and dense.
const (
	blockBits = 20
	halfBits  = blockBits / 2
	halfMask  = 1<<halfBits - 1
	rounds    = 6 // a Feistel network of four is a strong pseudo-random permutation (Luby and Rackoff); two more for the small halves
)

var errOrdinalsUsedUp = errors.New("all 4,294,967,295 ordinals are handed out")

type permutation struct{ prf cipher.Block }

func newPermutation(key [32]byte) permutation {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	return permutation{block}
}

// next hands out the ordinal after the first *used ones and counts it.
// The one place in the first block that would give Nobody is passed over.
func (p permutation) next(used *uint64) (exposure.Ordinal, error) {
	for {
		if *used >= 1<<32 {
			return exposure.Nobody, errOrdinalsUsedUp
		}
		o := p.at(*used)
		*used++
		if o != exposure.Nobody {
			return o, nil
		}
	}
}

func (p permutation) at(n uint64) exposure.Ordinal {
	block := uint32(n >> blockBits)
	left, right := uint32(n)>>halfBits&halfMask, uint32(n)&halfMask
	var in, out [aes.BlockSize]byte
	binary.BigEndian.PutUint32(in[:], block)
	for round := range rounds {
		in[4] = byte(round)
		binary.BigEndian.PutUint32(in[8:], right)
		p.prf.Encrypt(out[:], in[:])
		left, right = right, left^binary.BigEndian.Uint32(out[:])&halfMask
	}
	return exposure.Ordinal(block<<blockBits | left<<halfBits | right)
}
