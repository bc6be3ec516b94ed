package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"cordon/internal/exposure"
)

// Declared is one person of whom somebody says that a vendor held something
// before Cordon stood in its way.
type Declared struct {
	Identifiers []exposure.Identifier
	Set         exposure.Set
	// HeldSince is the instant from which on; zero: not known, since ever.
	HeldSince time.Time
}

// DeclareCounts is what a declaration came to.
type DeclareCounts struct {
	People uint64 // rows taken; the same person twice counts twice
	New    uint64 // of those, whom the ledger did not know before
	// First and Last are the entries that hold them, among others; 0 for none.
	First, Last uint64
}

const (
	// declareAtOnce is the number of people in one entry: one proof shows that
	// many, and a disclosure waits behind no more than that.
	declareAtOnce = 256
	// declareGathers bounds the rows that wait for others of the same instant.
	declareGathers = 64 * declareAtOnce
)

// DeclaredPathway is the way of what a backfill declares; begun is the number of
// its EventBackfill entry, written before the first person.
func DeclaredPathway(v exposure.VendorID, begun uint64) exposure.Pathway {
	return exposure.Pathway{Vendor: v, Route: exposure.DeclaredRoute, Credential: "backfill:" + strconv.FormatUint(begun, 10)}
}

// Declare writes what the vendor is said to have held as declared disclosures.
// Each call of people's yield may cost a sync. When people or ctx end with an
// error what was written stays: too many are told rather than too few. Declaring
// the same again changes no answer.
func (l *Ledger) Declare(ctx context.Context, v exposure.VendorID, begun uint64, people iter.Seq2[Declared, error]) (DeclareCounts, error) {
	d := declaring{l: l, ctx: ctx, way: DeclaredPathway(v, begun), waiting: map[int64][]exposed{}}
	if begun == 0 || begun > l.durable.Load().entries {
		return d.done, errors.New("declaring what a vendor held: no entry says from where")
	}
	for p, err := range people {
		if err == nil {
			err = d.add(p)
		}
		if err != nil {
			return d.done, fmt.Errorf("declaring what a vendor held: %w", err)
		}
	}
	if err := d.flush(); err != nil {
		return d.done, fmt.Errorf("declaring what a vendor held: %w", err)
	}
	return d.done, nil
}

// declaring gathers rows of the same instant, so that a file with an instant in
// each row still makes few entries.
type declaring struct {
	l       *Ledger
	ctx     context.Context
	way     exposure.Pathway
	waiting map[int64][]exposed // by HeldSince in ms
	n       int
	done    DeclareCounts
}

func (d *declaring) add(p Declared) error {
	if len(p.Identifiers) == 0 || p.Set.Empty() {
		return errors.New("a person without an identifier, or of whom nothing was held")
	}
	since := int64(0)
	if !p.HeldSince.IsZero() {
		if since = p.HeldSince.UnixMilli(); since == 0 {
			since = 1 // 0 says that it is not known
		}
	}
	d.waiting[since] = append(d.waiting[since], exposed{p.Identifiers, p.Set})
	if len(d.waiting[since]) == declareAtOnce {
		return d.write(since)
	}
	if d.n++; d.n >= declareGathers {
		return d.flush()
	}
	return nil
}

func (d *declaring) flush() error {
	for since := range d.waiting {
		if err := d.write(since); err != nil {
			return err
		}
	}
	return nil
}

// write makes an entry of what waits for one instant.
func (d *declaring) write(since int64) error {
	people := d.waiting[since]
	delete(d.waiting, since)
	d.n -= len(people)
	l := d.l
	if err := l.writable(); err != nil {
		return err
	}
	if l.store.Full() || l.low.Load() {
		return l.unavailable(errFull)
	}
	in := &intent{
		pathway: d.way, at: l.nowMS(), declared: true, heldSince: since, seen: l.ids.epoch(),
		subjects: make([]unresolved, len(people)), ordinals: make([]exposure.Ordinal, 0, len(people)),
	}
	strangers := uint64(0)
	for i, p := range people {
		ids, err := l.lookUp(p.identifiers)
		if err != nil {
			return err
		}
		in.subjects[i] = unresolved{set: p.set, ids: ids}
		if known, _ := named(ids, nil); len(known) == 0 {
			strangers++
		}
	}
	if err := l.wait(d.ctx, l.queue.add(job{intent: in}, true)); err != nil {
		return err
	}
	d.done.People += uint64(len(people))
	d.done.New += strangers
	if d.done.First == 0 {
		d.done.First = in.seq
	}
	d.done.Last = in.seq
	return nil
}
