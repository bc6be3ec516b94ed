package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"cordon/evidence"
	"cordon/internal/exposure"
	"cordon/internal/store"
	"cordon/internal/token"

	"github.com/cockroachdb/pebble/v2"
)

// Epoch is one epoch of a vendor's tokens.
type Epoch struct {
	Number token.Epoch
	Since  time.Time // its event, or its first token
	// Tokens is how many rows were written in it.
	Tokens uint64
}

// epochs are all vendors' epochs. A vendor that is not there is in epoch 0 and
// has no tokens.
type epochs struct {
	mu   sync.RWMutex
	list map[exposure.VendorID][]Epoch // in order, guarded by mu
}

func epochKey(v exposure.VendorID, e token.Epoch) []byte {
	b := append([]byte{store.TokenEpoch}, v...)
	return binary.BigEndian.AppendUint16(append(b, 0), uint16(e))
}

func (s *epochs) load(db pebble.Reader) error {
	prefix := []byte{store.TokenEpoch}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return fmt.Errorf("reading the epochs of tokens: %w", err)
	}
	defer it.Close()
	s.list = map[exposure.VendorID][]Epoch{}
	for it.First(); it.Valid(); it.Next() {
		name, e, ok := bytes.Cut(it.Key()[1:], []byte{0})
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("reading the epochs of tokens: %w", err)
		}
		if !ok || len(e) != 2 || len(v) != 16 {
			return errors.New("reading the epochs of tokens: a row is damaged")
		}
		id := exposure.VendorID(name)
		s.list[id] = append(s.list[id], Epoch{
			Number: token.Epoch(binary.BigEndian.Uint16(e)),
			Since:  timeOf(int64(binary.BigEndian.Uint64(v))), Tokens: binary.BigEndian.Uint64(v[8:]),
		})
	}
	return it.Error()
}

func (s *epochs) now(v exposure.VendorID) token.Epoch {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if list := s.list[v]; len(list) > 0 {
		return list[len(list)-1].Number
	}
	return 0
}

// at needs the lock; it makes the epoch where there is none.
func (s *epochs) at(v exposure.VendorID, e token.Epoch, ms int64) *Epoch {
	if s.list == nil {
		s.list = map[exposure.VendorID][]Epoch{}
	}
	list := s.list[v]
	i, ok := slices.BinarySearchFunc(list, e, func(a Epoch, e token.Epoch) int { return int(a.Number) - int(e) })
	if !ok {
		s.list[v] = slices.Insert(list, i, Epoch{Number: e, Since: timeOf(ms)})
	}
	return &s.list[v][i]
}

func (s *epochs) count(v exposure.VendorID, e token.Epoch, ms int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at(v, e, ms).Tokens++
}

func (s *epochs) save(pb *pebble.Batch, v exposure.VendorID, e token.Epoch) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, one := range s.list[v] {
		if one.Number != e {
			continue
		}
		b := binary.BigEndian.AppendUint64(nil, uint64(one.Since.UnixMilli()))
		if err := pb.Set(epochKey(v, e), binary.BigEndian.AppendUint64(b, one.Tokens), nil); err != nil {
			return fmt.Errorf("counting tokens: %w", err)
		}
	}
	return nil
}

// TokenEpoch is the epoch of a vendor's tokens now.
func (l *Ledger) TokenEpoch(v exposure.VendorID) token.Epoch { return l.tokens.epochs.now(v) }

// TokenEpochs lists a vendor's epochs in order. A vendor that never had another
// one and no tokens has none.
func (l *Ledger) TokenEpochs(v exposure.VendorID) []Epoch {
	s := &l.tokens.epochs
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.list[v])
}

// TokenVendors are the vendors that have epochs or tokens, by name.
func (l *Ledger) TokenVendors() (list []exposure.VendorID) {
	s := &l.tokens.epochs
	s.mu.RLock()
	defer s.mu.RUnlock()
	for v := range s.list {
		list = append(list, v)
	}
	slices.Sort(list)
	return list
}

// maxEpoch is the last epoch a vendor can have.
const maxEpoch = 1<<16 - 1

