package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"cordon/evidence"

	"github.com/cockroachdb/pebble/v2"
)

// Why a day stays.
var (
	ErrNoSuchDay  = errors.New("nothing was recorded on this day, or it has expired")
	ErrDayNotOver = errors.New("the day is not over")
)

// Day is a UTC day of which the ledger holds disclosures.
type Day struct {
	Date           time.Time // its beginning
	Batches        uint64    // at most
	Bytes          uint64    // on disk, estimated
	first, through uint64    // batches
}

// Days lists the days that have not expired, oldest first.
func (l *Ledger) Days() (days []Day, err error) {
	err = l.reading(func() error {
		end := l.durable.Load().batches
		l.days.mu.RLock()
		for day, key := range l.days.days {
			if key.state != dayLive || key.first >= end {
				continue
			}
			d := Day{Date: time.UnixMilli(day * msPerDay).UTC(), first: key.first, through: key.last}
			if key.last == 0 {
				d.through = end - 1
			}
			d.Batches = d.through - d.first + 1
			days = append(days, d)
		}
		l.days.mu.RUnlock()
		for i := range days {
			d := &days[i]
			if d.Bytes, err = l.store.DB().EstimateDiskUsage(journalKey(d.first), journalKey(d.through+1)); err != nil {
				return fmt.Errorf("weighing a day: %w", err)
			}
		}
		return nil
	})
	slices.SortFunc(days, func(a, b Day) int { return a.Date.Compare(b.Date) })
	return days, err
}

// Expire ends the disclosures and outcomes of a UTC day for good: the key under
// which they are sealed goes. The entry that says so comes first, with the
// policy by which and the digest of what the index keeps of the day (see
// scope.Index.Seal); from then on nothing of the day is shown. Events and
// definitions stay, and so do the hashes: proofs of what is left and the tree
// hold as before.
//
// A legal hold on everything suspends it (*HeldError); whether others concern
// the day, the caller has looked.
//
// When it returns the part of the store that held the key is written anew. A
// crash after the entry is taken up at the next start.
func (l *Ledger) Expire(ctx context.Context, day time.Time, policy, digest string) error {
	if err := l.writable(); err != nil {
		return err
	}
	n := utcDay(day.UnixMilli())
	if n >= utcDay(l.nowMS()) {
		return ErrDayNotOver
	}
	at := l.nowMS()
	text, err := encodeEvent(Event{Kind: EventExpire, Actor: "local", Fields: map[string]any{
		"day": dayName(n), "policy": policy, "digest": digest,
	}})
	if err != nil {
		return err
	}
	var refused error
	err = l.wait(ctx, l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
		for _, h := range l.Holds() {
			if h.All() {
				refused = &HeldError{h}
				return nil
			}
		}
		key, ok := l.days.get(n)
		if !ok || key.state != dayLive {
			refused = ErrNoSuchDay
			return nil
		}
		key.state = dayExpiring
		key.entry = j.add(evidence.Entry{Kind: evidence.Event, Time: at, JSON: text})
		if key.last == 0 { // nothing was sealed since
			key.last = j.next - 1
			l.days.current = noDay
		}
		return l.days.set(pb, n, key)
	}}, true))
	if err != nil {
		return err
	}
	if refused != nil {
		return refused
	}
	return l.finishExpiry(ctx, n)
}

// finishExpiry does what is left to do after the entry, however far it came.
func (l *Ledger) finishExpiry(ctx context.Context, day int64) error {
	l.expiring.Lock()
	defer l.expiring.Unlock()
	ctx, cancel := l.untilClosed(ctx)
	defer cancel()
	key, _ := l.days.get(day)
	if key.state == dayExpiring {
		if err := l.reading(func() error { return l.rewriteDay(ctx, day, key) }); err != nil {
			return fmt.Errorf("expiring %s: %w", dayName(day), err)
		}
		if err := l.setDay(ctx, day, dayShredded); err != nil {
			return err
		}
	}
	if key.state != dayExpiring && key.state != dayShredded {
		return nil
	}
	err := l.reading(func() error {
		return l.rewriteRanges(ctx, [][2][]byte{
			{dayKeyKey(day), append(dayKeyKey(day), 0xff)},
			{journalKey(key.first), journalKey(key.last + 1)},
		})
	})
	if err != nil {
		return fmt.Errorf("the key of %s was deleted, but its place on the disk was not written anew: %w", dayName(day), err)
	}
	return l.setDay(ctx, day, dayExpired)
}

