package isolate

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"

	"cordon/internal/exposure"
)

// A gate word is what one atomic load answers: epoch (32 bits), state (8
// bits), check (24 bits). The check covers the vendor's name and the slot's
// key too, so that a flipped bit, a torn page and a file copied from another
// vendor are all noticed.
type word uint64

// The stored codes differ from each other and from zero in four bits or more.
var stateCodes = [...]byte{Cut: 0xC3, Held: 0xA5, Open: 0x5A}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// makeWord packs a state. The seed comes from slotSeed.
func makeWord(seed uint32, epoch uint32, s State) word {
	code := stateCodes[s]
	return word(uint64(epoch)<<32 | uint64(code)<<24 | uint64(checkBits(seed, epoch, code)))
}

// read unpacks a word; ok is false when its check does not hold, and the
// state is then Cut.
func (w word) read(seed uint32) (s State, epoch uint32, ok bool) {
	epoch, code := uint32(w>>32), byte(w>>24)
	if uint32(w)&0xFFFFFF != checkBits(seed, epoch, code) {
		return Cut, epoch, false
	}
	for s, c := range stateCodes {
		if c == code {
			return State(s), epoch, true
		}
	}
	return Cut, epoch, false
}

// checkBits is a CRC-32C cut to 24 bits, written out because the hot path must
// not allocate. word_test.go shows that every single flipped bit changes it.
func checkBits(seed, epoch uint32, code byte) uint32 {
	crc := ^seed
	for _, b := range [5]byte{byte(epoch >> 24), byte(epoch >> 16), byte(epoch >> 8), byte(epoch), code} {
		crc = castagnoli[byte(crc)^b] ^ crc>>8
	}
	return ^crc & 0xFFFFFF
}

// slotSeed binds a word to its vendor and its place.
func slotSeed(vendor exposure.VendorID, key uint64) uint32 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], key)
	return crc32.Update(crc32.Checksum([]byte(vendor), castagnoli), castagnoli, b[:])
}

// vendorKey stands in slot 0 and is the file's magic: "CRDNGAT1".
const vendorKey = 0x3154_4147_4e44_5243

// routeKey names a route's slot. The name itself is not written: slots have a
// fixed size. Zero means free.
func routeKey(route string) uint64 {
	if route == "" {
		return vendorKey
	}
	sum := sha256.Sum256([]byte(route))
	return binary.LittleEndian.Uint64(sum[:8]) | 1
}
