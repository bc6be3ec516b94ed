package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/store"
	"cordon/internal/watch"
)

// Fold is the state that the ledger's events add up to: who may log in, how
// each gate was last set, and what was found. It is a cache: the keyspace store.User holds the
// events themselves and up to which entry they are complete, so that a start
// need not read a long ledger from its beginning. Whoever deletes it loses
// nothing but the time of one such reading.
type Fold struct {
	Users    *Users
	Findings *watch.Findings

	// kept is written through Apply and ApplyLazy alone, which come back when
	// the disk does not: a cut waits for the locks that are held meanwhile.
	kept     *store.Store
	readOnly bool

	// changing is held for reading while a gate is changed and folded.
	changing sync.RWMutex

	mu    sync.Mutex // guards everything below
	next  uint64     // the first entry not folded yet
	stale bool       // a change waits to be recorded
	gates map[exposure.VendorID]map[string]isolate.State
}

// Journal is what the fold reads: durable entries from a number on.
type Journal interface {
	Entries(from uint64) iter.Seq2[ledger.Entry, error]
}

// LoadFold brings the fold up to the end of the journal. With readOnly nothing
// is written back.
func LoadFold(ctx context.Context, kept *store.Store, journal Journal, users *Users, findings *watch.Findings, readOnly bool) (*Fold, error) {
	f := &Fold{Users: users, Findings: findings, kept: kept, readOnly: readOnly, next: 1, gates: map[exposure.VendorID]map[string]isolate.State{}}
	if err := f.load(kept.DB()); err != nil {
		return nil, fmt.Errorf("reading users and gates: %w", err)
	}
	for e, err := range journal.Entries(f.next) {
		if err != nil {
			return nil, fmt.Errorf("reading the ledger for users and gates: %w", err)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if relevant(e) {
			users.Fold(e)
			findings.Fold(e)
			f.fold(e)
			if err := f.keep(e); err != nil {
				return nil, err
			}
		}
		f.next = e.Seq + 1
	}
	users.took = func(seq uint64, e ledger.Event) error {
		return f.keep(ledger.Entry{Seq: seq, Kind: ledger.KindEvent, At: e.At, Event: e})
	}
	findings.Took = users.took
	return f, f.mark(f.next)
}

func relevant(e ledger.Entry) bool {
	return e.Kind == ledger.KindEvent && (e.Event.Kind == ledger.EventUser || e.Event.Kind == ledger.EventGate || watch.Relevant(e.Event.Kind))
}

// Gates is how the gates of a vendor were last set: "" is the vendor's own.
func (f *Fold) Gates(v exposure.VendorID) map[string]isolate.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]isolate.State{}
	for route, s := range f.gates[v] {
		out[route] = s
	}
	return out
}

