package scope

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/store"
)

// The index's keys. Everything that counts people lies under store.Index,
// everything else under store.Scope with a second byte that says what it is.
//
//	'x' vendor(2) chunk(2) day(4) pathway(4) set(4) -> roaring bitmap of the low 16 bits
//	'k' 'd' vendor(2) day(4) pathway(4)             -> tally of that day
//	'k' 'n' kind(1) id(4)                           -> name: vendor or pathway
//	'k' 'n' kind(1) vendor(2) id(4)                 -> name: set of a vendor
//	'k' 'o' entry(8)                                -> open intent: no outcome yet
//	'k' 'c' entry(8)                                -> coverage event
//	'k' 's' entry(8)                                -> statement
//	'k' 'p'                                         -> position: all of this is true up to entry
const (
	keyTally     = 'd'
	keyName      = 'n'
	keyOpen      = 'o'
	keyCoverage  = 'c'
	keyStatement = 's'
	keyPosition  = 'p'
)

// chunkBits is the size of a chunk: its bitmaps hold one roaring container.
const chunkBits = 16

// day is a UTC day, counted from 1970-01-01; negative before.
type day int32

func dayOf(at time.Time) day { return day(floorDiv(at.Unix(), 86400)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

type (
	vendorID  uint16
	pathwayID uint32
	setID     uint32
)

// cell names one bitmap: the people of one chunk about whom exactly this set
// went this way on this day.
type cell struct {
	chunk   uint16
	day     day
	pathway pathwayID
	set     setID
}

// sortable maps a day onto an unsigned number that keeps the order.
func sortable(d day) uint32 { return uint32(d) ^ 1<<31 }

func cellKey(buf []byte, v vendorID, c cell) []byte {
	buf = append(buf[:0], store.Index)
	buf = binary.BigEndian.AppendUint16(buf, uint16(v))
	buf = binary.BigEndian.AppendUint16(buf, c.chunk)
	buf = binary.BigEndian.AppendUint32(buf, sortable(c.day))
	buf = binary.BigEndian.AppendUint32(buf, uint32(c.pathway))
	return binary.BigEndian.AppendUint32(buf, uint32(c.set))
}

const cellKeyLen = 1 + 2 + 2 + 4 + 4 + 4

func parseCellKey(key []byte) (vendorID, cell, error) {
	if len(key) != cellKeyLen || key[0] != store.Index {
		return 0, cell{}, fmt.Errorf("a key of the scope index has the wrong shape (%d bytes)", len(key))
	}
	return vendorID(binary.BigEndian.Uint16(key[1:])), cell{
		chunk:   binary.BigEndian.Uint16(key[3:]),
		day:     day(binary.BigEndian.Uint32(key[5:]) ^ 1<<31),
		pathway: pathwayID(binary.BigEndian.Uint32(key[9:])),
		set:     setID(binary.BigEndian.Uint32(key[13:])),
	}, nil
}

// chunkStart is the first key of a vendor's chunk. With chunk 1<<16 it is the
// end of the vendor.
func chunkStart(v vendorID, chunk uint32) []byte {
	n := uint64(v)<<chunkBits + uint64(chunk)
	return []byte{store.Index, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

// dayStart is the first key of one day of a vendor's chunk.
func dayStart(v vendorID, chunk uint16, d day) []byte {
	return binary.BigEndian.AppendUint32(chunkStart(v, uint32(chunk)), sortable(d))
}

// tallyAt names one tally.
type tallyAt struct {
	day     day
	pathway pathwayID
}

func tallyKey(v vendorID, t tallyAt) []byte {
	buf := []byte{store.Scope, keyTally}
	buf = binary.BigEndian.AppendUint16(buf, uint16(v))
	buf = binary.BigEndian.AppendUint32(buf, sortable(t.day))
	return binary.BigEndian.AppendUint32(buf, uint32(t.pathway))
}

func parseTallyKey(key []byte) (tallyAt, error) {
	if len(key) != 2+2+4+4 {
		return tallyAt{}, fmt.Errorf("a key of the scope index's tallies has the wrong shape (%d bytes)", len(key))
	}
	return tallyAt{
		day:     day(binary.BigEndian.Uint32(key[4:]) ^ 1<<31),
		pathway: pathwayID(binary.BigEndian.Uint32(key[8:])),
	}, nil
}

func entryKey(what byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{store.Scope, what}, seq)
}

// after is the first key behind all that begin with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return []byte{math.MaxUint8}
}

func split(o exposure.Ordinal) (chunk uint16, low uint32) {
	return uint16(o >> chunkBits), uint32(o) & (1<<chunkBits - 1)
}

// entryOf is the entry number of a key that entryKey made.
func entryOf(key []byte) (uint64, error) {
	if len(key) != 2+8 {
		return 0, fmt.Errorf("a key of the scope index has the wrong shape (%d bytes)", len(key))
	}
	return binary.BigEndian.Uint64(key[2:]), nil
}
