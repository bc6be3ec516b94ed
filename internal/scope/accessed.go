package scope

import (
	"errors"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"cordon/internal/store"
)

// # Certain and possible
//
// A vendor may have held something of everybody whom an answer counts: that is
// possible. Certain is who of them is proved to have been accessed: the vendor's
// or an examiner's list names them, the vendor's log shows their record, a token
// that only this vendor got for them came back, a canary of theirs rang. Each
// proof is a file that somebody handed in; its hash and the digest of whom it
// names stand in an entry, and the people in a bitmap under that digest. Whom a
// list names and the answer does not count stays out of it: the list may be of
// more than went through here.

// ErrNobody says that a list names nobody.
var ErrNobody = errors.New("the list names nobody whom the ledger knows")

// KeepAccessed writes whom a list names, with a sync, and returns the digest
// that the entry must hold. Until that entry is written the list means nothing.
func (x *Index) KeepAccessed(people *roaring.Bitmap) (digest string, err error) {
	if people.IsEmpty() {
		return "", ErrNobody
	}
	b := x.o.DB.NewBatch()
	if digest, err = keepBitmap(b, store.Accessed, people); err != nil {
		return "", errors.Join(err, b.Close())
	}
	if err := x.keep(b); err != nil {
		return "", fmt.Errorf("keeping a list of accessed people: %w", err)
	}
	return digest, nil
}

// accessed is whom the lists about a question's vendor name, nil without lists.
// The lists of a vendor count for every window: they say that somebody's data
// was accessed, and rarely when; Query.Incident narrows them.
func (x *Index) accessed(stated []Statement, q *Query) (*roaring.Bitmap, error) {
	var lists []*roaring.Bitmap
	for _, s := range stated {
		if s.Kind != AccessedBy || s.Vendor != q.Vendor || s.Digest == "" || q.Incident != "" && s.Incident != q.Incident {
			continue
		}
		people, err := x.list(s.Digest)
		if err != nil {
			return nil, fmt.Errorf("whose data was accessed, as entry %d says: %w", s.Seq, err)
		}
		lists = append(lists, people)
	}
	if len(lists) == 0 {
		return nil, nil
	}
	return roaring.FastOr(lists...), nil
}

// list reads one list; it never changes, so it is kept in memory.
func (x *Index) list(digest string) (*roaring.Bitmap, error) {
	if people, ok := x.lists.Load(digest); ok {
		return people.(*roaring.Bitmap), nil
	}
	data, err := bitmapBytes(x.o.DB, store.Accessed, digest)
	if err != nil {
		return nil, err
	}
	people := roaring.New()
	if err := people.UnmarshalBinary(data); err != nil {
		return nil, fmt.Errorf("reading the bitmap %s: %w", digest, err)
	}
	x.lists.Store(digest, people)
	return people, nil
}
