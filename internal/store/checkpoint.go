package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Checkpoint makes a copy of the store, as it is at one moment between the call
// and its return, in a folder that must not exist. Tables are hard links where
// the folder lies on the same disk. Everything that Apply acknowledged before
// the call is in it: the log is synced first, since a log that is copied
// while its newest chunk is half written looks damaged to whoever opens it.
//
// The copy asks for no failover folder: its logs are copied beside the others.
func (s *Store) Checkpoint(dir string) error {
	return s.unlessFailed(func() error {
		if err := s.Err(); err != nil {
			return err
		}
		if err := s.db.Checkpoint(dir, pebble.WithFlushedWAL()); err != nil {
			return fmt.Errorf("copying the store: %w", err)
		}
		return nil
	})
}
