package ledger

import (
	"context"
	"sync"
	"time"

	"cordon/internal/exposure"

	"github.com/cockroachdb/pebble/v2"
)

// A job is something to be written with the next batch: exactly one of its
// fields is set.
type job struct {
	intent  *intent
	outcome *settlement
	event   *eventJob
	people  *chunk
	lesson  *lesson
	untie   *untie
	step    func(*journal, *pebble.Batch) error // what is rare; runs in the committer
}

// intent is a disclosure with its identifiers hashed, looked up and, for
// strangers, sealed: all that can be done before the committer.
type intent struct {
	pathway    exposure.Pathway
	subjects   []unresolved
	incomplete []exposure.Reason
	shadow     bool
	retry      uint64
	at         int64 // ms
	seen       epoch // before the identifiers were looked up
	tokens     *mintedTokens
	declared   bool  // nothing is sent, see Declare
	heldSince  int64 // ms, of a declared one

	// set by the committer
	seq      uint64
	ordinals []exposure.Ordinal // whom it named
}

type unresolved struct {
	set exposure.Set
	ids []hashedID
	// ordinals are whose they are, set by the committer where tokens need it.
	ordinals []exposure.Ordinal
}

type hashedID struct {
	hash     idHash
	kind     exposure.Kind
	identity                     // as it was when it was looked up
	contact  []byte              // sealed; only if not known and reachable
	plain    exposure.Identifier // of addresses, for the day they prove to be shared
	names    []idHash            // of those that come from an import, which has no plain value any more: all their forms
	// forms are hashes under which vendors know it; only if not known, since
	// whoever is known is known by them too.
	forms []form
}

// form is one of the hashes under which vendors know an address.
type form struct {
	hash idHash
	identity
}

type settlement struct {
	of      uint64
	outcome Outcome
	at      int64
}

type eventJob struct {
	json  []byte
	at    int64
	noted bool   // nobody waits for it
	seq   uint64 // set by the committer
}

// group is what goes into one batch. It grows until the committer seals it,
// which is as late as can be: while the disk works on the batch before.
type group struct {
	jobs  []job // added and not yet drained; guarded by queue.mu
	count int   // added so far; guarded by queue.mu
	due   bool  // somebody waits for it, or nobody did for long enough; guarded by queue.mu

	done chan struct{} // closed when it is on disk, or never will be
	err  error         // why not; valid after done
}

// queue collects jobs into groups.
type queue struct {
	mu     sync.Mutex
	open   *group   // the group that add adds to
	full   []*group // groups that reached maxGroup, oldest first
	busy   bool     // a group is at the disk: nobody need be woken for the next
	closed bool
	notes  int    // jobs in groups that nobody waits for
	lost   uint64 // notes that did not fit
	timer  *time.Timer

	wake chan struct{} // holds one token when there is a group to send off
	more chan struct{} // holds one token when there is much to work ahead on
}

const (
	// maxGroup bounds a batch, and with it the time to hash it.
	maxGroup = 4096
	// maxNotes bounds the memory that notes may take while the disk is slow.
	maxNotes = 16384
	// lazyDelay is how long a job that nobody waits for may lie before it
	// causes a commit of its own. With traffic the next commit takes it along.
	lazyDelay = 10 * time.Millisecond
	// ahead is how many jobs gather before the committer is woken to work on
	// them while the disk is busy: fewer would cost a wake-up each.
	ahead = 64
)

func newQueue() *queue {
	q := &queue{open: newGroup(), wake: make(chan struct{}, 1), more: make(chan struct{}, 1)}
	q.timer = time.AfterFunc(time.Hour, q.lapse)
	q.timer.Stop()
	return q
}

func newGroup() *group { return &group{done: make(chan struct{})} }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// lapse makes the open group due after lazyDelay.
func (q *queue) lapse() {
	q.mu.Lock()
	q.open.due = q.open.due || q.open.count > 0
	q.mu.Unlock()
	signal(q.wake)
}

// add puts a job into the open group and returns the group; nil when closed.
func (q *queue) add(j job, waited bool) *group {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	g := q.open
	g.jobs = append(g.jobs, j)
	g.count++
	switch {
	case g.count >= maxGroup:
		g.due = true
		q.full = append(q.full, g)
		q.open = newGroup()
	case waited:
		g.due = true
	case g.count == 1:
		q.timer.Reset(lazyDelay)
	}
	switch {
	case g.due && !q.busy:
		signal(q.wake)
	case q.busy && g.count%ahead == 0:
		signal(q.more)
	}
	return g
}

// note adds a job that nobody waits for, or counts that it did not fit.
func (q *queue) note(j job) {
	q.mu.Lock()
	fits := q.notes < maxNotes
	if fits {
		q.notes++
	} else {
		q.lost++
	}
	q.mu.Unlock()
	if fits {
		q.add(j, false)
	}
}

// drain gives what was added to the oldest group since it was drained last.
// The group goes on growing unless seal is set and it is due (or the queue
// is closed): then it is sealed, and the disk counts as busy. With seal set and
// nothing to seal it counts as idle. ended says that nothing will ever come.
func (q *queue) drain(spare []job, seal bool) (g *group, jobs []job, sealed, ended bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	g = q.open
	if len(q.full) > 0 {
		g = q.full[0]
	}
	jobs, g.jobs = g.jobs, spare[:0]
	if seal {
		sealed = g.count > 0 && (g.due || q.closed)
		q.busy = sealed
	}
	switch {
	case !sealed:
	case len(q.full) > 0:
		q.full = q.full[1:]
	default:
		q.open = newGroup()
	}
	return g, jobs, sealed, q.closed && g.count == 0
}

// taken returns the notes' room and how many were lost since the last call.
func (q *queue) taken(notes int) (lost uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.notes -= notes
	lost, q.lost = q.lost, 0
	return lost
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	signal(q.wake)
}

// wait waits until the group is on disk.
func (l *Ledger) wait(ctx context.Context, g *group) error {
	if g == nil {
		return l.unavailable(errClosed)
	}
	select {
	case <-g.done:
		if g.err != nil {
			return l.unavailable(g.err)
		}
		return nil
	case <-l.store.Failed():
		return l.unavailable(l.store.Err())
	case <-ctx.Done():
		return ctx.Err()
	}
}
