package scope

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/store"
)

// Options say where the index lives and what it follows.
type Options struct {
	// DB is the one store; the index owns store.Index and store.Scope in it.
	DB *pebble.DB
	// Apply writes a batch and closes it; it returns also when the disk does
	// not. Nil: committed to DB.
	Apply func(*pebble.Batch) error
	// Keep is the same with a sync, for what cannot be built again.
	Keep   func(*pebble.Batch) error
	Source Source
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: nothing is logged
	// ReadOnly never writes: what the store does not hold yet is read from the
	// journal into memory. It also means that no server runs, so coverage ends
	// at the last sign of life.
	ReadOnly bool
	// FlushEvery and FlushFacts bound what a restart reads again. Zero takes
	// the defaults.
	FlushEvery time.Duration
	FlushFacts int
}

// A flush rewrites every page that got somebody since the last one, so rare
// flushes write less: at 10 million disclosures a day in 6,000 pages, one
// every five minutes rewrites at most those, of about 5 KB. What a crash
// leaves to be read again is at most this much of the journal: well below a second.
const (
	flushEvery = 5 * time.Minute
	flushFacts = 500_000
)

// Index follows the journal and answers questions. All methods may be called
// at the same time. The follower is never in the way of a message: the ledger
// acknowledges without it.
type Index struct {
	o Options

	stop    context.CancelFunc
	stopped chan struct{} // follower and roller have ended
	flushed chan struct{} // wakes the roller
	again   chan struct{} // the index was thrown away: read from the beginning
	hurry   chan struct{} // somebody waits in reach

	// mu guards everything below. The follower holds it for one entry, a
	// flush for as long as it writes, a question only to take its snapshot.
	mu sync.Mutex
	// position is the last entry that the rest knows of; built counts rebuilds.
	position uint64
	built    int
	names    *names
	fresh    *fresh
	// rolled says which roll-ups are made, days which days there are, flushes
	// how often fresh was written.
	rolled  rolled
	evers   evers
	sealed  map[day]seal // never changed, but for another one
	days    map[vendorID]map[day]bool
	flushes int
	// open are the intents without outcome; saved says which the store holds.
	open  map[uint64]*message
	saved map[uint64]bool
	// coverage are all events, unsavedCoverage how many of its last are not
	// in the store. alive is the last sign of life of a gateway.
	coverage        []coverageEvent
	unsavedCoverage int
	// lived are, by entry, events that a rebuild has not come to yet: the sign of life
	// before them has expired since.
	lived map[uint64]coverageEvent
	// statements likewise.
	statements        []Statement
	unsavedStatements int
	alive             int64
	recent            *recent // nil until somebody asks
	err               error   // why the follower gave up
	unsaved           error   // why nothing is saved any more; answers go on from memory
	moved             chan struct{}

	lists sync.Map // digest -> *roaring.Bitmap that never changes

	// filling is held, before mu, while recent is read from the journal.
	filling sync.Mutex
}

// Progress is told how many entries of how many are done.
type Progress func(done, total uint64)

var errClosed = errors.New("the scope index is closed")

// Open loads the index and starts to follow the journal. An index that cannot
// be read, or that knows more than the journal, is thrown away and built again.
func Open(o Options) (*Index, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.FlushEvery == 0 {
		o.FlushEvery = flushEvery
	}
	if o.FlushFacts == 0 {
		o.FlushFacts = flushFacts
	}
	x := &Index{o: o, stopped: make(chan struct{}), again: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		flushed: make(chan struct{}, 1), moved: make(chan struct{})}
	x.reset()
	if err := x.load(); err != nil {
		if o.ReadOnly {
			return nil, fmt.Errorf("reading the scope index: %w; start the server once, it builds the index again", err)
		}
		o.Log.Warn("building the scope index again from the journal", "because", err)
		if err := x.wipe(); err != nil {
			return nil, err
		}
	}
	var ctx context.Context
	ctx, x.stop = context.WithCancel(context.Background())
	var both sync.WaitGroup
	both.Go(func() { x.follow(ctx) })
	both.Go(func() { x.roll(ctx) })
	go func() {
		both.Wait()
		close(x.stopped)
	}()
	return x, nil
}

// reset forgets everything in memory.
func (x *Index) reset() {
	x.position, x.alive = 0, 0
	x.names, x.fresh = newNames(), newFresh()
	x.sealed = map[day]seal{}
	x.rolled, x.evers, x.days = rolled{}, evers{}, map[vendorID]map[day]bool{}
	x.open, x.saved = map[uint64]*message{}, map[uint64]bool{}
	x.coverage, x.unsavedCoverage, x.lived = nil, 0, map[uint64]coverageEvent{}
	x.statements, x.unsavedStatements = nil, 0
	x.recent = nil
}

