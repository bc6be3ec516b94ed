// Package store opens the one Pebble store of a data directory and decides
// what a failing disk means.
//
// The rule: nothing that Pebble finds wrong ends the process, and nothing is
// written after something went wrong. Pebble by itself calls Fatalf (which
// exits) on corruption and on commit errors, and panics with a lock in the
// wrong state when a log cannot be rotated. Here each of these makes the store
// sick for good: Err tells why, Failed is closed, every further write is
// refused, reads go on. Only a restart, which looks at the disk anew, heals.
package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options says how a store is opened.
type Options struct {
	// Create allows to make a store where there is none. Whoever sets it has
	// made sure that none ever was: a store that lost its marker files must
	// not be replaced by an empty one.
	Create   bool
	ReadOnly bool
	Log      *slog.Logger // nil: nothing is logged
	// Reserve is the size of the ballast file, which is given up when the disk
	// is full, so that a cut can still be recorded. 0 is DefaultReserve, negative none.
	Reserve int64
	// Failover is a folder, better on another disk, to which the log is written
	// while the store's own disk does not answer; "" for none.
	Failover string
	// FS stands in for the disk in tests.
	FS vfs.FS
	// FailoverFS stands in for the failover folder's disk in tests; nil: FS.
	FailoverFS vfs.FS
	// MemTable is the size of a memtable in bytes; 0 is 4 MiB.
	MemTable uint64
}

// DefaultReserve holds a full memtable's log and its flush.
const DefaultReserve = 64 << 20

// ErrFull says that the disk is full. What the reserve was for may still be written.
var ErrFull = errors.New("the disk is full")

// Store is an open store. Reads go to DB; writes go through Apply or ApplyNoWait.
type Store struct {
	db  *pebble.DB
	dir string
	log *slog.Logger

	fs vfs.FS // what the store's files are read through

	opened atomic.Bool // Open is through: failing logs are parked
	full   atomic.Bool // the reserve is gone
	parked atomic.Bool // a goroutine of Pebble's will never come back
	second failover

	mu     sync.Mutex
	err    error
	failed chan struct{} // closed once err is set
}

// Open opens the store in dir.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{dir: dir, log: o.Log, failed: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	fs := o.FS
	if fs == nil {
		fs = vfs.Default
		if o.Create {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return nil, fmt.Errorf("making the store's folder: %w", err)
			}
		}
		if !o.ReadOnly && o.Reserve >= 0 {
			size := o.Reserve
			if size == 0 {
				size = DefaultReserve
			}
			if err := takeReserve(dir, size); err != nil {
				s.full.Store(true)
				s.log.Warn("no room for the reserve: only gate entries are recorded until there is", "bytes", size, "error", err)
			}
		}
	}
	parking := parkingFS{FS: vfs.OnDiskFull(fs, s.releaseReserve), s: s}
	opts := options(o)
	if o.FS == nil {
		parking.zeroLogs = int64(opts.MemTableSize + opts.MemTableSize/8)
	}
	second := o.FailoverFS
	if second == nil {
		second = fs
	}
	if o.Failover != "" && !o.ReadOnly {
		parking.role = firstPlace
	}
	opts.FS, s.fs = parking, parking
	opts.Logger = pebbleLog{s}
	opts.EventListener = s.listener()
	err := s.useFailover(opts, dir, o.Failover, o.ReadOnly, fs, second)
	if err != nil {
		opts.Cache.Unref()
		return nil, err
	}
	db, err := pebble.Open(dir, opts)
	if opts.Cache != nil {
		opts.Cache.Unref()
	}
	if err != nil {
		if e := explainFailover(o.Failover, err); e != nil {
			return nil, e
		}
		return nil, explainOpen(dir, err)
	}
	if err := s.Err(); err != nil { // reported by an event during Open, but not returned
		s.close(db)
		return nil, err
	}
	s.db = db
	s.opened.Store(true)
	return s, nil
}

func options(o Options) *pebble.Options {
	opts := &pebble.Options{
		ReadOnly:              o.ReadOnly,
		ErrorIfNotExists:      !o.Create,
		FormatMajorVersion:    pebble.FormatNewest, // older formats lose synced records silently after one flipped bit in a log
		MemTableSize:          o.MemTable,
		Cache:                 pebble.NewCache(64 << 20),
		L0CompactionThreshold: 4,
	}
	if opts.MemTableSize == 0 {
		// Pebble writes a new log for each memtable, into the space of an old one
		// once there is one. Overwriting takes little more than half the time of
		// growing a file, so logs should come round soon.
		opts.MemTableSize = 4 << 20
	}
	// zstd where data stays, the fast codec where it only passes through.
	opts.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionGood })
	for i := range opts.Levels {
		// Nearly every look-up of an unknown identifier is a miss; ten bits a key
		// answer 99 of 100 of them without reading a block.
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		opts.Levels[i].BlockSize = 16 << 10
	}
	return opts
}

