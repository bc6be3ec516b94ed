package api

import (
	"encoding/json"
	"iter"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"cordon/internal/exposure"
	"cordon/internal/incident"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/store"
	"cordon/internal/watch"
)

// reel is a journal in memory that remembers what was read of it.
type reel struct {
	mu      sync.Mutex
	size    uint64
	entries []ledger.Entry
	read    []uint64
}

func (r *reel) add(e ledger.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size += 3 // others stand between
	r.entries = append(r.entries, ledger.Entry{Seq: r.size, Kind: ledger.KindEvent, At: noon, Event: e})
}

func (r *reel) Events(from uint64) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		r.mu.Lock()
		list := r.entries
		r.mu.Unlock()
		for _, e := range list {
			if e.Seq < from {
				continue
			}
			r.read = append(r.read, e.Seq)
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (r *reel) Status() ledger.Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return ledger.Status{Size: r.size}
}

func foldOf(t *testing.T, s *store.Store, r *reel) *Fold {
	t.Helper()
	f, err := LoadFold(t.Context(), s, r, newUsers(&tape{}), watch.NewFindings(&tape{}, time.Now), incident.NewCases(nil, time.Now), false)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A start reads of the ledger only what came after the last mark, and the state
// is the same as from the beginning.
func TestFoldReadsTheLedgerOnceAndForgetsNothing(t *testing.T) {
	s, err := store.Open("store", store.Options{Create: true, FS: vfs.NewMem(), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := &reel{}
	gate := func(to isolate.State, route string) {
		r.add(ledger.Event{Kind: ledger.EventGate, Vendor: "acme", Fields: map[string]any{"gate": to.String(), "route": route}})
	}
	gate(isolate.Cut, "")
	f := foldOf(t, s, r)
	gate(isolate.Held, "POST /x")
	r.add(ledger.Event{Kind: ledger.EventConfig})
	r.add(ledger.Event{Kind: ledger.EventUser, Fields: map[string]any{"op": "add", "user": "ann", "role": "counsel"}})
	if err := f.MarkAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	gate(isolate.Cut, "POST /y")
	r.read = nil
	f = foldOf(t, s, r)
	if !reflect.DeepEqual(r.read, []uint64{15}) {
		t.Errorf("read entries %v again", r.read)
	}
	want := map[string]isolate.State{"": isolate.Cut, "POST /x": isolate.Held, "POST /y": isolate.Cut}
	if got := f.Gates("acme"); !reflect.DeepEqual(got, want) {
		t.Errorf("gates are %v", got)
	}
	if since, ok := f.Users.Since("ann"); !ok || since != 12 {
		t.Errorf("ann since %d, %t", since, ok)
	}
	// Without the copies everything is read again.
	b := s.DB().NewBatch()
	if err := b.DeleteRange([]byte{store.User}, []byte{store.User + 1}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(b); err != nil {
		t.Fatal(err)
	}
	if got := foldOf(t, s, r).Gates("acme"); !reflect.DeepEqual(got, want) {
		t.Errorf("without the copies gates are %v", got)
	}
}

// A log that cannot be written never comes back to whoever writes it. The fold
// is marked every minute, and a cut is wanted most of all when the disk fails.
func TestFoldOnAFailingDiskKeepsNoCutWaiting(t *testing.T) {
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
	r := &reel{}
	f := foldOf(t, s, r)
	r.add(ledger.Event{Kind: ledger.EventConfig})
	failing.Store(true)
	go f.MarkAll(t.Context())
	<-s.Failed()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Took("acme", "", isolate.Cut)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("the cut waits for the disk")
	}
	if got := f.Gates("acme")[""]; got != isolate.Cut {
		t.Errorf("the gate is %s", got)
	}
}

// Gates of a vendor that nobody ever set are asked about, and written to.
func TestGatesOfAnUnknownVendor(t *testing.T) {
	f := &Fold{gates: map[exposure.VendorID]map[string]isolate.State{}}
	if got, err := json.Marshal(f.Gates("acme")); err != nil || string(got) != "{}" {
		t.Errorf("%s, %v", got, err)
	}
}
