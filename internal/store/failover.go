package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"
)

// unhealthyAfter is how long an operation on the log may take before the next
// entries go to the failover folder. A new log is filled with zeros first,
// which takes a slow disk a tenth of a second; that alone is no reason.
const unhealthyAfter = 300 * time.Millisecond

// Failover is the state of the second place for the log.
type Failover struct {
	Folder string
	// InUse says that new entries go to the second place, because the first one
	// is slow or failed.
	InUse bool
	// Since is when it was last turned to or from.
	Since time.Time
	// Turns counts how often that was, since the store was opened.
	Turns int
	// Err is why the first place is not asked again until a restart.
	Err error
}

// failover tells where the log is written.
type failover struct {
	mu    sync.Mutex
	state Failover
	tried int // how often the first place failed
}

// Failover is the second place for the log; the zero value if none is configured.
func (s *Store) Failover() Failover {
	s.second.mu.Lock()
	defer s.second.mu.Unlock()
	return s.second.state
}

// writing notes that a log is being made in one of the two places.
func (s *Store) writing(second bool) {
	f := &s.second
	f.mu.Lock()
	turned := f.state.Folder != "" && f.state.InUse != second
	if turned {
		f.state.InUse, f.state.Since = second, time.Now()
		f.state.Turns++
	}
	f.mu.Unlock()
	switch {
	case turned && second:
		s.log.Warn("the disk of the store does not answer: entries go to the failover folder", "folder", f.state.Folder)
	case turned:
		s.log.Info("the disk of the store answers again: entries go there")
	}
}

// maxTries is how often the first place may fail before the store gives up:
// Pebble turns back to it when the second one is slow, and could wait there for ever.
const maxTries = 3

// firstFailed notes an error in the first place of the log. Pebble must not see
// it: it would end the process when it hands the next entry to the log that
// failed. It sees a call that does not return, and turns to the second place.
func (s *Store) firstFailed(err error) {
	f := &s.second
	f.mu.Lock()
	f.tried++
	if f.state.Err == nil {
		f.state.Err = err
	}
	last := f.tried >= maxTries
	f.mu.Unlock()
	if last {
		s.Fail(err)
		return
	}
	s.log.Error("writing the log failed: entries go to the failover folder until a restart", "error", err)
}

// probeFile is what Pebble writes to find out whether the first place is healthy again.
const probeFile = "probe-file"

var errFirstFailed = errors.New("this disk failed since the store was opened")

// useFailover makes Pebble write its log to folder while the first place is
// slow, and find what was written to any such folder before. disk is the store's, second the folder's.
func (s *Store) useFailover(opts *pebble.Options, dir, folder string, readOnly bool, disk, second vfs.FS) error {
	before := lastFailover(disk, dir)
	if before != "" && before != folder {
		if _, err := second.Stat(before); err != nil {
			return &Refusal{"the failover folder " + before + ", which may hold the newest entries, cannot be read",
				"put it back where it was (failover: in cordon.yaml), start once, then change it", err}
		}
		opts.WALRecoveryDirs = append(opts.WALRecoveryDirs, wal.Dir{FS: parkingFS{FS: second, s: s, role: secondPlace}, Dirname: before})
	}
	if folder == "" {
		return nil
	}
	place := parkingFS{FS: second, s: s, role: secondPlace}
	if readOnly { // Pebble would write into the folder
		if _, err := second.Stat(folder); err == nil {
			opts.WALRecoveryDirs = append(opts.WALRecoveryDirs, wal.Dir{FS: place, Dirname: folder})
		} else if before == folder {
			return &Refusal{"the failover folder " + folder + ", which may hold the newest entries, cannot be read", "put it back, or start the server once", err}
		}
		return nil
	}
	if second == vfs.Default {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return &Refusal{"the failover folder " + folder + " cannot be made", "give it to the user that runs cordon, or name another (failover: in cordon.yaml)", err}
		}
	}
	s.second.state.Folder = folder
	opts.WALFailover = &pebble.WALFailoverOptions{
		Secondary: wal.Dir{FS: place, Dirname: folder},
		FailoverOptions: wal.FailoverOptions{
			UnhealthyOperationLatencyThreshold: func() (time.Duration, bool) { return unhealthyAfter, true },
		},
	}
	return nil
}

// lastFailover is the failover folder that the store in dir was last opened
// with, as its newest file of options says; "" for none.
func lastFailover(disk vfs.FS, dir string) string {
	names, err := disk.List(dir)
	if err != nil {
		return ""
	}
	newest := ""
	for _, name := range names {
		if strings.HasPrefix(name, "OPTIONS-") && !strings.HasSuffix(name, ".dbtmp") && (len(name) > len(newest) || len(name) == len(newest) && name > newest) {
			newest = name
		}
	}
	if newest == "" {
		return ""
	}
	f, err := disk.Open(filepath.Join(dir, newest))
	if err != nil {
		return ""
	}
	defer f.Close()
	size, err := sizeOf(f)
	if err != nil || size > 1<<20 {
		return ""
	}
	text := make([]byte, size)
	if _, err := f.ReadAt(text, 0); err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if folder, ok := strings.CutPrefix(line, "secondary_dir="); ok {
			return folder
		}
	}
	return ""
}

// explainFailover puts what Pebble says of its second place into words.
func explainFailover(folder string, err error) error {
	if folder != "" && strings.Contains(err.Error(), "WAL secondary dir") {
		return &Refusal{fmt.Sprintf("the failover folder %s cannot be written", folder), "make room or give it to the user that runs cordon; or name another (failover: in cordon.yaml)", err}
	}
	return nil
}
