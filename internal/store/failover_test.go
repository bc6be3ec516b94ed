package store_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// sickDisk is a disk in memory whose logs can be made to stall or to fail.
type sickDisk struct {
	mem *vfs.MemFS
	vfs.FS
	mu    sync.Mutex
	stall chan struct{} // until it is closed; nil: not stalled
	err   error
}

func newSickDisk() *sickDisk {
	d := &sickDisk{mem: vfs.NewCrashableMem()}
	d.FS = errorfs.Wrap(d.mem, errorfs.InjectorFunc(func(o errorfs.Op) error {
		switch o.Kind {
		case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo, errorfs.OpFileWrite, errorfs.OpCreate, errorfs.OpReuseForWrite:
		default:
			return nil
		}
		if !strings.HasSuffix(o.Path, ".log") {
			return nil
		}
		d.mu.Lock()
		stall, err := d.stall, d.err
		d.mu.Unlock()
		if stall != nil {
			<-stall
		}
		return err
	}))
	return d
}

func (d *sickDisk) set(stall chan struct{}, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stall, d.err = stall, err
}

func twoDisks(t *testing.T, first, second vfs.FS, change ...func(*store.Options)) *store.Store {
	t.Helper()
	o := store.Options{Create: true, FS: first, FailoverFS: second, Failover: "/wal2", MemTable: 256 << 10}
	for _, c := range change {
		c(&o)
	}
	s, err := store.Open("/store", o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// crash gives both disks as a loss of power leaves them.
func crash(disks ...*sickDisk) (after []vfs.FS) {
	for _, d := range disks {
		after = append(after, d.mem.CrashClone(vfs.CrashCloneCfg{}))
	}
	return after
}

// putAll puts entries from..to-1 and gives up after ten seconds.
func putAll(t *testing.T, s *store.Store, from, to int) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		for i := from; i < to; i++ {
			if err := put(t, s, fmt.Sprintf("x%04d", i), strings.Repeat("v", 3000)); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("entries wait for a disk that does not answer")
	}
}

func haveAll(t *testing.T, s *store.Store, n int) {
	t.Helper()
	for i := range n {
		if got := get(t, s, fmt.Sprintf("x%04d", i)); len(got) != 3000 {
			t.Fatalf("entry %d of %d was acknowledged and is gone", i, n)
		}
	}
}

func TestCommitsGoOnWhileTheFirstDiskStalls(t *testing.T) {
	first, second := newSickDisk(), newSickDisk()
	s := twoDisks(t, first, second)
	putAll(t, s, 0, 50)
	if f := s.Failover(); f.InUse || f.Folder != "/wal2" {
		t.Fatalf("before: %+v", f)
	}
	stall := make(chan struct{})
	first.set(stall, nil)
	putAll(t, s, 50, 300) // more than a memtable: the log is rotated meanwhile
	if f := s.Failover(); !f.InUse || f.Turns != 1 || f.Err != nil {
		t.Errorf("while it stalls: %+v", f)
	}
	disks := crash(first, second)
	close(stall)
	first.set(nil, nil)
	if err := s.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}

	again := twoDisks(t, disks[0], disks[1], func(o *store.Options) { o.Create = false })
	haveAll(t, again, 300)
	putAll(t, again, 300, 320)
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCommitsGoOnAfterTheFirstDiskFailed(t *testing.T) {
	first, second := newSickDisk(), newSickDisk()
	s := twoDisks(t, first, second)
	putAll(t, s, 0, 50)
	first.set(nil, syscall.EIO)
	putAll(t, s, 50, 300)
	if f := s.Failover(); !f.InUse || f.Err == nil || s.Err() != nil {
		t.Errorf("after an error: %+v, %v", f, s.Err())
	}
	disks := crash(first, second)
	s.Close() // returns, although a call is parked for good

	readOnly, err := store.Open("/store", store.Options{FS: disks[0], FailoverFS: disks[1], Failover: "/wal2", ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	haveAll(t, readOnly, 300)
	readOnly.Close()
	again := twoDisks(t, disks[0], disks[1], func(o *store.Options) { o.Create = false })
	haveAll(t, again, 300)
	again.Close()
}

func TestBothDisksFailing(t *testing.T) {
	first, second := newSickDisk(), newSickDisk()
	s := twoDisks(t, first, second)
	putAll(t, s, 0, 50)
	first.set(nil, syscall.EIO)
	second.set(nil, syscall.EIO)
	done := make(chan error, 1)
	go func() { done <- put(t, s, "xa", "v") }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("acknowledged, and no disk took it")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody is told that both disks failed")
	}
	if s.Err() == nil {
		t.Error("the store says that it is well")
	}
	disks := crash(first, second)
	s.Close()
	again := twoDisks(t, disks[0], disks[1], func(o *store.Options) { o.Create = false })
	haveAll(t, again, 50)
	again.Close()
}

// Whoever takes the key out of the configuration, or names another folder,
// must not lose what the old one holds.
func TestFailoverFolderThatIsNoLongerNamedIsStillRead(t *testing.T) {
	first, second := newSickDisk(), newSickDisk()
	s := twoDisks(t, first, second)
	putAll(t, s, 0, 10)
	stall := make(chan struct{})
	first.set(stall, nil)
	putAll(t, s, 10, 20)
	disks := crash(first, second)
	close(stall)
	s.Close()

	_, err := store.Open("/store", store.Options{FS: disks[0], FailoverFS: vfs.NewMem(), MemTable: 256 << 10})
	refused(t, err, "failover folder /wal2")
	again, err := store.Open("/store", store.Options{FS: disks[0], FailoverFS: disks[1], MemTable: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	haveAll(t, again, 20)
	again.Close()
}

func TestFailoverOnRealFolders(t *testing.T) {
	dir := t.TempDir()
	o := store.Options{Create: true, Reserve: -1, Failover: filepath.Join(dir, "other", "wal2")}
	for range 3 {
		s, err := store.Open(filepath.Join(dir, "store"), o)
		if err != nil {
			t.Fatal(err)
		}
		putAll(t, s, 0, 20)
		haveAll(t, s, 20)
		if err := s.Checkpoint(filepath.Join(t.TempDir(), "copy")); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		o.Create = false
	}
}
