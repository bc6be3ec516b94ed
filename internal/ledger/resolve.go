package ledger

import (
	"fmt"
	"slices"

	"cordon/internal/exposure"

	"github.com/cockroachdb/pebble/v2"
)

// resolveAll finds who the subjects of one disclosure are and leaves them in
// build.resolved, each ordinal once: when two exposures of a message turn out
// to be one person, that person gets the union of both sets.
func (j *journal) resolveAll(pb *pebble.Batch, in *intent) error {
	j.build.resolved, j.build.links = j.build.resolved[:0], j.build.links[:0]
	var index map[exposure.Ordinal]int // only for messages to many
	if len(in.subjects) > 16 {
		index = make(map[exposure.Ordinal]int, len(in.subjects))
	}
	for i := range in.subjects {
		ordinals, err := j.resolve(pb, in.subjects[i].ids, in.seen)
		if err != nil {
			return err
		}
		if in.tokens != nil {
			in.subjects[i].ordinals = append(in.subjects[i].ordinals, ordinals...)
		}
		for _, o := range ordinals {
			at, seen := -1, false
			if index != nil {
				at, seen = index[o]
			} else {
				at = slices.IndexFunc(j.build.resolved, func(s Subject) bool { return s.Ordinal == o })
				seen = at >= 0
			}
			if seen {
				j.build.resolved[at].Set = j.build.resolved[at].Set.Union(in.subjects[i].set)
				continue
			}
			if index != nil {
				index[o] = len(j.build.resolved)
			}
			j.build.resolved = append(j.build.resolved, Subject{o, in.subjects[i].set})
		}
	}
	return nil
}

// resolve finds the ordinals of one exposure. No identifier: nobody. None
// known: one new person with all of them. One person known: the others
// become theirs. Several known: it may be any of them, so it is all of them,
// and what is unknown stays unknown, since it cannot be said whose it is.
// Shared addresses count only when there is nothing else.
func (j *journal) resolve(pb *pebble.Batch, ids []hashedID, seen epoch) ([]exposure.Ordinal, error) {
	for i := range ids {
		if err := j.look(pb, &ids[i], seen); err != nil {
			return nil, err
		}
	}
	if err := j.together(pb, ids); err != nil {
		return nil, err
	}
	known, unknown := named(ids, j.build.known[:0])
	if len(ids) == 0 {
		known = append(known, exposure.Nobody)
	}
	j.build.known = known
	if unknown == 0 || len(known) > 1 {
		return known, nil
	}
	if len(known) == 0 {
		o, err := j.perm.next(&j.used)
		if err != nil {
			return nil, err
		}
		known = append(known, o)
		j.build.known = known
	}
	return known, j.join(pb, ids, known[0])
}

// named appends whom the identifiers name, each once, and counts those of
// nobody yet that could name somebody.
func named(ids []hashedID, known []exposure.Ordinal) (_ []exposure.Ordinal, unknown int) {
	strong := slices.ContainsFunc(ids, func(id hashedID) bool { return !id.shared })
	for i := range ids {
		switch id := &ids[i]; {
		case id.shared && strong:
		case id.ordinal == exposure.Nobody:
			unknown++
		case !slices.Contains(known, id.ordinal):
			known = append(known, id.ordinal)
		}
	}
	return known, unknown
}

// look brings an identifier's identity up to date: a batch before, or this one,
// may have made it known, or have changed whose it is. An address that is not
// known is known all the same when a vendor's hash of it is: the hash can come
// from nothing else.
func (j *journal) look(pb *pebble.Batch, id *hashedID, seen epoch) (err error) {
	if id.ordinal != exposure.Nobody && !j.build.replaced && seen.changes == j.l.ids.changes.Load() {
		return nil
	}
	if id.identity, err = j.now(id.hash, id.identity, seen); err != nil || id.ordinal != exposure.Nobody {
		return err
	}
	proof := -1
	for i := range id.forms {
		f := &id.forms[i]
		if f.identity, err = j.now(f.hash, f.identity, seen); err != nil {
			return err
		}
		if proof < 0 && f.ordinal != exposure.Nobody {
			proof = i
		}
	}
	if proof < 0 {
		return nil
	}
	row, ok, err := j.current(id.forms[proof].hash)
	if err != nil || !ok {
		return err
	}
	id.identity = row.identity
	if err := j.linkRow(pb, id, row); err != nil {
		return err
	}
	return j.keepContact(pb, id)
}

// now is an identity as this batch has it, where it was looked up at seen.
func (j *journal) now(h idHash, was identity, seen epoch) (identity, error) {
	if id, ok := j.build.fresh[h]; ok {
		return id.identity, nil
	}
	known := was.ordinal != exposure.Nobody
	if known && seen.changes == j.l.ids.changes.Load() || !known && seen.births == j.l.ids.births.Load() {
		return was, nil
	}
	return j.l.ids.find(h)
}

// join makes what is unknown the person's, and keeps by what.
func (j *journal) join(pb *pebble.Batch, ids []hashedID, o exposure.Ordinal) error {
	users := userTags(ids)
	anchor := -1 // what was theirs before, or for somebody new the first that now is
	for i := range ids {
		if !ids[i].shared && ids[i].ordinal == o {
			anchor = i
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
			return err
		}
		if err := j.keepContact(pb, id); err != nil {
			return err
		}
		if anchor < 0 {
			anchor = i
			continue
		}
		j.build.links = append(j.build.links, newLink{o, id.hash, link{Kind: id.kind, How: ByMessage, via: ids[anchor].hash}})
	}
	return nil
}

// userTags are the user ids among the identifiers, each once.
func userTags(ids []hashedID) (tags []userTag) {
	for i := range ids {
		if t := tagOf(ids[i].hash); ids[i].kind == exposure.KindUserID && len(tags) <= maxUserIDs && !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	return tags
}

// linkRow makes an identifier a person's, from this batch on, and with it the
// hashes under which vendors know it, unless they are somebody's already.
func (j *journal) linkRow(pb *pebble.Batch, id *hashedID, row identityRow) error {
	if err := j.write(pb, id.hash, row); err != nil {
		return err
	}
	id.shared = row.shared
	for _, f := range id.forms {
		if j.written(f.hash) || f.ordinal != exposure.Nobody {
			continue
		}
		if err := j.write(pb, f.hash, row); err != nil {
			return err
		}
		j.build.fresh[f.hash] = written{row.identity, true}
	}
	return nil
}

// keepContact keeps the sealed contact of somebody whom no directory names.
func (j *journal) keepContact(pb *pebble.Batch, id *hashedID) error {
	if id.contact == nil {
		return nil
	}
	row, ok, err := j.l.personRow(id.ordinal)
	if err != nil || ok && row.inDirectory {
		return err
	}
	if err := pb.Set(contactKey(id.ordinal, id.hash), id.contact, nil); err != nil {
		return fmt.Errorf("adding a contact: %w", err)
	}
	return nil
}
