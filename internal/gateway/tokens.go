package gateway

import (
	"bytes"
	"fmt"
	"time"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/minimize"
	"cordon/internal/token"
	"cordon/internal/vendor"
)

// Table is the table of tokens as the pipeline needs it; *ledger.Ledger is one.
// What is minted is written with the disclosure, by the Recorder.
type Table interface {
	// TokenFree reports whether a token may stand for its value.
	TokenFree(v exposure.VendorID, t *token.Token) (bool, error)
	TokenEpoch(v exposure.VendorID) token.Epoch
	// PinEpoch is the epoch of an idempotency key.
	PinEpoch(v exposure.VendorID, app, key string, at time.Time) (*ledger.Pin, error)
	// Resolve finds what a token stands for.
	Resolve(v exposure.VendorID, k token.Key) (ledger.Resolved, bool, error)
}

// mints reports whether a policy asks for tokens, aliases or hashes.
func mints(s *vendor.Spec) bool {
	if s.Mode == vendor.Shadow {
		return false
	}
	for _, a := range s.Policy {
		if a == vendor.Token || a == vendor.Alias || a == vendor.Hash {
			return true
		}
	}
	return false
}

// repeats are the headers in which apps say that a message is the same as one
// before: the common one (draft-ietf-httpapi-idempotency-key-header), and those
// that some vendors had first.
var repeats = []string{
	"Idempotency-Key", "X-Idempotency-Key", "Idempotence-Key", "Cko-Idempotency-Key", "Paypal-Request-Id",
	"I-Twilio-Idempotency-Token", "Amz-Sdk-Invocation-Id",
}

// repeated is the member of a body in which other vendors want the same
// (OneSignal, Plaid).
var repeated = credential{steps: []vendor.Step{{Kind: vendor.StepKey, Key: "idempotency_key"}}}

// repeatOf is a message's idempotency key; "" for none.
func repeatOf(x *Exchange, m *classify.Message) string {
	for _, name := range repeats {
		if key := x.Header.Get(name); key != "" {
			return key
		}
	}
	if !bytes.Contains(m.Body, []byte(`"`+repeated.steps[0].Key+`"`)) {
		return ""
	}
	at, err := repeated.places(m.Body, false)
	if err != nil || len(at) != 1 {
		return ""
	}
	return string(m.Body[at[0].start:at[0].end])
}

// session makes the tokens of one message. It is nil for vendors whose policy
// asks for none.
func (g *Gateway) session(x *Exchange, m *classify.Message) (*session, error) {
	v := x.Vendor
	if g.o.Tokens == nil || g.o.Table == nil || !v.mints {
		return nil, nil
	}
	s := &session{table: g.o.Table, Session: token.Session{Maker: g.o.Tokens, Vendor: v.ID(), Epoch: g.o.Table.TokenEpoch(v.ID())}}
	if key := repeatOf(x, m); key != "" {
		var err error
		if s.pin, err = g.o.Table.PinEpoch(v.ID(), x.Sender.App, key, g.o.Now()); err != nil {
			return nil, err
		}
		s.Epoch = s.pin.Epoch
	}
	return s, nil
}

// session is minimize.Tokens over the table, which knows what a short token
// stands for already.
type session struct {
	token.Session
	table Table
	pin   *ledger.Pin
	// mine are the short tokens of this message, which the table does not have yet.
	mine map[token.Key]string
}

// attempts is how many tokens are tried for one value. Of telephone numbers, the
// shortest, even at ten million in the table the eighth is needed once in 10^15.
const attempts = 16

// Token is the first of a value's tokens that stands for nothing else. What is a
// token at this vendor already, which an app had from an answer that was not
// revealed, stays as it is: the vendor knows the person by it.
func (s *session) Token(c exposure.Category, value string, bare bool) (token.Token, error) {
	if t, _, ok, err := s.already(value); ok || err != nil {
		return t, err
	}
	for attempt := range attempts {
		t, err := s.Maker.Make(s.Vendor, c, s.Epoch, value, bare, attempt)
		if err != nil || t.Bits >= token.Strong {
			return t, err
		}
		if of, here := s.mine[t.Key]; here {
			if of == t.Normal {
				return t, nil
			}
			continue
		}
		free, err := s.table.TokenFree(s.Vendor, &t)
		if err != nil {
			return token.Token{}, err
		}
		if free {
			if s.mine == nil {
				s.mine = map[token.Key]string{}
			}
			s.mine[t.Key] = t.Normal
			return t, nil
		}
	}
	return token.Token{}, fmt.Errorf("each of %d tokens stands for another value", attempts)
}

// Alias is the same for addresses that take mail.
func (s *session) Alias(value string) (token.Token, error) {
	if t, _, ok, err := s.already(value); ok || err != nil {
		return t, err
	}
	return s.Session.Alias(value)
}

// Hash is that of what a token stands for.
func (s *session) Hash(c exposure.Category, value string) string {
	if _, of, ok, err := s.already(value); ok && err == nil {
		return s.Session.Hash(of.Category, of.Value)
	}
	return s.Session.Hash(c, value)
}

// already finds out whether a value is a token at this vendor.
func (s *session) already(value string) (t token.Token, of ledger.Resolved, ok bool, err error) {
	var room [4]token.Candidate
	for _, c := range s.Maker.AppendString(room[:0], value) {
		if c.Start != 0 || c.End != len(value) {
			continue
		}
		if of, ok, err = s.table.Resolve(s.Vendor, c.Key); err != nil || !ok {
			continue
		}
		if t, err = s.Maker.Make(s.Vendor, of.Category, s.Epoch, of.Value, false, 0); err != nil {
			continue
		}
		t.Text, t.Key = value, c.Key // those of an older epoch too
		return t, of, true, nil
	}
	return token.Token{}, of, false, err
}

// tokens is s for minimize, which must see nil when there is none.
func (s *session) tokens() minimize.Tokens {
	if s == nil {
		return nil
	}
	s.mine = nil
	return s
}

// disclosure is what step 5 records.
func (g *Gateway) disclosure(x *Exchange, way exposure.Pathway, c *minimize.Cleared, s *session, earlier uint64) ledger.Disclosure {
	d := ledger.Disclosure{Pathway: way, Cleared: c, Shadow: x.Vendor.spec.Mode == vendor.Shadow, Retry: earlier, At: g.o.Now()}
	if s != nil {
		d.Epoch, d.Pin = s.Epoch, s.pin
	}
	return d
}
