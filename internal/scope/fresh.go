package scope

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
)

// fresh is what the index learned since its last flush: it is added to what
// the store holds, by every answer and by the next flush.
type fresh struct {
	cells   map[vendorID]map[cell]*roaring.Bitmap
	tallies map[vendorID]map[tallyAt]*tally
	facts   int // people put into cells, repeated ones too
	keys    int // cells
}

func newFresh() *fresh {
	return &fresh{cells: map[vendorID]map[cell]*roaring.Bitmap{}, tallies: map[vendorID]map[tallyAt]*tally{}}
}

// expose takes in a message that was sent, or may have been. settled is the
// number of the entry that says so.
func (f *fresh) expose(v vendorID, m *message, settled uint64) {
	d := dayOf(instant(m.at))
	cells := f.cells[v]
	if cells == nil {
		cells = map[cell]*roaring.Bitmap{}
		f.cells[v] = cells
	}
	for _, p := range m.people {
		chunk, low := split(p.who)
		at := cell{chunk, d, m.pathway, p.set}
		b := cells[at]
		if b == nil {
			b = roaring.New()
			cells[at] = b
			f.keys++
		}
		b.Add(low)
		f.facts++
	}
	tallies := f.tallies[v]
	if tallies == nil {
		tallies = map[tallyAt]*tally{}
		f.tallies[v] = tallies
	}
	t := tallies[tallyAt{d, m.pathway}]
	if t == nil {
		t = newTally()
		tallies[tallyAt{d, m.pathway}] = t
	}
	t.count(m)
	t.extend(m.at, m.seq, settled)
}

// save merges everything into the batch.
func (f *fresh) save(r pebble.Reader, b *pebble.Batch) error {
	var key []byte
	for v, cells := range f.cells {
		for c, people := range cells {
			key = cellKey(key, v, c)
			old, err := get(r, key)
			if err != nil {
				return err
			}
			if old != nil {
				stored := roaring.New()
				if _, err := stored.ReadFrom(bytes.NewReader(old)); err != nil {
					return fmt.Errorf("reading a bitmap of the scope index: %w", err)
				}
				people.Or(stored)
			}
			people.RunOptimize()
			value, err := people.ToBytes()
			if err != nil {
				return err
			}
			if err := b.Set(key, value, nil); err != nil {
				return err
			}
		}
	}
	for v, tallies := range f.tallies {
		for at, t := range tallies {
			key := tallyKey(v, at)
			old, err := get(r, key)
			if err != nil {
				return err
			}
			if old != nil {
				stored, err := decodeTally(old)
				if err != nil {
					return err
				}
				t.add(stored)
			}
			if err := b.Set(key, t.encode(), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// get reads one value into memory of its own; nil if there is none.
func get(r pebble.Reader, key []byte) ([]byte, error) {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	own := append(make([]byte, 0, len(value)), value...)
	return own, closer.Close()
}
