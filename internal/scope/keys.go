package scope

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/store"
)

// The index's keys. People lie under store.Index (days) and store.Rollup
// (weeks and months), everything else under store.Scope with a second byte
// that says what it is.
//
//	'x' vendor(2) chunk(2) part(1) day(4)            -> page of a day
//	'r' vendor(2) chunk(2) part(1) level(1) index(4) -> page of a week or month
//
// A page is the people of one block (2^20 ordinals) or of one chunk of it
// (2^16); see page.go. The key of what concerns a whole block holds the block's
// first chunk. part says what lies there:
//
//	0 head: the page of the block, or that it is split into its chunks
//	1 page of a chunk
//	2 times of the block's page (days only)
//	3 times of a chunk's page (days only)
//
// so that a question about one vendor is one read forward, block by block and
// in it chunk by chunk.
//
//	'k' 'd' vendor(2) day(4) pathway(4)             -> tally of that day
//	'k' 't' vendor(2) day(4) pathway(4) slice(1)    -> tally of half an hour of it
//	'k' 'v' vendor(2)                               -> how far the roll-up of everybody goes
//	'k' 'r' vendor(2) level(1) index(4)             -> blocks of that roll-up that are done
//	'k' 'n' kind(1) id(4)                           -> name: vendor or pathway
//	'k' 'n' kind(1) vendor(2) id(4)                 -> name: set of a vendor
//	'k' 'o' entry(8)                                -> open intent: no outcome yet
//	'k' 'c' entry(8)                                -> coverage event
//	'k' 's' entry(8)                                -> statement
//	'k' 'e' day(4)                                  -> digest of a sealed day
//	'k' 'w'                                         -> the index is being thrown away but for sealed days
//	'k' 'p'                                         -> position: all of this is true up to entry
const (
	keyTally     = 'd'
	keySlice     = 't'
	keyRolled    = 'r'
	keyEver      = 'v'
	keyName      = 'n'
	keyOpen      = 'o'
	keyCoverage  = 'c'
	keyStatement = 's'
	keySealed    = 'e'
	keyWiping    = 'w'
	keyPosition  = 'p'
)

const (
	chunkBits = 16
	blockBits = 20
	perBlock  = 1 << (blockBits - chunkBits) // chunks in a block
)

// The parts of a block or chunk, as in keys.
const (
	partHead byte = iota
	partPage
	partBlockTimes
	partPageTimes
)

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

// halfHours is how many parts a day has: half hours. Where a question's bound
// falls within a day, only the one it falls into is read from the journal.
const halfHours = 48

const sliceLength = 24 * time.Hour / halfHours

// sliceOf is the day and the half hour of an instant in nanoseconds since 1970.
func sliceOf(at int64) (day, uint8) {
	n := floorDiv(at, int64(sliceLength))
	d := floorDiv(n, halfHours)
	return day(d), uint8(n - d*halfHours)
}

type (
	vendorID  uint16
	pathwayID uint32
	setID     uint32
	wayID     uint16 // a pathway among those of its vendor
)

// period is a day (level 0) or what days are rolled up to.
type period struct {
	level uint8
	index int32
}

const (
	levelDay uint8 = iota
	levelWeek
	levelMonth
)

// spans are the lengths of the levels in days. Weeks begin on Mondays. A month
// is four of them: they nest, and no question depends on where months begin.
var spans = [3]int32{1, 7, 28}

const monday = 3 // 1969-12-29 was one; the days of a week are -3 … 3

func (p period) first() day {
	if p.level == levelDay {
		return day(p.index)
	}
	return day(p.index*spans[p.level] - monday)
}

func (p period) last() day { return p.first() + day(spans[p.level]) - 1 }

func (d day) in(level uint8) period {
	if level == levelDay {
		return period{levelDay, int32(d)}
	}
	return period{level, int32(floorDiv(int64(d)+monday, int64(spans[level])))}
}

// sortable maps a signed number onto an unsigned one that keeps the order.
func sortable(d int32) uint32 { return uint32(d) ^ 1<<31 }

