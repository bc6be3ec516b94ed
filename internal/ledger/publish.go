package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"

	"cordon/evidence"

	"golang.org/x/mod/sumdb/tlog"
)

// TileWidth is how many hashes a full tile has.
const TileWidth = tileWidth

// ErrNoTile says that no signed head needs such a tile.
var ErrNoTile = errors.New("there is no such tile")

// Tile is the tile number index of a level of the published tree (C2SP
// tlog-tiles), of width hashes: level 0 holds the leaves. It is there only up
// to the newest signed head, for whatever is after that may still be lost, and
// what was published must not change.
func (l *Ledger) Tile(level int, index uint64, width int) ([]byte, error) {
	signed, err := l.published(level, index, width)
	if err != nil {
		return nil, err
	}
	if err := l.hold(); err != nil {
		return nil, err
	}
	defer l.reads.RUnlock()
	hashes, err := newTiles(l.store.DB(), signed).load(tile{level * tileHeight, index})
	if err != nil {
		return nil, fmt.Errorf("reading tile %d of level %d: %w", index, level, err)
	}
	b := make([]byte, 0, width*tlog.HashSize)
	for _, h := range hashes[:width] {
		b = append(b, h[:]...)
	}
	return b, nil
}

// Headers is the bundle number index of the published log's entries, which are
// the headers of batches: width of them, each with its length (2 bytes) before
// it.
func (l *Ledger) Headers(index uint64, width int) ([]byte, error) {
	if _, err := l.published(0, index, width); err != nil {
		return nil, err
	}
	if err := l.hold(); err != nil {
		return nil, err
	}
	defer l.reads.RUnlock()
	from := index * tileWidth
	var previous tlog.Hash
	if from > 0 {
		var err error
		if previous, err = (treeReader{l.store.DB()}).hash(0, from-1); err != nil {
			return nil, fmt.Errorf("reading bundle %d: %w", index, err)
		}
	}
	bundle := make([]byte, 0, width*(2+evidence.HeaderSize))
	err := l.batches(from, from+uint64(width), func(batch uint64, r *record) error {
		h, err := r.header(l.gateway, batch, previous)
		if err != nil {
			return fmt.Errorf("batch %d: %w", batch, err)
		}
		if h.LeafHash() != r.leaf {
			return fmt.Errorf("batch %d does not match its hash", batch)
		}
		previous = r.leaf
		bundle = h.Append(binary.BigEndian.AppendUint16(bundle, evidence.HeaderSize))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading bundle %d: %w", index, err)
	}
	return bundle, nil
}

// hold keeps the store open until reads.RUnlock.
func (l *Ledger) hold() error {
	l.reads.RLock()
	if l.closed.Load() {
		l.reads.RUnlock()
		return l.unavailable(errClosed)
	}
	return nil
}

// published gives the size of the newest signed head, if it covers width hashes
// from the first of the tile on.
func (l *Ledger) published(level int, index uint64, width int) (uint64, error) {
	_, signed := l.Head()
	if level < 0 || level >= 64/tileHeight || width < 1 || width > tileWidth || index >= 1<<48 {
		return 0, ErrNoTile
	}
	if full := signed >> (level * tileHeight); index*tileWidth+uint64(width) > full {
		return 0, ErrNoTile
	}
	return signed, nil
}

// PublishedHead is the head to show to whoever follows the log, "" before the
// first: the newest that the witness cosigned, while it is not late, else the
// newest signed one. What follows never gets a smaller one than before.
func (l *Ledger) PublishedHead() string {
	head, size := l.Head()
	l.cosigned.mu.Lock()
	defer l.cosigned.mu.Unlock()
	c := &l.cosigned
	if c.now.Size > 0 && !c.now.Late && c.now.Size >= c.shown {
		head, size = c.now.Note, c.now.Size
	}
	c.shown = size
	return head
}
