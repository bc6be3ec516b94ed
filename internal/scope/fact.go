package scope

import (
	"slices"
)

// fact is: so many messages of one vendor carried this set about this person
// this way in this half hour of a day. Vendor, day and block (the upper 12 bits
// of the ordinal) are known from where it lies. Facts sort as numbers, in the
// order in which pages hold them.
//
//	way 13 bits | set 11 | ordinal in the block 20 | slice 6 | messages 14
//
// A person's messages are counted with the first set that each carried about
// them and with 0 at its others, so that their sum is the number of messages.
// More than 14 bits hold are several facts.
type fact uint64

const (
	factWayBits   = 13
	factSetBits   = 11
	factSliceBits = 6
	factCountBits = 14

	factSliceShift = factCountBits
	factLowShift   = factSliceShift + factSliceBits
	factSetShift   = factLowShift + blockBits
	factWayShift   = factSetShift + factSetBits

	maxCount = 1<<factCountBits - 1
)

func factOf(w wayID, s setID, low uint32, slice uint8, count uint64) fact {
	return fact(w)<<factWayShift | fact(s)<<factSetShift | fact(low)<<factLowShift | fact(slice)<<factSliceShift | fact(count)
}

func (f fact) way() wayID    { return wayID(f >> factWayShift) }
func (f fact) set() setID    { return setID(f>>factSetShift) & (1<<factSetBits - 1) }
func (f fact) low() uint32   { return uint32(f>>factLowShift) & (1<<blockBits - 1) }
func (f fact) slice() uint8  { return uint8(f>>factSliceShift) & (1<<factSliceBits - 1) }
func (f fact) count() uint64 { return uint64(f) & maxCount }

// chunk is the number of the chunk in its block.
func (f fact) chunk() int { return int(f >> (factLowShift + chunkBits) & (perBlock - 1)) }

// group is way and set.
func (f fact) group() uint32 { return uint32(f >> factSetShift) }

// who is the fact without time and number: the same for the same person, set and way.
func (f fact) who() fact { return f >> factLowShift << factLowShift }

// tidy sorts facts in place and merges those that differ in number only.
func tidy(facts []fact) []fact {
	slices.Sort(facts)
	out := facts[:0]
	for _, f := range facts {
		if n := len(out); n > 0 && out[n-1]>>factCountBits == f>>factCountBits {
			sum := out[n-1].count() + f.count()
			if sum <= maxCount {
				out[n-1] = out[n-1]&^maxCount | fact(sum)
				continue
			}
			out[n-1] |= maxCount
			f = f&^maxCount | fact(sum-maxCount)
		}
		out = append(out, f)
	}
	return out
}

// merge is tidy of two lists that are tidy.
func merge(a, b []fact) []fact {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	return tidy(append(append(make([]fact, 0, len(a)+len(b)), a...), b...))
}

// persons counts what a page of tidy facts holds: person, set and way, each once.
func persons(facts []fact) int {
	n := 0
	for i, f := range facts {
		if i == 0 || facts[i-1].who() != f.who() {
			n++
		}
	}
	return n
}

// timeless are tidy facts without half hour and number, as roll-ups hold them.
func timeless(facts []fact) []fact {
	out := make([]fact, 0, len(facts))
	for _, f := range facts {
		if f = f.who(); len(out) == 0 || out[len(out)-1] != f {
			out = append(out, f)
		}
	}
	return out
}

// byChunk parts a block's facts.
func byChunk(facts []fact) (parts [perBlock][]fact) {
	var n [perBlock]int
	for _, f := range facts {
		n[f.chunk()]++
	}
	for i := range parts {
		if n[i] > 0 {
			parts[i] = make([]fact, 0, n[i])
		}
	}
	for _, f := range facts {
		parts[f.chunk()] = append(parts[f.chunk()], f)
	}
	return parts
}
