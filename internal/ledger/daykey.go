package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// Each UTC day has a key under which the disclosures and outcomes of its
// batches are sealed. It is made with the first batch of the day, in the same
// write, and lies in the store wrapped under a key derived from the identity
// key: whoever lost that could not tell whom an ordinal means either.
//
//	'y' day (4, sign flipped) -> live (1)     | first (8) | last (8) | nonce (12) | wrapped key
//	                             expiring (2) | first | last | expire entry (8) | nonce | wrapped key
//	                             shredded (3), expired (4) | first | last | expire entry
//
// All batches under the key lie between first and last; last is 0 while it is
// the newest batch of all.
//
// A day that expires is marked in the batch of its entry; then its batches are
// written anew without what was sealed, which takes the key for the proofs of
// what stays; then the key goes; then the store writes anew where it lay. A
// crash in between is taken up at the next start, and no reader shows anything
// of the day from the mark on.
type dayKeys struct {
	wrap cipher.AEAD
	mu   sync.RWMutex
	days map[int64]dayKey

	current int64 // day of the newest sealed batch; the committer's alone
}

const noDay = math.MinInt64

type dayKey struct {
	state byte
	first uint64      // batch
	last  uint64      // batch, 0: open
	entry uint64      // that expired it
	aead  cipher.AEAD // nil when it is gone
	row   []byte      // nonce and wrapped key
}

const (
	dayLive     = 1
	dayExpiring = 2
	dayShredded = 3 // the key is deleted; its place on the disk is not written anew yet
	dayExpired  = 4
)

const msPerDay = 24 * 60 * 60 * 1000

// utcDay is the UTC day of a time in ms, counted from 1970.
func utcDay(ms int64) int64 {
	day := ms / msPerDay
	if ms%msPerDay < 0 {
		day--
	}
	return day
}

func dayName(day int64) string { return time.UnixMilli(day * msPerDay).UTC().Format(time.DateOnly) }

func dayKeyKey(day int64) []byte {
	return binary.BigEndian.AppendUint32([]byte{store.DayKey}, uint32(int32(day))^1<<31)
}

func (k *dayKeys) init(identity [32]byte) (err error) {
	root := deriveKey(identity, "day keys")
	k.days, k.current = map[int64]dayKey{}, noDay
	k.wrap, err = newGCM(root[:])
	return err
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("preparing a key: %w", err)
	}
	return cipher.NewGCM(block)
}

// load reads all days: a few hundred.
func (k *dayKeys) load(db *pebble.DB) error {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{store.DayKey}, UpperBound: []byte{store.DayKey + 1}})
	if err != nil {
		return fmt.Errorf("reading the keys of the days: %w", err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("reading the keys of the days: %w", err)
		}
		if len(it.Key()) != 5 {
			return errors.New("the row of a day's key is damaged")
		}
		day := int64(int32(binary.BigEndian.Uint32(it.Key()[1:]) ^ 1<<31))
		key, err := k.parse(day, v)
		if err != nil {
			return err
		}
		k.days[day] = key
		if key.last == 0 && key.state == dayLive {
			k.current = day
		}
	}
	return it.Error()
}

func (k *dayKeys) parse(day int64, v []byte) (key dayKey, err error) {
	damaged := fmt.Errorf("the key of %s is damaged", dayName(day))
	if len(v) < 17 {
		return key, damaged
	}
	key.state, key.first, key.last = v[0], binary.BigEndian.Uint64(v[1:]), binary.BigEndian.Uint64(v[9:])
	v = v[17:]
	if key.state >= dayExpiring && key.state <= dayExpired {
		if len(v) < 8 {
			return key, damaged
		}
		key.entry, v = binary.BigEndian.Uint64(v), v[8:]
	}
	switch {
	case (key.state == dayShredded || key.state == dayExpired) && len(v) == 0:
		return key, nil
	case key.state != dayLive && key.state != dayExpiring || len(v) < nonceSize:
		return key, damaged
	}
	key.row = append([]byte(nil), v...)
	plain, err := k.wrap.Open(nil, v[:nonceSize], v[nonceSize:], dayKeyKey(day))
	if err != nil || len(plain) != 32 {
		return key, damaged
	}
	key.aead, err = newGCM(plain)
	return key, err
}

func (key *dayKey) append(b []byte) []byte {
	b = append(b, key.state)
	b = binary.BigEndian.AppendUint64(b, key.first)
	b = binary.BigEndian.AppendUint64(b, key.last)
	if key.state != dayLive {
		b = binary.BigEndian.AppendUint64(b, key.entry)
	}
	return append(b, key.row...)
}

func (k *dayKeys) get(day int64) (dayKey, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	key, ok := k.days[day]
	return key, ok
}

// forBatch gives the key for a batch of the day, and makes it with the batch if
// there is none. A clock that goes back into a day that has expired gets the
// key of the first day after it that has not.
func (k *dayKeys) forBatch(pb *pebble.Batch, day int64, batch uint64) (of int64, aead cipher.AEAD, err error) {
	of = day
	key, ok := k.get(of)
	for ok && key.state != dayLive {
		of++
		key, ok = k.get(of)
	}
	if ok && k.current == of {
		return of, key.aead, nil
	}
	if k.current != noDay { // the day that ends here, or is left for a while
		before, _ := k.get(k.current)
		before.last = batch - 1
		if err := k.set(pb, k.current, before); err != nil {
			return of, nil, err
		}
	}
	if !ok {
		if key, err = k.make(of); err != nil {
			return of, nil, err
		}
		key.first = batch
	}
	k.current, key.last = of, 0
	return of, key.aead, k.set(pb, of, key)
}

// set writes a day's row.
func (k *dayKeys) set(pb *pebble.Batch, day int64, key dayKey) error {
	if err := pb.Set(dayKeyKey(day), key.append(nil), nil); err != nil {
		return fmt.Errorf("writing the key of a day: %w", err)
	}
	k.mu.Lock()
	k.days[day] = key
	k.mu.Unlock()
	return nil
}

func (k *dayKeys) make(day int64) (dayKey, error) {
	var raw [32]byte
	nonce := make([]byte, nonceSize, nonceSize+len(raw)+16)
	for _, b := range [][]byte{raw[:], nonce} {
		if _, err := rand.Read(b); err != nil {
			return dayKey{}, fmt.Errorf("drawing the key of a day: %w", err)
		}
	}
	aead, err := newGCM(raw[:])
	return dayKey{state: dayLive, aead: aead, row: k.wrap.Seal(nonce, nonce, raw[:], dayKeyKey(day))}, err
}
