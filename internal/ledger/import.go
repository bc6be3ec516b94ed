package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// chunk is a part of a directory import. It goes through the committer like
// everything that hands out ordinals, in pieces small enough that disclosures
// do not wait long behind one.
type chunk struct {
	people []arrival
	own    map[idHash]bool // the directory's own ids among them
	seen   epoch           // before the first was looked up
	// set by the committer
	ordinals     []exposure.Ordinal
	added, moved uint64
}

type arrival struct {
	id    string
	ids   []hashedID // the directory's own id first
	row   personRow
	known []byte // see knownRow
}

const chunkSize = 256

// Import takes the directory as a whole: who is in it, and that those who are
// missing have left. It changes only what differs from the last import, and
// writes an event with the counts. When people or ctx end with an error what
// was taken so far stays, and nobody counts as having left.
func (l *Ledger) Import(ctx context.Context, people iter.Seq2[Person, error]) (Imported, error) {
	l.importing.Lock()
	defer l.importing.Unlock()
	var done Imported
	present := bitmap{}
	begin := func() *chunk { return &chunk{own: map[idHash]bool{}, seen: l.ids.epoch()} }
	c := begin()
	flush := func() error {
		if len(c.people) == 0 {
			return nil
		}
		if err := l.wait(ctx, l.queue.add(job{people: c}, true)); err != nil {
			return err
		}
		done.People += uint64(len(c.people))
		done.New += c.added
		done.Changed += c.moved
		for _, o := range c.ordinals {
			present.set(o)
		}
		c = begin()
		return nil
	}
	if err := l.writable(); err != nil {
		return done, err
	}
	today := dayOf(l.now())
	for p, err := range people {
		if err != nil {
			return done, fmt.Errorf("importing the directory: %w", err)
		}
		a, err := l.arrive(p, today)
		if err != nil {
			return done, fmt.Errorf("importing the directory: %w", err)
		}
		// Every id of an earlier chunk is in the store by now, so its ordinal is
		// among those present; one of this chunk is not.
		own := a.ids[0]
		if c.own[own.hash] || own.ordinal != exposure.Nobody && present.has(own.ordinal) {
			done.Repeated = append(done.Repeated, p.Line)
			continue
		}
		c.own[own.hash] = true
		c.people = append(c.people, a)
		if len(c.people) == chunkSize {
			if err := flush(); err != nil {
				return done, fmt.Errorf("importing the directory: %w", err)
			}
		}
	}
	if err := flush(); err != nil {
		return done, fmt.Errorf("importing the directory: %w", err)
	}
	var err error
	if done.Left, err = l.markLeft(present); err != nil {
		return done, fmt.Errorf("importing the directory: %w", err)
	}
	_, err = l.Append(ctx, Event{Kind: EventImport, Fields: map[string]any{
		"people": done.People, "new": done.New, "changed": done.Changed, "left": done.Left,
	}})
	return done, err
}

func (l *Ledger) arrive(p Person, today uint16) (arrival, error) {
	if p.ID == "" {
		return arrival{}, errors.New("a person without an id")
	}
	for _, s := range []string{p.Country, p.State, p.Language} {
		if len(s) > 35 { // RFC 5646 section 4.4.1; countries and states are shorter
			return arrival{}, errors.New("a country, state or language is too long")
		}
	}
	a := arrival{id: p.ID, row: personRow{inDirectory: true, country: p.Country, state: p.State, language: p.Language}}
	if !p.MinorUntil.IsZero() {
		if day := dayOf(p.MinorUntil); day > today {
			a.row.minorUntil = day
		}
	}
	var err error
	if a.known, err = knownRow(p.Needles); err != nil {
		return arrival{}, err
	}
	own := exposure.Identifier{Kind: exposure.KindUserID, Value: p.ID}
	for i, id := range append([]exposure.Identifier{own}, p.Identifiers...) {
		if i > 0 && id == own {
			continue
		}
		h := l.hasher.hash(id)
		found, err := l.ids.find(h)
		if err != nil {
			return arrival{}, err
		}
		at := hashedID{hash: h, kind: id.Kind, identity: found}
		if reachable(id.Kind) {
			if at.plain = id; found.ordinal == exposure.Nobody {
				if at.forms, err = l.lookUpForms(id); err != nil {
					return arrival{}, err
				}
			}
		}
		a.ids = append(a.ids, at)
	}
	return a, nil
}

