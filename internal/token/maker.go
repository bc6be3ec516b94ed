package token

import "cordon/internal/exposure"

// Maker makes and finds tokens. It is safe for concurrent use.
type Maker struct {
	root   [32]byte
	domain string
}

// New makes a maker from the root of token keys and the organisation's domain.
func New(root [32]byte, domain string) *Maker { return &Maker{root: root, domain: domain} }

// Make is the token of a value at a vendor. It is deterministic.
func (m *Maker) Make(v exposure.VendorID, c exposure.Category, e Epoch, value string, bare bool, attempt int) (Token, error) {
	return Token{}, ErrUnfit
}

// Alias is an address to which the vendor may send mail for the one at value.
func (m *Maker) Alias(v exposure.VendorID, e Epoch, value string) (Token, error) {
	return Token{}, ErrUnfit
}

// Hash is a keyed hash of a value, 64 hexadecimal digits, from which there is no
// way back, by table neither.
func (m *Maker) Hash(v exposure.VendorID, c exposure.Category, e Epoch, value string) string {
	return ""
}

// Append adds the candidates in text to dst, in order, in one pass.
func (m *Maker) Append(dst []Candidate, text []byte) []Candidate { return dst }

// AppendString is Append for a string.
func (m *Maker) AppendString(dst []Candidate, text string) []Candidate { return dst }

// Scanner finds tokens in a text that arrives in pieces.
type Scanner struct{ maker *Maker }

// Scanner begins a text.
func (m *Maker) Scanner() *Scanner { return &Scanner{maker: m} }

// Feed takes the next piece and gives back the text up to which everything is
// decided, with the candidates in it. Both are valid until the next call.
func (s *Scanner) Feed(piece []byte) (text []byte, found []Candidate) { return piece, nil }

// Rest gives back what is left at the end of the text.
func (s *Scanner) Rest() (text []byte, found []Candidate) { return nil, nil }
