package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// faulty is a disk of which one call fails, once.
type faulty struct {
	mem   *vfs.MemFS
	calls atomic.Int64 // that change the disk, since armed
	armed atomic.Bool
	fail  int64 // which of them; 0: none
	err   error

	mu  sync.Mutex
	hit string // what failed
	all []string
}

func newFaulty(fail int64, err error) (*faulty, vfs.FS) {
	f := &faulty{mem: vfs.NewCrashableMem(), fail: fail, err: err}
	return f, errorfs.Wrap(f.mem, f)
}

func (f *faulty) String() string { return "faulty" }

var kindNames = map[errorfs.OpKind]string{
	errorfs.OpCreate: "create", errorfs.OpLink: "link", errorfs.OpRemove: "remove", errorfs.OpRename: "rename", errorfs.OpReuseForWrite: "reuse",
	errorfs.OpFileWrite: "write", errorfs.OpFileWriteAt: "write-at", errorfs.OpFileSync: "sync", errorfs.OpFileSyncData: "sync-data",
	errorfs.OpFileSyncTo: "sync-to", errorfs.OpFilePreallocate: "preallocate",
}

// MaybeError is asked before every call.
func (f *faulty) MaybeError(op errorfs.Op) error {
	if !f.armed.Load() || op.Kind.ReadOrWrite() != errorfs.OpIsWrite || strings.HasSuffix(op.Path, "LOCK") {
		return nil
	}
	n := f.calls.Add(1)
	name := fmt.Sprintf("%s %s", kindNames[op.Kind], op.Path[strings.LastIndex(op.Path, "/")+1:])
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, name)
	if n != f.fail {
		return nil
	}
	f.hit = name
	return f.err
}

// commitOnce is a commit with everything that can belong to one: entries, the
// log's sync, a full memtable with its rotation and flush, a head.
func commitOnce(l *Ledger, from int) (acknowledged []uint64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for i := from; i < from+40; i++ {
		r, err := l.record(ctx, mail(about(nameMail, email(i), userID(i))))
		if err != nil {
			return acknowledged, err
		}
		acknowledged = append(acknowledged, r.Seq())
		l.Settle(r, Outcome{Sent, 202, 700})
		if i == from+20 {
			flushed := make(chan error, 1)
			go func() { flushed <- l.store.DB().Flush() }() // may be parked for good
			select {
			case <-flushed: // an error makes the store sick by itself, or the next commit does
			case <-l.store.Failed():
			case <-ctx.Done():
				return acknowledged, errors.New("the flush never ended")
			}
		}
	}
	if err := l.Checkpoint(ctx); err != nil {
		return acknowledged, err
	}
	_, err = l.Append(ctx, Event{Kind: EventConfig}) // the last outcome comes before it
	return acknowledged, err
}

// rehearse has logs come round, so that the commit under test uses an old one again.
func rehearse(t *testing.T, l *Ledger, times int) (acknowledged []uint64) {
	t.Helper()
	for i := range times {
		more, err := commitOnce(l, 1000+100*i)
		if err != nil {
			t.Fatal(err)
		}
		acknowledged = append(acknowledged, more...)
	}
	return acknowledged
}

// Each call to the file system in a commit fails once: nobody waits for ever,
// what was acknowledged is there after a loss of power, what is there was asked
// for, and the ledger verifies and goes on.
func TestEachCallOfACommitFailingOnce(t *testing.T) {
	t.Run("new logs", func(t *testing.T) { eachCallFails(t, 0) })
	t.Run("logs used again", func(t *testing.T) { eachCallFails(t, 4) })
}

func eachCallFails(t *testing.T, rehearsals int) {
	calls := func() int64 {
		f, fs := newFaulty(0, nil)
		l := openFaulty(t, t.TempDir(), fs)
		rehearse(t, l, rehearsals)
		f.armed.Store(true)
		if _, err := commitOnce(l, 0); err != nil {
			t.Fatal(err)
		}
		f.armed.Store(false)
		kinds := map[string]bool{}
		for _, name := range f.all {
			kind, _, _ := strings.Cut(name, " ")
			kinds[kind] = true
		}
		t.Logf("%d calls of the kinds %v", f.calls.Load(), kinds)
		if len(kinds) < 4 {
			t.Errorf("that is no whole commit: %v", f.all)
		}
		l.Close()
		return f.calls.Load()
	}()
	stride := int64(1)
	if testing.Short() {
		stride = 5
	}
	met := map[string]int{}
	var closing sync.WaitGroup
	defer closing.Wait()
	for n := int64(1); n <= calls; n += stride {
		err := error(syscall.EIO)
		if n%3 == 0 {
			err = syscall.ENOSPC
		}
		func() {
			f, fs := newFaulty(n, err)
			dir := t.TempDir()
			l := openFaulty(t, dir, fs)
			before := rehearse(t, l, rehearsals)
			f.armed.Store(true)
			acknowledged, failed := commitOnce(l, 0)
			f.armed.Store(false)
			acknowledged = append(before, acknowledged...)
			what := f.hit
			if what == "" {
				return // the background was done before
			}
			how := "went on"
			if failed != nil {
				how = "refused"
				if !errors.Is(failed, ErrUnavailable) {
					t.Errorf("%s: %v", what, failed)
				}
				if l.store.Err() == nil && !errors.Is(failed, store.ErrFull) {
					t.Errorf("%s: refused with %v, and the store says that it is well", what, failed)
				}
			}
			met[how]++
			heads, err := os.ReadFile(headsPath(dir)) // lies on a disk of its own, and outcomes may still be under way
			if err != nil {
				t.Fatal(err)
			}
			crashed := f.mem.CrashClone(vfs.CrashCloneCfg{}) // what was not synced is gone
			was := dir
			closing.Go(func() { l.Close() }) // waits a while for what is parked; nobody needs it any more
			dir = t.TempDir()                // the old one's file of heads is still written to
			if err := moveStore(crashed, was, dir); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(headsPath(dir), heads, 0o600); err != nil {
				t.Fatal(err)
			}

			again := openFaulty(t, dir, crashed)
			defer again.Close()
			last := again.Status().Size
			for _, seq := range acknowledged {
				if seq > last {
					t.Errorf("%s: entry %d was acknowledged, the ledger ends with %d", what, seq, last)
				}
			}
			// At most the one that was under way is there beside those.
			disclosures := 0
			for _, e := range allEntries(t, again) {
				if e.Kind == KindDisclosure {
					disclosures++
				}
			}
			if disclosures < len(acknowledged) || disclosures > len(acknowledged)+1 {
				t.Errorf("%s: %d were acknowledged, %d are there", what, len(acknowledged), disclosures)
			}
			if r := again.Verify(context.Background(), nil); !r.OK {
				t.Errorf("%s: %v", what, r.Problems)
			}
			mustRecord(t, again, mail(about(justMail, email(1))))
		}()
	}
	t.Logf("%v", met)
	if met["refused"] == 0 {
		t.Error("no failure was noticed: this proves nothing")
	}
}

func openFaulty(t *testing.T, dir string, fs vfs.FS) *Ledger {
	t.Helper()
	keys, _ := testKeys(t)
	l, err := open(Options{Dir: dir, Keys: keys}, store.Options{FS: fs, MemTable: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// moveStore puts the store of one data directory into another one, on a disk in memory.
func moveStore(fs vfs.FS, from, to string) error {
	if err := fs.MkdirAll(to, 0o755); err != nil {
		return err
	}
	return fs.Rename(from+"/store", to+"/store")
}
