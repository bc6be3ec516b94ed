package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"cordon/evidence"
	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// sweepErased removes what is left of people on the disk after they were
// erased. All of it may be done twice. The caller holds importing and expiring.
func (l *Ledger) sweepErased(ctx context.Context, f *traces) error {
	if len(f.people) == 0 {
		return nil
	}
	before, _, err := l.baseRow()
	if err != nil {
		return err
	}
	var digest string // of the base without them
	err = l.reading(func() error {
		people := make([]exposure.Ordinal, 0, len(f.people))
		for o := range f.people {
			people = append(people, o)
		}
		if err := l.sweepRows(ctx, f); err != nil {
			return err
		}
		if digest, err = l.forgetInBase(people...); err != nil {
			return err
		}
		// The base has nothing any more that would have to be hidden.
		hidden, err := l.hiddenIdentities(ctx)
		if err != nil {
			return err
		}
		if err := l.unhide(ctx, people, hidden); err != nil {
			return err
		}
		return l.rewriteRanges(ctx, f.ranges(hidden))
	})
	if err != nil {
		return fmt.Errorf("the people were erased, but the place of what is gone was not written anew (the next start does it): %w", err)
	}
	var text []byte
	if digest != "" && digest != hex.EncodeToString(before.digest[:]) {
		// Who exchanges the files of the base would have to forge this entry.
		text, err = encodeEvent(Event{Kind: EventErase, Actor: "cordon", Fields: map[string]any{
			"what": "base", "base": before.generation, "base_digest": digest,
		}})
		if err != nil {
			return err
		}
	}
	return l.wait(ctx, l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
		if text != nil {
			j.add(evidence.Entry{Kind: evidence.Event, Time: l.nowMS(), JSON: text})
		}
		for o := range f.people {
			row, err := l.erasedRow(o)
			if errors.Is(err, pebble.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			row.swept = true
			if err := row.set(pb); err != nil {
				return err
			}
		}
		return nil
	}}, true))
}

// sweepRows deletes rows of tokens, which nothing opens any more, and takes
// identifiers out of links of others. Tokens are looked for again: some may have
// been written before the entry and after they were looked for. Nobody adds to
// them after the entry, since nothing leads to the ordinal.
func (l *Ledger) sweepRows(ctx context.Context, f *traces) error {
	if err := l.findTokens(ctx, f); err != nil {
		return err
	}
	pb := l.store.DB().NewBatch()
	for _, k := range f.rows {
		if err := pb.Delete(k, nil); err != nil {
			return err
		}
	}
	for k, v := range f.vias {
		if err := pb.Set([]byte(k), v, nil); err != nil {
			return err
		}
	}
	return l.store.Apply(pb)
}

// hiddenIdentities are rows that hide what the base has.
func (l *Ledger) hiddenIdentities(ctx context.Context) (hidden []idHash, err error) {
	err = l.eachRow(ctx, store.Identity, func(k, v []byte) error {
		if string(v) == string(identityGone) {
			hidden = append(hidden, idHash(k[1:]))
		}
		return nil
	})
	return hidden, err
}

// unhide deletes rows that hide what is gone from the base.
func (l *Ledger) unhide(ctx context.Context, people []exposure.Ordinal, hidden []idHash) error {
	return l.wait(ctx, l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
		for _, h := range hidden {
			row, ok, err := j.current(h)
			if err != nil {
				return err
			}
			if ok && row.ordinal != exposure.Nobody {
				continue // somebody new came with it
			}
			still := exposure.Nobody
			err = l.ids.withBase(func(b *base) (err error) {
				if b != nil {
					still, err = b.find(h, nil)
				}
				return err
			})
			if err != nil {
				return err
			}
			if still != exposure.Nobody {
				continue // an import is about to replace the base
			}
			if err := pb.Delete(h.key(), nil); err != nil {
				return err
			}
		}
		for _, o := range people {
			row, err := l.erasedRow(o)
			if err != nil {
				return err
			}
			if err := pb.Delete(ordinalKey(store.Known, o), nil); err != nil {
				return err
			}
			if row.Attributes {
				continue
			}
			if err := pb.Delete(ordinalKey(store.Person, o), nil); err != nil {
				return err
			}
		}
		return nil
	}}, true))
}

// ranges are where something of the people lay. Many single places are
// written anew as one.
func (f *traces) ranges(hidden []idHash) [][2][]byte {
	var all [][2][]byte
	whole := func(space byte) { all = append(all, [2][]byte{{space}, {space + 1}}) }
	at := func(key []byte) { all = append(all, [2][]byte{key, append(slices.Clone(key), 0xff)}) }
	const few = 16
	n := len(hidden)
	for _, hashes := range f.hashes {
		n += len(hashes)
	}
	// After a crash nobody knows any more which they were.
	if n == 0 || n > few {
		whole(store.Identity)
	} else {
		for _, hashes := range f.hashes {
			for _, h := range hashes {
				at(h.key())
			}
		}
		for _, h := range hidden {
			at(h.key())
		}
	}
	if len(f.rows) > few || n == 0 {
		whole(store.Token)
	} else {
		for _, k := range f.rows {
			at(k)
		}
	}
	spaces := []byte{store.Person, store.Known, store.PersonKey, store.Link, store.Contact}
	if len(f.people) > few || len(f.vias) > 0 {
		for _, space := range spaces {
			whole(space)
		}
		return all
	}
	for o := range f.people {
		for _, space := range spaces {
			key := ordinalKey(space, o)
			all = append(all, [2][]byte{key, after(key)})
		}
	}
	return all
}

// resumeErasures finishes what a crash interrupted.
func (l *Ledger) resumeErasures(ctx context.Context) {
	list, err := l.ErasedPeople()
	var open []exposure.Ordinal
	for _, e := range list {
		if !e.swept {
			open = append(open, e.Ordinal)
		}
	}
	if err == nil && len(open) > 0 {
		l.importing.Lock()
		defer l.importing.Unlock()
		l.expiring.Lock()
		defer l.expiring.Unlock()
		var f *traces
		err = l.reading(func() (err error) { f, err = l.findTraces(ctx, open); return err })
		if err == nil {
			err = l.sweepErased(ctx, f)
		}
	}
	if err != nil && ctx.Err() == nil {
		l.warn("what is left of erased people could not be removed: %v", err)
	}
}
