package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// pending is the set of disclosures without an outcome. It is computed from
// the journal at start; every saveEvery entries it is saved, so that start
// reads only the entries after that, however long one message stays open.
type pending struct {
	open  map[uint64]struct{}
	saved uint64 // number of the entry up to which it was saved last
}

const saveEvery = 65536

func (p *pending) begin(seq uint64)  { p.open[seq] = struct{}{} }
func (p *pending) settle(seq uint64) { delete(p.open, seq) }

// sorted lists the numbers in order.
func (p *pending) sorted() []uint64 {
	list := make([]uint64, 0, len(p.open))
	for seq := range p.open {
		list = append(list, seq)
	}
	slices.Sort(list)
	return list
}

// save adds the set to the batch when it is time. upTo is the last entry of the batch.
func (p *pending) save(pb *pebble.Batch, upTo uint64) error {
	if upTo-p.saved < saveEvery {
		return nil
	}
	p.saved = upTo
	b := binary.AppendUvarint(nil, upTo)
	last := uint64(0)
	for _, seq := range p.sorted() {
		b = binary.AppendUvarint(b, seq-last)
		last = seq
	}
	if err := pb.Set(metaKey(metaPending), b, nil); err != nil {
		return fmt.Errorf("saving open disclosures: %w", err)
	}
	return nil
}

// loadPending reads the saved set and brings it up to date from the journal.
func (l *Ledger) loadPending() (pending, error) {
	p := pending{open: map[uint64]struct{}{}}
	err := view(l.store.DB(), metaKey(metaPending), func(b []byte) error {
		var last uint64
		for first := true; len(b) > 0; first = false {
			v, n := binary.Uvarint(b)
			if n <= 0 {
				return errors.New("the saved list is damaged")
			}
			b = b[n:]
			if first {
				p.saved = v
				continue
			}
			last += v
			p.begin(last)
		}
		return nil
	})
	if err != nil && !errors.Is(err, pebble.ErrNotFound) {
		return p, fmt.Errorf("reading open disclosures: %w", err)
	}
	for e, err := range l.Entries(p.saved + 1) {
		if err != nil {
			return p, fmt.Errorf("looking for open disclosures: %w", err)
		}
		switch e.Kind {
		case KindDisclosure:
			if !e.Declared { // nothing was sent, so nothing is waited for
				p.begin(e.Seq)
			}
		case KindOutcome:
			p.settle(e.Of)
		}
	}
	return p, nil
}
