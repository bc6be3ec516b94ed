package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"sort"

	"cordon/evidence"

	"github.com/cockroachdb/pebble/v2"
)

// Entries yields the entries from number from on (the first is 1), decoded
// and in order, and ends with what was durable when it began. After an error
// it ends: what follows a damaged place is not shown as if nothing were missing.
func (l *Ledger) Entries(from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if l.closed.Load() {
			yield(Entry{}, l.unavailable(errClosed))
			return
		}
		from = max(from, 1)
		end := l.durable.Load()
		if from > end.entries {
			return
		}
		stopped := errors.New("stopped")
		batch, err := l.batchOf(from, end.batches)
		if err == nil {
			err = l.batches(batch, end.batches, func(_ uint64, r *record) error {
				return r.each(func(i uint32, _ []byte, raw *evidence.Entry) error {
					seq := r.first + uint64(i)
					if seq < from {
						return nil
					}
					e, err := l.dict.decode(seq, raw)
					if err != nil {
						return err
					}
					if !yield(e, nil) {
						return stopped
					}
					return nil
				})
			})
		}
		if err != nil && err != stopped {
			yield(Entry{}, err)
		}
	}
}

// batches calls f with each batch from..to-1 and insists on none missing. The
// record is valid during the call only.
func (l *Ledger) batches(from, to uint64, f func(batch uint64, r *record) error) error {
	it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: journalKey(from), UpperBound: journalKey(to)})
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	defer it.Close()
	next, first := from, uint64(0)
	var in room
	var r record // one for all: a new one each time is most of what memory a long reading takes
	for it.First(); it.Valid(); it.Next() {
		n := binary.BigEndian.Uint64(it.Key()[1:])
		if n != next {
			return fmt.Errorf("batches %d to %d are missing from the journal", next, n-1)
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("reading batch %d: %w", n, err)
		}
		if r, err = l.openRecord(v, &in); err != nil {
			return fmt.Errorf("reading batch %d: %w", n, err)
		}
		if first != 0 && r.first != first {
			return fmt.Errorf("batch %d begins with entry %d instead of %d", n, r.first, first)
		}
		if err := f(n, &r); err != nil {
			return err
		}
		next, first = n+1, r.first+uint64(r.count)
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	if next != to {
		return fmt.Errorf("batches %d to %d are missing from the journal", next, to-1)
	}
	return nil
}

// batchOf finds the batch that holds the entry, among the first n.
func (l *Ledger) batchOf(seq, n uint64) (uint64, error) {
	var failed error
	after := sort.Search(int(n), func(i int) bool {
		var first uint64
		if failed == nil {
			failed = view(l.store.DB(), journalKey(uint64(i)), func(v []byte) error {
				r, err := parseRecord(v)
				first = r.first
				return err
			})
		}
		return first > seq
	})
	if failed != nil {
		return 0, fmt.Errorf("looking for entry %d: %w", seq, failed)
	}
	if after == 0 {
		return 0, fmt.Errorf("entry %d stands before the first batch", seq)
	}
	return uint64(after - 1), nil
}

// Follow returns a channel that is closed when the ledger grows next. Take it
// before reading Entries, so that nothing falls between.
func (l *Ledger) Follow() <-chan struct{} {
	l.growth.mu.Lock()
	defer l.growth.mu.Unlock()
	if l.growth.ch == nil {
		l.growth.ch = make(chan struct{})
	}
	return l.growth.ch
}
