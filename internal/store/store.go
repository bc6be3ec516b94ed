// Package store is the one Pebble store.
package store

import (
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options says how a store is opened.
type Options struct {
	ReadOnly bool
	Log      *slog.Logger
	FS       vfs.FS // nil: the disk; tests inject failures
}

// Store is the open store.
type Store struct{ db *pebble.DB }

// Open opens the store in dir, or makes it.
func Open(dir string, o Options) (*Store, error) { panic("being written") }

// DB is the Pebble database; writers of other keyspaces commit without sync or with Apply.
func (s *Store) DB() *pebble.DB { return s.db }

// Err is why the store cannot be trusted any more, nil while it can.
func (s *Store) Err() error { return nil }

// Close closes the store.
func (s *Store) Close() error { return nil }
