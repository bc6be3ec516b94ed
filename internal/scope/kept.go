package scope

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
)

// Bitmaps that outlive the index: whom a list named, whom a frozen scope
// counts. They cannot be rebuilt from the journal, so they are written with a
// sync before the entry that commits to them, and lie under their own hash:
//
//	space 'b' SHA-256 (32) piece (4) -> part of the portable roaring bitmap
const keyBitmap = 'b'

// piece keeps values small; a bitmap of 35 million people has a few megabytes.
const piece = 1 << 20

func bitmapKey(space byte, sum []byte, n uint32) []byte {
	return binary.BigEndian.AppendUint32(append([]byte{space, keyBitmap}, sum...), n)
}

// keepBitmap adds a bitmap to the batch and returns its hash in hex; "" for
// nobody.
func keepBitmap(b *pebble.Batch, space byte, people *roaring.Bitmap) (string, error) {
	if people.IsEmpty() {
		return "", nil
	}
	people.RunOptimize()
	data, err := people.ToBytes()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	for n := uint32(0); len(data) > 0; n++ {
		part := data[:min(piece, len(data))]
		data = data[len(part):]
		if err := b.Set(bitmapKey(space, sum[:], n), part, nil); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum[:]), nil
}

// bitmapBytes reads what keepBitmap wrote and checks it.
func bitmapBytes(r pebble.Reader, space byte, sum string) ([]byte, error) {
	want, err := hex.DecodeString(sum)
	if err != nil || len(want) != sha256.Size {
		return nil, fmt.Errorf("%q is not the hash of a bitmap", sum)
	}
	var data []byte
	next := uint32(0)
	err = scan(r, bitmapKey(space, want, 0)[:2+sha256.Size], func(key, value []byte) error {
		if len(key) != 2+sha256.Size+4 || binary.BigEndian.Uint32(key[2+sha256.Size:]) != next {
			return fmt.Errorf("part %d is missing", next)
		}
		next++
		data = append(data, value...)
		return nil
	})
	switch {
	case err != nil:
	case next == 0:
		err = errors.New("it is missing")
	case sha256.Sum256(data) != [32]byte(want):
		err = errors.New("it is not what was kept")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the bitmap %s: %w", sum, err)
	}
	return data, nil
}

// keep writes a batch with a sync and closes it.
func (x *Index) keep(b *pebble.Batch) error {
	if x.o.ReadOnly {
		return errors.Join(errors.New("the store is open for reading only; start the server"), b.Close())
	}
	if x.o.Keep != nil {
		return x.o.Keep(b)
	}
	return errors.Join(b.Commit(pebble.Sync), b.Close())
}
