package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"

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

// CheckPeople reads the base of people, every byte of it from the disk, and
// compares it with its sums. wait is called before each read; it paces the
// reading. An error names the file. Without a base there is nothing to check.
func (l *Ledger) CheckPeople(ctx context.Context, wait func(ctx context.Context, bytes int) error) error {
	for try := 0; ; try++ {
		row, ok, err := l.baseRow()
		if err != nil || !ok {
			return err
		}
		err = l.checkGeneration(ctx, row, wait)
		if err == nil || ctx.Err() != nil {
			return err
		}
		// An import may have replaced it meanwhile, or an erasure overwritten a part.
		if now, _, e := l.baseRow(); e != nil || now == row || try == 3 {
			return err
		}
	}
}

func (l *Ledger) checkGeneration(ctx context.Context, row baseRow, wait func(context.Context, int) error) error {
	dir := l.generationDir(row.generation)
	b, err := openBase(dir, row, false)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	defer b.close()
	if b.digest != row.digest {
		return fmt.Errorf("%s is not the base of people that the ledger names", dir)
	}
	buf := make([]byte, sheetChunk)
	names := slices.Sorted(maps.Keys(b.sheets()))
	for _, name := range names {
		s := *b.sheets()[name]
		for n := range s.chunks {
			from := int64(n) * sheetChunk
			part := buf[:min(s.size-from, sheetChunk)]
			if err := wait(ctx, len(part)); err != nil {
				return err
			}
			if _, err := s.f.ReadAt(part, from); err != nil {
				return fmt.Errorf("reading %s: %w", s.path, err)
			}
			for at := 0; at < len(part); at += sheetBlock {
				if err := s.check(int(from+int64(at))/sheetBlock, part[at:min(at+sheetBlock, len(part))]); err != nil {
					return err
				}
			}
			if sha256.Sum256(part) != s.chunks[n] {
				return fmt.Errorf("megabyte %d of %s is damaged", n, s.path)
			}
		}
	}
	return nil
}