// rewriteRanges makes the store write these ranges of keys anew, so that
// what was deleted in them is nowhere in its tables.
func (l *Ledger) rewriteRanges(ctx context.Context, ranges [][2][]byte) error {
	if err := l.store.DB().Flush(); err != nil {
		return err
	}
	for _, r := range ranges {
		if err := l.store.DB().Compact(ctx, r[0], r[1], false); err != nil {
			return err
		}
	}
	return nil
}

// setDay moves a day on. Readers that began before may meet a batch as it was,
// so the key stays in memory a while, though nothing is shown with it.
func (l *Ledger) setDay(ctx context.Context, day int64, state byte) error {
	return l.wait(ctx, l.queue.add(job{step: func(_ *journal, pb *pebble.Batch) error {
		key, _ := l.days.get(day)
		key.state, key.row = state, nil
		if key.aead != nil {
			time.AfterFunc(readersLast, func() { l.days.forget(day) })
		}
		return l.days.set(pb, day, key)
	}}, true))
}

// readersLast is longer than anybody reads the journal in one go.
const readersLast = time.Hour

func (k *dayKeys) forget(day int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := k.days[day]
	key.aead = nil
	k.days[day] = key
}

// rewriteDay writes the day's batches anew without what was sealed. Each write
// holds whole batches, so a crash leaves some done and some not.
func (l *Ledger) rewriteDay(ctx context.Context, day int64, key dayKey) error {
	it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: journalKey(key.first), UpperBound: journalKey(key.last + 1)})
	if err != nil {
		return err
	}
	defer it.Close()
	pb := l.store.DB().NewBatch()
	var in room
	var short []byte
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		r, err := parseRecord(v)
		if err != nil {
			return err
		}
		if r.form != formSealed {
			continue
		}
		if r, err = l.openRecord(v, &in); err != nil {
			return fmt.Errorf("batch %d: %w", binary.BigEndian.Uint64(it.Key()[1:]), err)
		}
		if r.day != day {
			continue
		}
		if short, err = r.expire(short[:0]); err != nil {
			return err
		}
		if err := pb.Set(it.Key(), short, nil); err != nil {
			return err
		}
		if pb.Len() >= 256<<10 {
			if err := l.store.ApplyLazy(pb); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			pb = l.store.DB().NewBatch()
		}
	}
	if err := it.Error(); err != nil {
		return err
	}
	return l.store.Apply(pb) // synced, and with it what was written before
}

// resumeExpiries finishes what a crash interrupted.
func (l *Ledger) resumeExpiries(ctx context.Context) {
	l.days.mu.RLock()
	var open []int64
	for day, key := range l.days.days {
		if key.state == dayExpiring || key.state == dayShredded {
			open = append(open, day)
		}
	}
	l.days.mu.RUnlock()
	for _, day := range open {
		if err := l.finishExpiry(ctx, day); err != nil && ctx.Err() == nil {
			l.warn("%s expired, and the rest of it could not be erased: %v", dayName(day), err)
		}
	}
}

// ExpiredDays are the UTC days whose disclosures are gone (2006-01-02), each with
// the entry that ended it.
func (l *Ledger) ExpiredDays() map[string]uint64 {
	l.days.mu.RLock()
	defer l.days.mu.RUnlock()
	days := map[string]uint64{}
	for day, key := range l.days.days {
		if key.state != dayLive {
			days[dayName(day)] = key.entry
		}
	}
	return days
}
