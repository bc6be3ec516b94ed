package api

import (
	"iter"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/store"
	"cordon/internal/watch"
)

type noEntries struct{}

func (noEntries) Entries(uint64) iter.Seq2[ledger.Entry, error] {
	return func(func(ledger.Entry, error) bool) {}
}
func (noEntries) Status() ledger.Status { return ledger.Status{Size: 7} }

// A log that cannot be written never comes back to whoever writes it. The fold
// is kept with every change of a gate, and a cut is wanted then most of all.
func TestFoldOnAFailingDiskKeepsNoCutWaiting(t *testing.T) {
	for name, write := range map[string]func(*Fold){
		"mark":   func(f *Fold) { f.MarkAll(noEntries{}) },
		"change": func(f *Fold) { f.Took(7, "acme", "", isolate.Held, noon) },
	} {
		t.Run(name, func(t *testing.T) {
			var failing atomic.Bool
			fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(o errorfs.Op) error {
				if failing.Load() && (o.Kind == errorfs.OpFileWrite || o.Kind == errorfs.OpFileSyncData) && strings.HasSuffix(o.Path, ".log") {
					return syscall.EIO
				}
				return nil
			}))
			s, err := store.Open("store", store.Options{Create: true, FS: fs})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			f, err := LoadFold(t.Context(), s, noEntries{}, newUsers(&tape{}), watch.NewFindings(&tape{}, time.Now), false)
			if err != nil {
				t.Fatal(err)
			}
			failing.Store(true)
			go write(f)
			if name == "mark" {
				<-s.Failed()
			} else {
				time.Sleep(50 * time.Millisecond) // nothing is synced, so nothing fails yet
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				f.changing.RLock()
				defer f.changing.RUnlock()
				f.Took(8, "acme", "", isolate.Cut, noon)
				f.MarkAll(noEntries{})
			}()
			select {
			case <-done:
			case <-time.After(5 * time.Second):
				t.Fatal("the cut waits for the disk")
			}
			if got := f.Gates("acme")[""]; got != isolate.Cut {
				t.Errorf("the gate is %s", got)
			}
		})
	}
}
