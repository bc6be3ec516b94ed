package ledger

import (
	"context"
	"sync"
	"time"

	"cordon/internal/exposure"
)

// A job is something to be written with the next batch: exactly one of its
// fields is set.
type job struct {
	intent  *intent
	outcome *settlement
	event   *eventJob
	people  *chunk
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

	seq uint64 // set by the committer
}

type unresolved struct {
	set exposure.Set
	ids []hashedID
}

type hashedID struct {
	hash    idHash
	ordinal exposure.Ordinal // Nobody: not known when it was looked up
	contact []byte           // sealed; only if not known and reachable
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

// group is what goes into one batch. It grows until the committer takes it.
type group struct {
	jobs []job
	done chan struct{} // closed when it is on disk, or never will be
	err  error         // why not; valid after done
}

// queue collects jobs into groups.
type queue struct {
	mu     sync.Mutex
	open   *group
	full   []*group // groups that reached maxGroup, oldest first
	closed bool
	notes  int    // jobs in groups that nobody waits for
	lost   uint64 // notes that did not fit
	timer  *time.Timer

	wake chan struct{} // holds one token when a group should be taken
}

const (
	// maxGroup bounds a batch, and with it the time to hash it.
	maxGroup = 4096
	// maxNotes bounds the memory that notes may take while the disk is slow.
	maxNotes = 16384
	// lazyDelay is how long a job that nobody waits for may lie before it
	// causes a commit of its own. With traffic the next commit takes it along.
	lazyDelay = 10 * time.Millisecond
)

func newQueue() *queue {
	q := &queue{open: newGroup(), wake: make(chan struct{}, 1)}
	q.timer = time.AfterFunc(time.Hour, q.signal)
	q.timer.Stop()
	return q
}

func newGroup() *group { return &group{done: make(chan struct{})} }

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
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
	if len(g.jobs) >= maxGroup {
		q.full = append(q.full, g)
		q.open = newGroup()
		waited = true
	}
	if waited {
		q.signal()
	} else if len(g.jobs) == 1 {
		q.timer.Reset(lazyDelay)
	}
	return g
}

// note adds an event that nobody waits for, or counts that it did not fit.
func (q *queue) note(e *eventJob) {
	q.mu.Lock()
	fits := q.notes < maxNotes
	if fits {
		q.notes++
	} else {
		q.lost++
	}
	q.mu.Unlock()
	e.noted = true
	if fits {
		q.add(job{event: e}, false)
	}
}

// take waits for a group with jobs; nil when the queue is closed and empty.
func (q *queue) take(failed <-chan struct{}) *group {
	for {
		q.mu.Lock()
		var g *group
		switch {
		case len(q.full) > 0:
			g, q.full = q.full[0], q.full[1:]
		case len(q.open.jobs) > 0:
			g, q.open = q.open, newGroup()
		}
		more := len(q.full) > 0
		closed := q.closed
		q.mu.Unlock()
		if g != nil {
			if more {
				q.signal()
			}
			return g
		}
		if closed {
			return nil
		}
		select {
		case <-q.wake:
		case <-failed:
			return nil
		}
	}
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
	q.signal()
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