// DB gives the reads: Get, NewIter, NewSnapshot. Writing past Apply would go
// on after the store is sick.
func (s *Store) DB() *pebble.DB { return s.db }

// Dir is the folder the store lies in.
func (s *Store) Dir() string { return s.dir }

// Apply writes the batch and waits until it is on disk. It closes the batch.
func (s *Store) Apply(b *pebble.Batch) error {
	return s.unlessFailed(func() error {
		if err := s.ApplyNoWait(b); err != nil {
			return err
		}
		return s.SyncWait(b)
	})
}

// ApplyLazy writes the batch without asking for a sync: for what can be
// computed again, such as an index. It closes the batch.
func (s *Store) ApplyLazy(b *pebble.Batch) error {
	return s.unlessFailed(func() error {
		if err := s.apply(b, s.db.Apply, pebble.NoSync); err != nil {
			return err
		}
		return b.Close()
	})
}

// unlessFailed does not wait for a write that is parked for good.
func (s *Store) unlessFailed(write func() error) error {
	done := make(chan error, 1)
	go func() { done <- write() }()
	select {
	case err := <-done:
		return err
	case <-s.failed:
		return s.err
	}
}

// ApplyNoWait writes the batch, visible at once, and starts its sync. After a
// nil error SyncWait must be called, which says whether it is on disk. Batches
// reach the disk in the order of ApplyNoWait.
//
// Neither returns when the log cannot be written (see parkingFS): whoever
// waits behind the caller must watch Failed.
func (s *Store) ApplyNoWait(b *pebble.Batch) error {
	return s.apply(b, s.db.ApplyNoSyncWait, pebble.Sync)
}

func (s *Store) apply(b *pebble.Batch, apply func(*pebble.Batch, *pebble.WriteOptions) error, o *pebble.WriteOptions) error {
	if err := s.Err(); err != nil {
		return err
	}
	if err := apply(b, o); err != nil {
		s.Fail(fmt.Errorf("writing to the store: %w", err))
	}
	return s.Err() // a failing commit calls Fatalf and then returns nil
}

// SyncWait waits for the sync that ApplyNoWait started and closes the batch.
// After an error nobody knows what is on disk.
func (s *Store) SyncWait(b *pebble.Batch) error {
	if err := b.SyncWait(); err != nil {
		s.Fail(fmt.Errorf("syncing the store: %w", err))
		return s.Err()
	}
	return b.Close()
}

// Err is why the store is sick, or nil.
func (s *Store) Err() error {
	select {
	case <-s.failed:
		return s.err
	default:
		return nil
	}
}

// Failed is closed when the store becomes sick.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Fail makes the store sick; the first cause stays.
func (s *Store) Fail(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = explainSick(cause)
	s.log.Error("the store refuses from now on", "error", s.err)
	close(s.failed)
}

// Full reports that the disk is full and the reserve given up: only what the
// reserve is for should still be written. A restart with room takes it anew.
func (s *Store) Full() bool { return s.full.Load() }

// Free is the number of bytes free on the store's disk.
func (s *Store) Free() (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(s.dir, &st); err != nil {
		return 0, fmt.Errorf("asking for free space: %w", err)
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// Close closes the store. A sick one may not be able to: its lock then stays
// with the process, which is to end.
func (s *Store) Close() error { return s.close(s.db) }

func (s *Store) close(db *pebble.DB) error {
	closed := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				closed <- fmt.Errorf("closing the store: %v", p)
			}
		}()
		closed <- db.Close()
	}()
	// The disk may also fail now, while the last entries are flushed: Pebble
	// then never comes back (see parkingFS).
	failed := s.failed
	var patience <-chan time.Time
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-closed:
			if err != nil {
				return fmt.Errorf("closing the store: %w", err)
			}
			return nil
		case <-failed:
			failed, patience = nil, time.After(time.Second)
		case <-look.C:
			// A call to the log's first place may be parked although nothing is
			// lost: the failover folder has it.
			if patience == nil && s.parked.Load() {
				patience = time.After(time.Second)
			}
		case <-patience:
			return s.Err()
		}
	}
}

// Exists reports whether a store, or a part of one, lies in dir.
func Exists(dir string) bool {
	for _, pattern := range []string{"marker.*", "MANIFEST-*", "OPTIONS-*", "*.sst", "*.log"} {
		if m, _ := filepath.Glob(filepath.Join(dir, pattern)); len(m) > 0 {
			return true
		}
	}
	return false
}
