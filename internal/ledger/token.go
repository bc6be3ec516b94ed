package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"cordon/internal/exposure"
	"cordon/internal/store"
	"cordon/internal/token"

	"github.com/cockroachdb/pebble/v2"
)

// The table of tokens leads from a token at a vendor back to the value that it
// stands for. A row is written in the batch of the disclosure that first carries
// the token, so that no token is on the wire that cannot be resolved, and none
// of what is in the table can be read without the keys: the index is a keyed
// hash, and the value is sealed under a random key of the person whom it
// concerns. That key lies wrapped under the root of tokens; deleting it (Shred)
// makes all of a person's tokens words without a meaning, wherever they are.
//
//	version 1 | flags | owners | their ordinals (4 each), or day (2) when there are none |
//	tag (8, if flags&1) | nonce (12) | sealed category and value
//
// The tag is a keyed hash of the value, and stands where a token is so short
// that two values can have the same: the second one is noticed and gets the
// next attempt.
const (
	tokenVersion = 1
	tokenTagged  = 1
	nonceSize    = 12
	// maxOwners bounds a row. A value that may be more people's than that is
	// sealed under the key of the day, as nobody's.
	maxOwners = 8
)

var (
	// ErrTokenTaken says that a short token of the message stands for another
	// value already: the message must be cleared anew, and gets the next attempt.
	ErrTokenTaken = errors.New("a token stands for another value already")

	errNoTokenKeys  = errors.New("no keys for tokens are at hand")
	errTokenDamaged = errors.New("a row of the table of tokens is damaged")
)

// tokenRow is the index of a row.
type tokenRow [16]byte

func (r tokenRow) key() []byte { return append([]byte{store.Token}, r[:]...) }

// tokens is the table's part of the ledger in memory.
type tokens struct {
	on      bool // there are keys
	digests sync.Pool
	wrap    cipher.AEAD
	finder  *token.Maker
	rows    recent[tokenRow, tag] // rows that are there, and can be opened
	keys    recent[string, personKey]
	// shreds counts the batches in which keys were deleted: whoever looked
	// before must look again.
	shreds atomic.Uint64
	epochs epochs
}

// tag tells values apart without naming them; zero where tokens are long.
type tag uint64

// personKey seals values; gone (aead nil) it was deleted or never was.
type personKey struct {
	raw  [16]byte
	aead cipher.AEAD
}

func (l *Ledger) openTokens(root [32]byte) error {
	t := &l.tokens
	if root == [32]byte{} {
		return nil
	}
	key := deriveKey(root, "token table")
	t.digests.New = func() any { return &tokenDigest{mac: hmac.New(sha256.New, key[:])} }
	wrap := deriveKey(root, "token person keys")
	block, err := aes.NewCipher(wrap[:])
	if err != nil {
		return fmt.Errorf("opening the table of tokens: %w", err)
	}
	if t.wrap, err = cipher.NewGCM(block); err != nil {
		return fmt.Errorf("opening the table of tokens: %w", err)
	}
	domain, _, _ := strings.Cut(l.origin, "/") // the organisation's: see config.Origin
	t.finder = token.New(root, domain)
	t.on = true
	return nil
}

// tokenDigest is HMAC-SHA-256 with room for its input.
type tokenDigest struct {
	mac hash.Hash
	in  []byte
	sum [sha256.Size]byte
}

// What is hashed, first of all: an index, a tag and a pin never meet.
const (
	hashRow byte = iota
	hashTag
	hashPin
)

// hash covers parts with their lengths, so that no byte moves between them.
func (t *tokens) hash(what byte, parts ...string) (out [16]byte) {
	d := t.digests.Get().(*tokenDigest)
	d.in = append(d.in[:0], what)
	for _, p := range parts {
		d.in = binary.AppendUvarint(d.in, uint64(len(p)))
		d.in = append(d.in, p...)
	}
	d.mac.Reset()
	d.mac.Write(d.in)
	copy(out[:], d.mac.Sum(d.sum[:0]))
	clear(d.in)
	t.digests.Put(d)
	return out
}

func (t *tokens) row(v exposure.VendorID, k token.Key) tokenRow {
	return t.hash(hashRow, string(v), string(k[:]))
}

