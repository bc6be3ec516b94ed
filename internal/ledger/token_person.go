package ledger

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"cordon/evidence"
	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// A slot names a key of values: a person's, or of a vendor's day for values of
// nobody known. It is the store's key without its first byte.
func personSlot(o exposure.Ordinal) string { return string(bigEndian32(uint32(o))) }

func daySlot(v exposure.VendorID, day uint16) string {
	return personSlot(exposure.Nobody) + string(binary.BigEndian.AppendUint16(nil, day)) + string(v)
}

func slotKey(slot string) []byte { return append([]byte{store.PersonKey}, slot...) }

// ownersKey is the key of a value that is these people's: with several it takes
// all of their keys, so that shredding any of them is enough. Without aead one
// of the keys is not there.
func (l *Ledger) ownersKey(owners []exposure.Ordinal, day uint16, v exposure.VendorID, keyOf func(slot string) (personKey, error)) (personKey, error) {
	switch len(owners) {
	case 0:
		return keyOf(daySlot(v, day))
	case 1:
		return keyOf(personSlot(owners[0]))
	}
	var all []byte
	for _, o := range owners {
		k, err := keyOf(personSlot(o))
		if err != nil || k.aead == nil {
			return personKey{}, err
		}
		all = append(all, k.raw[:]...)
	}
	mac := hmac.New(sha256.New, all)
	mac.Write([]byte("cordon tokens of several"))
	return newPersonKey([16]byte(mac.Sum(nil)))
}

func newPersonKey(raw [16]byte) (personKey, error) {
	block, err := aes.NewCipher(raw[:])
	if err != nil {
		return personKey{}, fmt.Errorf("preparing a person's key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return personKey{}, fmt.Errorf("preparing a person's key: %w", err)
	}
	return personKey{raw, aead}, nil
}

// personKey reads a key; without aead there is none.
func (l *Ledger) personKey(slot string) (personKey, error) {
	t := &l.tokens
	if k, ok := t.keys.get(slot); ok {
		return k, nil
	}
	before := t.shreds.Load()
	wrapped, ok, err := l.value(slotKey(slot))
	if err != nil || !ok {
		return personKey{}, err
	}
	if len(wrapped) < nonceSize {
		return personKey{}, errTokenDamaged
	}
	plain, err := t.wrap.Open(nil, wrapped[:nonceSize], wrapped[nonceSize:], slotKey(slot))
	if err != nil || len(plain) != 16 {
		return personKey{}, fmt.Errorf("%w: a person's key does not open", errTokenDamaged)
	}
	k, err := newPersonKey([16]byte(plain))
	if err == nil {
		t.keys.putIf(slot, k, func() bool { return t.shreds.Load() == before })
	}
	return k, err
}

// keyNow is a key as the batch that is being built has it.
func (j *journal) keyNow(slot string) (personKey, error) {
	if k, ok := j.build.keys[slot]; ok {
		return k, nil
	}
	if j.build.gone[slot] {
		return personKey{}, nil
	}
	return j.l.personKey(slot)
}

// keyFor is the same, and makes the key where there is none.
func (j *journal) keyFor(pb *pebble.Batch, slot string) (personKey, error) {
	k, err := j.keyNow(slot)
	if err != nil || k.aead != nil {
		return k, err
	}
	var raw [16]byte
	nonce := make([]byte, nonceSize, nonceSize+len(raw)+16)
	for _, b := range [][]byte{raw[:], nonce} {
		if _, err := rand.Read(b); err != nil {
			return k, fmt.Errorf("drawing a person's key: %w", err)
		}
	}
	if err := pb.Set(slotKey(slot), j.l.tokens.wrap.Seal(nonce, nonce, raw[:], slotKey(slot)), nil); err != nil {
		return k, fmt.Errorf("adding a person's key: %w", err)
	}
	if k, err = newPersonKey(raw); err == nil {
		j.build.keys[slot] = k
	}
	return k, err
}

// Shredded is what shredding does, or would do.
type Shredded struct {
	// Ordinal is the person; Nobody when the identifier is not known.
	Ordinal exposure.Ordinal
	// Keys is how many keys go: 1, or 0 when there is nothing to shred.
	Keys int
	// Entry is the number of the event; 0 as long as nothing is done.
	Entry uint64
}

// PlanShred says what Shred would do.
func (l *Ledger) PlanShred(id exposure.Identifier) (s Shredded, err error) {
	if !l.tokens.on {
		return s, errNoTokenKeys
	}
	err = l.reading(func() error {
		found, err := l.ids.find(l.hasher.hash(id))
		if err != nil {
			return err
		}
		if s.Ordinal = found.ordinal; s.Ordinal == exposure.Nobody {
			return ErrUnknown
		}
		_, ok, err := l.value(slotKey(personSlot(s.Ordinal)))
		if ok {
			s.Keys = 1
		}
		return err
	})
	return s, err
}

// Shred deletes the key under which what a person's tokens stand for is sealed.
// From this entry on no vendor's token leads back to them; e gives who did it
// and why. A later message about the person begins anew, with a new key.
//
// The old key is gone from the store when this returns: the part of it that
// held the key was written anew. What a backup of the data directory holds
// stays there, and the store's log keeps the wrapped key until it comes round;
// neither can be opened without the root of tokens.
func (l *Ledger) Shred(ctx context.Context, id exposure.Identifier, e Event) (Shredded, error) {
	if err := l.writable(); err != nil {
		return Shredded{}, err
	}
	s, err := l.PlanShred(id)
	if err != nil || s.Keys == 0 {
		return s, err
	}
	slot := personSlot(s.Ordinal)
	e.Kind = EventTokenShred
	e.Fields = withField(e.Fields, "person", uint32(s.Ordinal))
	text, err := encodeEvent(e)
	if err != nil {
		return s, err
	}
	at, seq := l.msOf(e.At), uint64(0)
	err = l.wait(ctx, l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
		if err := pb.Delete(slotKey(slot), nil); err != nil {
			return fmt.Errorf("deleting a person's key: %w", err)
		}
		b := &j.build
		if b.gone == nil {
			b.gone = map[string]bool{}
		}
		b.gone[slot] = true
		delete(b.keys, slot)
		// Rows of this batch may be sealed under the key.
		clear(b.tokens)
		seq = j.add(evidence.Entry{Kind: evidence.Event, Time: at, JSON: text})
		return nil
	}}, true))
	if err != nil {
		return s, err
	}
	s.Entry = seq
	err = l.reading(func() error {
		if err := l.store.DB().Flush(); err != nil {
			return err
		}
		from := slotKey(slot)
		return l.store.DB().Compact(ctx, from, append(from[:len(from):len(from)], 0xff), false)
	})
	if err != nil {
		return s, fmt.Errorf("the key was deleted, but its place on the disk was not written anew: %w", err)
	}
	return s, nil
}

func withField(fields map[string]any, name string, v any) map[string]any {
	out := make(map[string]any, len(fields)+1)
	for k, f := range fields {
		out[k] = f
	}
	out[name] = v
	return out
}
