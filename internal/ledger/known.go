package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/dchest/siphash"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/store"
)

// The ledger is what the classifier asks about the people of a message.
var _ classify.Known = (*Ledger)(nil)

// wordKey is the key under which words of the directory are hashed. It is
// derived, never stored, and unlike the key of identifiers.
type wordKey struct{ k0, k1 uint64 }

func newWordKey(secret [32]byte) wordKey {
	key := deriveKey(secret, "known values")
	return wordKey{binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint64(key[8:])}
}

// Hash is the keyed hash of normalised words joined by one blank: SipHash-2-4.
// Sixty-four bits are enough to find a value in the messages of one person;
// without the key they can be neither computed nor guessed from.
func (l *Ledger) Hash(words string) uint64 {
	return siphash.Hash(l.words.k0, l.words.k1, []byte(words))
}

// knownCategories are the numbers under which needles are stored. Added to,
// never changed: a category's own number is that of one build.
var knownCategories = map[byte]exposure.Category{
	1: exposure.Name, 2: exposure.FirstName, 3: exposure.LastName,
	4: exposure.Address, 5: exposure.Street, 6: exposure.PostalCode, 7: exposure.City,
	8: exposure.BirthDate, 9: exposure.Phone, 10: exposure.Username, 11: exposure.Email, 12: exposure.UserID,
}

var knownNumbers = func() map[exposure.Category]byte {
	m := map[exposure.Category]byte{}
	for n, c := range knownCategories {
		m[c] = n
	}
	return m
}()

// The row of what is known of a person: one needle after the other, each once.
//
//	version 1 | category (1) words (1) hash (8) | …
const (
	knownVersion = 1
	needleSize   = 10
	// maxNeedles bounds a row: a person has one name and a handful of addresses.
	maxNeedles = 64
)

// knownRow encodes needles; nil for none.
func knownRow(needles []classify.Needle) ([]byte, error) {
	if len(needles) == 0 {
		return nil, nil
	}
	return appendKnown(append(make([]byte, 0, 1+needleSize*len(needles)), knownVersion), needles)
}

// appendKnown appends needles, each once.
func appendKnown(b []byte, needles []classify.Needle) ([]byte, error) {
	start := len(b)
	for i, n := range needles {
		number, ok := numberOf(n.Category)
		if !ok {
			return nil, fmt.Errorf("what is known of a person cannot be of category %s", n.Category)
		}
		if slices.Contains(needles[:i], n) || len(b)-start >= needleSize*maxNeedles {
			continue
		}
		b = append(b, number, n.Words)
		b = binary.BigEndian.AppendUint64(b, n.Hash)
	}
	return b, nil
}

func numberOf(c exposure.Category) (byte, bool) {
	n, ok := knownNumbers[c]
	return n, ok
}

func appendNeedles(dst []classify.Needle, row []byte) ([]classify.Needle, error) {
	damaged := errors.New("what is known of a person is damaged")
	if len(row) == 0 || row[0] != knownVersion || len(row)%needleSize != 1 {
		return dst, damaged
	}
	for row = row[1:]; len(row) > 0; row = row[needleSize:] {
		c, ok := knownCategories[row[0]]
		if !ok {
			return dst, damaged
		}
		dst = append(dst, classify.Needle{Category: c, Words: row[1], Hash: binary.BigEndian.Uint64(row[2:])})
	}
	return dst, nil
}

// setKnown writes what is known of a person, or that nothing is.
func (l *Ledger) setKnown(pb *pebble.Batch, o exposure.Ordinal, row []byte) (err error) {
	switch {
	case row != nil:
		err = pb.Set(ordinalKey(store.Known, o), row, nil)
	case l.ids.base.Load() != nil: // which may have what must not be found any more
		err = pb.Set(ordinalKey(store.Known, o), noNeedles, nil)
	default:
		err = pb.Delete(ordinalKey(store.Known, o), nil)
	}
	if err != nil {
		return fmt.Errorf("adding what is known of a person: %w", err)
	}
	return nil
}

// knows reports whether exactly that is known of a person.
func (l *Ledger) knows(o exposure.Ordinal, row []byte) (same bool, err error) {
	err = l.known(o, func(v []byte) error {
		same = string(v) == string(row)
		return nil
	})
	return same, err
}

// known calls f with the row of what is known of a person, from the store or
// else the base; nil when nothing is. The row is valid during the call.
func (l *Ledger) known(o exposure.Ordinal, f func(row []byte) error) error {
	err := view(l.store.DB(), ordinalKey(store.Known, o), func(v []byte) error {
		if len(v) == len(noNeedles) {
			v = nil
		}
		return f(v)
	})
	if !errors.Is(err, pebble.ErrNotFound) {
		return err
	}
	return l.ids.withBase(func(b *base) error {
		if b == nil {
			return f(nil)
		}
		_, needles, err := b.record(o)
		if err != nil || len(needles) == 0 {
			return errors.Join(err, f(nil))
		}
		return f(append([]byte{knownVersion}, needles...))
	})
}

// Needles appends what the directory knows of the person whom the identifiers
// name, hashed. Where they name several, as far as anybody can tell, it is what
// is known of any of them, as Record takes them all. What cannot be read is
// logged: the search is a second look, and the message is recorded without it.
func (l *Ledger) Needles(ids []exposure.Identifier, dst []classify.Needle) []classify.Needle {
	err := l.reading(func() error {
		people, err := l.people(ids)
		for _, o := range people {
			err := l.known(o, func(v []byte) (err error) {
				if v != nil {
					dst, err = appendNeedles(dst, v)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		l.log.Error("what is known of a person cannot be read", "error", err)
	}
	return dst
}

// Knows reports whether somebody in the directory has the identifier.
func (l *Ledger) Knows(id exposure.Identifier) (known bool) {
	err := l.reading(func() error {
		found, err := l.ids.find(l.hasher.hash(id))
		if err != nil || found.ordinal == exposure.Nobody {
			return err
		}
		row, ok, err := l.personRow(found.ordinal)
		known = ok && row.inDirectory
		return err
	})
	if err != nil {
		l.log.Error("whether the directory knows an identifier cannot be read", "error", err)
	}
	return known
}

// PersonID is the directory's own id of the one person whom the identifiers
// name; false when that is nobody in it, or not certainly one.
func (l *Ledger) PersonID(ids []exposure.Identifier) (id string, ok bool, err error) {
	err = l.reading(func() error {
		people, err := l.people(ids)
		if err == nil && len(people) == 1 {
			id, ok, err = l.DirectoryID(people[0])
		}
		return err
	})
	return id, ok, err
}

// reading keeps the store open while f reads.
func (l *Ledger) reading(f func() error) error {
	l.reads.RLock()
	defer l.reads.RUnlock()
	if l.closed.Load() {
		return l.unavailable(errClosed)
	}
	return f()
}

// people are those whom the identifiers name, as resolve would say without
// making anybody known.
func (l *Ledger) people(ids []exposure.Identifier) ([]exposure.Ordinal, error) {
	var room [8]hashedID
	found := room[:0]
	for _, id := range ids {
		h := hashedID{hash: l.hasher.hash(id), kind: id.Kind}
		var err error
		if h.identity, err = l.ids.find(h.hash); err != nil {
			return nil, err
		}
		found = append(found, h)
	}
	known, _ := named(found, nil)
	return known, nil
}
