package token

import (
	"strings"
	"sync"
	"sync/atomic"

	"cordon/internal/exposure"
)

// Maker makes and finds tokens. It is safe for concurrent use.
type Maker struct {
	root     [32]byte
	domain   string
	indexers *sync.Pool // of *indexer

	prfs   atomic.Pointer[map[purpose]*prf]
	adding sync.Mutex // to prfs
}

// Subdomains of the organisation's domain under which addresses are made.
const (
	tokenHost = "id."    // takes no mail
	aliasHost = "relay." // takes mail and forwards it
)

// New makes a maker from the root of token keys and the organisation's domain.
func New(root [32]byte, domain string) *Maker {
	if domain = strings.ToLower(strings.Trim(domain, ". ")); domain == "" {
		domain = "invalid" // RFC 2606: nobody's
	}
	m := &Maker{root: root, domain: domain, indexers: newIndexers(expand(root, "cordon token index v1"))}
	m.prfs.Store(&map[purpose]*prf{})
	return m
}

// String prints nothing of a maker: it holds a key.
func (m *Maker) String() string { return "token maker" }

// Make is the token of a value at a vendor; bare says that the value is a JSON
// number and must stay one. It is deterministic: attempt 0 is the token, unless
// the table has it for another value already (only tokens of fewer than Strong
// bits meet), and then 1, 2 … are the next to try.
//
// Addresses are taken without regard to case, numbers as digits, everything
// else as it is. An identifier gets the same token as a number and as a string
// of digits, so that a lookup by path finds what was sent as JSON.
func (m *Maker) Make(v exposure.VendorID, c exposure.Category, e Epoch, value string, bare bool, attempt int) (Token, error) {
	if traits[c].refused {
		return Token{}, ErrRefused
	}
	value, kind, shape := normalise(c, value, bare)
	if value == "" {
		return Token{}, ErrUnfit
	}
	sum := m.prf(purpose{vendor: v, kind: kind, epoch: e}).sum(value, attempt)
	t := m.draw(shape, e, value, &sum, tokenHost)
	t.Normal = value
	return t, nil
}

// Alias is an address to which the vendor may send mail for the one at value.
// It differs from the token of the same address, which takes no mail.
func (m *Maker) Alias(v exposure.VendorID, e Epoch, value string) (Token, error) {
	value, _, shape := normalise(exposure.Email, value, false)
	if value == "" || shape != shapeEmail {
		return Token{}, ErrUnfit
	}
	sum := m.prf(purpose{vendor: v, use: useAlias, kind: exposure.Email, epoch: e}).sum(value, 0)
	t := m.draw(shape, e, value, &sum, aliasHost)
	t.Normal = value
	return t, nil
}

// Hash is a keyed hash of a value, 64 hexadecimal digits, from which no table
// leads back; "" for an empty value.
func (m *Maker) Hash(v exposure.VendorID, c exposure.Category, e Epoch, value string) string {
	value, kind, _ := normalise(c, value, false)
	if value == "" {
		return ""
	}
	sum := m.prf(purpose{vendor: v, use: useHash, kind: kind, epoch: e}).sum(value, 0)
	var b [2 * len(sum)]byte
	for i, v := range sum {
		b[2*i], b[2*i+1] = hexDigits[v>>4], hexDigits[v&15]
	}
	return string(b[:])
}
