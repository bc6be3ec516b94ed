package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"cordon/evidence"
	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// Erased is a person who was erased. Nothing leads to them any more: the
// ordinal stays in the entries, where it is nobody's.
type Erased struct {
	Ordinal exposure.Ordinal
	Entry   uint64 // of the erasure
	At      time.Time
	// Attributes says that country, state, language and age are still kept,
	// because a vendor may hold the data and duties depend on them.
	Attributes bool
	// Vendors may have held data of the person when they were erased, and must
	// be told of it (Article 19 GDPR).
	Vendors []Recipient

	swept bool // nothing of the person is left in the store's files
}

// Recipient is a vendor to whom an erasure is to be passed on.
type Recipient struct {
	Vendor   exposure.VendorID
	PassedOn bool
}

// Pending reports whether the vendor is still to be told.
func (e *Erased) Pending(v exposure.VendorID) bool {
	return slices.Contains(e.Vendors, Recipient{Vendor: v})
}

// The row of an erased person:
//
//	'z' ordinal (4) -> version 1 | flags | entry | ms (zigzag) | vendors: count, then of each: length, bytes, flags
const (
	erasedVersion    = 1
	erasedSwept      = 1
	erasedAttributes = 2
)

func (e *Erased) append(b []byte) []byte {
	flags := byte(0)
	if e.swept {
		flags |= erasedSwept
	}
	if e.Attributes {
		flags |= erasedAttributes
	}
	b = append(b, erasedVersion, flags)
	b = binary.AppendUvarint(b, e.Entry)
	b = binary.AppendVarint(b, e.At.UnixMilli())
	b = binary.AppendUvarint(b, uint64(len(e.Vendors)))
	for _, v := range e.Vendors {
		b = append(binary.AppendUvarint(b, uint64(len(v.Vendor))), v.Vendor...)
		told := byte(0)
		if v.PassedOn {
			told = 1
		}
		b = append(b, told)
	}
	return b
}

func parseErased(key, v []byte) (e Erased, err error) {
	damaged := errors.New("the row of an erased person is damaged")
	if len(key) != 5 || len(v) < 2 || v[0] != erasedVersion {
		return e, damaged
	}
	e.Ordinal = exposure.Ordinal(binary.BigEndian.Uint32(key[1:]))
	e.swept, e.Attributes = v[1]&erasedSwept != 0, v[1]&erasedAttributes != 0
	r := fieldReader{b: v[2:]}
	e.Entry, e.At = r.uvarint(), timeOf(r.varint())
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		name := exposure.VendorID(r.bytes(r.uvarint()))
		told := r.bytes(1)
		e.Vendors = append(e.Vendors, Recipient{name, len(told) == 1 && told[0] == 1})
	}
	if r.bad || len(r.b) > 0 {
		return e, damaged
	}
	return e, nil
}

func (e *Erased) set(pb *pebble.Batch) error {
	if err := pb.Set(ordinalKey(store.Erased, e.Ordinal), e.append(nil), nil); err != nil {
		return fmt.Errorf("writing down an erasure: %w", err)
	}
	return nil
}

// ErasedPeople lists everybody who was erased, by ordinal.
func (l *Ledger) ErasedPeople() (list []Erased, err error) {
	err = l.reading(func() error {
		it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: []byte{store.Erased}, UpperBound: []byte{store.Erased + 1}})
		if err != nil {
			return err
		}
		defer it.Close()
		for it.First(); it.Valid(); it.Next() {
			if bytes.HasPrefix(it.Key(), holdPrefix) {
				continue
			}
			v, err := it.ValueAndErr()
			if err != nil {
				return err
			}
			e, err := parseErased(it.Key(), v)
			if err != nil {
				return err
			}
			list = append(list, e)
		}
		return it.Error()
	})
	if err != nil {
		return nil, fmt.Errorf("reading erasures: %w", err)
	}
	return list, nil
}

// PassedOn records that a vendor was told of all erasures that were to be
// passed on to it, and says of how many people. e gives who says so.
func (l *Ledger) PassedOn(ctx context.Context, v exposure.VendorID, e Event) (people int, entry uint64, err error) {
	return l.changeErased(ctx, e, func(p *Erased) bool {
		i := slices.Index(p.Vendors, Recipient{Vendor: v})
		if i >= 0 {
			p.Vendors[i].PassedOn = true
		}
		return i >= 0
	}, func(_ *pebble.Batch, _ *Erased) error { return nil }, func(n int) Event {
		e.Kind, e.Vendor = EventErase, v
		e.Fields = withField(withField(e.Fields, "what", "passed-on"), "people", n)
		return e
	})
}

// DropAttributes forgets country, state, language and age of erased people of
// whom gone says that no vendor holds anything any more.
func (l *Ledger) DropAttributes(ctx context.Context, gone func(exposure.Ordinal) bool, e Event) (people int, entry uint64, err error) {
	return l.changeErased(ctx, e, func(p *Erased) bool {
		if !p.Attributes || !gone(p.Ordinal) {
			return false
		}
		p.Attributes = false
		return true
	}, func(pb *pebble.Batch, p *Erased) error {
		return pb.Delete(ordinalKey(store.Person, p.Ordinal), nil)
	}, func(n int) Event {
		e.Kind = EventErase
		e.Fields = withField(withField(e.Fields, "what", "attributes"), "people", n)
		return e
	})
}

// changeErased changes the rows that change picks, under one entry; none, if it
// picks none.
func (l *Ledger) changeErased(ctx context.Context, e Event, change func(*Erased) bool, also func(*pebble.Batch, *Erased) error, event func(n int) Event) (people int, entry uint64, err error) {
	if err := l.writable(); err != nil {
		return 0, 0, err
	}
	l.expiring.Lock() // nobody else changes these rows meanwhile
	defer l.expiring.Unlock()
	all, err := l.ErasedPeople()
	if err != nil {
		return 0, 0, err
	}
	var list []Erased
	for _, p := range all {
		if change(&p) {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return 0, 0, nil
	}
	text, err := encodeEvent(event(len(list)))
	if err != nil {
		return 0, 0, err
	}
	at := l.msOf(e.At)
	err = l.wait(ctx, l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
		entry = j.add(evidence.Entry{Kind: evidence.Event, Time: at, JSON: text})
		for i := range list {
			if err := list[i].set(pb); err != nil {
				return err
			}
			if err := also(pb, &list[i]); err != nil {
				return err
			}
		}
		return nil
	}}, true))
	return len(list), entry, err
}