func (f *Fold) fold(e ledger.Entry) {
	if e.Event.Kind != ledger.EventGate {
		return
	}
	to, _ := e.Event.Fields["gate"].(string)
	route, _ := e.Event.Fields["route"].(string)
	state, err := isolate.ParseState(to)
	if err != nil { // a word that this build does not know: the closed reading
		state = isolate.Cut
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gates[e.Event.Vendor] == nil {
		f.gates[e.Event.Vendor] = map[string]isolate.State{}
	}
	f.gates[e.Event.Vendor][route] = state
}

// Took folds a change of a gate that this process has just made. Without an
// entry number the change waits in memory to be recorded. From then on, as when
// the event cannot be kept here, nothing is marked as complete, so that the next
// start reads it from the ledger: a cut that holds is not reported as an error.
func (f *Fold) Took(seq uint64, v exposure.VendorID, route string, to isolate.State, at time.Time) {
	entry := ledger.Entry{Seq: seq, Kind: ledger.KindEvent, At: at, Event: ledger.Event{
		Kind: ledger.EventGate, Vendor: v, At: at, Fields: map[string]any{"gate": to.String(), "route": route}}}
	f.fold(entry)
	if seq != 0 && f.keep(entry) == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stale = true
}

// Keys: 'u' 'n' -> next entry as JSON; 'u' 'e' seq (8) -> event as JSON.
var nextKey = []byte{store.User, 'n'}

func eventKey(seq uint64) []byte {
	k := []byte{store.User, 'e'}
	for shift := 56; shift >= 0; shift -= 8 {
		k = append(k, byte(seq>>shift))
	}
	return k
}

type keptEvent struct {
	Seq    uint64            `json:"seq"`
	Kind   ledger.EventKind  `json:"kind"`
	Vendor exposure.VendorID `json:"vendor,omitempty"`
	At     time.Time         `json:"at"`
	Actor  string            `json:"actor"`
	Fields map[string]any    `json:"fields"`
}

// keep writes the event beside the ledger. No sync: after a crash the event is
// read from the ledger again, because the mark did not move past it either.
func (f *Fold) keep(e ledger.Entry) error {
	if f.readOnly {
		return nil
	}
	data, err := json.Marshal(keptEvent{e.Seq, e.Event.Kind, e.Event.Vendor, e.At, e.Event.Actor, e.Event.Fields})
	if err != nil {
		return err
	}
	return f.set(eventKey(e.Seq), data, f.kept.ApplyLazy)
}

// MarkAll says that everything up to the ledger's end is folded, unless a
// change is being made at this very moment: it may be durable and not folded
// yet. Nobody waits for a mark, least of all a cut.
func (f *Fold) MarkAll(l sizer) error {
	if !f.changing.TryLock() {
		return nil
	}
	defer f.changing.Unlock()
	if !f.Users.mu.TryLock() { // users are changed under their own lock
		return nil
	}
	size, quiet := f.Findings.Quiet(func() uint64 { return l.Status().Size })
	f.Users.mu.Unlock()
	if !quiet {
		return nil
	}
	return f.mark(size + 1)
}

type sizer interface{ Status() ledger.Status }

// mark is written with a sync, after the events that it covers.
func (f *Fold) mark(next uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = max(f.next, next)
	if f.readOnly || f.stale {
		return nil
	}
	data, err := json.Marshal(f.next)
	if err != nil {
		return err
	}
	return f.set(nextKey, data, f.kept.Apply)
}

func (f *Fold) set(key, value []byte, apply func(*pebble.Batch) error) error {
	b := f.kept.DB().NewBatch()
	if err := b.Set(key, value, nil); err != nil {
		return err
	}
	return apply(b)
}

// 'u' 'd' -> which version of the directory's file was loaded last.
var directoryKey = []byte{store.User, 'd'}

// DirectoryVersion is what SetDirectoryVersion kept, "" for nothing.
func (f *Fold) DirectoryVersion() string {
	value, closer, err := f.kept.DB().Get(directoryKey)
	if err != nil {
		return "" // loading once too often does no harm
	}
	defer closer.Close()
	return string(value)
}

// SetDirectoryVersion remembers which file was loaded.
func (f *Fold) SetDirectoryVersion(v string) error {
	return f.set(directoryKey, []byte(v), f.kept.Apply)
}

func (f *Fold) load(db *pebble.DB) error {
	value, closer, err := db.Get(nextKey)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil // never kept, or thrown away: everything is read anew
	}
	if err != nil {
		return err
	}
	err = json.Unmarshal(bytes.Clone(value), &f.next)
	closer.Close()
	if err != nil {
		return err
	}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{store.User, 'e'}, UpperBound: []byte{store.User, 'f'}})
	if err != nil {
		return err
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		var k keptEvent
		if err := json.Unmarshal(it.Value(), &k); err != nil {
			return err
		}
		if k.Seq >= f.next { // it comes again from the ledger
			continue
		}
		e := ledger.Entry{Seq: k.Seq, Kind: ledger.KindEvent, At: k.At, Event: ledger.Event{
			Kind: k.Kind, Vendor: k.Vendor, At: k.At, Actor: k.Actor, Fields: k.Fields}}
		f.Users.Fold(e)
		f.Findings.Fold(e)
		f.fold(e)
	}
	return it.Error()
}
