package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const reserveFile = "reserve"

// takeReserve allocates the ballast file. Its content does not matter.
func takeReserve(dir string, size int64) error {
	f, err := os.OpenFile(filepath.Join(dir, reserveFile), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil // no folder: Open will say so
	}
	if err != nil {
		return fmt.Errorf("making the reserve: %w", err)
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, size); err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		os.Remove(f.Name()) // half a reserve is none; give the room back
		return fmt.Errorf("allocating the reserve: %w", err)
	}
	return nil
}

// releaseReserve is called by Pebble's file layer on the first write that
// finds the disk full; it repeats that write afterwards.
func (s *Store) releaseReserve() {
	s.full.Store(true)
	s.log.Error("the disk is full: the reserve is released, only gate entries are recorded until a restart with free space")
	_ = os.Remove(filepath.Join(s.dir, reserveFile)) // nothing to do about a failure: the write will fail again and be reported
}
