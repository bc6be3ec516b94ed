package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"cordon/internal/exposure"
	"cordon/internal/minimize"
	"cordon/internal/store"
)

var (
	// ErrUnavailable is what every call gets when the ledger does not record
	// (any more). What it wraps says why.
	ErrUnavailable = errors.New("the ledger does not record")
	// ErrReceipt says that a receipt is not good for a message.
	ErrReceipt = errors.New("the receipt does not allow this message")

	errClosed   = errors.New("it is closed")
	errReadOnly = errors.New("it is open for reading only")
)

func (l *Ledger) unavailable(cause error) error {
	if errors.Is(cause, ErrUnavailable) {
		return cause
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, cause)
}

// Receipt is the permission to send one message once: it exists only when the
// disclosure is on disk. It is bound to the vendor and to the exact bytes.
type Receipt struct {
	seq      uint64
	vendor   exposure.VendorID
	digest   [32]byte
	ordinals []exposure.Ordinal
	redeemed atomic.Bool
	settled  atomic.Bool
}

// Seq is the number of the disclosure's entry.
func (r *Receipt) Seq() uint64 { return r.seq }

// Ordinals are the people whom the disclosure named, each once; nobody known is
// not among them. The slice is the receipt's own.
func (r *Receipt) Ordinals() []exposure.Ordinal { return r.ordinals }

// Redeem uses the receipt up for the message, which must be the one that was
// recorded. It succeeds once. A refusal for another message does not use it up.
func (r *Receipt) Redeem(c *minimize.Cleared) error {
	if c == nil || c.Digest() == [32]byte{} {
		return fmt.Errorf("%w: nothing was cleared", ErrReceipt)
	}
	return r.redeem(c.Vendor(), c.Digest())
}

func (r *Receipt) redeem(vendor exposure.VendorID, digest [32]byte) error {
	switch {
	case r == nil:
		return fmt.Errorf("%w: there is none", ErrReceipt)
	case vendor != r.vendor:
		return fmt.Errorf("%w: it is for vendor %q, not %q", ErrReceipt, r.vendor, vendor)
	case digest != r.digest:
		return fmt.Errorf("%w: the message is not the one that was recorded", ErrReceipt)
	case !r.redeemed.CompareAndSwap(false, true):
		return fmt.Errorf("%w: it was used before", ErrReceipt)
	}
	return nil
}

// Record writes the disclosure and returns when it is on disk. Only then may
// the message leave. If ctx ends first there is no receipt, and the ledger
// itself notes that the message was not sent.
func (l *Ledger) Record(ctx context.Context, d Disclosure) (*Receipt, error) {
	if d.Cleared == nil || d.Cleared.Digest() == [32]byte{} {
		return nil, errors.New("recording a disclosure: nothing was cleared")
	}
	if v := d.Cleared.Vendor(); d.Pathway.Vendor != v {
		return nil, fmt.Errorf("recording a disclosure: the pathway is to %q, the message to %q", d.Pathway.Vendor, v)
	}
	exposures := d.Cleared.Exposures()
	people := make([]exposed, len(exposures))
	for i, e := range exposures {
		people[i] = exposed{l.untoken(d.Pathway.Vendor, e.Identifiers), e.Set}
	}
	tokens, err := l.lookUpTokens(&d, d.Cleared.Tokens(), exposures)
	if err != nil {
		if errors.Is(err, ErrTokenTaken) {
			return nil, err
		}
		return nil, l.unavailable(err)
	}
	return l.record(ctx, message{
		tokens:  tokens,
		pathway: d.Pathway, exposed: people, incomplete: d.Cleared.Incomplete(), digest: d.Cleared.Digest(),
		shadow: d.Shadow, retry: d.Retry, at: l.msOf(d.At),
	})
}

// message is a disclosure without the packages that made it.
type message struct {
	pathway    exposure.Pathway
	exposed    []exposed
	incomplete []exposure.Reason
	digest     [32]byte
	shadow     bool
	retry      uint64
	at         int64
	tokens     *mintedTokens
}

type exposed struct {
	identifiers []exposure.Identifier
	set         exposure.Set
}

func (l *Ledger) record(ctx context.Context, m message) (*Receipt, error) {
	if err := l.writable(); err != nil {
		return nil, err
	}
	if l.store.Full() || l.low.Load() {
		return nil, l.unavailable(errFull)
	}
	if m.retry > l.durable.Load().entries {
		return nil, fmt.Errorf("recording a disclosure: there is no earlier attempt %d", m.retry)
	}
	in := &intent{
		pathway: m.pathway, incomplete: m.incomplete, shadow: m.shadow, retry: m.retry, at: m.at,
		subjects: make([]unresolved, len(m.exposed)), ordinals: make([]exposure.Ordinal, 0, len(m.exposed)),
		seen: l.ids.epoch(), tokens: m.tokens,
	}
	for i, e := range m.exposed {
		ids, err := l.lookUp(e.identifiers)
		if err != nil {
			return nil, l.unavailable(err)
		}
		in.subjects[i] = unresolved{set: e.set, ids: ids}
	}
	r := &Receipt{vendor: m.pathway.Vendor, digest: m.digest}
	g := l.queue.add(job{intent: in}, true)
	if err := l.wait(ctx, g); err != nil {
		if ctx.Err() != nil && g != nil {
			go l.withdraw(g, in)
		}
		return nil, err
	}
	if in.tokens != nil && in.tokens.refused != nil {
		return nil, in.tokens.refused
	}
	r.seq, r.ordinals = in.seq, in.ordinals
	return r, nil
}

