package scope

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"cordon/evidence"
	"cordon/internal/exposure"
	"cordon/internal/store"
)

// A frozen scope lies under its id, its bitmaps under their hashes, all written
// with a sync before the entry that holds the digest. Only that entry makes it
// one: what lies here without it was never committed, and is not given out.
//
//	'f' 's' id -> evidence.Scope as JSON, of which the entry holds the SHA-256
//	'f' 'b' …  -> see kept.go
const keyFrozen = 's'

func frozenKey(id string) []byte { return append([]byte{store.Frozen, keyFrozen}, id...) }

// asked is a question as a frozen scope keeps it.
type asked struct {
	Vendor     exposure.VendorID `json:"vendor"`
	Route      string            `json:"route,omitempty"`
	App        string            `json:"app,omitempty"`
	Credential string            `json:"credential,omitempty"`
	Since      time.Time         `json:"since,omitzero"`
	Until      time.Time         `json:"until,omitzero"`
	Basis      string            `json:"basis"`
	Collects   []string          `json:"collects"`
	Incident   string            `json:"incident,omitempty"`
}

// Freeze answers q and writes whom the answer counts, cohort by cohort, under
// the id. An incident narrows who is certain to its own lists. The caller writes
// the entry (EventScope with the digest of what is returned); until then the
// scope is not given out by Frozen.
func (x *Index) Freeze(ctx context.Context, q Query, id, incident string) (evidence.Scope, error) {
	none := evidence.Scope{}
	if id == "" || len(id) > 64 {
		return none, errors.New("freezing a scope: it needs an id of at most 64 bytes")
	}
	if was, err := get(x.o.DB, frozenKey(id)); err != nil || was != nil {
		if err == nil {
			err = fmt.Errorf("freezing a scope: there is a scope %s", id)
		}
		return none, err
	}
	q.Incident = incident
	began := time.Now()
	r, err := x.ask(ctx, &q)
	if err != nil {
		return none, err
	}
	defer r.close()

	// Roaring bitmaps in the order of the ordinals: what a cohort of any shape
	// takes is bounded by two bytes a person.
	var cohorts []*roaring.Bitmap
	certain, excluded := roaring.New(), roaring.New()
	var unions *unions
	a, err := r.answer(ctx, func(g group) error {
		unions = g.unions
		add := func(b *roaring.Bitmap) {
			for left := g.people; left != 0; left &= left - 1 {
				b.Add(uint32(g.first) + uint32(bits.TrailingZeros64(left)))
			}
		}
		if g.marks&1 == 0 {
			if g.marks&r.marked.excluded != 0 {
				add(excluded)
			}
			return nil
		}
		for len(cohorts) <= g.union {
			cohorts = append(cohorts, roaring.New())
		}
		add(cohorts[g.union])
		if g.marks&r.marked.certain != 0 {
			add(certain)
		}
		return nil
	})
	if err != nil {
		return none, err
	}
	a.Frozen, a.TookMS = id, float64(time.Since(began).Microseconds())/1000

	b := x.o.DB.NewBatch()
	s := evidence.Scope{ID: id, Incident: incident, Entries: a.Entries, Cohorts: []evidence.ScopeCohort{}}
	err = func() error {
		of := map[string]*roaring.Bitmap{}
		for u, people := range cohorts {
			if !people.IsEmpty() {
				of[cohortID(unions.set(u))] = people
			}
		}
		for _, c := range a.Cohorts {
			kept, err := freezeBitmap(b, of[c.ID])
			if err != nil {
				return err
			}
			if kept.Subjects != c.Subjects {
				return fmt.Errorf("cohort %s counts %d people and holds %d", c.ID, c.Subjects, kept.Subjects)
			}
			s.Cohorts = append(s.Cohorts, evidence.ScopeCohort{ID: c.ID, Categories: c.Categories, Protected: c.Protected, ScopeBitmap: kept})
		}
		var err error
		if s.Certain, err = freezeBitmap(b, certain); err != nil {
			return err
		}
		if s.Excluded, err = freezeBitmap(b, excluded); err != nil {
			return err
		}
		if s.Query, err = json.Marshal(q.asked()); err != nil {
			return err
		}
		if s.Answer, err = json.Marshal(a); err != nil {
			return err
		}
		text, err := json.Marshal(&s)
		if err != nil {
			return err
		}
		return b.Set(frozenKey(id), text, nil)
	}()
	if err != nil {
		return none, fmt.Errorf("freezing a scope: %w", errors.Join(err, b.Close()))
	}
	if err := x.keep(b); err != nil {
		return none, fmt.Errorf("freezing a scope: %w", err)
	}
	return x.readFrozen(id)
}

