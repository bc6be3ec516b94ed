package token

import (
	"errors"

	"cordon/internal/exposure"
)

// Token stands in place of a value at one vendor.
type Token struct {
	// Text is what the vendor gets.
	Text string
	// Key is what the table of tokens is indexed by: a keyed hash of the text,
	// the same whether the vendor gives it back in capitals, without its domain
	// or, a UUID, without its hyphens.
	Key Key
	// Normal is the value that it was computed of: for the table two spellings of
	// it are one value, and another one is a collision. It is personal data.
	Normal string
	// Bits is how many bits of the function are in Text. Below 80 two values
	// may have one token: see Maker.Make for the next attempt.
	Bits int
}

// String is the token alone, never the value.
func (t Token) String() string { return t.Text }

// Key is a token as the table of tokens knows it. It tells nothing without the
// root.
type Key [16]byte

// Epoch counts how often a vendor's keys were changed. Old tokens are still
// found by their Key; new ones differ.
type Epoch uint16

// Strong is from how many bits on two values are not expected to have one
// token: among 35 million the chance is 1 in two thousand million.
const Strong = 80

var (
	// ErrRefused says that values of this category get no token: a card or an
	// account number that looks real may be somebody's.
	ErrRefused = errors.New("values of this category get no token")
	// ErrUnfit says that no token can stand in place of this value: it is empty,
	// or a literal such as true.
	ErrUnfit = errors.New("no token can stand in place of this value")
)

// Candidate is a piece of text that has a token's shape and check letter. Of
// long words without a meaning one in thirty has both by chance: the table
// decides.
type Candidate struct {
	Start, End int
	Key        Key
	// At is how the at-sign of an address is written there, in small letters:
	// "@", "%40", "\u0040", "&#64;", "=40" …; "" when the token has none. What replaces the
	// token must be escaped as it is.
	At string
}

// Session makes the tokens of one message to one vendor. It is a value of a few
// words; its maker is shared.
type Session struct {
	Maker  *Maker
	Vendor exposure.VendorID
	Epoch  Epoch
}

// Token is Maker.Make's first attempt.
func (s Session) Token(c exposure.Category, value string, bare bool) (Token, error) {
	return s.Maker.Make(s.Vendor, c, s.Epoch, value, bare, 0)
}

// Alias is Maker.Alias.
func (s Session) Alias(value string) (Token, error) {
	return s.Maker.Alias(s.Vendor, s.Epoch, value)
}

// Hash is Maker.Hash.
func (s Session) Hash(c exposure.Category, value string) string {
	return s.Maker.Hash(s.Vendor, c, s.Epoch, value)
}
