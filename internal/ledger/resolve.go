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
func (j *journal) resolveAll(pb *pebble.Batch, subjects []unresolved) error {
	j.build.resolved = j.build.resolved[:0]
	var index map[exposure.Ordinal]int // only for messages to many
	if len(subjects) > 16 {
		index = make(map[exposure.Ordinal]int, len(subjects))
	}
	for i := range subjects {
		ordinals, err := j.resolve(pb, subjects[i].ids)
		if err != nil {
			return err
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
				j.build.resolved[at].Set = j.build.resolved[at].Set.Union(subjects[i].set)
				continue
			}
			if index != nil {
				index[o] = len(j.build.resolved)
			}
			j.build.resolved = append(j.build.resolved, Subject{o, subjects[i].set})
		}
	}
	return nil
}

// resolve finds the ordinals of one exposure. No identifier: nobody. None
// known: one new person with all of them. One person known: the others
// become theirs. Several known: it may be any of them, so it is all of them,
// and what is unknown stays unknown, since it cannot be said whose it is.
func (j *journal) resolve(pb *pebble.Batch, ids []hashedID) ([]exposure.Ordinal, error) {
	known := j.build.known[:0]
	unknown := 0
	for i := range ids {
		id := &ids[i]
		if id.ordinal == exposure.Nobody { // look again: a batch before, or this one, may have made it known
			o, ok := j.build.fresh[id.hash]
			if !ok {
				var err error
				if o, err = j.l.ids.find(id.hash); err != nil {
					return nil, err
				}
			}
			id.ordinal = o
		}
		if id.ordinal == exposure.Nobody {
			unknown++
		} else if !slices.Contains(known, id.ordinal) {
			known = append(known, id.ordinal)
		}
	}
	if len(ids) == 0 {
		known = append(known, exposure.Nobody)
	}
	j.build.known = known
	if unknown == 0 || len(known) > 1 {
		return known, nil
	}
	stranger := true
	if len(known) == 0 {
		o, err := j.perm.next(&j.used)
		if err != nil {
			return nil, err
		}
		known = append(known, o)
		j.build.known = known
	} else {
		row, ok, err := j.l.personRow(known[0])
		if err != nil {
			return nil, err
		}
		stranger = !ok || !row.inDirectory
	}
	for i := range ids {
		id := &ids[i]
		if id.ordinal != exposure.Nobody {
			continue
		}
		if err := j.link(pb, id.hash, known[0]); err != nil {
			return nil, err
		}
		if stranger && id.contact != nil {
			if err := pb.Set(contactKey(known[0], id.hash), id.contact, nil); err != nil {
				return nil, fmt.Errorf("adding a contact: %w", err)
			}
		}
	}
	return known, nil
}

// link makes an identifier a person's, from this batch on.
func (j *journal) link(pb *pebble.Batch, h idHash, o exposure.Ordinal) error {
	if err := pb.Set(h.key(), bigEndian32(uint32(o)), nil); err != nil {
		return fmt.Errorf("adding an identifier: %w", err)
	}
	j.build.fresh[h] = o
	return nil
}
