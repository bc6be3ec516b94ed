package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"cordon/evidence"
	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// Erasing a person takes away everything that leads to them: the hashes of
// their identifiers, in the store and in the base of people, why these were
// theirs, what the directory knows of them, its sealed id, the sealed contact,
// what their tokens stand for. What vendors got about them stays on record
// under an ordinal that is nobody's, so that counts, proofs and duties stay
// right; country, state, language and age stay with it as long as a vendor may
// hold the data. A message with the same identifier begins a new stranger.
//
// All of that happens in the write of the entry. What is left of it on the disk
// (deleted rows in tables, tokens, the base) is swept after that, and again at
// the next start if the process dies meanwhile.
//
// What is not reached: a backup made before (see docs/FILES.md: after restoring
// one, the erasures since must be made again), and four bytes of the hash of a
// user id in the row of an address that several people use.

// ToErase is a person to be erased.
type ToErase struct {
	Ordinal exposure.Ordinal
	// Vendors may hold data of the person: they are to be told, and until they
	// deleted it the person's country, state, language and age stay.
	Vendors []exposure.VendorID
}

// Erasure is what an erasure takes away, or would.
type Erasure struct {
	Ordinal                              exposure.Ordinal
	Identifiers, Links, Contacts, Tokens int
	Directory                            bool   // they have a row of the directory, or had
	InDirectory                          bool   // the directory named them, as it was imported last
	Entry                                uint64 // 0 as long as nothing is done
}

// PlanErase says what Erase would take away, in one pass for all.
func (l *Ledger) PlanErase(ctx context.Context, people []exposure.Ordinal) (list []Erasure, err error) {
	err = l.reading(func() error {
		f, err := l.findTraces(ctx, people)
		if err != nil {
			return err
		}
		for _, o := range people {
			list = append(list, f.erasure(o))
		}
		return nil
	})
	return list, err
}

// erasedAtOnce is how many people one write erases.
const erasedAtOnce = 256

// Erase erases people; e gives who did it and why. When it returns nothing of
// them is left in the store's tables. Whoever was erased before is left out. A
// legal hold on any of them suspends it: a *HeldError.
func (l *Ledger) Erase(ctx context.Context, people []ToErase, e Event) ([]Erasure, error) {
	if err := l.writable(); err != nil {
		return nil, err
	}
	l.importing.Lock() // identities do not move, and the base is not replaced
	defer l.importing.Unlock()
	if err := l.dropLeftover(); err != nil { // they may be in what an interrupted import set aside
		return nil, fmt.Errorf("removing an interrupted import: %w", err)
	}
	l.expiring.Lock()
	defer l.expiring.Unlock()
	ctx, cancel := l.untilClosed(ctx)
	defer cancel()
	l.j.watchBirths(true) // whoever becomes known while we look is found too
	defer l.j.watchBirths(false)
	who := make([]exposure.Ordinal, 0, len(people))
	for _, p := range people {
		if p.Ordinal != exposure.Nobody {
			who = append(who, p.Ordinal)
		}
	}
	var f *traces
	err := l.reading(func() (err error) { f, err = l.findTraces(ctx, who); return err })
	if err != nil {
		return nil, err
	}
	var done []Erasure
	for len(people) > 0 {
		n := min(len(people), erasedAtOnce)
		part, err := l.eraseSome(ctx, people[:n], f, e)
		if err != nil {
			return done, err // the next start sweeps after those who were erased
		}
		done, people = append(done, part...), people[n:]
	}
	return done, l.sweepErased(ctx, f)
}

