package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync"
	"sync/atomic"

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

// identity is what the ledger knows of an identifier.
type identity struct {
	ordinal exposure.Ordinal // Nobody: not known
	shared  bool             // an address of many: it does not link any more
}

// identities finds identities by hash: a bounded cache before the store. Only
// the committer writes.
type identities struct {
	db     *pebble.DB
	shards [64]idShard
	// births counts the batches that made identifiers known, changes those that
	// gave known ones another meaning (shared, or another person's). What was
	// looked up stands as long as they do not grow.
	births, changes atomic.Uint64
	base            atomic.Pointer[base] // nil: there is none
}

// epoch is both counts, taken before looking up.
type epoch struct{ births, changes uint64 }

func (ids *identities) epoch() epoch { return epoch{ids.births.Load(), ids.changes.Load()} }

// idShard keeps two generations: when the young one is full it becomes the
// old one and the old one is dropped; what is asked for in between moves over.
type idShard struct {
	mu         sync.Mutex
	written    uint64 // how often the committer wrote here
	young, old map[idHash]identity
}

// shardSize times 2 generations times 64 shards bounds the cache to about a
// million identifiers, some 70 MB.
const shardSize = 8192

func newIdentities(db *pebble.DB) *identities {
	ids := &identities{db: db}
	for i := range ids.shards {
		ids.shards[i].young = map[idHash]identity{}
	}
	return ids
}

func (ids *identities) shard(h idHash) *idShard { return &ids.shards[h[0]%64] }

func (s *idShard) get(h idHash) (found identity, written uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.young[h]; ok {
		return id, s.written, true
	}
	id, ok := s.old[h]
	if ok {
		s.put(h, id)
	}
	return id, s.written, ok
}

// put needs the lock.
func (s *idShard) put(h idHash, id identity) {
	if len(s.young) >= shardSize {
		s.old, s.young = s.young, make(map[idHash]identity, shardSize)
	}
	s.young[h] = id
}

// remember puts what the committer wrote into the cache.
func (ids *identities) remember(h idHash, id identity) {
	s := ids.shard(h)
	s.mu.Lock()
	s.put(h, id)
	s.written++
	s.mu.Unlock()
}

// find returns a zero identity for an identifier that the ledger does not know.
// What it finds may not be durable yet; it is before anything that refers to it.
func (ids *identities) find(h idHash) (identity, error) {
	s := ids.shard(h)
	id, written, ok := s.get(h)
	if ok {
		return id, nil
	}
	row, ok, err := ids.row(h)
	if err != nil || !ok {
		return identity{}, err
	}
	s.mu.Lock()
	if s.written == written { // else what was read may be older than what was written meanwhile
		s.put(h, row.identity)
	}
	s.mu.Unlock()
	return row.identity, nil
}

// row reads an identifier's row from the store, or from the base if the store
// says nothing of it.
func (ids *identities) row(h idHash) (row identityRow, ok bool, err error) {
	err = view(ids.db, h.key(), func(v []byte) (err error) {
		row, err = parseIdentity(v)
		return err
	})
	if errors.Is(err, pebble.ErrNotFound) {
		err = ids.withBase(func(b *base) (err error) {
			if b != nil {
				row.ordinal, err = b.find(h, nil)
			}
			return err
		})
	}
	if err != nil {
		return identityRow{}, false, fmt.Errorf("looking up an identifier: %w", err)
	}
	return row, row.ordinal != exposure.Nobody, nil // see identityGone
}

// Lookup finds the ordinal of an identifier; false if no entry and no
// directory ever named it.
func (l *Ledger) Lookup(id exposure.Identifier) (exposure.Ordinal, bool, error) {
	l.reads.RLock()
	defer l.reads.RUnlock()
	if l.closed.Load() {
		return exposure.Nobody, false, l.unavailable(errClosed)
	}
	found, err := l.ids.find(l.hasher.hash(id))
	return found.ordinal, found.ordinal != exposure.Nobody, err
}
