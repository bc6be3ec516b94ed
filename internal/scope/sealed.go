package scope

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/store"
)

// # Sealed days
//
// When the disclosures of a day expire, the journal cannot tell any more what the
// index says of it. So the day is sealed first: from then on its pages and
// tallies are kept, not rebuilt, and the entry that ends it holds their digest.
// A rebuild leaves them, and the names that they use, where they are, and takes
// up nothing of the day again that it had been told by then; and of what tells when
// Cordon stood in the way it leaves the rows whose sign of life was on such a day. Where a question's
// bound falls within a half hour of a sealed day, the half hour is taken whole,
// and the answer says so (Answer.Rounded).

// seal is what is known of a sealed day.
type seal struct {
	digest   [sha256.Size]byte
	position uint64 // all that the journal told of the day up to this entry is kept
	// added says that something came later, from a clock that went back: the pages
	// are no more what was sealed.
	added bool
}

func (s seal) encode() []byte {
	b := append([]byte(nil), s.digest[:]...)
	if s.added {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return binary.AppendUvarint(b, s.position)
}

func loadSeals(r pebble.Reader) (map[day]seal, error) {
	all := map[day]seal{}
	err := scan(r, []byte{store.Scope, keySealed}, func(key, value []byte) error {
		if len(key) != 6 || len(value) < sha256.Size+2 {
			return errors.New("a sealed day's key has the wrong shape")
		}
		s := seal{digest: [sha256.Size]byte(value), added: value[sha256.Size] != 0}
		s.position, _ = binary.Uvarint(value[sha256.Size+1:])
		all[day(binary.BigEndian.Uint32(key[2:])^1<<31)] = s
		return nil
	})
	return all, err
}

// Seal keeps what the index says of a UTC day for good and returns its digest in
// hex, which the entry that ends the day's disclosures must hold. Sealing a day
// again gives the same digest, unless something was added to it meanwhile.
func (x *Index) Seal(ctx context.Context, at time.Time) (digest string, err error) {
	if err := x.Sync(ctx); err != nil {
		return "", err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	d := dayOf(at)
	switch {
	case x.err != nil:
		return "", x.err
	case x.o.ReadOnly:
		return "", errors.New("the store is open for reading only; start the server")
	}
	for _, m := range x.open {
		if at, _ := sliceOf(m.at); at == d {
			return "", fmt.Errorf("the outcome of a disclosure of %s is still open", dateOf(d))
		}
	}
	if err := x.flush(); err != nil {
		return "", err
	}
	if x.unsaved != nil {
		return "", fmt.Errorf("the scope index cannot be written: %w", x.unsaved)
	}
	if s, ok := x.sealed[d]; ok && !s.added {
		return hex.EncodeToString(s.digest[:]), nil
	}
	s := seal{position: x.position}
	if s.digest, err = digestOf(x.o.DB, len(x.names.vendors), d); err != nil {
		return "", fmt.Errorf("reading the scope index of %s: %w", dateOf(d), err)
	}
	b := x.o.DB.NewBatch()
	if err := b.Set(sealedKey(d), s.encode(), nil); err != nil {
		return "", errors.Join(err, b.Close())
	}
	// With a sync, which covers all that was flushed before.
	if err := x.keep(b); err != nil {
		return "", fmt.Errorf("sealing %s: %w", dateOf(d), err)
	}
	sealed := maps.Clone(x.sealed) // snapshots hold the old one
	sealed[d] = s
	x.sealed = sealed
	return hex.EncodeToString(s.digest[:]), nil
}

func dateOf(d day) string { return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly) }

// digestOf is the digest of everything that is kept of a sealed day.
func digestOf(r pebble.Reader, vendors int, d day) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	err = eachOfDay(r, vendors, d, func(key, value []byte) error {
		writeSized(h, key)
		writeSized(h, value)
		return nil
	})
	return [sha256.Size]byte(h.Sum(nil)), err
}

func writeSized(h hash.Hash, b []byte) {
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
	h.Write(b)
}

