package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"

	"cordon/evidence"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// The list of events: which entries are events that state is folded from, so
// that a start reads those and not a billion disclosures. It lies in the
// journal's own batches and could be made from the journal at any time:
//
//	'E' entry (8) -> batch (8) | how many rows there are with this one (8)
//
// The count makes a row that is missing show: a state folded without one of
// its events would be wrong and look right.

// metaEvents says that the list is whole: it is absent while the list is made.
const metaEvents = "events"

// folded reports whether events of a kind are in the list. The others are what
// strangers and readers cause, as often as they like; nothing is folded from them.
func folded(k EventKind) bool {
	switch k {
	case EventRefusal, EventOverflow, EventRead, EventReveal:
		return false
	}
	return true
}

// kindOf finds the kind in the text of an event, where encodeEvent puts it.
func kindOf(text []byte) EventKind {
	if rest, ok := bytes.CutPrefix(text, []byte(`{"kind":"`)); ok {
		if kind, _, ok := bytes.Cut(rest, []byte{'"'}); ok {
			return EventKind(kind)
		}
	}
	var e Event
	_ = decodeEvent(text, &e) // damaged: no kind, and in the list, so that it is read and found
	return e.Kind
}

func listed(e *evidence.Entry) bool { return e.Kind == evidence.Event && folded(kindOf(e.JSON)) }

// eventRow is a row of the list.
type eventRow struct{ entry, batch, count uint64 }

func eventKey(entry uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{store.EventAt}, entry)
}

func (r eventRow) set(pb *pebble.Batch) error {
	v := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, r.batch), r.count)
	if err := pb.Set(eventKey(r.entry), v, nil); err != nil {
		return fmt.Errorf("adding to the list of events: %w", err)
	}
	return nil
}

func parseEventRow(key, value []byte) (r eventRow, err error) {
	if len(key) != 9 || len(value) != 16 {
		return r, errors.New("a row of the list of events is damaged")
	}
	return eventRow{binary.BigEndian.Uint64(key[1:]), binary.BigEndian.Uint64(value), binary.BigEndian.Uint64(value[8:])}, nil
}

// addEvents adds the events of the batch that is being sealed to the list.
func (j *journal) addEvents(pb *pebble.Batch) error {
	for _, entry := range j.build.events {
		j.events++
		if err := (eventRow{entry, j.next, j.events}).set(pb); err != nil {
			return err
		}
	}
	return nil
}

// Events yields the events that state is folded from, from entry number from
// on, in order: all but refusals, overflows, reads and reveals. It reads their
// batches and no others, and ends with what was durable when it began. After an
// error it ends.
func (l *Ledger) Events(from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if l.closed.Load() {
			yield(Entry{}, l.unavailable(errClosed))
			return
		}
		stopped := errors.New("stopped")
		err := l.eventsByBatch(from, l.durable.Load().entries, func(rows []eventRow) error {
			return l.readEvents(rows, func(e Entry) error {
				if !yield(e, nil) {
					return stopped
				}
				return nil
			})
		})
		if err != nil && err != stopped {
			yield(Entry{}, err)
		}
	}
}

// eventRows calls f with every row of the list from entry from to entry to.
func (l *Ledger) eventRows(from, to uint64, f func(eventRow) error) error {
	it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: eventKey(from), UpperBound: eventKey(to + 1)})
	if err != nil {
		return fmt.Errorf("reading the list of events: %w", err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("reading the list of events: %w", err)
		}
		r, err := parseEventRow(it.Key(), v)
		if err == nil {
			err = f(r)
		}
		if err != nil {
			return err
		}
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("reading the list of events: %w", err)
	}
	return nil
}

