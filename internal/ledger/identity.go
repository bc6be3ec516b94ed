package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"sync"

	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// idHash is what the store knows of an identifier: HMAC-SHA256 under a key
// that is never stored, cut to 12 bytes. With 10^8 identifiers two collide
// with probability below 10^-12.
type idHash [12]byte

func (h idHash) key() []byte { return append([]byte{store.Identity}, h[:]...) }

// deriveKey makes independent keys of one secret.
func deriveKey(secret [32]byte, purpose string) (key [32]byte) {
	m := hmac.New(sha256.New, secret[:])
	m.Write([]byte("cordon " + purpose + " v1"))
	m.Sum(key[:0])
	return key
}

// hasher hashes identifiers; safe for concurrent use.
type hasher struct{ pool sync.Pool }

func newHasher(secret [32]byte) *hasher {
	key := deriveKey(secret, "identifiers")
	return &hasher{sync.Pool{New: func() any { return &hashState{mac: hmac.New(sha256.New, key[:])} }}}
}

type hashState struct {
	mac hash.Hash
	buf []byte
	sum [sha256.Size]byte
}

// hash covers the kind, the vendor that a pseudonym belongs to (a cookie of
// one vendor says nothing about the same string at another), and the value.
func (h *hasher) hash(id exposure.Identifier) (out idHash) {
	s := h.pool.Get().(*hashState)
	s.mac.Reset()
	s.buf = append(s.buf[:0], byte(id.Kind), byte(len(id.Vendor)))
	s.buf = append(s.buf, id.Vendor...)
	s.buf = append(s.buf, id.Value...)
	s.mac.Write(s.buf)
	copy(out[:], s.mac.Sum(s.sum[:0]))
	clear(s.buf)
	h.pool.Put(s)
	return out
}

// identities finds ordinals by hash: a bounded cache before the store. Only
// the committer adds.
type identities struct {
	db     *pebble.DB
	shards [64]idShard
}

// idShard keeps two generations: when the young one is full it becomes the
// old one and the old one is dropped; what is asked for in between moves over.
type idShard struct {
	mu         sync.Mutex
	young, old map[idHash]exposure.Ordinal
}

// shardSize times 2 generations times 64 shards bounds the cache to about a
// million identifiers, some 60 MB.
const shardSize = 8192

func newIdentities(db *pebble.DB) *identities {
	ids := &identities{db: db}
	for i := range ids.shards {
		ids.shards[i].young = map[idHash]exposure.Ordinal{}
	}
	return ids
}

func (ids *identities) shard(h idHash) *idShard { return &ids.shards[h[0]%64] }

func (s *idShard) get(h idHash) (exposure.Ordinal, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.young[h]; ok {
		return o, true
	}
	o, ok := s.old[h]
	if ok {
		s.put(h, o)
	}
	return o, ok
}

// put needs the lock.
func (s *idShard) put(h idHash, o exposure.Ordinal) {
	if len(s.young) >= shardSize {
		s.old, s.young = s.young, make(map[idHash]exposure.Ordinal, shardSize)
	}
	s.young[h] = o
}

// remember puts an ordinal into the cache.
func (ids *identities) remember(h idHash, o exposure.Ordinal) {
	s := ids.shard(h)
	s.mu.Lock()
	s.put(h, o)
	s.mu.Unlock()
}

// find returns Nobody for an identifier that the ledger does not know. What it
// finds may not be durable yet; it is before anything that refers to it.
func (ids *identities) find(h idHash) (exposure.Ordinal, error) {
	if o, ok := ids.shard(h).get(h); ok {
		return o, nil
	}
	var o exposure.Ordinal
	err := view(ids.db, h.key(), func(v []byte) error {
		if len(v) != 4 {
			return errors.New("ordinal has not 4 bytes")
		}
		o = exposure.Ordinal(binary.BigEndian.Uint32(v))
		return nil
	})
	if errors.Is(err, pebble.ErrNotFound) {
		return exposure.Nobody, nil
	}
	if err != nil {
		return exposure.Nobody, fmt.Errorf("looking up an identifier: %w", err)
	}
	ids.remember(h, o)
	return o, nil
}

// Lookup finds the ordinal of an identifier; false if no entry and no
// directory ever named it.
func (l *Ledger) Lookup(id exposure.Identifier) (exposure.Ordinal, bool, error) {
	l.reads.RLock()
	defer l.reads.RUnlock()
	if l.closed.Load() {
		return exposure.Nobody, false, l.unavailable(errClosed)
	}
	o, err := l.ids.find(l.hasher.hash(id))
	return o, o != exposure.Nobody, err
}