// eraseSome erases in one write.
func (l *Ledger) eraseSome(ctx context.Context, people []ToErase, f *traces, e Event) (done []Erasure, err error) {
	e.Kind = EventErase
	e.At = timeOf(l.msOf(e.At))
	texts := make([][]byte, len(people))
	for i, p := range people {
		with := e
		with.Fields = withField(e.Fields, "person", uint32(p.Ordinal))
		if len(p.Vendors) > 0 {
			with.Fields["vendors"] = p.Vendors
		}
		if texts[i], err = encodeEvent(with); err != nil {
			return nil, err
		}
	}
	var held error
	err = l.wait(ctx, l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
		for _, p := range people { // a hold that was set a moment ago holds
			if h, is := l.HoldOf(p.Ordinal, p.Vendors); is {
				held = &HeldError{h}
				return nil
			}
		}
		if err := f.addBirths(j); err != nil {
			return err
		}
		for i, p := range people {
			if p.Ordinal == exposure.Nobody {
				continue
			}
			_, err := l.erasedRow(p.Ordinal)
			if err == nil { // before
				continue
			}
			if !errors.Is(err, pebble.ErrNotFound) {
				return err
			}
			row := Erased{Ordinal: p.Ordinal, At: e.At}
			row.Entry = j.add(evidence.Entry{Kind: evidence.Event, Time: e.At.UnixMilli(), JSON: texts[i]})
			for _, v := range p.Vendors {
				row.Vendors = append(row.Vendors, Recipient{Vendor: v})
			}
			if err := j.erase(pb, &row, f); err != nil {
				return fmt.Errorf("erasing a person: %w", err)
			}
			one := f.erasure(p.Ordinal)
			one.Entry = row.Entry
			done = append(done, one)
		}
		return nil
	}}, true))
	if err == nil {
		err = held
	}
	return done, err
}

func (l *Ledger) erasedRow(o exposure.Ordinal) (e Erased, err error) {
	key := ordinalKey(store.Erased, o)
	err = view(l.store.DB(), key, func(v []byte) (err error) {
		e, err = parseErased(key, v)
		return err
	})
	return e, err
}

// erase takes away one person in the batch that is being built.
func (j *journal) erase(pb *pebble.Batch, row *Erased, f *traces) error {
	l, o := j.l, row.Ordinal
	for _, h := range f.hashes[o] {
		if err := j.forget(pb, h, f.inBase[h]); err != nil {
			return err
		}
	}
	person, ok, err := l.personRow(o)
	if err != nil {
		return err
	}
	kept := personRow{}
	if ok && len(row.Vendors) > 0 {
		kept = personRow{country: person.country, state: person.state, language: person.language, minorUntil: person.minorUntil}
		row.Attributes = !kept.sameAttributes(&personRow{})
	}
	slot := personSlot(o)
	links, contacts := ordinalKey(store.Link, o), ordinalKey(store.Contact, o)
	err = errors.Join(
		// Both rows hide what the base has, until it has forgotten it.
		pb.Set(ordinalKey(store.Person, o), kept.append(nil), nil),
		pb.Set(ordinalKey(store.Known, o), noNeedles, nil),
		pb.DeleteRange(links, after(links), nil),
		pb.DeleteRange(contacts, after(contacts), nil),
		pb.Delete(slotKey(slot), nil),
		row.set(pb),
	)
	if err != nil {
		return err
	}
	b := &j.build
	if b.gone == nil {
		b.gone = map[string]bool{}
	}
	b.gone[slot] = true
	delete(b.keys, slot)
	clear(b.tokens) // rows of this batch may be sealed under the key
	b.replaced = true
	return nil
}

// forget makes an identifier nobody's from this batch on.
func (j *journal) forget(pb *pebble.Batch, h idHash, inBase bool) error {
	if err := j.write(pb, h, identityRow{}); err != nil { // hides what the base has
		return err
	}
	if inBase {
		return nil
	}
	return pb.Delete(h.key(), nil)
}

// traces are what leads to people.
type traces struct {
	people map[exposure.Ordinal]bool
	hashes map[exposure.Ordinal][]idHash
	inBase map[idHash]bool
	tokens map[exposure.Ordinal]int
	rest   map[exposure.Ordinal]Erasure // what is counted by person
	rows   [][]byte                     // keys of token rows
	vias   map[string][]byte            // rows of other people's links that name an identifier, without it
}

