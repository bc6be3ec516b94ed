package token

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"hash"
	"maps"
	"sync"

	"cordon/internal/exposure"
)

// purpose is what one derived key is for. Each is a key of its own, so that the
// token of a value in one kind of field says nothing about the same value in
// another, nor at another vendor, nor in another epoch.
type purpose struct {
	vendor exposure.VendorID
	use    use
	kind   exposure.Category
	epoch  Epoch
}

type use uint8

const (
	useToken use = iota
	useAlias
	useHash
)

// labels are part of what keys are derived from: they never change.
var labels = [...]string{useToken: "cordon token v1", useAlias: "cordon alias v1", useHash: "cordon hash v1"}

// derive is HKDF-SHA-256 (RFC 5869) of the root. Lengths go first, so that no
// byte can move from the vendor's name into the kind.
func (m *Maker) derive(p purpose) [32]byte {
	info := []byte(labels[p.use])
	for _, part := range []string{string(p.vendor), p.kind.Key()} {
		info = binary.AppendUvarint(info, uint64(len(part)))
		info = append(info, part...)
	}
	info = binary.BigEndian.AppendUint16(info, uint16(p.epoch))
	return expand(m.root, string(info))
}

func expand(root [32]byte, info string) (key [32]byte) {
	k, err := hkdf.Key(sha256.New, root[:], nil, info, len(key))
	if err != nil {
		panic("token: " + err.Error()) // only for lengths that are not 32
	}
	copy(key[:], k)
	return key
}

// prf is the pseudo-random function for one purpose: HMAC-SHA-256. It keeps the
// state after its key was hashed, so states are kept for the next call.
type prf struct{ states sync.Pool }

type state struct {
	mac hash.Hash
	in  []byte
	out []byte
}

// keptInput is how long an input buffer may be to be kept.
const keptInput = 4096

// prf finds the function for a purpose. There are a handful for each vendor, so
// the map is copied when one is added and read without a lock.
func (m *Maker) prf(p purpose) *prf {
	if f := (*m.prfs.Load())[p]; f != nil {
		return f
	}
	key := m.derive(p)
	f := &prf{}
	f.states.New = func() any {
		return &state{mac: hmac.New(sha256.New, key[:]), out: make([]byte, 0, sha256.Size)}
	}
	m.adding.Lock()
	defer m.adding.Unlock()
	more := maps.Clone(*m.prfs.Load())
	more[p] = f
	m.prfs.Store(&more)
	return f
}

// sum is the function's output for the attempt-th token of a value.
func (f *prf) sum(value string, attempt int) [sha256.Size]byte {
	s := f.states.Get().(*state)
	s.in = binary.BigEndian.AppendUint32(s.in[:0], uint32(attempt))
	s.in = append(s.in, value...)
	s.mac.Reset()
	s.mac.Write(s.in)
	s.out = s.mac.Sum(s.out[:0])
	sum := [sha256.Size]byte(s.out)
	if cap(s.in) <= keptInput {
		f.states.Put(s)
	}
	return sum
}

// indexer computes Key: AES in CBC-MAC over the length and the part of a token
// that every spelling of it has. With the length first it is a pseudo-random
// function of texts of any length, and a third of what a hash costs.
type indexer struct {
	block cipher.Block
	x     [aes.BlockSize]byte
	in    [aes.BlockSize + longest]byte
}

func newIndexers(key [32]byte) *sync.Pool {
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		panic("token: " + err.Error()) // only for lengths that are not 16, 24, 32
	}
	return &sync.Pool{New: func() any { return &indexer{block: block} }}
}

func (m *Maker) key(canonical []byte) Key {
	i := m.indexers.Get().(*indexer)
	n := 1 + len(canonical)
	i.in[0] = byte(len(canonical))
	copy(i.in[1:], canonical)
	end := (n + aes.BlockSize - 1) / aes.BlockSize * aes.BlockSize
	clear(i.in[n:end])
	i.block.Encrypt(i.x[:], i.in[:aes.BlockSize])
	for at := aes.BlockSize; at < end; at += aes.BlockSize {
		subtle.XORBytes(i.x[:], i.x[:], i.in[at:at+aes.BlockSize])
		i.block.Encrypt(i.x[:], i.x[:])
	}
	key := Key(i.x)
	m.indexers.Put(i)
	return key
}
