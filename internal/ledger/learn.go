package ledger

import (
	"context"
	"errors"

	"cordon/internal/exposure"

	"github.com/cockroachdb/pebble/v2"
)

// Link notes what a vendor's answer told about the one person of the request:
// the id under which the vendor knows them from now on. A pseudonym is scoped
// to the vendor. entry is the number of the request's disclosure, kept as the
// evidence. Like Note it does not wait for the disk; too many that wait are
// counted as an overflow.
//
// It is refused, and counted in Status, when of names nobody or several people,
// or when learnt is somebody else's already: which of them it is would be a guess.
func (l *Ledger) Link(ctx context.Context, v exposure.VendorID, of []exposure.Identifier, learnt exposure.Identifier, entry uint64) error {
	if err := l.writable(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.store.Full() || l.low.Load() {
		return l.unavailable(errFull)
	}
	if entry == 0 || entry > l.durable.Load().entries {
		return errors.New("linking what an answer told: there is no such entry")
	}
	if learnt.Value == "" || learnt.Kind.String() == "" {
		return errors.New("linking what an answer told: it is no identifier")
	}
	if learnt.Kind == exposure.KindPseudonym {
		learnt.Vendor = v
	}
	of = l.untoken(v, of)
	seen := l.ids.epoch()
	ids, err := l.lookUp(append(of[:len(of):len(of)], learnt))
	if err != nil {
		return l.unavailable(err)
	}
	l.queue.note(job{lesson: &lesson{of: ids[:len(of)], learnt: ids[len(of)], entry: entry, seen: seen, at: l.nowMS()}})
	return nil
}

// lesson is what an answer told, hashed and looked up.
type lesson struct {
	of     []hashedID
	learnt hashedID
	entry  uint64
	seen   epoch
	at     int64
}

// addLesson links what an answer told. It never makes anybody known: the
// request was recorded before it was sent, so whoever it was about is.
func (j *journal) addLesson(pb *pebble.Batch, t *lesson) error {
	for i := range t.of {
		if err := j.look(pb, &t.of[i], t.seen); err != nil {
			return err
		}
	}
	if err := j.look(pb, &t.learnt, t.seen); err != nil {
		return err
	}
	known, _ := named(t.of, nil)
	if len(known) != 1 || t.learnt.ordinal != exposure.Nobody && t.learnt.ordinal != known[0] {
		j.l.learning.refused.Add(1)
		return nil
	}
	if t.learnt.ordinal != exposure.Nobody {
		return nil // as it was
	}
	o := known[0]
	via := t.of[0].hash
	for i := range t.of {
		if t.of[i].ordinal == o && !t.of[i].shared {
			via = t.of[i].hash
			break
		}
	}
	// Together with the user ids of the request: an address learnt from an
	// answer can be a shared one too.
	t.learnt.ordinal = o
	if err := j.linkRow(pb, &t.learnt, newRow(t.learnt.kind, o, userTags(t.of))); err != nil {
		return err
	}
	if err := j.keepContact(pb, &t.learnt); err != nil {
		return err
	}
	j.l.learning.linked.Add(1)
	return newLink{o, t.learnt.hash, link{Kind: t.learnt.kind, How: ByAnswer, Entry: t.entry, at: t.at, via: via}}.set(pb)
}