// formatVersion is the first byte of the position. An index of another version
// is built again.
const formatVersion = 4

var positionKey = []byte{store.Scope, keyPosition}

// load reads what lies in memory between flushes.
func (x *Index) load() error {
	value, err := get(x.o.DB, positionKey)
	if err != nil {
		return err
	}
	if value == nil { // every batch writes it, so nothing else may be there
		return scan(x.o.DB, []byte{store.Scope}, func([]byte, []byte) error {
			return errors.New("the scope index's position is missing")
		})
	}
	r := reader{b: value}
	if v := r.bytes(1); r.bad || v[0] != formatVersion {
		return errors.New("the scope index was written by another version")
	}
	x.position, x.alive = r.uvarint(), r.varint()
	if r.bad {
		return errors.New("the scope index's position is cut short")
	}
	if size := x.o.Source.Size(); x.position > size {
		return fmt.Errorf("the scope index knows entry %d, the journal ends at %d", x.position, size)
	}
	if wiping, err := get(x.o.DB, wipingKey); err != nil || wiping != nil {
		return cmp.Or(err, errors.New("it was being thrown away"))
	}
	if x.sealed, err = loadSeals(x.o.DB); err != nil {
		return err
	}
	if x.names, err = loadNames(x.o.DB); err != nil {
		return err
	}
	if x.rolled, err = loadRolled(x.o.DB); err != nil {
		return err
	}
	if x.evers, err = loadEvers(x.o.DB); err != nil {
		return err
	}
	err = scan(x.o.DB, []byte{store.Scope, keyTally}, func(key, _ []byte) error {
		v, at, err := parseTallyKey(key)
		x.sawDay(v, at.day)
		return err
	})
	if err != nil {
		return err
	}
	err = scan(x.o.DB, []byte{store.Scope, keyOpen}, func(key, value []byte) error {
		seq, err := entryOf(key)
		if err != nil {
			return err
		}
		m, err := decodeMessage(seq, value)
		if err != nil {
			return err
		}
		if int(m.pathway) >= len(x.names.pathways) {
			return fmt.Errorf("open intent %d has a pathway without a name", seq)
		}
		x.open[seq], x.saved[seq] = m, true
		return nil
	})
	if err != nil {
		return err
	}
	err = scan(x.o.DB, []byte{store.Scope, keyStatement}, func(key, value []byte) error {
		seq, err := entryOf(key)
		if err != nil {
			return err
		}
		s, err := decodeStatement(seq, value)
		x.statements = append(x.statements, s)
		return err
	})
	if err != nil {
		return err
	}
	return scan(x.o.DB, []byte{store.Scope, keyCoverage}, func(key, value []byte) error {
		seq, err := entryOf(key)
		if err != nil {
			return err
		}
		c, err := decodeCoverage(seq, value)
		if seq > x.position {
			x.lived[seq] = c
			return err
		}
		x.coverage = append(x.coverage, c)
		return err
	})
}

func (x *Index) sawDay(v vendorID, d day) {
	if x.days[v] == nil {
		x.days[v] = map[day]bool{}
	}
	x.days[v][d] = true
}

// wipe forgets everything, in memory and in the store.
func (x *Index) wipe() error {
	sealed, err := loadSeals(x.o.DB)
	if err != nil {
		return fmt.Errorf("throwing the scope index away: %w", err)
	}
	if len(sealed) == 0 {
		b := x.o.DB.NewBatch()
		for _, space := range []byte{store.Index, store.Rollup, store.Scope} {
			if err := b.DeleteRange([]byte{space}, []byte{space + 1}, nil); err != nil {
				return errors.Join(err, b.Close())
			}
		}
		if err := x.apply(b); err != nil {
			return fmt.Errorf("throwing the scope index away: %w", err)
		}
		x.reset()
		return nil
	}
	position, err := get(x.o.DB, positionKey)
	if err == nil && len(position) > 0 && position[0] != formatVersion {
		err = errors.New("it holds days whose disclosures have expired, which another version wrote and only that one reads")
	}
	if err == nil {
		err = x.keepSealed()
	}
	if err != nil {
		return fmt.Errorf("throwing the scope index away but for sealed days: %w", err)
	}
	x.reset()
	return x.load()
}

