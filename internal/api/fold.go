package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
	"cordon/internal/incident"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/store"
	"cordon/internal/watch"
)

// Fold is the state that the ledger's events add up to: who may log in, how
// each gate was last set, what was found, and what incidents there are. It is a
// cache: the keyspace store.User holds copies of the events and up to which
// entry they are complete, so that a start reads them side by side instead of
// from batches all over a long ledger. They come from the ledger alone: whoever
// deletes them loses nothing but the time of one such reading.
type Fold struct {
	Users    *Users
	Findings *watch.Findings
	Cases    *incident.Cases

	journal Journal
	// kept is written through Apply and ApplyLazy alone, which come back when
	// the disk does not.
	kept     *store.Store
	readOnly bool

	keeping sync.Mutex // one MarkAll at a time; guards next
	next    uint64     // the first entry that no copy is complete for

	directoryAlarm atomic.Pointer[string] // see AlarmDirectory

	mu    sync.Mutex // guards gates; never held while the disk is waited for
	gates map[exposure.VendorID]map[string]isolate.State
}

// Journal is what the fold reads: durable entries from a number on.
type Journal interface {
	// Events yields those that state is folded from, in order.
	Events(from uint64) iter.Seq2[ledger.Entry, error]
	Status() ledger.Status
}

// LoadFold brings the fold up to the end of the journal. With readOnly nothing
// is written back.
func LoadFold(ctx context.Context, kept *store.Store, journal Journal, users *Users, findings *watch.Findings, cases *incident.Cases, readOnly bool) (*Fold, error) {
	f := &Fold{
		Users: users, Findings: findings, Cases: cases, journal: journal, kept: kept, readOnly: readOnly, next: 1,
		gates: map[exposure.VendorID]map[string]isolate.State{},
	}
	if err := f.load(kept.DB()); err != nil {
		return nil, fmt.Errorf("reading users and gates: %w", err)
	}
	return f, f.follow(ctx, f.fold)
}

// MarkAll copies what the ledger got since, so that the next start reads less.
// What is shown meanwhile does not wait for it: whoever makes an event folds it.
func (f *Fold) MarkAll(ctx context.Context) error {
	return f.follow(ctx, func(ledger.Entry) {})
}

// follow gives each event that is not copied yet, and copies it.
func (f *Fold) follow(ctx context.Context, each func(ledger.Entry)) error {
	f.keeping.Lock()
	defer f.keeping.Unlock()
	next := f.journal.Status().Size + 1 // before reading: what comes after is for the next time
	for e, err := range f.journal.Events(f.next) {
		if err != nil {
			return fmt.Errorf("reading the ledger for users and gates: %w", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		next = max(next, e.Seq+1)
		if !relevant(e) {
			continue
		}
		each(e)
		if err := f.keep(e); err != nil {
			return err
		}
	}
	if next == f.next && f.next != 1 {
		return nil
	}
	return f.mark(next)
}

func relevant(e ledger.Entry) bool {
	k := e.Event.Kind
	return k == ledger.EventUser || k == ledger.EventGate || watch.Relevant(k) || incident.Relevant(k)
}

func (f *Fold) fold(e ledger.Entry) {
	f.Users.Fold(e)
	f.Findings.Fold(e)
	f.Cases.Fold(e)
	if e.Event.Kind != ledger.EventGate {
		return
	}
	to, _ := e.Event.Fields["gate"].(string)
	route, _ := e.Event.Fields["route"].(string)
	state, err := isolate.ParseState(to)
	if err != nil { // a word that this build does not know: the closed reading
		state = isolate.Cut
	}
	f.Took(e.Event.Vendor, route, state)
}

// Gates is how the gates of a vendor were last set: "" is the vendor's own.
func (f *Fold) Gates(v exposure.VendorID) map[string]isolate.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]isolate.State{}
	maps.Copy(out, f.gates[v])
	return out
}

// Took folds a change of a gate that this process has just made, whether or not
// the ledger could record it yet.
func (f *Fold) Took(v exposure.VendorID, route string, to isolate.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gates[v] == nil {
		f.gates[v] = map[string]isolate.State{}
	}
	f.gates[v][route] = to
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

// keep writes the copy of an event. No sync: after a crash the event is read
// from the ledger again, because the mark did not move past it either.
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

// mark is written with a sync, after the events that it covers.
func (f *Fold) mark(next uint64) error {
	f.next = next
	if f.readOnly {
		return nil
	}
	data, err := json.Marshal(next)
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

// AlarmDirectory makes the status say, until the next import, that a start loaded
// a file without which many people left; "" takes it back.
func (f *Fold) AlarmDirectory(what string) { f.directoryAlarm.Store(&what) }

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
		f.fold(e)
	}
	return it.Error()
}
