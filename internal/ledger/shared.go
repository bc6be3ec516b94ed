package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"cordon/internal/exposure"

	"github.com/cockroachdb/pebble/v2"
)

// An address or number that many people use (info@…, a family's telephone, a
// number that was given to somebody new) says less and less about who a message
// is about. So its row counts the different user ids that it came with, and
// with the fourth it is shared: it links nobody to anybody any more, and names
// somebody only where nothing better does. What it linked before stays, since
// entries speak of it; Links shows those as shared, and Unlink undoes them.
const maxUserIDs = 3

// addressed reports whether identifiers of a kind are counted so.
func addressed(k exposure.Kind) bool {
	switch k {
	case exposure.KindEmail, exposure.KindPhone, exposure.KindEmailSHA256, exposure.KindEmailMD5, exposure.KindPhoneSHA256:
		return true
	}
	return false
}

// userTag stands for a user id in the row of an address: the beginning of its hash.
type userTag [4]byte

func tagOf(h idHash) userTag { return userTag(h[:4]) }

// identityRow is what the store keeps of an identifier. Most rows are an
// ordinal alone; of an address that means: it came with one user id, which is
// that person's.
//
//	ordinal (4) [ flags (1: shared) | tags of user ids (4 each) ]
type identityRow struct {
	identity
	counted bool // tags lists every user id; else there is one more, the person's own
	tags    []userTag
}

const flagShared = 1

func (r *identityRow) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(r.ordinal))
	switch {
	case r.shared:
		return append(b, flagShared)
	case !r.counted:
		return b
	}
	b = append(b, 0)
	for _, t := range r.tags {
		b = append(b, t[:]...)
	}
	return b
}

func parseIdentity(b []byte) (r identityRow, err error) {
	if len(b) != 4 && (len(b) < 5 || len(b)%4 != 1 || b[4] > flagShared) {
		return r, errors.New("an identifier's row is damaged")
	}
	r.ordinal = exposure.Ordinal(binary.BigEndian.Uint32(b))
	if len(b) == 4 {
		return r, nil
	}
	r.counted, r.shared = true, b[4] == flagShared
	for rest := b[5:]; len(rest) > 0; rest = rest[4:] {
		r.tags = append(r.tags, userTag(rest))
	}
	return r, nil
}

// came notes that the address came with a user id that is not, or not yet, its
// person's, and reports whether the row changed.
func (r *identityRow) came(with userTag) bool {
	if r.shared || slices.Contains(r.tags, with) {
		return false
	}
	if !r.counted {
		// The person's own id is not known here; its place is kept by a tag that
		// stands for it.
		r.counted, r.tags = true, []userTag{tagOf(idHash{})}
	}
	r.tags = append(r.tags, with)
	r.settle()
	return true
}

// settle makes the row a shared one when there are too many user ids.
func (r *identityRow) settle() {
	if len(r.tags) > maxUserIDs {
		r.shared, r.counted, r.tags = true, true, nil
	}
}

// newRow is the row of an identifier that becomes somebody's beside the user ids.
func newRow(kind exposure.Kind, o exposure.Ordinal, users []userTag) identityRow {
	r := identityRow{identity: identity{ordinal: o}}
	if addressed(kind) && len(users) != 1 {
		r.counted, r.tags = true, users
		r.settle()
	}
	return r
}

// current is a row as this batch has it so far.
func (j *journal) current(h idHash) (identityRow, bool, error) {
	if row, ok := j.build.rows[h]; ok {
		return row, true, nil
	}
	if id, ok := j.build.fresh[h]; ok {
		return identityRow{identity: id.identity}, id.ordinal != exposure.Nobody, nil // see forget
	}
	return j.l.ids.row(h)
}

// written is an identity of this batch.
type written struct {
	identity
	// seldom: it will hardly be asked for, so the cache is not for it.
	seldom bool
}

// written reports whether this batch made an identifier somebody's.
func (j *journal) written(h idHash) bool { return j.build.fresh[h].ordinal != exposure.Nobody }

// write writes a row, in force from this batch on.
func (j *journal) write(pb *pebble.Batch, h idHash, row identityRow) error {
	if err := pb.Set(h.key(), row.append(nil), nil); err != nil {
		return fmt.Errorf("adding an identifier: %w", err)
	}
	j.build.fresh[h] = written{identity: row.identity}
	if j.births != nil {
		j.births = append(j.births, h)
	}
	if row.counted {
		j.build.rows[h] = row
	} else {
		delete(j.build.rows, h)
	}
	return nil
}

// together counts, for every address that is known, the user ids of other
// people, or of nobody yet, that it came with, and marks it when they are too many.
func (j *journal) together(pb *pebble.Batch, ids []hashedID) error {
	users := j.build.users[:0]
	for i := range ids {
		if ids[i].kind == exposure.KindUserID && len(users) <= maxUserIDs {
			users = append(users, i) // a fifth would say no more
		}
	}
	j.build.users = users
	if len(users) == 0 {
		return nil
	}
	for i := range ids {
		a := &ids[i]
		if a.shared || a.ordinal == exposure.Nobody || !addressed(a.kind) {
			continue
		}
		for _, u := range users {
			if ids[u].ordinal == a.ordinal {
				continue
			}
			if err := j.came(pb, a, tagOf(ids[u].hash)); err != nil {
				return err
			}
		}
	}
	return nil
}

// came notes one user id in the row of an address and of its hashed forms: a
// shared mailbox is shared under each of its names.
func (j *journal) came(pb *pebble.Batch, a *hashedID, with userTag) error {
	row, ok, err := j.current(a.hash)
	if err != nil || !ok {
		return err
	}
	changed := row.came(with)
	if !changed {
		a.shared = row.shared
		return nil
	}
	forms := a.names
	if forms == nil {
		forms = j.l.forms(a.plain)
	}
	for _, f := range forms { // what it came with under another name counts too
		other, ok, err := j.current(f)
		if err != nil {
			return err
		}
		if ok && other.ordinal == row.ordinal {
			row.merge(&other)
		}
	}
	a.shared = row.shared
	if err := j.write(pb, a.hash, row); err != nil {
		return err
	}
	j.build.replaced = j.build.replaced || row.shared
	for _, f := range forms {
		other, ok, err := j.current(f)
		if err != nil {
			return err
		}
		if !ok || other.ordinal != row.ordinal {
			continue
		}
		if err := j.write(pb, f, row); err != nil {
			return err
		}
	}
	return nil
}

// merge takes over what another name of the same address came with.
func (r *identityRow) merge(o *identityRow) {
	if o.shared {
		r.shared, r.counted, r.tags = true, true, nil
	}
	for _, t := range o.tags {
		if !r.shared && !slices.Contains(r.tags, t) {
			r.tags = append(r.tags, t)
			r.settle()
		}
	}
}
