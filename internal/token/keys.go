package token

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"

	"cordon/internal/exposure"
)

// purpose is what one derived key is for. Each is a key of its own, so that the
// token of a value in one kind of field says nothing about the same value in
// another, nor at another vendor, nor in another epoch.
type purpose struct {
	vendor exposure.VendorID
	kind   string
	epoch  Epoch
	hashed bool // keyed hashes, which are not tokens
}

// derive is HKDF-SHA-256 (RFC 5869) of the root. Lengths go first, so that no
// byte can move from the vendor's name into the kind.
func (m *Maker) derive(p purpose) [32]byte {
	label := "cordon token v1"
	if p.hashed {
		label = "cordon hash v1"
	}
	info := []byte(label)
	for _, part := range []string{string(p.vendor), p.kind} {
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

// prf is the pseudo-random function for one purpose. HMAC keeps the state after
// its key was hashed, so states are kept for the next call.
type prf struct{ states sync.Pool }

type state struct {
	mac hash.Hash
	in  []byte
	out []byte
}

// keptInput is how long an input buffer may be to be kept.
const keptInput = 4096

func (m *Maker) prf(p purpose) *prf {
	m.mu.RLock()
	f := m.prfs[p]
	m.mu.RUnlock()
	if f != nil {
		return f
	}
	key := m.derive(p)
	f = &prf{}
	f.states.New = func() any {
		return &state{mac: hmac.New(sha256.New, key[:]), out: make([]byte, 0, sha256.Size)}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if other := m.prfs[p]; other != nil {
		return other
	}
	m.prfs[p] = f
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

// key is what the table knows a token by: SHA-256 over a key and the part of
// the token that every spelling of it has, cut to half, which also leaves
// nothing to extend.
func (m *Maker) key(canonical []byte) Key {
	var b [len(m.index) + longest]byte
	n := copy(b[:], m.index[:])
	n += copy(b[n:], canonical)
	sum := sha256.Sum256(b[:n])
	return Key(sum[:len(Key{})])
}
