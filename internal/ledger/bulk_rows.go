package ledger

import (
	"encoding/binary"
	"errors"

	"cordon/internal/exposure"
)

// What an import sets aside.

// tuple is one identifier of one person of the file.
//
//	hash (12) | ordinal (4) | place among the person's (1) | kind and marks (1) |
//	number of the row (4), only with tupleKnown | digest of the row (8), only of the directory's own id, whose place is 0
type tuple struct {
	key     uint64 // the first eight bytes of the hash
	rest    uint32 // the last four
	ordinal exposure.Ordinal
	digest  uint64
	row     uint32
	place   uint8
	kind    uint8
}

const (
	tupleForm  = 0x80 // a hash under which vendors know the identifier before it
	tupleKnown = 0x40 // the person was in the base before
	tupleKind  = 0x3f
)

func (t *tuple) hash() (h idHash) {
	binary.BigEndian.PutUint64(h[:], t.key)
	binary.BigEndian.PutUint32(h[8:], t.rest)
	return h
}

func appendTuple(b []byte, h *idHash, o exposure.Ordinal, place, kind uint8, row uint32, digest uint64) []byte {
	b = append(b, h[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(o))
	b = append(b, place, kind)
	if kind&tupleKnown != 0 {
		b = binary.BigEndian.AppendUint32(b, row)
	}
	if place == 0 {
		b = binary.BigEndian.AppendUint64(b, digest)
	}
	return b
}

var errRunDamaged = errors.New("rows of the import are damaged; import again")

func readTuple(b []byte) (t tuple, rest []byte, err error) {
	if len(b) < 18 {
		return t, nil, errRunDamaged
	}
	t.key, t.rest = binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])
	t.ordinal = exposure.Ordinal(binary.BigEndian.Uint32(b[12:]))
	t.place, t.kind = b[16], b[17]
	if b = b[18:]; t.kind&tupleKnown != 0 {
		if len(b) < 4 {
			return t, nil, errRunDamaged
		}
		t.row, b = binary.BigEndian.Uint32(b), b[4:]
	}
	if t.place == 0 {
		if len(b) < 8 {
			return t, nil, errRunDamaged
		}
		t.digest, b = binary.BigEndian.Uint64(b), b[8:]
	}
	return t, b, nil
}

// runRow is one person of the file, without the identifiers.
//
//	length of all after it (2) | ordinal (4) | row (4) | line (8) | flags (1: known) | country (1) state (2) language (1) minor (2) |
//	length of the sealed id (2), sealed id | needles, to the end
type runRow struct {
	ordinal exposure.Ordinal
	row     uint32
	line    uint64
	known   bool   // was in the base before
	digest  uint64 // not kept in the row, but in the tuple of its own id
	basePerson
}

const runRowFixed = 4 + 4 + 8 + 1 + 6 + 2

func (r *runRow) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(runRowFixed+len(r.sealed)+len(r.needles)))
	b = binary.BigEndian.AppendUint32(b, uint32(r.ordinal))
	b = binary.BigEndian.AppendUint32(b, r.row)
	b = binary.BigEndian.AppendUint64(b, r.line)
	flags := byte(0)
	if r.known {
		flags = 1
	}
	b = append(b, flags)
	b = append(b, r.country)
	b = binary.BigEndian.AppendUint16(b, r.state)
	b = append(b, r.language)
	b = binary.BigEndian.AppendUint16(b, r.minorUntil)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.sealed)))
	b = append(b, r.sealed...)
	return append(b, r.needles...)
}

// readRunRow does not copy: sealed and needles lie in b.
func readRunRow(b []byte) (r runRow, rest []byte, err error) {
	if len(b) < 2+runRowFixed {
		return r, nil, errRunDamaged
	}
	n := int(binary.BigEndian.Uint16(b))
	if n < runRowFixed || len(b) < 2+n {
		return r, nil, errRunDamaged
	}
	b, rest = b[2:2+n], b[2+n:]
	r.ordinal = exposure.Ordinal(binary.BigEndian.Uint32(b))
	r.row, r.line, r.known = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint64(b[8:]), b[16]&1 != 0
	r.country, r.state, r.language, r.minorUntil = b[17], binary.BigEndian.Uint16(b[18:]), b[20], binary.BigEndian.Uint16(b[21:])
	s := int(binary.BigEndian.Uint16(b[23:]))
	if runRowFixed+s > n {
		return r, nil, errRunDamaged
	}
	r.sealed, r.needles = b[25:25+s], b[25+s:]
	r.inDirectory = true
	return r, rest, nil
}
