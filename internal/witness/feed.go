package witness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Ledger is the ledger whose heads are to be witnessed.
type Ledger interface {
	// Head is the newest signed head and its size, "" before the first.
	Head() (checkpoint string, size uint64)
	// Consistency proves that the tree of old batches is a prefix of that of size.
	Consistency(old, size uint64) ([]tlog.Hash, error)
	// KeepCosigned makes a cosigned head durable. One with a smaller size than
	// that kept before changes nothing.
	KeepCosigned(checkpoint string) error
	// Agrees compares a head with the tree. A contradiction: this ledger's own key
	// signed it, and it is not over this ledger. An error: it could not be compared.
	Agrees(checkpoint string) (contradiction string, err error)
}

// Contradiction is a head that the ledger's own key signed and that is not over
// this ledger: entries were cut off, or replaced. Nobody but the holder of the
// key can make one.
type Contradiction struct{ What string }

func (c *Contradiction) Error() string { return c.What }

const (
	// lateAfter is how long a head may wait for its cosignature.
	lateAfter = time.Minute
	// pause is the least time between two requests.
	pause = time.Second
	// longestPause is the most, while the witness cannot be reached or refuses.
	longestPause = time.Minute
	// freshen is how old the newest cosignature may become while nothing grows.
	// It shows that the witness lives before it is needed.
	freshen = 10 * time.Minute
	// skew is how far the witness's clock may be from ours.
	skew = time.Minute
)

// Status is how a ledger stands with its witness.
type Status struct {
	Name string
	Size uint64    // of the newest cosigned head, 0 for none
	At   time.Time // when it was cosigned, by the witness's clock
	// Late: a head has waited for its cosignature for more than a minute.
	Late  bool
	Since time.Time // since when, by our clock; zero if nothing waits
	// Problem is what the last request met, "" after a good one.
	Problem string
	// Rewritten is set, for good, once the witness showed a head of this ledger's
	// key that is not over this ledger.
	Rewritten string
}

// Feed keeps the heads of one ledger witnessed. One request is in flight at
// most, always with the newest head: those between need no cosignature.
type Feed struct {
	client  *Client
	ledger  Ledger
	origin  string
	changed func(Status, Change)
	now     func() time.Time
	log     *slog.Logger
	pause   time.Duration // between two requests, at least; tests hurry
	late    time.Duration

	mu     sync.Mutex // guards the rest
	status Status
	old    uint64 // size of the witness's newest head, as far as we know
	// answered is when it cosigned last, by our clock; forgot, that it was told of
	// that it went back.
	answered time.Time
	forgot   bool
	// told is the kind of problem that was told of and lasts, "" for none; warned,
	// that the last request failed in a way that only the log was told of.
	told   string
	warned bool
}

// Change is why somebody is told of a new status.
type Change string

const (
	BecameLate Change = "late"
	Recovered  Change = "recovered"
	Refused    Change = "refused"   // the witness refuses, or signs what it should not
	Rewritten  Change = "rewritten" // see Status.Rewritten
	ClockOff   Change = "clock"     // its clock and ours are more than a minute apart
	Forgot     Change = "forgot"    // it names a smaller head than it cosigned
)

// FeedOptions are what a feed begins with.
type FeedOptions struct {
	Origin string
	// Kept is the newest cosigned head that the ledger keeps, "" for none, and
	// Size its size; Late whether it was late when the last process ended, so that
	// it is not said anew.
	Kept string
	Size uint64
	Late bool
	// Changed is told once of every change, in the feed's goroutine.
	Changed func(Status, Change)
	Now     func() time.Time
	Log     *slog.Logger
}

// NewFeed makes a feed; Run runs it.
func NewFeed(c *Client, l Ledger, o FeedOptions) *Feed {
	f := &Feed{client: c, ledger: l, origin: o.Origin, changed: o.Changed, now: o.Now, log: o.Log, pause: pause, late: lateAfter}
	if f.now == nil {
		f.now = time.Now
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if f.changed == nil {
		f.changed = func(Status, Change) {}
	}
	f.status.Name, f.status.Late = c.Key().Name(), o.Late
	// One of another witness, which the configuration named before, counts for nothing.
	if at, err := c.Key().Cosigned(o.Kept); err == nil {
		f.status.At, f.status.Size, f.old = at, o.Size, o.Size
	}
	return f
}

// Status never waits.
func (f *Feed) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.status
	// It becomes late by the clock, whether or not an answer is awaited just now.
	s.Late = s.Late || !s.Since.IsZero() && f.now().Sub(s.Since) > f.late
	return s
}

