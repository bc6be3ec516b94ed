package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"cordon/evidence"
	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// Hold is a legal hold: as long as it stands, nothing that it concerns is
// erased and nothing expires. Without a vendor and without a person it concerns
// everything.
type Hold struct {
	Name   string            `json:"hold"`
	Vendor exposure.VendorID `json:"vendor,omitempty"`
	Person exposure.Ordinal  `json:"-"`
	Since  time.Time         `json:"since"`
	Actor  string            `json:"actor"`
	Entry  uint64            `json:"entry"`
}

// All reports whether the hold concerns everything.
func (h *Hold) All() bool { return h.Vendor == "" && h.Person == exposure.Nobody }

// HeldError says which hold forbids an erasure.
type HeldError struct{ Hold Hold }

func (e *HeldError) Error() string { return fmt.Sprintf("the legal hold %s suspends it", e.Hold.Name) }

var (
	ErrHoldStands = errors.New("a legal hold of this name stands already")
	ErrNoSuchHold = errors.New("no legal hold of this name stands")
)

// holds are the legal holds that stand. The events are the record; the rows
// are so that a start need not look for them:
//
//	'z' 0 (4) name -> JSON
//
// Verify compares them.
type holds struct {
	mu     sync.Mutex
	byName map[string]Hold
}

type holdRow struct {
	Vendor exposure.VendorID `json:"vendor,omitempty"`
	Person uint32            `json:"person,omitempty"`
	Since  int64             `json:"since"`
	Actor  string            `json:"actor,omitempty"`
	Entry  uint64            `json:"entry"`
}

var holdPrefix = []byte{store.Erased, 0, 0, 0, 0}

func holdKey(name string) []byte { return append(slices.Clone(holdPrefix), name...) }

func (h *holds) load(db *pebble.DB) error {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: holdPrefix, UpperBound: after(holdPrefix)})
	if err != nil {
		return fmt.Errorf("reading legal holds: %w", err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		var row holdRow
		if err := json.Unmarshal(it.Value(), &row); err != nil {
			return fmt.Errorf("reading legal holds: %w", err)
		}
		name := string(it.Key()[len(holdPrefix):])
		h.byName[name] = Hold{Name: name, Vendor: row.Vendor, Person: exposure.Ordinal(row.Person), Since: timeOf(row.Since), Actor: row.Actor, Entry: row.Entry}
	}
	return it.Error()
}

// Holds lists the legal holds that stand, by name.
func (l *Ledger) Holds() []Hold {
	l.holds.mu.Lock()
	defer l.holds.mu.Unlock()
	list := make([]Hold, 0, len(l.holds.byName))
	for _, h := range l.holds.byName {
		list = append(list, h)
	}
	slices.SortFunc(list, func(a, b Hold) int { return int(int64(a.Entry) - int64(b.Entry)) })
	return list
}

// HoldOf is the hold that forbids to erase a person of whom these vendors may
// hold something.
func (l *Ledger) HoldOf(o exposure.Ordinal, vendors []exposure.VendorID) (Hold, bool) {
	for _, h := range l.Holds() {
		if h.All() || h.Person != exposure.Nobody && h.Person == o || h.Vendor != "" && slices.Contains(vendors, h.Vendor) {
			return h, true
		}
	}
	return Hold{}, false
}

// SetHold sets a legal hold. The reason is sealed beside the entry; "" for none.
func (l *Ledger) SetHold(ctx context.Context, h Hold, reason string, e Event) (Hold, error) {
	fields := withField(withField(e.Fields, "hold", h.Name), "what", "set")
	if h.Person != exposure.Nobody {
		fields["person"] = uint32(h.Person)
	}
	e.Fields, e.Vendor = fields, h.Vendor
	h.Actor = e.Actor
	err := l.changeHold(ctx, &h, reason, e, func() (bool, error) {
		_, stands := l.holds.byName[h.Name]
		return !stands, ErrHoldStands
	}, func(pb *pebble.Batch) error {
		row, err := json.Marshal(holdRow{h.Vendor, uint32(h.Person), h.Since.UnixMilli(), h.Actor, h.Entry})
		if err != nil {
			return err
		}
		l.holds.byName[h.Name] = h
		return pb.Set(holdKey(h.Name), row, nil)
	})
	return h, err
}

// LiftHold lifts a legal hold.
func (l *Ledger) LiftHold(ctx context.Context, name, reason string, e Event) (Hold, error) {
	e.Fields = withField(withField(e.Fields, "hold", name), "what", "lift")
	h := Hold{Name: name, Actor: e.Actor}
	err := l.changeHold(ctx, &h, reason, e, func() (bool, error) {
		was, stands := l.holds.byName[name]
		h.Vendor, h.Person = was.Vendor, was.Person
		return stands, ErrNoSuchHold
	}, func(pb *pebble.Batch) error {
		delete(l.holds.byName, name)
		return pb.Delete(holdKey(name), nil)
	})
	return h, err
}

// changeHold writes the entry and the row in one stroke; what was erased before
// it was, and nothing is after it.
func (l *Ledger) changeHold(ctx context.Context, h *Hold, reason string, e Event, may func() (bool, error), change func(*pebble.Batch) error) error {
	if err := l.writable(); err != nil {
		return err
	}
	e.Kind = EventLegalHold
	if reason != "" {
		e.Fields["text_digest"] = l.Digest(reason)
	}
	text, err := encodeEvent(e)
	if err != nil {
		return err
	}
	at := l.msOf(e.At)
	var refused error
	err = l.wait(ctx, l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
		l.holds.mu.Lock()
		defer l.holds.mu.Unlock()
		if ok, why := may(); !ok {
			refused = why
			return nil
		}
		h.Since = timeOf(at)
		h.Entry = j.add(evidence.Entry{Kind: evidence.Event, Time: at, JSON: text})
		if reason != "" {
			if err := j.keepText(pb, h.Entry, "legal-hold/"+h.Name, reason); err != nil {
				return err
			}
		}
		return change(pb)
	}}, true))
	if err != nil {
		return err
	}
	return refused
}
