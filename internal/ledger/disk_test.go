package ledger

import (
	"context"
	"errors"
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

func openOn(t *testing.T, dir string, fs vfs.FS) *Ledger {
	t.Helper()
	keys, _ := testKeys(t)
	l, err := open(Options{Dir: dir, Keys: keys}, store.Options{FS: fs, MemTable: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// A disk that fails once must stop the ledger for good, free everyone who
// waits, and after a restart everything acknowledged is there.
func TestFailedSyncEndsRecordingUntilRestart(t *testing.T) {
	for name, kind := range map[string]errorfs.OpKind{
		"sync": errorfs.OpFileSyncData, "write": errorfs.OpFileWrite, "create": errorfs.OpCreate,
	} {
		t.Run(name, func(t *testing.T) {
			mem := vfs.NewCrashableMem()
			var failing atomic.Bool
			var after atomic.Int64
			fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(o errorfs.Op) error {
				if failing.Load() && o.Kind == kind && strings.HasSuffix(o.Path, ".log") && after.Add(-1) < 0 {
					return syscall.EIO
				}
				return nil
			}))
			dir := t.TempDir()
			l := openOn(t, dir, fs)
			var mu sync.Mutex
			var acknowledged []uint64
			var wg sync.WaitGroup
			failing.Store(true)
			after.Store(10)
			if kind == errorfs.OpCreate {
				after.Store(0) // the first rotation; later ones use old logs again
			}
			for w := range 32 {
				wg.Go(func() {
					for i := w; i < 100_000; i += 32 {
						r, err := l.record(context.Background(), mail(about(justMail, userID(i))))
						if err != nil {
							if !errors.Is(err, ErrUnavailable) {
								t.Errorf("error is %v", err)
							}
							return
						}
						mu.Lock()
						acknowledged = append(acknowledged, r.Seq())
						mu.Unlock()
					}
				})
			}
			waitFor(t, &wg)
			failing.Store(false) // the disk is fine again; the ledger must not believe it
			if _, err := l.record(context.Background(), mail(about(justMail, userID(1)))); !errors.Is(err, ErrUnavailable) {
				t.Errorf("recorded after a failed sync: %v", err)
			}
			if _, err := l.Append(context.Background(), Event{Kind: EventGate}); !errors.Is(err, ErrUnavailable) {
				t.Errorf("appended after a failed sync: %v", err)
			}
			if l.Status().Err == nil {
				t.Error("the status says nothing")
			}
			crashed := mem.CrashClone(vfs.CrashCloneCfg{}) // what was not synced is gone
			l.Close()
			l = openOn(t, dir, crashed)
			last := l.Status().Size
			for _, seq := range acknowledged {
				if seq > last {
					t.Fatalf("entry %d was acknowledged, the ledger ends with %d", seq, last)
				}
			}
			mustVerify(t, l)
			mustRecord(t, l, mail(about(justMail, userID(1))))
		})
	}
}

func waitFor(t *testing.T, wg *sync.WaitGroup) {
	t.Helper()
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatal("somebody still waits for a disk that failed")
	}
}

func TestFullDiskStillRecordsACut(t *testing.T) {
	var full atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(o errorfs.Op) error {
		if o.Kind == errorfs.OpFileWrite && full.CompareAndSwap(true, false) {
			return syscall.ENOSPC // until the reserve is released
		}
		return nil
	}))
	l := openOn(t, t.TempDir(), fs)
	mustRecord(t, l, mail(about(justMail, email(1))))
	full.Store(true)
	mustAppend(t, l, Event{Kind: EventGate, Vendor: "acme-mail"})
	_, err := l.record(context.Background(), mail(about(justMail, email(1))))
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, store.ErrFull) {
		t.Errorf("a disclosure on a full disk: %v", err)
	}
	if _, err := l.Append(context.Background(), Event{Kind: EventConfig}); !errors.Is(err, store.ErrFull) {
		t.Errorf("an event on a full disk: %v", err)
	}
	mustAppend(t, l, Event{Kind: EventGate, Vendor: "acme-mail"})
	if err := l.Status().Err; !errors.Is(err, store.ErrFull) {
		t.Errorf("status: %v", err)
	}
}