// tag is zero for tokens that no second value is expected to have.
func (t *tokens) tag(v exposure.VendorID, made *token.Token) tag {
	if made.Bits >= token.Strong {
		return 0
	}
	sum := t.hash(hashTag, string(v), made.Normal)
	return tag(binary.BigEndian.Uint64(sum[:8]) | 1)
}

// tokenHead is what can be read of a row without a key.
type tokenHead struct {
	owners []exposure.Ordinal
	day    uint16 // without owners
	tag    tag
	bound  []byte // all before the nonce; part of what is authenticated
	nonce  []byte
	sealed []byte
}

func appendTokenHead(b []byte, owners []exposure.Ordinal, day uint16, g tag) []byte {
	flags := byte(0)
	if g != 0 {
		flags = tokenTagged
	}
	b = append(b, tokenVersion, flags, byte(len(owners)))
	for _, o := range owners {
		b = binary.BigEndian.AppendUint32(b, uint32(o))
	}
	if len(owners) == 0 {
		b = binary.BigEndian.AppendUint16(b, day)
	}
	if g != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(g))
	}
	return b
}

// parseTokenHead aliases b.
func parseTokenHead(b []byte) (h tokenHead, err error) {
	if len(b) < 3 || b[0] != tokenVersion || b[2] > maxOwners {
		return h, errTokenDamaged
	}
	at, n := 3, int(b[2])
	need := at + 4*n + nonceSize
	if n == 0 {
		need += 2
	}
	if b[1]&tokenTagged != 0 {
		need += 8
	}
	if len(b) < need {
		return h, errTokenDamaged
	}
	for range n {
		h.owners = append(h.owners, exposure.Ordinal(binary.BigEndian.Uint32(b[at:])))
		at += 4
	}
	if n == 0 {
		h.day = binary.BigEndian.Uint16(b[at:])
		at += 2
	}
	if b[1]&tokenTagged != 0 {
		h.tag = tag(binary.BigEndian.Uint64(b[at:]))
		at += 8
	}
	h.bound, h.nonce, h.sealed = b[:at], b[at:at+nonceSize], b[at+nonceSize:]
	return h, nil
}

// sealToken writes a row. What stands before the value and where the row lies
// are bound into the seal, so that rows cannot be exchanged.
func sealToken(k personKey, row tokenRow, owners []exposure.Ordinal, day uint16, g tag, c exposure.Category, value string) ([]byte, error) {
	key := c.Key()
	plain := make([]byte, 0, 2+len(key)+len(value))
	if n, ok := knownNumbers[c]; ok {
		plain = append(plain, n) // one byte instead of twenty; 0 is none
	} else {
		plain = append(plain, 0, byte(len(key)))
		plain = append(plain, key...)
	}
	plain = append(plain, value...)
	b := make([]byte, 0, 3+4*len(owners)+10+nonceSize+len(plain)+16)
	b = appendTokenHead(b, owners, day, g)
	head := len(b)
	b = b[:head+nonceSize]
	if _, err := rand.Read(b[head:]); err != nil {
		return nil, fmt.Errorf("sealing a token's value: %w", err)
	}
	bound := append(row[:], b[:head]...)
	return k.aead.Seal(b, b[head:], plain, bound), nil
}

func (h *tokenHead) open(k personKey, row tokenRow) (exposure.Category, string, error) {
	plain, err := k.aead.Open(nil, h.nonce, h.sealed, append(row[:], h.bound...))
	if err != nil || len(plain) == 0 {
		return exposure.Unclassified, "", errTokenDamaged
	}
	n, rest := plain[0], plain[1:]
	c, ok := knownCategories[n]
	if n == 0 {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return exposure.Unclassified, "", errTokenDamaged
		}
		c, ok = exposure.LookupCategory(string(rest[1 : 1+rest[0]]))
		rest = rest[1+rest[0]:]
	}
	if !ok {
		c = exposure.Unclassified
	}
	return c, string(rest), nil
}

// Resolved is what a token stands for. It is personal data.
type Resolved struct {
	Category exposure.Category
	Value    string
	// Ordinals are those whose value it is; none where nobody is known.
	Ordinals []exposure.Ordinal
}