// addPeople writes a chunk.
func (j *journal) addPeople(pb *pebble.Batch, c *chunk) error {
	rows := map[exposure.Ordinal]personRow{} // written earlier in this chunk
	for i := range c.people {
		a := &c.people[i]
		o, here, linked, err := j.settlePerson(pb, a.ids, c.seen)
		if err != nil {
			return err
		}
		c.ordinals = append(c.ordinals, o)
		old, had := rows[o]
		if !had && here {
			if old, had, err = j.l.personRow(o); err != nil {
				return err
			}
		}
		same := false
		if had {
			if same, err = j.l.knows(o, a.known); err != nil {
				return err
			}
		}
		if !same && (had || a.known != nil) {
			if err := j.l.setKnown(pb, o, a.known); err != nil {
				return err
			}
		}
		switch {
		case !had:
			c.added++
		case linked || !same || !old.sameAttributes(&a.row):
			c.moved++
		default:
			continue // as it was
		}
		if a.row.sealed, err = j.l.sealID(o, a.id); err != nil {
			return err
		}
		if err := pb.Set(ordinalKey(store.Person, o), a.row.append(nil), nil); err != nil {
			return fmt.Errorf("adding a person: %w", err)
		}
		rows[o] = a.row
		// The directory has the contact now; ours is not kept any longer.
		prefix := ordinalKey(store.Contact, o)
		if !had && here {
			if err := pb.DeleteRange(prefix, after(prefix), nil); err != nil {
				return fmt.Errorf("dropping a sealed contact: %w", err)
			}
		}
	}
	return nil
}

// settlePerson finds the ordinal of somebody in the directory: that of the
// directory's own id, else of the first identifier that is known (a stranger
// who now has a name), else a new one. Identifiers that nobody has become
// theirs; one that is already another's stays so, since entries speak of both.
// here says that the ordinal was known before.
func (j *journal) settlePerson(pb *pebble.Batch, ids []hashedID, seen epoch) (o exposure.Ordinal, here, linked bool, err error) {
	for i := range ids {
		if err := j.look(pb, &ids[i], seen); err != nil {
			return o, here, false, err
		}
	}
	if err := j.together(pb, ids); err != nil {
		return o, here, false, err
	}
	for i := range ids {
		if o == exposure.Nobody && !ids[i].shared {
			o = ids[i].ordinal
		}
	}
	if own := ids[0].ordinal; own == exposure.Nobody && o != exposure.Nobody {
		// Known by an address only. If that is already somebody with another id
		// of their own (a shared address), this is a new person.
		row, ok, err := j.l.personRow(o)
		if err != nil {
			return o, here, false, err
		}
		if ok && row.inDirectory || slices.Contains(j.build.named, o) {
			o = exposure.Nobody
		}
	}
	here = o != exposure.Nobody
	if !here {
		if o, err = j.perm.next(&j.used); err != nil {
			return o, here, false, err
		}
	}
	if ids[0].ordinal == exposure.Nobody {
		j.build.named = append(j.build.named, o)
	}
	users := []userTag{tagOf(ids[0].hash)}
	via := ids[0].hash
	for i := range ids {
		if ids[i].ordinal == o && !ids[i].shared {
			via = ids[i].hash
			break
		}
	}
	for i := range ids {
		id := &ids[i]
		if id.ordinal != exposure.Nobody {
			continue
		}
		id.ordinal = o
		if _, twice := j.build.fresh[id.hash]; twice {
			continue
		}
		if err := j.linkRow(pb, id, newRow(id.kind, o, users)); err != nil {
			return o, here, false, err
		}
		linked = true
		if here { // somebody new comes with all of theirs, and that needs no evidence
			n := newLink{o, id.hash, link{Kind: id.kind, How: ByDirectory, Entry: j.seq, at: j.l.nowMS(), via: via}}
			if err := n.set(pb); err != nil {
				return o, here, false, err
			}
		}
	}
	return o, here, linked, nil
}

// markLeft clears the flag of everyone who is in the store as in the
// directory and was not present.
func (l *Ledger) markLeft(present bitmap) (left uint64, err error) {
	prefix := []byte{store.Person}
	it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return 0, fmt.Errorf("reading people: %w", err)
	}
	defer it.Close()
	b := l.store.DB().NewBatch()
	for it.First(); it.Valid(); it.Next() {
		o, row, err := personAt(it)
		if err != nil {
			return left, err
		}
		if !row.inDirectory || present.has(o) {
			continue
		}
		row.inDirectory = false
		if err := b.Set(it.Key(), row.append(nil), nil); err != nil {
			return left, fmt.Errorf("marking who left: %w", err)
		}
		// Who is not in the directory any more is not searched for either.
		if err := b.Delete(append([]byte{store.Known}, it.Key()[1:]...), nil); err != nil {
			return left, fmt.Errorf("marking who left: %w", err)
		}
		left++
		if b.Len() > 1<<20 {
			if err := l.store.Apply(b); err != nil {
				return left, l.unavailable(err)
			}
			b = l.store.DB().NewBatch()
		}
	}
	if err := it.Error(); err != nil {
		return left, fmt.Errorf("reading people: %w", err)
	}
	if b.Empty() {
		return left, b.Close()
	}
	if err := l.store.Apply(b); err != nil {
		return left, l.unavailable(err)
	}
	return left, nil
}
