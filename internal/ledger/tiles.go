package ledger

import (
	"encoding/binary"
	"fmt"

	"cordon/evidence"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/mod/sumdb/tlog"
)

// tiles is a tlog.HashReader over a tree of a fixed size that reads each tile,
// 256 hashes that lie side by side, once and by one iterator. A proof needs
// hashes of all levels between two stored ones: from single look-ups that is
// 255 of them, for every proof anew.
//
// The tree below a size never changes, so it needs no snapshot of the store.
// It is one goroutine's.
type tiles struct {
	db     pebble.Reader
	size   uint64 // leaves
	loaded map[tile][]tlog.Hash
	fold   []tlog.Hash // room for folding
}

// tile is so many hashes of a stored level, from index<<tileHeight on.
type tile struct {
	level int
	index uint64
}

const (
	tileWidth = 1 << tileHeight
	// keepTiles bounds the memory: 8 kB each.
	keepTiles = 512
)

func newTiles(db pebble.Reader, size uint64) *tiles {
	return &tiles{db: db, size: size, loaded: map[tile][]tlog.Hash{}}
}

func (t *tiles) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
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

// hash is the hash of the full subtree number index at the level.
func (t *tiles) hash(level int, index uint64) (tlog.Hash, error) {
	base := level - level%tileHeight
	shift := level - base
	first := index << shift
	stored, err := t.load(tile{base, first >> tileHeight})
	if err != nil {
		return tlog.Hash{}, err
	}
	from := int(first % tileWidth)
	to := from + 1<<shift
	if to > len(stored) {
		return tlog.Hash{}, fmt.Errorf("the tree of %d batches has no hash at level %d, %d", t.size, level, index)
	}
	t.fold = append(t.fold[:0], stored[from:to]...)
	return evidence.Root(t.fold), nil
}

func (t *tiles) load(at tile) ([]tlog.Hash, error) {
	if hashes, ok := t.loaded[at]; ok {
		return hashes, nil
	}
	from := at.index << tileHeight
	to := min(from+tileWidth, t.size>>at.level)
	if from >= to {
		return nil, nil
	}
	key := treeReader{}.key
	it, err := t.db.NewIter(&pebble.IterOptions{LowerBound: key(at.level, from), UpperBound: key(at.level, to)})
	if err != nil {
		return nil, fmt.Errorf("reading the tree: %w", err)
	}
	defer it.Close()
	hashes := make([]tlog.Hash, 0, to-from)
	for it.First(); it.Valid(); it.Next() {
		k := it.Key()
		n := binary.BigEndian.Uint64(k[len(k)-8:])
		if n != from+uint64(len(hashes)) {
			break
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return nil, fmt.Errorf("reading the tree at level %d, %d: %w", at.level, n, err)
		}
		var h tlog.Hash
		switch {
		case at.level == 0:
			r, err := parseRecord(v)
			if err != nil {
				return nil, fmt.Errorf("reading batch %d: %w", n, err)
			}
			h = r.leaf
		case len(v) == tlog.HashSize:
			copy(h[:], v)
		default:
			return nil, fmt.Errorf("the tree's hash at level %d, %d has not 32 bytes", at.level, n)
		}
		hashes = append(hashes, h)
	}
	if err := it.Error(); err != nil {
		return nil, fmt.Errorf("reading the tree: %w", err)
	}
	if missing := from + uint64(len(hashes)); missing < to {
		if at.level == 0 {
			return nil, fmt.Errorf("batch %d is missing", missing)
		}
		return nil, fmt.Errorf("the tree's hash over batches %d to %d is missing", missing<<at.level, (missing+1)<<at.level-1)
	}
	if len(t.loaded) >= keepTiles {
		clear(t.loaded)
	}
	t.loaded[at] = hashes
	return hashes, nil
}
