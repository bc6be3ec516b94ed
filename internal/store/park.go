package store

import (
	"path/filepath"
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
//
// The manifest is watched as well. After an error of it Pebble flushes the same
// entries once more, into a second table, and a compaction of the two panics.
//
// Where the log has a second place, a failure in the first one does not make
// the store sick: Pebble takes the call that does not return for a slow disk
// and goes on in the second one.
type parkingFS struct {
	vfs.FS
	s        *Store
	role     role
	zeroLogs int64 // bytes; 0: logs are left to grow
}

// role is which place of the log a file system is.
type role uint8

const (
	onlyPlace role = iota
	firstPlace
	secondPlace
)

func (fs parkingFS) Unwrap() vfs.FS { return fs.FS }

func (fs parkingFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	isLog := strings.HasSuffix(name, ".log")
	if fs.role == firstPlace && (isLog || filepath.Base(name) == probeFile) && fs.s.opened.Load() && fs.s.Failover().Err != nil {
		// Once failed, it is not trusted again before a restart looked at it.
		if isLog {
			fs.park(errFirstFailed)
		}
		return nil, errFirstFailed
	}
	if isLog {
		fs.s.writing(fs.role == secondPlace)
	}
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

// OpenDir watches the syncs of folders: one belongs to every log that is made,
// and its error ends the process as one of the log itself does. Where the log
// has a second place it is made beside the commits, and errors are handed back in good order.
func (fs parkingFS) OpenDir(name string) (vfs.File, error) {
	d, err := fs.FS.OpenDir(name)
	if err != nil || fs.role != onlyPlace {
		return d, err
	}
	return parkingFile{d, fs}, nil
}

func (fs parkingFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasSuffix(newname, ".log") {
		if fs.role == firstPlace && fs.s.Failover().Err != nil {
			fs.park(errFirstFailed)
		}
		fs.s.writing(fs.role == secondPlace)
	}
	f, err := fs.FS.ReuseForWrite(oldname, newname, category)
	return fs.watch(newname, f, err)
}

func (fs parkingFS) watch(name string, f vfs.File, err error) (vfs.File, error) {
	switch base := filepath.Base(name); {
	case strings.HasPrefix(base, "MANIFEST-"), strings.HasPrefix(base, "marker."):
		fs.role = onlyPlace // there is no second one for these
	case !strings.HasSuffix(name, ".log"):
		return f, err
	}
	if fs.park(err) != nil {
		return f, err
	}
	return parkingFile{f, fs}, nil
}

type parkingFile struct {
	vfs.File
	fs parkingFS
}

func (f parkingFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.fs.park(err)
	return n, err
}

func (f parkingFile) Sync() error     { return f.fs.park(f.File.Sync()) }
func (f parkingFile) SyncData() error { return f.fs.park(f.File.SyncData()) }
func (f parkingFile) Close() error    { return f.fs.park(f.File.Close()) }

func (f parkingFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.fs.park(err)
}

// park returns only if there is no error, or while the store is being opened:
// then Pebble hands errors back in good order.
func (fs parkingFS) park(err error) error {
	if err == nil || !fs.s.opened.Load() {
		return err
	}
	if fs.role == firstPlace {
		fs.s.firstFailed(err)
	} else {
		fs.s.Fail(err)
	}
	fs.s.parked.Store(true)
	select {}
}
