package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/objstorage"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Table is a file of the store that holds sorted keys. It never changes once written.
type Table struct {
	Number uint64
	Size   int64 // bytes
}

// Name is the table's file in the store's folder.
func (t Table) Name() string { return fmt.Sprintf("%06d.sst", t.Number) }

// Tables are the tables in use at this moment, by number. One may be gone a
// moment later, when a compaction replaced it.
func (s *Store) Tables() ([]Table, error) {
	levels, err := s.db.SSTables()
	if err != nil {
		return nil, fmt.Errorf("listing the tables: %w", err)
	}
	sizes := map[uint64]int64{}
	for _, level := range levels {
		for _, t := range level {
			sizes[uint64(t.BackingSSTNum)] = int64(t.Size)
		}
	}
	tables := make([]Table, 0, len(sizes))
	for n, size := range sizes {
		tables = append(tables, Table{n, size})
	}
	slices.SortFunc(tables, func(a, b Table) int {
		if a.Number < b.Number {
			return -1
		}
		return 1
	})
	return tables, nil
}

// ErrGone says that a compaction replaced the table meanwhile.
var ErrGone = errors.New("the table was replaced")

// CheckTable reads a table from the disk, past every cache, and compares every
// block with its checksum; what no checksum covers has to be where the format puts it. wait is called
// before each read with its length; it paces the reading.
//
// An error names the file. It does not make the store sick: whoever scrubs
// reports, and the store finds out by itself when it needs the block.
func (s *Store) CheckTable(ctx context.Context, t Table, wait func(ctx context.Context, bytes int) error) error {
	return checkTable(ctx, s.fs, filepath.Join(s.dir, t.Name()), wait)
}

// CheckTableFile is CheckTable for the file of a copy, without a pace.
func CheckTableFile(ctx context.Context, path string) error {
	return checkTable(ctx, vfs.Default, path, nil)
}

func checkTable(ctx context.Context, disk vfs.FS, path string, wait func(context.Context, int) error) error {
	f, err := disk.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrGone
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	size, err := sizeOf(f)
	if err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", path, err)
	}
	p := &pacedTable{f: f, size: size, ctx: ctx, wait: wait}
	p.handle = objstorage.MakeNoopReadHandle(p)
	// Readers find the filter by its policy; without it its block would be passed over.
	policy := bloom.FilterPolicy(10)
	r, err := sstable.NewReader(ctx, p, sstable.ReaderOptions{Filters: map[string]sstable.FilterPolicy{policy.Name(): policy}})
	if err != nil {
		p.Close()
		return scrubError(ctx, path, err)
	}
	defer r.Close()
	if err := r.ValidateBlockChecksums(); err != nil {
		return scrubError(ctx, path, err)
	}
	return nil
}

func scrubError(ctx context.Context, path string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%s is damaged: %w", path, err)
}

func sizeOf(f vfs.File) (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// pacedTable is a table under a pace.
type pacedTable struct {
	f      vfs.File
	size   int64
	ctx    context.Context
	wait   func(context.Context, int) error
	handle objstorage.NoopReadHandle
}

func (p *pacedTable) ReadAt(_ context.Context, b []byte, off int64) error {
	if p.wait != nil {
		if err := p.wait(p.ctx, len(b)); err != nil {
			return err
		}
	}
	n, err := p.f.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	return err
}

func (p *pacedTable) Close() error { return p.f.Close() }
func (p *pacedTable) Size() int64  { return p.size }
func (p *pacedTable) NewReadHandle(objstorage.ReadBeforeSize) objstorage.ReadHandle {
	return &p.handle
}