// eventsByBatch gives the rows of each batch together, and insists on none missing.
func (l *Ledger) eventsByBatch(from, to uint64, f func([]eventRow) error) error {
	var rows []eventRow
	count := uint64(0)
	err := l.eventRows(max(from, 1), to, func(r eventRow) error {
		if count != 0 && r.count != count+1 || from <= 1 && count == 0 && r.count != 1 {
			return fmt.Errorf("the list of events lacks rows before entry %d", r.entry)
		}
		count = r.count
		if len(rows) > 0 && rows[0].batch != r.batch {
			if err := f(rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
		rows = append(rows, r)
		return nil
	})
	if err == nil && len(rows) > 0 {
		err = f(rows)
	}
	return err
}

// readEvents reads the events of one batch.
func (l *Ledger) readEvents(rows []eventRow, f func(Entry) error) error {
	batch := rows[0].batch
	err := l.batches(batch, batch+1, func(_ uint64, r *record) error {
		return r.each(func(i uint32, _ []byte, raw *evidence.Entry) error {
			seq := r.first + uint64(i)
			if len(rows) == 0 || seq != rows[0].entry {
				return nil
			}
			rows = rows[1:]
			e, err := l.dict.decode(seq, raw)
			if err == nil && e.Kind != KindEvent {
				err = fmt.Errorf("the list of events names entry %d, which is none", seq)
			}
			if err != nil {
				return err
			}
			return f(e)
		})
	})
	if err == nil && len(rows) > 0 {
		err = fmt.Errorf("the list of events names entry %d in batch %d, where it is not", rows[0].entry, batch)
	}
	return err
}

// loadEvents finds how long the list is, and makes it anew where it is not
// whole: it can be made from the journal, and without it nobody would know who
// may log in. Only the newest rows are compared with the batches (the caller
// gives their events, in order); Verify compares all.
func (l *Ledger) loadEvents(end *extent, newest []uint64) (count uint64, err error) {
	err = view(l.store.DB(), metaKey(metaEvents), func([]byte) error { return nil })
	if err != nil && !errors.Is(err, pebble.ErrNotFound) {
		return 0, err
	}
	whole := err == nil
	last := make([]uint64, 0, len(newest))
	batch := uint64(0)
	err = l.eventRows(0, end.entries, func(r eventRow) error {
		count++
		whole = whole && r.count == count && r.batch >= batch && r.batch < end.batches
		batch = r.batch
		if len(newest) > 0 && r.entry >= newest[0] {
			last = append(last, r.entry)
		}
		return nil
	})
	if err == nil && whole && slices.Equal(last, newest) {
		return count, nil
	}
	if l.readOnly {
		return count, errors.New("the list of events is not whole; the next start of the server makes it anew")
	}
	l.warn("the list of events is not whole; it is made anew from the journal")
	return l.rebuildEvents(end)
}

// rebuildEvents makes the list from the journal, and returns its length.
func (l *Ledger) rebuildEvents(end *extent) (count uint64, err error) {
	pb := l.store.DB().NewBatch()
	mark := metaKey(metaEvents)
	if err := errors.Join(pb.Delete(mark, nil), pb.DeleteRange([]byte{store.EventAt}, []byte{store.EventAt + 1}, nil)); err != nil {
		return 0, fmt.Errorf("making the list of events: %w", err)
	}
	err = l.batches(0, end.batches, func(batch uint64, r *record) error {
		err := r.each(func(i uint32, _ []byte, e *evidence.Entry) error {
			if !listed(e) {
				return nil
			}
			count++
			return eventRow{r.first + uint64(i), batch, count}.set(pb)
		})
		if err != nil || pb.Len() < 1<<20 {
			return err
		}
		err = l.store.Apply(pb)
		pb = l.store.DB().NewBatch()
		return err
	})
	if err == nil {
		err = pb.Set(mark, nil, nil)
	}
	if err == nil {
		err = l.store.Apply(pb)
	}
	if err != nil {
		return count, fmt.Errorf("making the list of events: %w", err)
	}
	return count, nil
}

// event checks that an event is in the list.
func (v *verification) event(batch, seq uint64, e *evidence.Entry) {
	if !listed(e) {
		return
	}
	v.events++
	key := eventKey(seq)
	err := view(v.l.store.DB(), key, func(value []byte) error {
		r, err := parseEventRow(key, value)
		if err == nil && (r.batch != batch || !v.torn && r.count != v.events) {
			err = errors.New("the row is another's")
		}
		return err
	})
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		v.problem("entry %d is missing from the list of events", seq)
	case err != nil:
		v.problem("entry %d in the list of events: %v", seq, err)
	}
}

// countEvents looks for rows of the list that are no event's.
func (v *verification) countEvents() {
	rows := uint64(0)
	err := v.l.eventRows(0, v.entries, func(eventRow) error { rows++; return nil })
	switch {
	case err != nil:
		v.problem("%v", err)
	case rows > v.events && !v.torn:
		v.problem("the list of events has %d rows for %d events", rows, v.events)
	}
}
