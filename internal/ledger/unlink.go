package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"cordon/evidence"
	"cordon/internal/exposure"

	"github.com/cockroachdb/pebble/v2"
)

var (
	// ErrUnknown says that the ledger knows no such identifier.
	ErrUnknown = errors.New("nobody has this identifier")
	// ErrOwnID says that the identifier is the directory's own id of its person.
	ErrOwnID = errors.New("it is the directory's own id of this person")
)

// Unlinked is what undoing a link does, or would do.
type Unlinked struct {
	Kind     exposure.Kind
	From, To exposure.Ordinal // To is Nobody as long as nothing is done
	// Link is why it was theirs; nil for what the first message about them, or
	// the directory, brought.
	Link *Link
	// Entry is the number of the event; 0 as long as nothing is done.
	Entry uint64
}

// PlanUnlink says what Unlink would do.
func (l *Ledger) PlanUnlink(id exposure.Identifier) (u Unlinked, err error) {
	err = l.reading(func() error {
		h := l.hasher.hash(id)
		found, err := l.ids.find(h)
		if err != nil {
			return err
		}
		u, err = l.planUnlink(id.Kind, h, found.ordinal)
		return err
	})
	return u, err
}

func (l *Ledger) planUnlink(kind exposure.Kind, h idHash, from exposure.Ordinal) (Unlinked, error) {
	u := Unlinked{Kind: kind, From: from}
	if from == exposure.Nobody {
		return u, ErrUnknown
	}
	if kind == exposure.KindUserID {
		own, ok, err := l.DirectoryID(from)
		if err != nil {
			return u, err
		}
		if ok && l.hasher.hash(exposure.Identifier{Kind: kind, Value: own}) == h {
			return u, ErrOwnID
		}
	}
	var stored link
	err := view(l.store.DB(), linkKey(from, h), func(v []byte) (err error) {
		stored, err = parseLink(v)
		return err
	})
	if errors.Is(err, pebble.ErrNotFound) {
		return u, nil
	}
	if err != nil {
		return u, fmt.Errorf("reading a link: %w", err)
	}
	k, err := l.asLink(stored)
	u.Link = &k
	return u, err
}

// Unlink undoes a link that proved wrong: the identifier is somebody else's, who
// gets an ordinal of their own, from this entry on. What was recorded before
// stays on record as it was, since nobody can say which of it was about whom;
// e gives who did it and why, and the entry says from whom to whom. The hashes
// under which vendors know an address go with it. From then on a message with
// both names both.
func (l *Ledger) Unlink(ctx context.Context, id exposure.Identifier, e Event) (Unlinked, error) {
	if err := l.writable(); err != nil {
		return Unlinked{}, err
	}
	if l.store.Full() || l.low.Load() {
		return Unlinked{}, l.unavailable(errFull)
	}
	e.Kind = EventUnlink
	if _, err := encodeEvent(e); err != nil {
		return Unlinked{}, err
	}
	t := &untie{kind: id.Kind, hash: l.hasher.hash(id), forms: l.forms(id), event: e, at: l.msOf(e.At)}
	if err := l.wait(ctx, l.queue.add(job{untie: t}, true)); err != nil {
		return Unlinked{}, err
	}
	return t.done, t.refused
}

// untie is an Unlink on its way.
type untie struct {
	kind  exposure.Kind
	hash  idHash
	forms []idHash
	event Event
	at    int64
	// set by the committer
	done    Unlinked
	refused error
}

// addUntie gives an identifier to somebody new. A refusal is the caller's and
// no failure of the journal.
func (j *journal) addUntie(pb *pebble.Batch, t *untie) error {
	row, ok, err := j.current(t.hash)
	if err != nil {
		return err
	}
	if !ok {
		row.ordinal = exposure.Nobody
	}
	if t.done, t.refused = j.l.planUnlink(t.kind, t.hash, row.ordinal); t.refused != nil {
		return nil
	}
	from := row.ordinal
	to, err := j.perm.next(&j.used)
	if err != nil {
		return err
	}
	t.done.To = to
	for _, h := range append([]idHash{t.hash}, t.forms...) {
		row, ok, err := j.current(h)
		if err != nil {
			return err
		}
		if !ok || row.ordinal != from {
			continue
		}
		row.ordinal = to
		if err := j.write(pb, h, row); err != nil {
			return err
		}
	}
	j.build.replaced = true
	if err := pb.Delete(linkKey(from, t.hash), nil); err != nil {
		return fmt.Errorf("undoing a link: %w", err)
	}
	if err := j.moveContact(pb, t.hash, from, to); err != nil {
		return err
	}
	fields := map[string]any{"kind": t.kind.String(), "from": uint32(from), "to": uint32(to)}
	if k := t.done.Link; k != nil {
		fields["how"], fields["linked_by"] = k.How.String(), k.Entry
	}
	for name, v := range t.event.Fields {
		fields[name] = v
	}
	t.event.Fields = fields
	text, err := encodeEvent(t.event)
	if err != nil {
		return err
	}
	t.done.Entry = j.add(evidence.Entry{Kind: evidence.Event, Time: t.at, JSON: text})
	return nil
}

// moveContact takes the sealed contact along.
func (j *journal) moveContact(pb *pebble.Batch, h idHash, from, to exposure.Ordinal) error {
	var sealed []byte
	err := view(j.l.store.DB(), contactKey(from, h), func(v []byte) error {
		sealed = append(sealed, v...)
		return nil
	})
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = pb.Set(contactKey(to, h), sealed, nil)
	}
	if err == nil {
		err = pb.Delete(contactKey(from, h), nil)
	}
	if err != nil {
		return fmt.Errorf("moving a sealed contact: %w", err)
	}
	return nil
}

// Digest is a keyed digest of a text that must not lie in the ledger, such as
// a reason that somebody typed: two of one text are equal, and that is all.
func (l *Ledger) Digest(text string) string {
	h := l.hasher.hash(exposure.Identifier{Value: text}) // kind 0 is no identifier's
	return hex.EncodeToString(h[:])
}
