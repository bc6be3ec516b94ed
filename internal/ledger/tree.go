package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"cordon/evidence"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/mod/sumdb/tlog"
)

// tileHeight is the number of levels between stored hashes, as in C2SP
// tlog-tiles: leaves lie in the journal, then one hash for each full 256
// leaves, one for each full 256 of those, and so on.
const tileHeight = 8

func treeKey(level int, index uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{store.Tree, byte(level)}, index)
}

// edge is the right edge of the tree: for each bit set in size, the hash of
// the full subtree of that many leaves, so that a leaf is added without reading.
type edge struct {
	size   uint64
	hashes [64]tlog.Hash // by level; valid where size has the bit
	last   tlog.Hash     // the last leaf
}

// add adds a leaf. full is called for each subtree that this completes and
// whose hash is to be stored.
func (e *edge) add(leaf tlog.Hash, full func(level int, index uint64, h tlog.Hash) error) error {
	e.last = leaf
	h := leaf
	level := 0
	for n := e.size; n&1 == 1; n >>= 1 {
		h = tlog.NodeHash(e.hashes[level], h)
		level++
		if level%tileHeight == 0 && full != nil {
			if err := full(level, n>>1, h); err != nil {
				return err
			}
		}
	}
	e.hashes[level] = h
	e.size++
	return nil
}

// root is the root over all leaves. An empty tree has the hash of nothing.
func (e *edge) root() tlog.Hash {
	if e.size == 0 {
		h, _ := tlog.TreeHash(0, nil)
		return h
	}
	level := bits.TrailingZeros64(e.size)
	h := e.hashes[level]
	for level++; level < 64; level++ {
		if e.size>>level&1 == 1 {
			h = tlog.NodeHash(e.hashes[level], h)
		}
	}
	return h
}

// loadEdge reads the right edge of a tree of that size from the store.
func loadEdge(db pebble.Reader, size uint64) (edge, error) {
	e := edge{size: size}
	t := treeReader{db}
	for level := range 64 {
		if size>>level&1 == 1 {
			h, err := t.hash(level, size>>level-1)
			if err != nil {
				return e, err
			}
			e.hashes[level] = h
		}
	}
	if size > 0 {
		var err error
		if e.last, err = t.hash(0, size-1); err != nil {
			return e, err
		}
	}
	return e, nil
}

// treeReader reads any hash of the tree, computing those that are not stored.
// It is the tlog.HashReader from which proofs are made.
type treeReader struct{ db pebble.Reader }

func (t treeReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		h, err := t.hash(level, uint64(n))
		if err != nil {
			return nil, err
		}
		hashes[i] = h
	}
	return hashes, nil
}

// hash is the hash of the full subtree number index at the level. What is not
// stored is made of at most 128 hashes of the stored level below.
func (t treeReader) hash(level int, index uint64) (tlog.Hash, error) {
	base := level - level%tileHeight
	width := uint64(1) << (level - base)
	hashes := make([]tlog.Hash, 0, width)
	for n := index * width; n < (index+1)*width; n++ {
		var h tlog.Hash
		err := view(t.db, t.key(base, n), func(v []byte) error {
			if base > 0 {
				if len(v) != tlog.HashSize {
					return errors.New("tree hash has not 32 bytes")
				}
				copy(h[:], v)
				return nil
			}
			r, err := parseRecord(v)
			h = r.leaf
			return err
		})
		switch {
		case errors.Is(err, pebble.ErrNotFound) && base == 0:
			return h, fmt.Errorf("batch %d is missing", n)
		case errors.Is(err, pebble.ErrNotFound):
			return h, fmt.Errorf("the tree's hash over batches %d to %d is missing", n<<base, (n+1)<<base-1)
		case err != nil:
			return h, fmt.Errorf("reading the tree at level %d, %d: %w", base, n, err)
		}
		hashes = append(hashes, h)
	}
	return evidence.Root(hashes), nil
}

func (t treeReader) key(base int, n uint64) []byte {
	if base == 0 {
		return journalKey(n)
	}
	return treeKey(base, n)
}

// view calls f with the value under key, which is valid only inside f.
func view(db pebble.Reader, key []byte, f func(value []byte) error) error {
	v, closer, err := db.Get(key)
	if err != nil {
		return err
	}
	defer closer.Close()
	return f(v)
}
