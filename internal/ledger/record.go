package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"

	"cordon/evidence"
	"cordon/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

// record is a batch as the store keeps it, under its number. Of the header it
// holds only what cannot be computed: the gateway follows from the origin, the
// previous hash stands in the record before, the root follows from the
// entries. The leaf hash is kept although it could be computed too: it cuts
// the chain of hashes, so that one batch can be checked without all earlier
// ones, and it is level 0 of the tree.
//
//	version 1 | leaf hash (32) | seed (16) | first | count | start (zigzag ms) | end-start | entries
type record struct {
	leaf       tlog.Hash
	seed       [evidence.SaltSize]byte
	first      uint64
	count      uint32
	start, end int64
	body       []byte // entries one after the other; aliases the store's memory
}

const recordVersion = 1

func journalKey(batch uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{store.Journal}, batch)
}

// appendPrefix appends everything before the entries.
func (r *record) appendPrefix(b []byte) []byte {
	b = append(b, recordVersion)
	b = append(b, r.leaf[:]...)
	b = append(b, r.seed[:]...)
	b = binary.AppendUvarint(b, r.first)
	b = binary.AppendUvarint(b, uint64(r.count))
	b = binary.AppendVarint(b, r.start)
	return binary.AppendUvarint(b, uint64(r.end-r.start))
}

func parseRecord(b []byte) (r record, err error) {
	const fixed = 1 + tlog.HashSize + evidence.SaltSize
	if len(b) < fixed || b[0] != recordVersion {
		return r, errors.New("batch record is cut short or of an unknown version")
	}
	copy(r.leaf[:], b[1:])
	copy(r.seed[:], b[1+tlog.HashSize:])
	b = b[fixed:]
	var bad bool
	uvarint := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			bad, n = true, 0
		}
		b = b[n:]
		return v
	}
	r.first = uvarint()
	count := uvarint()
	start, n := binary.Varint(b)
	if n <= 0 {
		bad, n = true, 0
	}
	b = b[n:]
	r.start = start
	r.end = start + int64(uvarint())
	if bad || count == 0 || count > uint64(len(b)) || r.first == 0 || r.end < r.start {
		return r, errors.New("batch record is damaged")
	}
	r.count, r.body = uint32(count), b
	return r, nil
}

// each calls f with every entry's bytes and decoded form, i counting from 0.
func (r *record) each(f func(i uint32, raw []byte, e *evidence.Entry) error) error {
	rest := r.body
	for i := range r.count {
		e, after, err := evidence.ParseEntry(rest, r.start)
		if err != nil {
			return fmt.Errorf("entry %d: %w", r.first+uint64(i), err)
		}
		if err := f(i, rest[:len(rest)-len(after)], &e); err != nil {
			return err
		}
		rest = after
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes after entry %d", len(rest), r.first+uint64(r.count)-1)
	}
	return nil
}

// leaves computes the leaf hashes of the entries in the batch's own tree.
func (r *record) leaves() ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, 0, r.count)
	err := r.each(func(i uint32, raw []byte, _ *evidence.Entry) error {
		hashes = append(hashes, evidence.EntryHash(evidence.Salt(r.seed, i), raw))
		return nil
	})
	return hashes, err
}

// header completes the header of the batch from its number and what is before it.
func (r *record) header(gateway [16]byte, batch uint64, previous tlog.Hash) (evidence.Header, error) {
	leaves, err := r.leaves()
	if err != nil {
		return evidence.Header{}, err
	}
	return evidence.Header{
		Gateway: gateway, Batch: batch, Previous: previous,
		First: r.first, Count: r.count, Start: r.start, End: r.end,
		Root: evidence.Root(leaves),
	}, nil
}
