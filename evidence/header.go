package evidence

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// HeaderSize is the length of an encoded header in bytes.
const HeaderSize = 117

const headerVersion = 1

// Header describes one batch; encoded, it is a leaf of the log.
type Header struct {
	Gateway    [16]byte
	Batch      uint64    // index of the leaf
	Previous   tlog.Hash // leaf hash of the header before
	First      uint64    // number of the first entry
	Count      uint32    // entries
	Start, End int64     // milliseconds since 1970 UTC
	Root       tlog.Hash // over the entries
}

// GatewayOf is the gateway id that belongs to a checkpoint's origin.
func GatewayOf(origin string) (id [16]byte) {
	h := sha256.Sum256([]byte("cordon gateway\n" + origin))
	copy(id[:], h[:])
	return id
}

// Append appends the encoded header to b.
func (h *Header) Append(b []byte) []byte {
	b = append(b, headerVersion)
	b = append(b, h.Gateway[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Batch)
	b = append(b, h.Previous[:]...)
	b = binary.BigEndian.AppendUint64(b, h.First)
	b = binary.BigEndian.AppendUint32(b, h.Count)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Start))
	b = binary.BigEndian.AppendUint64(b, uint64(h.End))
	return append(b, h.Root[:]...)
}

// LeafHash is the header's hash as a leaf of the log.
func (h *Header) LeafHash() tlog.Hash {
	var b [1 + HeaderSize]byte // RFC 6962: leaf prefix 00
	h.Append(b[:1])
	return sha256.Sum256(b[:])
}

// Holds reports whether entry seq is in the batch.
func (h *Header) Holds(seq uint64) bool {
	return seq >= h.First && seq-h.First < uint64(h.Count)
}

// ParseHeader decodes what Append wrote.
func ParseHeader(b []byte) (Header, error) {
	if len(b) != HeaderSize {
		return Header{}, fmt.Errorf("batch header has %d bytes, want %d", len(b), HeaderSize)
	}
	if b[0] != headerVersion {
		return Header{}, fmt.Errorf("batch header has version %d, this program knows %d", b[0], headerVersion)
	}
	h := Header{
		Gateway:  [16]byte(b[1:17]),
		Batch:    binary.BigEndian.Uint64(b[17:]),
		Previous: tlog.Hash(b[25:57]),
		First:    binary.BigEndian.Uint64(b[57:]),
		Count:    binary.BigEndian.Uint32(b[65:]),
		Start:    int64(binary.BigEndian.Uint64(b[69:])),
		End:      int64(binary.BigEndian.Uint64(b[77:])),
		Root:     tlog.Hash(b[85:]),
	}
	switch {
	case h.First == 0 || h.First+uint64(h.Count) < h.First:
		return Header{}, errors.New("batch header numbers its entries from 0 or past the end")
	case h.Count == 0:
		return Header{}, errors.New("batch header without entries")
	case h.End < h.Start:
		return Header{}, errors.New("batch header ends before it starts")
	}
	return h, nil
}