func split(o exposure.Ordinal) (chunk uint16, low uint16) {
	return uint16(o >> chunkBits), uint16(o)
}

// pageKey is the key of a part of a period's page of a chunk or a block.
func pageKey(buf []byte, v vendorID, chunk uint16, part byte, p period) []byte {
	space := store.Index
	if p.level != levelDay {
		space = store.Rollup
	}
	buf = append(buf[:0], space)
	buf = binary.BigEndian.AppendUint16(buf, uint16(v))
	buf = binary.BigEndian.AppendUint16(buf, chunk)
	buf = append(buf, part)
	if p.level != levelDay {
		buf = append(buf, p.level)
	}
	return binary.BigEndian.AppendUint32(buf, sortable(p.index))
}

func parsePageKey(key []byte) (v vendorID, chunk uint16, part byte, p period, err error) {
	switch {
	case len(key) == 10 && key[0] == store.Index:
	case len(key) == 11 && key[0] == store.Rollup:
		p.level = key[6]
	default:
		return 0, 0, 0, p, fmt.Errorf("a key of the scope index has the wrong shape (%d bytes)", len(key))
	}
	p.index = int32(binary.BigEndian.Uint32(key[len(key)-4:]) ^ 1<<31)
	return vendorID(binary.BigEndian.Uint16(key[1:])), binary.BigEndian.Uint16(key[3:]), key[5], p, nil
}

// spaceOf is a vendor's part of store.Index or store.Rollup.
func spaceOf(space byte, v vendorID) (lower, upper []byte) {
	lower = binary.BigEndian.AppendUint16([]byte{space}, uint16(v))
	return lower, after(lower)
}

// tallyAt names the tally of a day.
type tallyAt struct {
	day     day
	pathway pathwayID
}

// sliceAt names the tally of a half hour.
type sliceAt struct {
	tallyAt
	slice uint8
}

func tallyKey(v vendorID, t tallyAt) []byte {
	buf := []byte{store.Scope, keyTally}
	buf = binary.BigEndian.AppendUint16(buf, uint16(v))
	buf = binary.BigEndian.AppendUint32(buf, sortable(int32(t.day)))
	return binary.BigEndian.AppendUint32(buf, uint32(t.pathway))
}

func sliceKey(v vendorID, t sliceAt) []byte {
	buf := tallyKey(v, t.tallyAt)
	buf[1] = keySlice
	return append(buf, t.slice)
}

// parseTallyKey reads both kinds.
func parseTallyKey(key []byte) (vendorID, sliceAt, error) {
	if len(key) < 2 || len(key) != 12 && key[1] == keyTally || len(key) != 13 && key[1] == keySlice {
		return 0, sliceAt{}, fmt.Errorf("a key of the scope index's tallies has the wrong shape (%d bytes)", len(key))
	}
	at := sliceAt{tallyAt: tallyAt{
		day:     day(binary.BigEndian.Uint32(key[4:]) ^ 1<<31),
		pathway: pathwayID(binary.BigEndian.Uint32(key[8:])),
	}}
	if key[1] == keySlice {
		at.slice = key[12]
	}
	return vendorID(binary.BigEndian.Uint16(key[2:])), at, nil
}

func rolledKey(v vendorID, p period) []byte {
	buf := []byte{store.Scope, keyRolled}
	buf = binary.BigEndian.AppendUint16(buf, uint16(v))
	buf = append(buf, p.level)
	return binary.BigEndian.AppendUint32(buf, sortable(p.index))
}

func sealedKey(d day) []byte {
	return binary.BigEndian.AppendUint32([]byte{store.Scope, keySealed}, sortable(int32(d)))
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

// entryOf is the entry number of a key that entryKey made.
func entryOf(key []byte) (uint64, error) {
	if len(key) != 2+8 {
		return 0, fmt.Errorf("a key of the scope index has the wrong shape (%d bytes)", len(key))
	}
	return binary.BigEndian.Uint64(key[2:]), nil
}