// findTraces goes once over the identifiers, tokens and links of everybody.
func (l *Ledger) findTraces(ctx context.Context, people []exposure.Ordinal) (*traces, error) {
	f := &traces{
		people: map[exposure.Ordinal]bool{}, hashes: map[exposure.Ordinal][]idHash{}, inBase: map[idHash]bool{},
		tokens: map[exposure.Ordinal]int{}, rest: map[exposure.Ordinal]Erasure{}, vias: map[string][]byte{},
	}
	for _, o := range people {
		if o != exposure.Nobody {
			f.people[o] = true
		}
	}
	theirs := map[idHash]bool{}
	err := l.eachRow(ctx, store.Identity, func(k, v []byte) error {
		if len(k) != 13 || len(v) < 4 {
			return errors.New("an identifier's row is damaged")
		}
		if o := exposure.Ordinal(binary.BigEndian.Uint32(v)); f.people[o] {
			f.hashes[o] = append(f.hashes[o], idHash(k[1:]))
			theirs[idHash(k[1:])] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	based, err := l.baseIdentifiers(f.people)
	if err != nil {
		return nil, err
	}
	for o, hashes := range based {
		for _, h := range hashes {
			f.inBase[h] = true
			row, ok, err := l.ids.row(h) // the store may have given it to somebody else
			if err != nil {
				return nil, err
			}
			if ok && row.ordinal == o && !theirs[h] {
				f.hashes[o] = append(f.hashes[o], h)
				theirs[h] = true
			}
		}
	}
	if err := l.findTokens(ctx, f); err != nil {
		return nil, err
	}
	return f, l.findRest(ctx, f, theirs)
}

// findTokens finds the rows of tokens that are, also, of one of the people.
func (l *Ledger) findTokens(ctx context.Context, f *traces) error {
	f.rows = nil
	return l.eachRow(ctx, store.Token, func(k, v []byte) error {
		h, err := parseTokenHead(v)
		if err != nil {
			return err
		}
		theirs := false
		for _, o := range h.owners {
			if f.people[o] {
				f.tokens[o]++
				theirs = true
			}
		}
		if theirs {
			f.rows = append(f.rows, append([]byte(nil), k...))
		}
		return nil
	})
}

// findRest counts links and contacts, and finds links of others that rest on
// an identifier of theirs.
func (l *Ledger) findRest(ctx context.Context, f *traces, theirs map[idHash]bool) error {
	err := l.eachRow(ctx, store.Link, func(k, v []byte) error {
		if len(k) != 17 {
			return errors.New("a link's row is damaged")
		}
		o := exposure.Ordinal(binary.BigEndian.Uint32(k[1:]))
		if f.people[o] {
			e := f.rest[o]
			e.Links++
			f.rest[o] = e
			return nil
		}
		link, err := parseLink(v)
		if err == nil && theirs[link.via] {
			without := append([]byte(nil), v...)
			clear(without[3 : 3+len(link.via)])
			f.vias[string(k)] = without
		}
		return err
	})
	if err != nil {
		return err
	}
	for o := range f.people {
		e := f.rest[o]
		sealed, err := l.Contacts(o)
		if err != nil {
			return err
		}
		e.Contacts = len(sealed)
		row, ok, err := l.personRow(o)
		if err != nil {
			return err
		}
		e.Directory = ok && len(row.sealed) > 0
		e.InDirectory = e.Directory && row.inDirectory
		f.rest[o] = e
	}
	return nil
}

// addBirths adds what became known since the pass began; runs in the committer.
func (f *traces) addBirths(j *journal) error {
	for _, h := range j.births {
		row, ok, err := j.current(h)
		if err != nil {
			return err
		}
		if ok && f.people[row.ordinal] {
			f.hashes[row.ordinal] = append(f.hashes[row.ordinal], h)
		}
	}
	j.births = j.births[:0]
	return nil
}

func (f *traces) erasure(o exposure.Ordinal) Erasure {
	e := f.rest[o]
	e.Ordinal, e.Identifiers, e.Tokens = o, len(f.hashes[o]), f.tokens[o]
	return e
}

// eachRow calls f with every row of a keyspace.
func (l *Ledger) eachRow(ctx context.Context, space byte, f func(k, v []byte) error) error {
	it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: []byte{space}, UpperBound: []byte{space + 1}})
	if err != nil {
		return err
	}
	defer it.Close()
	n := 0
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err == nil {
			err = f(it.Key(), v)
		}
		if n++; n%4096 == 0 && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	return it.Error()
}
