package ledger

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// CheckRange checks batches from..to-1 as Verify does, and the tree's hashes
// over them: each batch against its hash and the one before, each stored hash against
// what is below it. It costs what the range costs, wherever it lies. The
// answer is how many bytes of records were read.
func (l *Ledger) CheckRange(ctx context.Context, from, to uint64) (bytes int64, err error) {
	if to > l.durable.Load().batches {
		return 0, errors.New("checking the journal: the ledger does not reach so far")
	}
	e, err := loadEdge(l.store.DB(), from)
	if err != nil {
		return 0, err
	}
	var wrong error
	err = l.checkBatches(from, to, func(_ uint64, r *record) error {
		bytes += int64(len(r.body)) + recordPrefix
		_ = e.add(r.leaf, func(level int, index uint64, h tlog.Hash) error {
			err := view(l.store.DB(), treeKey(level, index), func(b []byte) error {
				if string(b) != string(h[:]) {
					return errors.New("does not match the leaves")
				}
				return nil
			})
			if err != nil && wrong == nil {
				wrong = fmt.Errorf("the tree's hash at level %d, %d: %w", level, index, err)
			}
			return nil
		})
		return nil
	})
	if err == nil {
		err = wrong
	}
	if err == nil {
		err = ctx.Err()
	}
	return bytes, err
}

// recordPrefix is about what stands before the entries of a batch.
const recordPrefix = 64

// Batches is how many batches are durable.
func (l *Ledger) Batches() uint64 { return l.durable.Load().batches }
