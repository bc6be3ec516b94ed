package ledger

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"

	"github.com/dchest/siphash"

	"cordon/internal/exposure"
)

// idHasher hashes as hasher does, for one goroutine and without allocating.
type idHasher struct {
	mac hash.Hash
	buf []byte
	sum [sha256.Size]byte
}

func newIDHasher(secret [32]byte) *idHasher {
	key := deriveKey(secret, "identifiers")
	return &idHasher{mac: hmac.New(sha256.New, key[:])}
}

func (h *idHasher) hash(kind exposure.Kind, vendor exposure.VendorID, value string) (out idHash) {
	h.buf = append(h.buf[:0], byte(kind), byte(len(vendor)))
	h.buf = append(h.buf, vendor...)
	h.buf = append(h.buf, value...)
	return h.done()
}

func (h *idHasher) done() (out idHash) {
	h.mac.Reset()
	h.mac.Write(h.buf)
	copy(out[:], h.mac.Sum(h.sum[:0]))
	return out
}

func (h *idHasher) hex(kind exposure.Kind, digest []byte) idHash {
	h.buf = append(h.buf[:0], byte(kind), 0)
	h.buf = hex.AppendEncode(h.buf, digest)
	return h.done()
}

// forms calls yield with the hash of each of exposure.Identifier.Hashes.
func (h *idHasher) forms(id *exposure.Identifier, yield func(exposure.Kind, idHash)) {
	sha := func(kind exposure.Kind, value string) {
		h.buf = append(h.buf[:0], value...)
		sum := sha256.Sum256(h.buf)
		yield(kind, h.hex(kind, sum[:]))
	}
	switch id.Kind {
	case exposure.KindEmail:
		sha(exposure.KindEmailSHA256, id.Value)
		h.buf = append(h.buf[:0], id.Value...)
		sum := md5.Sum(h.buf)
		yield(exposure.KindEmailMD5, h.hex(exposure.KindEmailMD5, sum[:]))
	case exposure.KindPhone:
		if digits, ok := strings.CutPrefix(id.Value, "+"); ok {
			sha(exposure.KindPhoneSHA256, digits)
			sha(exposure.KindPhoneSHA256, id.Value)
		}
	}
}

// rowKey is the key of the digests of what an import said of a person.
func newRowKey(secret [32]byte) wordKey {
	key := deriveKey(secret, "directory rows")
	return wordKey{littleEndian64(key[:]), littleEndian64(key[8:])}
}

func littleEndian64(b []byte) (v uint64) {
	for i := range 8 {
		v |= uint64(b[i]) << (8 * i)
	}
	return v
}

// rowDigest is zero for no row at all.
func rowDigest(k wordKey, row []byte) uint64 { return max(1, siphash.Hash(k.k0, k.k1, row)) }