// Check asks the witness, before anything is written, for the newest head that
// it cosigned, and compares it with the ledger. A *Contradiction: the ledger was
// cut short or replaced since. Any other error only says that nobody knows.
func (f *Feed) Check(ctx context.Context) error {
	latest, err := f.client.Latest(ctx, f.origin)
	if err != nil || latest == "" {
		return err
	}
	return f.compare(latest)
}

func (f *Feed) compare(checkpoint string) error {
	contradiction, err := f.ledger.Agrees(checkpoint)
	if contradiction != "" {
		return &Contradiction{contradiction}
	}
	return err
}

// Run works until ctx ends.
func (f *Feed) Run(ctx context.Context) {
	defer f.client.Close()
	tick := time.NewTicker(max(f.pause/4, time.Millisecond))
	defer tick.Stop()
	var next time.Time // no request before
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		head, size := f.ledger.Head()
		now := f.now()
		f.waits(size, now)
		f.tellLate()
		if head == "" || now.Before(next) && next.Sub(now) <= 2*longestPause || !f.wants(size, now) {
			continue
		}
		err := f.ask(ctx, head, size)
		if ctx.Err() != nil {
			return
		}
		if clock := (*clockOff)(nil); err == nil || errors.As(err, &clock) {
			failures, next = 0, f.now().Add(f.pause)
		} else {
			failures++
			next = f.now().Add(backoff(f.pause, failures))
		}
		f.settle(err)
	}
}

// waits notes since when a head lacks its cosignature.
func (f *Feed) waits(size uint64, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if size > f.status.Size && f.status.Since.IsZero() {
		f.status.Since = now
	}
}

func (f *Feed) wants(size uint64, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return size > f.status.Size || f.status.Late || now.Sub(f.answered).Abs() > freshen
}

// backoff doubles from one pause to a minute, give or take a quarter, so that
// many ledgers do not come back at the same instant.
func backoff(pause time.Duration, failures int) time.Duration {
	d := longestPause
	if failures < 16 {
		d = min(pause<<failures, longestPause)
	}
	return d*3/4 + rand.N(d/2+1)
}

// ask has the head cosigned, learning the witness's size first if need be.
func (f *Feed) ask(ctx context.Context, head string, size uint64) error {
	sent := f.now()
	f.mu.Lock()
	old := min(f.old, size)
	f.mu.Unlock()
	for attempt := 0; ; attempt++ {
		var proof []tlog.Hash
		if old > 0 && old < size {
			var err error
			if proof, err = f.ledger.Consistency(old, size); err != nil {
				return fmt.Errorf("proving to the witness that the ledger only grew: %w", err)
			}
		}
		cosigned, at, err := f.client.AddCheckpoint(ctx, Request{old, proof, head})
		refusal, refused := errors.AsType[*Refusal](err)
		switch {
		case err == nil:
			return f.keep(cosigned, size, at, sent)
		case refused && refusal.Status == http.StatusConflict && attempt == 0 && refusal.Size <= size:
			f.learn(refusal.Size)
			old = refusal.Size
		case refused && (refusal.Status == http.StatusConflict || refusal.Status == http.StatusUnprocessableEntity):
			// Its word alone is not enough to say that we were rewritten: a head that
			// our own key signed is.
			latest, lerr := f.client.Latest(ctx, f.origin)
			if lerr == nil && latest != "" {
				if found := (*Contradiction)(nil); errors.As(f.compare(latest), &found) {
					return found
				}
			}
			if refusal.Status == http.StatusConflict {
				return &Refusal{refusal.Status, refusal.Size, fmt.Sprintf("the witness says it has seen %d batches of this ledger, which has %d", refusal.Size, size)}
			}
			return err
		default:
			return err
		}
	}
}