func freezeBitmap(b *pebble.Batch, people *roaring.Bitmap) (evidence.ScopeBitmap, error) {
	sum, err := keepBitmap(b, store.Frozen, people)
	return evidence.ScopeBitmap{Subjects: people.GetCardinality(), SHA256: sum}, err
}

func (q *Query) asked() asked {
	out := asked{Vendor: q.Vendor, Route: q.Route, App: q.App, Credential: q.Credential, Since: q.Since, Until: q.Until,
		Basis: q.Basis.String(), Incident: q.Incident, Collects: []string{}}
	for _, c := range q.Collects {
		out.Collects = append(out.Collects, c.Key())
	}
	return out
}

// NextScope is an id that no frozen scope has: "scope-1", "scope-2" … Whoever
// freezes holds a lock of their own.
func (x *Index) NextScope() (string, error) {
	last := 0
	err := scan(x.o.DB, []byte{store.Frozen, keyFrozen}, func(key, _ []byte) error {
		if n, err := strconv.Atoi(strings.TrimPrefix(string(key[2:]), "scope-")); err == nil {
			last = max(last, n)
		}
		return nil
	})
	return fmt.Sprintf("scope-%d", last+1), err
}

// ErrNotFrozen says that no entry of the ledger froze a scope of that id.
var ErrNotFrozen = errors.New("no such scope was frozen")

// Frozen reads a frozen scope and checks it against the digest in the ledger.
func (x *Index) Frozen(id string) (evidence.Scope, error) {
	entry, err := x.committed(id)
	if err != nil {
		return evidence.Scope{}, err
	}
	s, err := x.readFrozen(id)
	if err != nil {
		return s, err
	}
	digest, err := s.Digest()
	if err == nil && digest != entry.Digest {
		err = fmt.Errorf("scope %s is not what entry %d froze: its digest is %s", id, entry.Seq, digest)
	}
	if err != nil {
		return evidence.Scope{}, err
	}
	return s, nil
}

// committed finds the entry that froze a scope; the first one counts.
func (x *Index) committed(id string) (Statement, error) {
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	list, err := x.Statements(ctx, FrozenScope, "")
	if err != nil {
		return Statement{}, err
	}
	for _, s := range list {
		if s.ID == id {
			return s, nil
		}
	}
	return Statement{}, fmt.Errorf("%w: %q", ErrNotFrozen, id)
}

func (x *Index) readFrozen(id string) (evidence.Scope, error) {
	var s evidence.Scope
	text, err := get(x.o.DB, frozenKey(id))
	switch {
	case err != nil:
	case text == nil:
		err = errors.New("it is missing")
	default:
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, fmt.Errorf("reading the frozen scope %s: %w", id, err)
	}
	return s, nil
}

// FrozenBitmap reads one of a frozen scope's bitmaps, checked against its hash:
// the portable format of Roaring bitmaps.
func (x *Index) FrozenBitmap(id, sha256 string) (io.Reader, error) {
	if sha256 == "" {
		return bytes.NewReader(nil), nil
	}
	data, err := bitmapBytes(x.o.DB, store.Frozen, sha256)
	if err != nil {
		return nil, fmt.Errorf("frozen scope %s: %w", id, err)
	}
	return bytes.NewReader(data), nil
}

// FrozenPeople are the ordinals of a frozen scope's bitmap.
func (x *Index) FrozenPeople(id, sha256 string) (*roaring.Bitmap, error) {
	people := roaring.New()
	if sha256 == "" {
		return people, nil
	}
	data, err := bitmapBytes(x.o.DB, store.Frozen, sha256)
	if err == nil {
		err = people.UnmarshalBinary(data)
	}
	if err != nil {
		return nil, fmt.Errorf("frozen scope %s: %w", id, err)
	}
	return people, nil
}

// Discard takes back what Freeze wrote when no entry came to commit to it. The
// bitmaps stay: other scopes may have the same people.
func (x *Index) Discard(id string) error {
	if _, err := x.committed(id); !errors.Is(err, ErrNotFrozen) {
		return err
	}
	b := x.o.DB.NewBatch()
	if err := b.Delete(frozenKey(id), nil); err != nil {
		return errors.Join(err, b.Close())
	}
	return x.keep(b)
}
