// Package ledger is the durable record of everything that crossed Cordon.
//
// Entries (disclosures, their outcomes, events) are numbered from 1 and
// written in batches: one batch is one atomic write to the store with one
// sync, and its header is a leaf of a Merkle tree whose head is signed every
// second. Formats and proofs are specified by package evidence.
//
// The order that matters: Record returns a Receipt only when the disclosure is
// on disk, and only a Receipt lets the message go. Whatever goes wrong with
// the disk, the ledger refuses from then on until a restart; it never goes on
// with a gap. A disclosure without an outcome, because the process died
// between the two, is given the outcome unknown at the next start: it may
// have been sent.
//
// # What damage is found
//
// At start: a store that ends before the last acknowledged batch or before a
// signed head (heads, mirror), a head that does not match the tree, a hole in
// the last batches, a damaged last batch. When read and by Verify: every
// flipped bit of the journal and the tree, since each batch is under its hash.
//
// Not found at start: damage to old batches, which only reading reveals
// (Verify reads everything). Not found at all: after a loss of power, not a
// kill, up to a second of acknowledged batches if the end of the store's log
// is damaged at the same time, since the file of heads is synced with each
// checkpoint and not with each batch; and a rewriting of everything, store,
// heads and mirror, by somebody with the keys, which takes a witness to notice.
package ledger

import (
	"context"
	"crypto/cipher"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"cordon/evidence"
	"cordon/internal/store"
)

// Ledger is an open ledger. All methods may be called concurrently.
type Ledger struct {
	store    *store.Store
	dir      string
	keys     Keys
	witness  *evidence.Witness // nil: none
	origin   string
	gateway  [16]byte
	readOnly bool
	now      func() time.Time
	log      *slog.Logger

	seal      cipher.AEAD // directory ids
	hasher    *hasher
	words     wordKey
	tokens    tokens
	texts     sealedTexts
	ids       *identities
	dict      dictionary
	days      dayKeys
	holds     holds
	queue     *queue
	j         *journal
	heads     *heads
	headsFile string
	mirror    string // path of the mirrored heads, "" for none
	signer    *signer

	durable  atomic.Pointer[extent] // what is on disk; grows only
	cosigned cosigned
	learning struct{ linked, refused atomic.Uint64 }
	low      atomic.Bool // little space is left: no disclosures until there is more
	growth   struct {
		mu sync.Mutex
		ch chan struct{} // closed at the next growth; nil while nobody follows
	}
	listedEvents uint64 // rows of the list of events, at start

	status struct {
		mu         sync.Mutex
		checkpoint string
		signed     uint64
		lastSync   time.Time
		warnings   []string
	}
	importing    sync.Mutex // one directory import at a time
	expiring     sync.Mutex // one day's or person's erasure at a time
	stopping     context.Context
	stop         context.CancelFunc  // when closing begins
	chores       sync.WaitGroup      // what runs by itself from the start on
	baseFrom     uint64              // tests: the number of news from which on a base is made; 0 is worthABase
	beforeNaming func()              // tests: called when a base is about to be named
	reserved     uint64              // ordinals below are not handed out at start: an interrupted import has them
	pointEvery   uint32              // tests: blocks between two waypoints of an import; 0 is pointEvery
	atPoint      func(blocks uint32) // tests: called when a waypoint is on disk
	closing      sync.Once
	closed       atomic.Bool
	reads        sync.RWMutex // held for reading around short reads of the store, for writing by Close
}

// extent is how far the ledger reaches: immutable, replaced as a whole.
type extent struct {
	batches, entries uint64
	edge             edge
}

// Store is the one store, for the owners of the other keyspaces.
func (l *Ledger) Store() *store.Store { return l.store }

// advance publishes that a batch is on disk.
func (l *Ledger) advance(c *commit) {
	l.durable.Store(&extent{c.batches, c.entries, c.edge})
	l.growth.mu.Lock()
	if l.growth.ch != nil {
		close(l.growth.ch)
		l.growth.ch = nil
	}
	l.growth.mu.Unlock()
}

func (l *Ledger) nowMS() int64 { return l.now().UnixMilli() }

func (l *Ledger) msOf(t time.Time) int64 {
	if t.IsZero() {
		return l.nowMS()
	}
	return t.UnixMilli()
}

func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// untilClosed ends with ctx, and when the ledger begins to close.
func (l *Ledger) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(l.stopping, cancel)
	return ctx, func() { unhook(); cancel() }
}

// chore runs what takes long and must not outlive the ledger.
func (l *Ledger) chore(f func(context.Context)) {
	l.chores.Go(func() { f(l.stopping) })
}

// Close ends the writing, signs what was written, and closes the store.
func (l *Ledger) Close() (err error) {
	l.closing.Do(func() { err = l.shut() })
	return err
}

func (l *Ledger) shut() error {
	l.closed.Store(true)
	l.stop()
	l.reads.Lock()   // whoever is inside a look-up comes out first
	l.reads.Unlock() //lint:ignore SA2001 nothing is guarded, only waited for
	if l.readOnly {
		l.setBase(nil)
		return l.store.Close()
	}
	l.chores.Wait()
	l.queue.close()
	select {
	case <-l.j.ended:
	case <-l.store.Failed(): // the goroutine may be parked for good
	}
	l.signer.stop()
	l.setBase(nil)
	err := l.store.Close()
	if l.store.Err() == nil {
		if e := l.heads.close(); err == nil {
			err = e
		}
	}
	return err
}