// eachOfDay calls f with every pair that is about a day, in an order that is
// always the same.
func eachOfDay(r pebble.Reader, vendors int, d day, f func(key, value []byte) error) error {
	one := func(key []byte) (found bool, err error) {
		value, err := get(r, key)
		if err != nil || value == nil {
			return false, err
		}
		return true, f(key, value)
	}
	p := d.in(levelDay)
	for v := range vendors {
		v := vendorID(v)
		for from := uint32(0); from < allBlocks; {
			block, ok, err := firstBlock(r, v, uint16(from))
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			from = uint32(block) + 1
			chunk := block * perBlock
			found, err := one(pageKey(nil, v, chunk, partHead, p))
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			if _, err := one(pageKey(nil, v, chunk, partBlockTimes, p)); err != nil {
				return err
			}
			for i := range uint16(perBlock) {
				for _, part := range []byte{partPage, partPageTimes} {
					if _, err := one(pageKey(nil, v, chunk+i, part, p)); err != nil {
						return err
					}
				}
			}
		}
		for _, kind := range []byte{keyTally, keySlice} {
			prefix := tallyKey(v, tallyAt{day: d})
			prefix[1] = kind
			err := scan(r, prefix[:8], func(key, value []byte) error { return f(bytes.Clone(key), value) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// keepSealed is a wipe that leaves sealed days and names. It takes several
// batches: a crash between them leaves the mark that makes the next start go on.
func (x *Index) keepSealed() error {
	db := x.o.DB
	b := db.NewBatch()
	err := errors.Join(b.Set(wipingKey, nil, nil), b.Set(positionKey, encodePosition(0, 0), nil),
		b.DeleteRange([]byte{store.Rollup}, []byte{store.Rollup + 1}, nil))
	for _, what := range []byte{keyRolled, keyEver, keyOpen, keyStatement} {
		err = errors.Join(err, b.DeleteRange([]byte{store.Scope, what}, []byte{store.Scope, what + 1}, nil))
	}
	if err = errors.Join(err, x.apply(b)); err != nil {
		return err
	}
	sealed, err := loadSeals(db)
	if err != nil {
		return err
	}
	kept := func(key, value []byte) (bool, error) {
		if key[0] == store.Scope && key[1] == keyCoverage {
			return aliveOn(sealed, key, value), nil
		}
		if key[0] == store.Scope {
			_, at, err := parseTallyKey(key)
			_, ok := sealed[at.day]
			return ok, err
		}
		_, _, _, p, err := parsePageKey(key)
		_, ok := sealed[day(p.index)]
		return ok, err
	}
	for _, prefix := range [][]byte{{store.Index}, {store.Scope, keyTally}, {store.Scope, keySlice}, {store.Scope, keyCoverage}} {
		b := db.NewBatch()
		err := scan(db, prefix, func(key, value []byte) error {
			ok, err := kept(key, value)
			if err != nil || ok {
				return err
			}
			if err := b.Delete(bytes.Clone(key), nil); err != nil || b.Count() < 50_000 {
				return err
			}
			err = x.apply(b)
			b = db.NewBatch()
			return err
		})
		if err = errors.Join(err, x.apply(b)); err != nil {
			return err
		}
	}
	b = db.NewBatch()
	return errors.Join(b.Delete(wipingKey, nil), x.apply(b))
}

// aliveOn reports whether the last sign of life before a coverage event was on a
// sealed day, so that nothing else tells of it any more. A row that cannot be read
// tells nothing.
func aliveOn(sealed map[day]seal, key, value []byte) bool {
	seq, err := entryOf(key)
	if err != nil {
		return false
	}
	c, err := decodeCoverage(seq, value)
	d, _ := sliceOf(c.alive)
	_, ok := sealed[d]
	return ok && err == nil
}

var wipingKey = []byte{store.Scope, keyWiping}

// copySealed copies what a rebuild would leave into an empty second index.
func copySealed(from pebble.Reader, to *pebble.DB) error {
	sealed, err := loadSeals(from)
	if err != nil || len(sealed) == 0 {
		return err
	}
	names, err := loadNames(from)
	if err != nil {
		return err
	}
	set := func(key, value []byte) error { return to.Set(bytes.Clone(key), value, pebble.NoSync) }
	for _, prefix := range [][]byte{{store.Scope, keyName}, {store.Scope, keySealed}} {
		if err := scan(from, prefix, set); err != nil {
			return err
		}
	}
	err = scan(from, []byte{store.Scope, keyCoverage}, func(key, value []byte) error {
		if !aliveOn(sealed, key, value) {
			return nil
		}
		return set(key, value)
	})
	if err != nil {
		return err
	}
	for d := range sealed {
		if err := eachOfDay(from, len(names.vendors), d, set); err != nil {
			return err
		}
	}
	return to.Set(positionKey, encodePosition(0, 0), pebble.NoSync)
}

// checkSeals compares sealed days with the digests that they were sealed with.
func checkSeals(r pebble.Reader, vendors int) (problems []string, err error) {
	sealed, err := loadSeals(r)
	if err != nil {
		return nil, err
	}
	for _, d := range slices.Sorted(maps.Keys(sealed)) {
		if sealed[d].added {
			continue
		}
		sum, err := digestOf(r, vendors, d)
		if err != nil {
			return nil, err
		}
		if sum != sealed[d].digest {
			problems = append(problems, fmt.Sprintf("%s is sealed with the digest %x and has %x", dateOf(d), sealed[d].digest, sum))
		}
	}
	return problems, nil
}

// expose takes in a message that was sent, or may have been, unless it is in a
// sealed day already.
func (x *Index) expose(m *message, settled uint64) {
	d, _ := sliceOf(m.at)
	if s, ok := x.sealed[d]; ok && settled <= s.position {
		return
	}
	x.fresh.expose(x.names, m, settled)
}

// saveSeals notes of sealed days that something is added to them, and up to where.
func (x *Index) saveSeals(b *pebble.Batch) error {
	added := map[day]bool{}
	for _, tallies := range x.fresh.tallies {
		for at := range tallies {
			if _, ok := x.sealed[at.day]; ok {
				added[at.day] = true
			}
		}
	}
	if len(added) == 0 {
		return nil
	}
	sealed := maps.Clone(x.sealed)
	for d := range added {
		s := sealed[d]
		s.added, s.position = true, x.position
		sealed[d] = s
		if err := b.Set(sealedKey(d), s.encode(), nil); err != nil {
			return err
		}
	}
	x.sealed = sealed
	return nil
}
