package ledger

import (
	"context"
	"encoding/hex"
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
	of     *bulk
	people []arrival
	seen   epoch // before the first was looked up
	// set by the committer
	added, moved, unmoved uint64
}

type arrival struct {
	place uint32 // in the file
	line  uint64
	id    string
	ids   []hashedID // the directory's own id first
	row   personRow
	known []byte // see knownRow
}

const chunkSize = 256

// Import takes the directory as a whole: who is in it, and that those who are
// missing have left. It changes only what differs from the last import, and
// writes an event with the counts. When people or ctx end with an error nobody
// counts as having left.
func (l *Ledger) Import(ctx context.Context, people iter.Seq2[Person, error]) (Imported, error) {
	next, stop := iter.Pull2(people)
	defer stop()
	return l.ImportFrom(ctx, &sequence{next: next})
}

// sequence cuts people who come one by one into blocks.
type sequence struct {
	next func() (Person, error, bool)
	done bool
}

func (s *sequence) Next() (Block, error) {
	var list []Person
	for len(list) < chunkSize && !s.done {
		p, err, ok := s.next()
		if err != nil {
			return nil, err
		}
		if s.done = !ok; ok {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return func(take func(*Person) error) error {
		for i := range list {
			if err := take(&list[i]); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// ImportFrom is Import of a source that several goroutines read at once. One of a
// source that can be read Again goes on where an earlier one was interrupted.
func (l *Ledger) ImportFrom(ctx context.Context, src Source) (Imported, error) {
	l.importing.Lock()
	defer l.importing.Unlock()
	if err := l.writable(); err != nil {
		return Imported{}, err
	}
	b, err := l.newBulk(src)
	if err != nil {
		return Imported{}, fmt.Errorf("importing the directory: %w", err)
	}
	defer b.close()
	done, err := b.run(ctx, src)
	if err != nil {
		b.leave(err)
		return done, fmt.Errorf("importing the directory: %w", err)
	}
	return done, nil
}

func (b *bulk) run(ctx context.Context, src Source) (done Imported, err error) {
	l := b.l
	l.j.watchBirths(true)
	defer l.j.watchBirths(false)
	var bound uint64
	if b.old != nil {
		bound = b.old.m.Ordinals
	}
	b.present = newShareBitmap(bound) // grows below
	if b.back != nil {
		done.Behind = b.back.Line
	}
	if b.anew != nil {
		done.Anew = b.anew.Error()
	}
	if err := b.collect(ctx, src); err != nil {
		return done, err
	}
	bound = max(bound, b.greatest.Load()+1)
	b.present.grow(bound)
	b.knot = newShareBitmap(bound)
	if b.old != nil {
		b.moved = newShareBitmap(b.old.m.Ordinals)
	}
	parts := int((bound + 1<<partBits - 1) >> partBits)
	large := b.emitted.Load() >= l.worthABase(b.old)
	if large {
		if err := b.eachPart(hashParts, b.findKnots); err != nil {
			return done, err
		}
		if done.New, done.Changed, err = b.nextGeneration(ctx, parts, bound); err != nil {
			return done, err
		}
	} else {
		if err := b.settle(); err != nil {
			return done, err
		}
		l.giveBack(b.taken)
		b.allKnots()
		if err := b.eachPart(hashParts, func(k int, w *partWorker) error { return b.splitTuples(k, w, false) }); err != nil {
			return done, err
		}
		err := b.eachPart(b.rows.count(), func(k int, w *partWorker) error { return b.makePeople(k, &peoplePart{w: w}, false) })
		if err != nil {
			return done, err
		}
	}
	if err := b.commitEntangled(ctx, &done); err != nil {
		return done, err
	}
	for _, line := range b.repeated {
		done.Repeated = append(done.Repeated, line)
	}
	slices.Sort(done.Repeated)
	done.People = b.people.Load() - uint64(len(done.Repeated))
	if done.Left, err = l.markLeft(&b.present); err != nil {
		return done, err
	}
	fields := map[string]any{"people": done.People, "new": done.New, "changed": done.Changed, "left": done.Left}
	row, ok, err := l.baseRow()
	if err != nil {
		return done, err
	}
	if ok {
		fields["base"], fields["base_digest"] = row.generation, hex.EncodeToString(row.digest[:])
	}
	_, err = l.Append(ctx, Event{Kind: EventImport, Fields: fields})
	return done, err
}

// worthABase is the number of news from which on a new generation is made.
func (l *Ledger) worthABase(old *base) uint64 {
	switch {
	case l.baseFrom > 0:
		return l.baseFrom
	case old != nil:
		return fewNews + old.m.People/32 // writing the base anew costs what the committer takes for these
	}
	return fewNews
}

// commitEntangled sends people through the committer, in the order of the file.
func (b *bulk) commitEntangled(ctx context.Context, done *Imported) error {
	l := b.l
	begin := func() *chunk { return &chunk{of: b, seen: l.ids.epoch()} }
	c := begin()
	flush := func() error {
		if len(c.people) == 0 {
			return nil
		}
		if err := l.wait(ctx, l.queue.add(job{people: c}, true)); err != nil {
			return err
		}
		done.New += c.added
		done.Changed += c.moved - c.unmoved
		c = begin()
		return nil
	}
	err := b.eachEntangled(func(p *entangledPerson) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		a, err := b.arrive(p)
		if err != nil {
			return err
		}
		c.people = append(c.people, a)
		if len(c.people) == chunkSize {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// arrive looks up who somebody is.
func (b *bulk) arrive(p *entangledPerson) (arrival, error) {
	l := b.l
	n := l.seal.NonceSize()
	id, err := l.seal.Open(nil, p.sealed[:min(n, len(p.sealed))], p.sealed[min(n, len(p.sealed)):], ordinalKey(store.Person, p.ordinal))
	if err != nil {
		return arrival{}, fmt.Errorf("opening a directory id: %w", err)
	}
	a := arrival{place: p.row, line: p.line, id: string(id), row: personRow{
		inDirectory: true, minorUntil: p.minorUntil,
		country: b.words[0].table[p.country], state: b.words[1].table[p.state], language: b.words[2].table[p.language],
	}}
	if len(p.needles) > 0 {
		a.known = append([]byte{knownVersion}, p.needles...)
	}
	for i := range p.tuples {
		t := &p.tuples[i]
		h := t.hash()
		if t.kind&tupleForm != 0 {
			of := &a.ids[len(a.ids)-1]
			of.names = append(of.names, h)
			if of.ordinal == exposure.Nobody {
				found, err := l.ids.find(h)
				if err != nil {
					return arrival{}, err
				}
				of.forms = append(of.forms, form{h, found})
			}
			continue
		}
		found, err := l.ids.find(h)
		if err != nil {
			return arrival{}, err
		}
		a.ids = append(a.ids, hashedID{hash: h, kind: exposure.Kind(t.kind & tupleKind), identity: found})
	}
	return a, nil
}

// checkPerson refuses what no row can hold.
func checkPerson(p *Person) error {
	if p.ID == "" || len(p.ID) > 1024 {
		return errors.New("a person without an id, or with a very long one")
	}
	for _, s := range [3]string{p.Country, p.State, p.Language} {
		if len(s) > 35 { // RFC 5646 section 4.4.1; countries and states are shorter
			return errors.New("a country, state or language is too long")
		}
	}
	return nil
}

// addPeople writes a chunk.
func (j *journal) addPeople(pb *pebble.Batch, c *chunk) error {
	rows := map[exposure.Ordinal]personRow{} // written earlier in this chunk
	for i := range c.people {
		a := &c.people[i]
		if err := j.look(pb, &a.ids[0], c.seen); err != nil {
			return err
		}
		if c.cameBefore(a) {
			continue
		}
		o, here, linked, err := j.settlePerson(pb, a.ids, c.seen)
		if err != nil {
			return err
		}
		c.of.present.grow(uint64(o) + 1)
		c.of.present.set(o)
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

// cameBefore reports whether somebody with this id, or to whom it is linked,
// came before in the file. Who is in the base came when their row says, though
// they were taken already: if that is later, it is they who came twice.
func (c *chunk) cameBefore(a *arrival) bool {
	o, b := a.ids[0].ordinal, c.of
	if o == exposure.Nobody || !b.present.has(o) {
		return false
	}
	if uint64(o) < uint64(len(b.claims)) {
		if claim := b.claims[o].Load(); claim != 0 && uint32(claim>>32)-1 > a.place {
			b.repeat(uint32(claim>>32)-1, claim&(1<<32-1))
			b.claims[o].Store(uint64(a.place+1)<<32 | min(a.line, 1<<32-1))
			if b.moved.has(o) {
				c.unmoved++
			}
			return false
		}
	}
	b.repeat(a.place, a.line)
	return true
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
	j.build.named = append(j.build.named, o)
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
		if j.written(id.hash) {
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

// markLeft clears the flag of everyone who is in the directory, as the store or
// the base says, and was not present.
func (l *Ledger) markLeft(present *shareBitmap) (left uint64, err error) {
	b := l.store.DB().NewBatch()
	leave := func(o exposure.Ordinal, row personRow) error {
		row.inDirectory = false
		if err := b.Set(ordinalKey(store.Person, o), row.append(nil), nil); err != nil {
			return fmt.Errorf("marking who left: %w", err)
		}
		// Who is not in the directory any more is not searched for either.
		if err := l.setKnown(b, o, nil); err != nil {
			return err
		}
		if left++; b.Len() < 1<<20 {
			return nil
		}
		err := l.store.Apply(b)
		b = l.store.DB().NewBatch()
		return err
	}
	prefix := []byte{store.Person}
	it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return 0, fmt.Errorf("reading people: %w", err)
	}
	defer it.Close()
	var overridden bitmap
	for it.First(); it.Valid(); it.Next() {
		o, row, err := personAt(it)
		if err != nil {
			return left, err
		}
		overridden.set(o)
		if row.inDirectory && !present.has(o) {
			if err := leave(o, row); err != nil {
				return left, l.unavailable(err)
			}
		}
	}
	if err := it.Error(); err != nil {
		return left, fmt.Errorf("reading people: %w", err)
	}
	err = l.ids.withBase(func(base *base) error {
		if base == nil {
			return nil
		}
		for off := int64(0); off < base.named.size; off += sheetBlock {
			bits, err := base.named.read(off, int(min(sheetBlock, base.named.size-off)), nil)
			if err != nil {
				return err
			}
			for i, byte8 := range bits {
				if byte8 == 0 {
					continue
				}
				for bit := range 8 {
					o := exposure.Ordinal(off+int64(i))*8 + exposure.Ordinal(bit)
					if byte8&(1<<bit) == 0 || present.has(o) || overridden.has(o) {
						continue
					}
					row, ok, err := base.person(o)
					if err != nil {
						return err
					}
					if ok {
						if err := leave(o, row); err != nil {
							return l.unavailable(err)
						}
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		return left, fmt.Errorf("marking who left: %w", err)
	}
	if b.Empty() {
		return left, b.Close()
	}
	if err := l.store.Apply(b); err != nil {
		return left, l.unavailable(err)
	}
	return left, nil
}
