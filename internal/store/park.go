package store

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// parkingFS watches the write-ahead log. On the first failed operation on it
// the store is made sick, and the goroutine that asked is parked for good.
//
// Returning the error instead ends the process: when it comes while a log is
// rotated, Pebble panics with its mutex unlocked and a deferred Unlock above
// (db.go, rotateWAL), which Go reports as a fatal error that nobody can
// recover. A parked goroutine costs a few kilobytes until the restart that a
// sick store needs anyway; whoever waits for it watches Failed.
type parkingFS struct {
	vfs.FS
	s        *Store
	zeroLogs int64 // bytes; 0: logs are left to grow
}

func (fs parkingFS) Unwrap() vfs.FS { return fs.FS }

func (fs parkingFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, category)
	if err == nil && fs.zeroLogs > 0 && strings.HasSuffix(name, ".log") {
		zero(f, fs.zeroLogs)
	}
	return fs.watch(name, f, err)
}

// zero fills a new log with zeros and syncs it. A log that grows costs the
// file system a transaction of its own with every sync, to write down the new
// length: 510 to 630 us where overwriting takes 130 to 180. Pebble's own
// preallocation does not change the length. A reader of the log takes the zeros
// for its end, as it takes what an earlier use left behind in a reused log.
//
// Where there is no room the log grows as it would have.
func zero(f vfs.File, size int64) {
	zeros := make([]byte, 256<<10)
	for at := int64(0); at < size; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at); err != nil {
			return
		}
	}
	_ = f.Sync() // a sync that fails will fail again with the first entry
}

func (fs parkingFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.ReuseForWrite(oldname, newname, category)
	return fs.watch(newname, f, err)
}

func (fs parkingFS) watch(name string, f vfs.File, err error) (vfs.File, error) {
	if !strings.HasSuffix(name, ".log") {
		return f, err
	}
	if fs.s.park(err) != nil {
		return f, err
	}
	return parkingFile{f, fs.s}, nil
}

type parkingFile struct {
	vfs.File
	s *Store
}

func (f parkingFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.s.park(err)
	return n, err
}

func (f parkingFile) Sync() error     { return f.s.park(f.File.Sync()) }
func (f parkingFile) SyncData() error { return f.s.park(f.File.SyncData()) }
func (f parkingFile) Close() error    { return f.s.park(f.File.Close()) }

func (f parkingFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.s.park(err)
}

// park returns only if there is no error, or while the store is being opened:
// then Pebble hands errors back in good order.
func (s *Store) park(err error) error {
	if err == nil || !s.opened.Load() {
		return err
	}
	s.Fail(err)
	select {}
}