// RotateTokens begins a new epoch of a vendor's tokens: from this entry on the
// same value gives another token there. Old tokens stay resolvable. e gives the
// vendor, who did it and why.
func (l *Ledger) RotateTokens(ctx context.Context, e Event) (Epoch, uint64, error) {
	if !l.tokens.on {
		return Epoch{}, 0, errNoTokenKeys
	}
	if e.Vendor == "" || strings.IndexByte(string(e.Vendor), 0) >= 0 {
		return Epoch{}, 0, errors.New("beginning an epoch: it has no vendor")
	}
	if err := l.writable(); err != nil {
		return Epoch{}, 0, err
	}
	if l.store.Full() || l.low.Load() {
		return Epoch{}, 0, l.unavailable(errFull)
	}
	e.Kind = EventTokenEpoch
	at := l.msOf(e.At)
	s := &l.tokens.epochs
	var now Epoch // this and those below are the committer's until wait returns
	var seq uint64
	var refused error
	err := l.wait(ctx, l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
		current := s.now(e.Vendor)
		if current == maxEpoch {
			refused = errors.New("this vendor's epochs are used up")
			return nil
		}
		e.Fields = withField(e.Fields, "epoch", uint16(current+1))
		text, err := encodeEvent(e)
		if err != nil {
			refused = err
			return nil
		}
		s.mu.Lock()
		now = *s.at(e.Vendor, current+1, at)
		s.mu.Unlock()
		seq = j.add(evidence.Entry{Kind: evidence.Event, Time: at, JSON: text})
		return s.save(pb, e.Vendor, current+1)
	}}, true))
	if err != nil {
		return Epoch{}, 0, err
	}
	return now, seq, refused
}

// Pin is the epoch of an idempotency key: whoever repeats a message with the
// same key must be understood by the vendor to repeat it, and so gets the same
// tokens, also when an epoch began in between.
type Pin struct {
	Epoch token.Epoch
	key   [16]byte
	fresh bool // not on record yet
	at    int64
}

// pinned is for how long a key keeps its epoch. Vendors remember keys for a day.
const pinned = 24 * time.Hour

// PinEpoch finds the epoch of an idempotency key, the present one when the key
// is new. The pin is durable with the disclosure that it is given to.
func (l *Ledger) PinEpoch(v exposure.VendorID, app, key string, at time.Time) (*Pin, error) {
	if !l.tokens.on {
		return nil, errNoTokenKeys
	}
	p := &Pin{Epoch: l.TokenEpoch(v), key: l.tokens.hash(hashPin, string(v), app, key), fresh: true, at: l.msOf(at)}
	err := l.reading(func() error {
		e, ok, err := l.pinAt(p.key, p.at)
		if ok {
			p.Epoch, p.fresh = e, false
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking up the epoch of an idempotency key: %w", err)
	}
	return p, nil
}

const dayMS = 86_400_000

func pinKey(day int64, key [16]byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{store.Pin}, uint16(day)), key[:]...)
}

func (l *Ledger) pinAt(key [16]byte, at int64) (token.Epoch, bool, error) {
	day := at / dayMS
	for _, d := range []int64{day, day - 1} {
		v, ok, err := l.value(pinKey(d, key))
		if err != nil {
			return 0, false, err
		}
		if !ok {
			continue
		}
		if len(v) != 6 {
			return 0, false, errors.New("a pinned epoch is damaged")
		}
		if since := at - int64(binary.BigEndian.Uint32(v[2:]))*1000; since < pinned.Milliseconds() {
			return token.Epoch(binary.BigEndian.Uint16(v)), true, nil
		}
	}
	return 0, false, nil
}

// pinFree refuses a disclosure whose key another one pinned to another epoch
// while an epoch began.
func (j *journal) pinFree(m *mintedTokens) (bool, error) {
	if m.pin == nil || !m.pin.fresh {
		return true, nil
	}
	if p, here := j.build.pins[m.pin.key]; here {
		return p.Epoch == m.pin.Epoch, nil
	}
	e, ok, err := j.l.pinAt(m.pin.key, m.pin.at)
	return !ok || e == m.pin.Epoch, err
}

// addPin writes the pin, and with the first one of a day deletes those that are
// older than the day before.
func (j *journal) addPin(pb *pebble.Batch, m *mintedTokens) error {
	p := m.pin
	if p == nil || !p.fresh {
		return nil
	}
	day := p.at / dayMS
	if day > j.pinDay {
		j.pinDay = day
		if err := pb.DeleteRange([]byte{store.Pin}, pinKey(day-1, [16]byte{}), nil); err != nil {
			return fmt.Errorf("deleting old pins: %w", err)
		}
	}
	v := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, uint16(p.Epoch)), uint32(p.at/1000))
	if err := pb.Set(pinKey(day, p.key), v, nil); err != nil {
		return fmt.Errorf("pinning an epoch: %w", err)
	}
	j.build.pins[p.key] = *p
	return nil
}
