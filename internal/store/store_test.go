package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

func put(t *testing.T, s *store.Store, key, value string) error {
	t.Helper()
	b := s.DB().NewBatch()
	if err := b.Set([]byte(key), []byte(value), nil); err != nil {
		t.Fatal(err)
	}
	return s.Apply(b)
}

func get(t *testing.T, s *store.Store, key string) string {
	t.Helper()
	v, closer, err := s.DB().Get([]byte(key))
	if errors.Is(err, pebble.ErrNotFound) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	return string(v)
}

func TestKeepsWhatWasAppliedAcrossOpens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s, err := store.Open(dir, store.Options{Create: true, Reserve: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if err := put(t, s, "xa", "1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = store.Open(dir, store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := get(t, s, "xa"); got != "1" {
		t.Errorf("got %q", got)
	}
	if st, err := os.Stat(filepath.Join(dir, "reserve")); err != nil || st.Size() != 1<<20 {
		t.Errorf("reserve: %v %v", st, err)
	}
}

func TestNamesTheOtherProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s, err := store.Open(dir, store.Options{Create: true, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = store.Open(dir, store.Options{Reserve: -1})
	refused(t, err, "in use")
}

func TestDoesNotMakeAStoreUnasked(t *testing.T) {
	_, err := store.Open(filepath.Join(t.TempDir(), "store"), store.Options{Reserve: -1})
	refused(t, err, "no store")
}

func TestMissingMarkerIsNotAnEmptyStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s, err := store.Open(dir, store.Options{Create: true, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	markers, _ := filepath.Glob(filepath.Join(dir, "marker.manifest*"))
	if len(markers) != 1 {
		t.Fatal(markers)
	}
	os.Remove(markers[0])
	_, err = store.Open(dir, store.Options{Reserve: -1})
	refused(t, err, "marker files are missing")
	if !store.Exists(dir) {
		t.Error("what is left of a store counts as none")
	}
}

func refused(t *testing.T, err error, sentence string) {
	t.Helper()
	var r *store.Refusal
	if !errors.As(err, &r) || !strings.Contains(r.What, sentence) || r.Next() == "" {
		t.Fatalf("want a refusal with %q and a next step, got %v", sentence, err)
	}
}

// Each write-ahead log operation fails once; the store must be sick from then
// on, the process alive, and nobody left waiting.
func TestFailingLogMakesTheStoreSickForGood(t *testing.T) {
	for name, op := range map[string]errorfs.OpKind{
		"sync": errorfs.OpFileSyncData, "write": errorfs.OpFileWrite,
		"create (rotation)": errorfs.OpCreate, "reuse (rotation)": errorfs.OpReuseForWrite,
	} {
		t.Run(name, func(t *testing.T) {
			var failing, hit atomic.Bool
			fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(o errorfs.Op) error {
				if failing.Load() && o.Kind == op && strings.HasSuffix(o.Path, ".log") {
					hit.Store(true)
					return syscall.EIO
				}
				return nil
			}))
			s, err := store.Open("store", store.Options{Create: true, FS: fs, MemTable: 256 << 10})
			if err != nil {
				t.Fatal(err)
			}
			if err := put(t, s, "xa", "before"); err != nil {
				t.Fatal(err)
			}
			failing.Store(true)
			big := strings.Repeat("x", 64<<10)
			deadline := time.Now().Add(5 * time.Second)
			for s.Err() == nil && time.Now().Before(deadline) {
				err = put(t, s, "xb", big)
				if hit.Load() {
					break
				}
			}
			if !hit.Load() {
				t.Skip("this kind of file system never does that")
			}
			if err == nil && s.Err() == nil {
				t.Fatal("a failed log operation went unnoticed")
			}
			failing.Store(false)
			if err := put(t, s, "xc", "after"); err == nil {
				t.Error("a sick store took a write")
			}
			if got := get(t, s, "xa"); got != "before" {
				t.Errorf("reads must go on, got %q", got)
			}
			s.Close()
		})
	}
}

func TestFullDiskReleasesTheReserveOnce(t *testing.T) {
	var full atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(o errorfs.Op) error {
		if full.Load() && o.Kind == errorfs.OpFileWrite {
			full.Store(false) // the released reserve makes room
			return syscall.ENOSPC
		}
		return nil
	}))
	s, err := store.Open("store", store.Options{Create: true, FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	full.Store(true)
	if err := put(t, s, "xa", "cut"); err != nil {
		t.Fatalf("the entry for which the reserve is kept failed: %v", err)
	}
	if !s.Full() {
		t.Error("nobody is told that the disk is full")
	}
}
