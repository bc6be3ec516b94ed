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
//	version 2 | form | leaf hash (32) | first | count | start (zigzag ms) | end-start | …
//
// What follows depends on the form:
//
//	clear   (1): seed (16) | entries
//	sealed  (2): days from start to the key's | clear entries | sealed seed, disclosures and outcomes
//	expired (3): days from start to the key's | root (32) | the clear entries that are left, with their proofs
//
// Events and definitions never hold a personal value and stay readable when
// the rest of their day is gone; see seal and expire. The hashes are over the
// entries as package evidence has them, so that neither sealing nor expiring
// changes the tree. All entries of a batch are of one UTC day, the start's.
type record struct {
	leaf       tlog.Hash
	first      uint64
	count      uint32
	start, end int64
	form       byte
	rest       []byte // behind the prefix; aliases the store's memory

	// What openRecord adds.
	seed    [evidence.SaltSize]byte
	body    []byte // entries one after the other; nil when the day has expired
	day     int64  // whose key it is under; unless it is in the clear
	expired bool   // only clear entries are there, or are to be shown
	root    tlog.Hash
	kept    []keptEntry
}

const recordVersion = 2

const (
	formClear   = 1
	formSealed  = 2
	formExpired = 3
)

func journalKey(batch uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{store.Journal}, batch)
}

// last is the number of the last entry.
func (r *record) last() uint64 { return r.first + uint64(r.count) - 1 }

// appendPrefix appends everything before the form's own part.
func (r *record) appendPrefix(b []byte) []byte {
	b = append(b, recordVersion, r.form)
	b = append(b, r.leaf[:]...)
	b = binary.AppendUvarint(b, r.first)
	b = binary.AppendUvarint(b, uint64(r.count))
	b = binary.AppendVarint(b, r.start)
	return binary.AppendUvarint(b, uint64(r.end-r.start))
}

// parseRecord reads the prefix alone; openRecord reads the entries too.
func parseRecord(b []byte) (r record, err error) {
	const fixed = 2 + tlog.HashSize
	if len(b) < fixed || b[0] != recordVersion || b[1] < formClear || b[1] > formExpired {
		return r, errors.New("batch record is cut short or of an unknown version")
	}
	r.form = b[1]
	copy(r.leaf[:], b[2:])
	n := fieldReader{b: b[fixed:]}
	r.first = n.uvarint()
	count := n.uvarint()
	r.start = n.varint()
	r.end = r.start + int64(n.uvarint())
	if n.bad || count == 0 || count > 1<<32-1 || r.first == 0 || r.end < r.start {
		return r, errDamagedRecord
	}
	r.count, r.rest = uint32(count), n.b
	return r, nil
}

var errDamagedRecord = errors.New("batch record is damaged")

// each calls f with the bytes and the decoded form of every entry that can be
// read, i counting from 0: all of them, or of an expired batch the clear ones.
func (r *record) each(f func(i uint32, raw []byte, e *evidence.Entry) error) error {
	for k := range r.kept {
		e, after, err := evidence.ParseEntry(r.kept[k].raw, r.start)
		if err == nil && len(after) > 0 {
			err = errDamagedRecord
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", r.first+uint64(r.kept[k].index), err)
		}
		if err := f(r.kept[k].index, r.kept[k].raw, &e); err != nil {
			return err
		}
	}
	if r.form == formExpired {
		return nil
	}
	return r.eachOf(func(i uint32, raw []byte, e *evidence.Entry) error {
		if r.expired && !clearKind(e.Kind) {
			return nil
		}
		return f(i, raw, e)
	})
}

// eachOf calls f with every entry of the body.
func (r *record) eachOf(f func(i uint32, raw []byte, e *evidence.Entry) error) error {
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
		return fmt.Errorf("%d bytes after entry %d", len(rest), r.last())
	}
	return nil
}

// leaves computes the leaf hashes of the entries in the batch's own tree. Of
// a batch that was rewritten they are gone.
func (r *record) leaves() ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, 0, r.count)
	err := r.eachOf(func(i uint32, raw []byte, _ *evidence.Entry) error {
		hashes = append(hashes, evidence.EntryHash(evidence.Salt(r.seed, i), raw))
		return nil
	})
	return hashes, err
}

// header completes the header of the batch from its number and what is before
// it. Of a batch that was rewritten it is the kept root, under which each
// entry that is left must be.
func (r *record) header(gateway [16]byte, batch uint64, previous tlog.Hash) (evidence.Header, error) {
	h := evidence.Header{
		Gateway: gateway, Batch: batch, Previous: previous,
		First: r.first, Count: r.count, Start: r.start, End: r.end,
	}
	if r.form == formExpired {
		h.Root = r.root
		return h, r.checkKept()
	}
	leaves, err := r.leaves()
	if err != nil {
		return evidence.Header{}, err
	}
	h.Root = evidence.Root(leaves)
	return h, nil
}

// clearKind says which entries stand in the clear: they never hold a person's value.
func clearKind(k evidence.Kind) bool { return k == evidence.Event || k == evidence.Definition }

// fieldReader reads varints and remembers the first failure.
type fieldReader struct {
	b   []byte
	bad bool
}

func (n *fieldReader) uvarint() uint64 {
	v, size := binary.Uvarint(n.b)
	if size <= 0 {
		n.bad, n.b = true, nil
		return 0
	}
	n.b = n.b[size:]
	return v
}

func (n *fieldReader) varint() int64 {
	v, size := binary.Varint(n.b)
	if size <= 0 {
		n.bad, n.b = true, nil
		return 0
	}
	n.b = n.b[size:]
	return v
}

// bytes takes a number of bytes; it aliases what it reads from.
func (n *fieldReader) bytes(size uint64) []byte {
	if size > uint64(len(n.b)) {
		n.bad, n.b = true, nil
		return nil
	}
	v := n.b[:size:size]
	n.b = n.b[size:]
	return v
}