// learn takes the size that the witness names. One below what it cosigned
// already means that it lost its state, or that another one answers in its
// place: what it cosigns from then on proves less about the time before.
func (f *Feed) learn(size uint64) {
	f.mu.Lock()
	f.old = size
	tell := size < f.status.Size && !f.forgot
	f.forgot = f.forgot || tell
	s := f.status
	f.mu.Unlock()
	if tell {
		s.Problem = fmt.Sprintf("the witness cosigned %d batches and now knows of %d: it lost its state, or another one answers in its place", s.Size, size)
		f.log.Error("witness", "name", s.Name, "problem", s.Problem)
		f.changed(s, Forgot)
	}
}

func (f *Feed) keep(cosigned string, size uint64, at, sent time.Time) error {
	if err := f.ledger.KeepCosigned(cosigned); err != nil {
		return fmt.Errorf("keeping the cosigned head: %w", err)
	}
	now := f.now()
	off := at.Sub(now)
	f.mu.Lock()
	f.answered = now
	f.status.Size, f.status.At, f.old = size, at, size
	// A head that was signed while this one was on its way waits since then at
	// the earliest.
	f.status.Since = time.Time{}
	if _, newest := f.ledger.Head(); newest > size {
		f.status.Since = sent
	}
	f.mu.Unlock()
	if off.Abs() > skew {
		return &clockOff{off}
	}
	return nil
}

// clockOff is no failure: the head is cosigned. But the time in it says
// nothing, and whoever reads it must know.
type clockOff struct{ by time.Duration }

func (e *clockOff) Error() string {
	word := "behind"
	if e.by > 0 {
		word = "ahead of"
	}
	return fmt.Sprintf("the witness's clock is %s %s ours: the times of its cosignatures prove nothing", e.by.Abs().Round(time.Second), word)
}

// settle notes what became of a request, and tells of what is new: a kind of
// problem is told once, until a request went well again.
func (f *Feed) settle(err error) {
	f.mu.Lock()
	f.status.Problem = ""
	if err != nil {
		f.status.Problem = err.Error()
	}
	change, kind := f.classify(err)
	tell := change != "" && kind != f.told
	warn := change == "" && err != nil && !f.warned
	f.warned = change == "" && err != nil
	if change != "" || err == nil { // out of reach for a while is no other problem
		f.told = kind
	}
	clock := change == ClockOff // cosigned all the same
	recovered := (err == nil || clock) && f.status.Late
	if recovered {
		f.status.Late = false
	}
	s := f.status
	f.mu.Unlock()
	if tell {
		f.log.Error("witness", "name", s.Name, "problem", s.Problem)
		f.changed(s, change)
	} else if warn {
		f.log.Warn("witness", "name", s.Name, "problem", s.Problem)
	}
	if recovered {
		f.log.Info("the ledger's heads are cosigned again", "name", s.Name, "size", s.Size)
		f.changed(s, Recovered)
	}
}

// classify gives what a failed request is told as, "" if only lateness will
// tell, and the kind by which the same problem is known again. It holds mu.
func (f *Feed) classify(err error) (change Change, kind string) {
	var contradiction *Contradiction
	var wrong *WrongKey
	var clock *clockOff
	var refusal *Refusal
	switch {
	case err == nil:
		return "", ""
	case errors.As(err, &contradiction):
		f.status.Rewritten = contradiction.What
		return Rewritten, "rewritten"
	case errors.As(err, &clock):
		return ClockOff, "clock"
	case errors.As(err, &wrong):
		return Refused, "key"
	case errors.As(err, &refusal) && refusal.Status < 500 && refusal.Status != http.StatusTooManyRequests:
		return Refused, fmt.Sprint("status ", refusal.Status)
	}
	return "", "unreachable"
}

// tellLate says once that a cosignature is late.
func (f *Feed) tellLate() {
	f.mu.Lock()
	late := !f.status.Late && !f.status.Since.IsZero() && f.now().Sub(f.status.Since) > f.late
	if late {
		f.status.Late = true
	}
	s := f.status
	f.mu.Unlock()
	if late {
		f.log.Warn("the witness's cosignature is late; the ledger goes on", "name", s.Name, "since", s.Since, "problem", s.Problem)
		f.changed(s, BecameLate)
	}
}