// flush writes everything new, and the position up to which it is true, in one
// batch. It is not synced: the index can be read again from the journal, and a
// crash leaves either the old state or the new one with its own position. A
// disk that takes nothing any more is no error: the journal on it has stopped
// too, memory holds the rest, and now is when the index is asked.
func (x *Index) flush() error {
	if x.o.ReadOnly || x.unsaved != nil {
		return nil
	}
	b := x.o.DB.NewBatch()
	if err := x.save(b); err != nil {
		b.Close()
		return fmt.Errorf("writing the scope index: %w", err)
	}
	if err := x.apply(b); err != nil {
		x.stopSaving(err)
		return nil
	}
	for v, tallies := range x.fresh.tallies {
		for at := range tallies {
			x.sawDay(v, at.day)
		}
	}
	x.flushes++
	select {
	case x.flushed <- struct{}{}:
	default:
	}
	x.names.unsaved = nil
	x.fresh = newFresh()
	x.unsavedCoverage, x.unsavedStatements = 0, 0
	for seq := range x.saved {
		if x.open[seq] == nil {
			delete(x.saved, seq)
		}
	}
	for seq := range x.open {
		x.saved[seq] = true
	}
	return nil
}

func (x *Index) stopSaving(err error) {
	x.unsaved = err
	x.o.Log.Error("the scope index is not saved any more; it answers from memory", "error", err)
}

// apply writes a batch, without a sync, and closes it.
func (x *Index) apply(b *pebble.Batch) error {
	if x.o.Apply != nil {
		return x.o.Apply(b)
	}
	return errors.Join(b.Commit(pebble.NoSync), b.Close())
}

func (x *Index) save(b *pebble.Batch) error {
	if err := x.fresh.save(x.o.DB, b, x.rolled, x.evers); err != nil {
		return err
	}
	if err := errors.Join(x.names.save(b), x.saveSeals(b)); err != nil {
		return err
	}
	for seq := range x.saved {
		if x.open[seq] == nil {
			if err := b.Delete(entryKey(keyOpen, seq), nil); err != nil {
				return err
			}
		}
	}
	for seq, m := range x.open {
		if !x.saved[seq] {
			if err := b.Set(entryKey(keyOpen, seq), m.encode(), nil); err != nil {
				return err
			}
		}
	}
	for _, s := range x.statements[len(x.statements)-x.unsavedStatements:] {
		value, err := s.encode()
		if err != nil {
			return err
		}
		if err := b.Set(entryKey(keyStatement, s.Seq), value, nil); err != nil {
			return err
		}
	}
	for _, c := range x.coverage[len(x.coverage)-x.unsavedCoverage:] {
		if err := b.Set(entryKey(keyCoverage, c.seq), c.encode(), nil); err != nil {
			return err
		}
	}
	return b.Set(positionKey, encodePosition(x.position, x.alive), nil)
}

// Close writes what is not written yet and stops.
func (x *Index) Close() error {
	x.stop()
	<-x.stopped
	x.mu.Lock()
	defer x.mu.Unlock()
	if errors.Is(x.err, errClosed) {
		return nil
	}
	err := x.err
	if err == nil {
		err = x.flush()
	}
	x.err = errClosed
	x.announce()
	return err
}

// Sync returns once the index knows every entry acknowledged before the call.
func (x *Index) Sync(ctx context.Context) error {
	return x.reach(ctx, x.o.Source.Size(), nil)
}

// reach waits for the follower to come to an entry.
func (x *Index) reach(ctx context.Context, entry uint64, progress Progress) error {
	for {
		x.mu.Lock()
		position, moved, err := x.position, x.moved, x.err
		x.mu.Unlock()
		if progress != nil {
			progress(min(position, entry), entry)
		}
		switch {
		case err != nil:
			return err
		case position >= entry:
			return nil
		}
		select {
		case x.hurry <- struct{}{}:
		default:
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the scope index to read up to entry %d (it is at %d): %w", entry, position, ctx.Err())
		}
	}
}

// announce wakes whoever waits in reach. Called with mu held.
func (x *Index) announce() {
	close(x.moved)
	x.moved = make(chan struct{})
}

// vendorOf is the vendor of a pathway. Called with mu held.
func (x *Index) vendorOf(p pathwayID) vendorID { return x.names.pathways[p].vendor }

func encodePosition(entry uint64, alive int64) []byte {
	b := binary.AppendUvarint([]byte{formatVersion}, entry)
	return binary.AppendVarint(b, alive)
}