// Resolve finds what a token at a vendor stands for; false when it is none of
// ours, or its person was shredded.
func (l *Ledger) Resolve(v exposure.VendorID, k token.Key) (r Resolved, ok bool, err error) {
	if !l.tokens.on {
		return r, false, nil
	}
	row := l.tokens.row(v, k)
	err = l.reading(func() error {
		raw, found, err := l.tokenAt(row)
		if err != nil || !found {
			return err
		}
		h, err := parseTokenHead(raw)
		if err != nil {
			return err
		}
		key, err := l.ownersKey(h.owners, h.day, v, l.personKey)
		if err != nil || key.aead == nil {
			return err
		}
		r.Ordinals, ok = h.owners, true
		r.Category, r.Value, err = h.open(key, row)
		return err
	})
	if err != nil {
		return Resolved{}, false, fmt.Errorf("resolving a token: %w", err)
	}
	return r, ok, nil
}

// untoken gives identifiers in which tokens of the vendor are the values that
// they stand for. An app that had a person's token from an answer names the
// person by it, and must not be taken to name somebody new.
func (l *Ledger) untoken(v exposure.VendorID, ids []exposure.Identifier) []exposure.Identifier {
	if !l.tokens.on {
		return ids
	}
	var room [4]token.Candidate
	copied := false
	for i := range ids {
		value := ids[i].Value
		for _, c := range l.tokens.finder.AppendString(room[:0], value) {
			if c.Start != 0 || c.End != len(value) {
				continue
			}
			r, ok, err := l.Resolve(v, c.Key)
			kind, identifies := exposure.KindOf(r.Category)
			if err != nil || !ok || !identifies {
				continue
			}
			id, err := exposure.Canonical(kind, r.Value)
			if err != nil {
				continue
			}
			if kind == exposure.KindPseudonym {
				id.Vendor = v
			}
			if !copied {
				ids, copied = slices.Clone(ids), true
			}
			ids[i] = id
			break
		}
	}
	return ids
}

// tokenAt copies a row out of the store.
func (l *Ledger) tokenAt(row tokenRow) (raw []byte, ok bool, err error) {
	err = view(l.store.DB(), row.key(), func(v []byte) error {
		raw = append(raw, v...)
		return nil
	})
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	return raw, err == nil, err
}

// TokenFree reports whether a token may stand for its value at a vendor: nothing
// else has it.
func (l *Ledger) TokenFree(v exposure.VendorID, made *token.Token) (bool, error) {
	if !l.tokens.on {
		return false, errNoTokenKeys
	}
	g := l.tokens.tag(v, made)
	if g == 0 {
		return true, nil
	}
	row := l.tokens.row(v, made.Key)
	if has, ok := l.tokens.rows.get(row); ok {
		return has == g, nil
	}
	free := true
	err := l.reading(func() error {
		raw, found, err := l.tokenAt(row)
		if err != nil || !found {
			return err
		}
		h, err := parseTokenHead(raw)
		free = h.tag == g
		return err
	})
	if err != nil {
		return false, fmt.Errorf("looking up a token: %w", err)
	}
	return free, nil
}

// recent is a bounded cache of two generations: when the young one is full it
// becomes the old one, and the old one is dropped.
type recent[K comparable, V any] struct {
	mu         sync.Mutex
	young, old map[K]V
}

const recentSize = 1 << 16

func (c *recent[K, V]) get(k K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok = c.young[k]; ok {
		return v, true
	}
	if v, ok = c.old[k]; ok {
		c.set(k, v)
	}
	return v, ok
}

func (c *recent[K, V]) put(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(k, v)
}

// putIf keeps v unless still, asked under the lock, says that it is out of date.
func (c *recent[K, V]) putIf(k K, v V, still func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if still() {
		c.set(k, v)
	}
}

// set needs the lock.
func (c *recent[K, V]) set(k K, v V) {
	if c.young == nil || len(c.young) >= recentSize {
		c.old, c.young = c.young, map[K]V{}
	}
	c.young[k] = v
}

func (c *recent[K, V]) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old = nil, nil
}