// withdraw settles a disclosure whose caller went away before it was durable:
// without a receipt nothing was sent.
func (l *Ledger) withdraw(g *group, in *intent) {
	select {
	case <-g.done:
		if g.err == nil && in.seq != 0 {
			l.Settle(&Receipt{seq: in.seq}, Outcome{Result: NotSent})
		}
	case <-l.store.Failed():
	}
}

// lookUp does in the caller's goroutine what needs no order: hash, look up, and
// for those who are not known, seal their contacts and hash as vendors do.
func (l *Ledger) lookUp(identifiers []exposure.Identifier) ([]hashedID, error) {
	if len(identifiers) == 0 {
		return nil, nil
	}
	l.reads.RLock()
	defer l.reads.RUnlock()
	if l.closed.Load() {
		return nil, errClosed
	}
	ids := make([]hashedID, len(identifiers))
	for i, id := range identifiers {
		h := l.hasher.hash(id)
		found, err := l.ids.find(h)
		if err != nil {
			return nil, err
		}
		ids[i] = hashedID{hash: h, kind: id.Kind, identity: found}
		if !reachable(id.Kind) {
			continue
		}
		ids[i].plain = id
		if found.ordinal == exposure.Nobody {
			if ids[i].forms, err = l.lookUpForms(id); err != nil {
				return nil, err
			}
			if ids[i].contact, err = sealContact(l.keys.Contact, id); err != nil {
				return nil, err
			}
		}
	}
	return ids, nil
}

func (l *Ledger) lookUpForms(id exposure.Identifier) ([]form, error) {
	hashes := l.forms(id)
	forms := make([]form, len(hashes))
	for i, h := range hashes {
		found, err := l.ids.find(h)
		if err != nil {
			return nil, err
		}
		forms[i] = form{h, found}
	}
	return forms, nil
}

// forms are the hashes under which vendors know an address or a number.
func (l *Ledger) forms(id exposure.Identifier) []idHash {
	hashes := id.Hashes()
	forms := make([]idHash, len(hashes))
	for i, h := range hashes {
		forms[i] = l.hasher.hash(h)
	}
	return forms
}

// Settle says what became of the message. It is durable with the next batch,
// soon, and not waited for: lost in a crash, it reads as "may have been sent".
// Only the first outcome of a receipt counts, and it uses the receipt up.
func (l *Ledger) Settle(r *Receipt, o Outcome) {
	if r == nil || l.readOnly || !r.settled.CompareAndSwap(false, true) {
		return
	}
	r.redeemed.Store(true)
	l.queue.add(job{outcome: &settlement{of: r.seq, outcome: o, at: l.nowMS()}}, false)
}

// Append writes an event and returns its number when it is on disk.
func (l *Ledger) Append(ctx context.Context, e Event) (uint64, error) {
	if (l.store.Full() || l.low.Load()) && e.Kind != EventGate {
		return 0, l.unavailable(errFull) // the reserve is for gate entries
	}
	return l.appendEvent(ctx, e)
}

func (l *Ledger) appendEvent(ctx context.Context, e Event) (uint64, error) {
	text, err := encodeEvent(e)
	if err != nil {
		return 0, err
	}
	if err := l.writable(); err != nil {
		return 0, err
	}
	waiting := &eventJob{json: text, at: l.msOf(e.At)}
	if err := l.wait(ctx, l.queue.add(job{event: waiting}, true)); err != nil {
		return 0, err
	}
	return waiting.seq, nil
}

// Note writes an event without waiting: what strangers can cause at will must
// not cost a sync each. When too many wait, further ones are only counted, and
// the count is an entry (EventOverflow).
func (l *Ledger) Note(e Event) {
	text, err := encodeEvent(e)
	if err != nil {
		l.log.Error("an event cannot be recorded", "kind", string(e.Kind), "error", err)
		return
	}
	if l.writable() == nil {
		l.queue.note(job{event: &eventJob{json: text, at: l.msOf(e.At), noted: true}})
	}
}

// writable is nil as long as the ledger records.
func (l *Ledger) writable() error {
	if l.closed.Load() {
		return l.unavailable(errClosed)
	}
	if l.readOnly {
		return l.unavailable(errReadOnly)
	}
	if err := l.store.Err(); err != nil {
		return l.unavailable(err)
	}
	return nil
}

var errFull = &store.Refusal{What: "the disk is full", Step: "free some space on the disk of the data directory", Err: store.ErrFull}
