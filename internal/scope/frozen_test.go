package scope

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"cordon/evidence"
	"cordon/internal/exposure"
	"cordon/internal/store"
)

// freeze does what the desk does: freeze, then commit to it.
func freeze(t testing.TB, x *Index, j *journal, q Query, incident string) evidence.Scope {
	t.Helper()
	id, err := x.NextScope()
	if err != nil {
		t.Fatal(err)
	}
	s, err := x.Freeze(context.Background(), q, id, incident)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := s.Digest()
	if err != nil {
		t.Fatal(err)
	}
	j.append(Entry{Kind: Stated, At: epoch, Statement: Statement{Kind: FrozenScope, Vendor: q.Vendor, ID: id, Digest: digest, Incident: incident}})
	return s
}

func TestAFrozenScopeStaysWhatItWas(t *testing.T) {
	j, d := scene(), db(t)
	phone := exposure.SetOf(exposure.Phone)
	j.disclose(epoch.Add(2*time.Hour), ways[0], sent, Exposure{2, phone}, Exposure{70_000, phone})
	x := open(t, j, d, epoch.Add(10*time.Hour))
	list, err := x.KeepAccessed(roaring.BitmapOf(2, 99))
	if err != nil {
		t.Fatal(err)
	}
	j.append(Entry{Kind: Stated, At: epoch, Statement: Statement{Kind: AccessedBy, Vendor: "mail", Digest: list, Incident: "inc-1"}})
	s := freeze(t, x, j, Query{Vendor: "mail", Checkpoint: "the head"}, "inc-1")
	if s.ID != "scope-1" || s.Incident != "inc-1" || s.Certain.Subjects != 1 || s.Excluded.SHA256 != "" || len(s.Cohorts) != 2 {
		t.Fatalf("%+v", s)
	}

	// More is sent, and another scope is frozen: the first one does not change.
	j.disclose(epoch.Add(3*time.Hour), ways[0], sent, Exposure{3, phone})
	if next := freeze(t, x, j, Query{Vendor: "mail"}, ""); next.ID != "scope-2" || next.Cohorts[0].Subjects != 3 {
		t.Fatalf("%+v", next)
	}
	if err := x.Rebuild(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	again, err := x.Frozen("scope-1")
	if err != nil {
		t.Fatal(err)
	}
	before, _ := s.Digest()
	if after, _ := again.Digest(); before != after {
		t.Fatalf("%s became %s", before, after)
	}
	var a Answer
	if err := json.Unmarshal(again.Answer, &a); err != nil {
		t.Fatal(err)
	}
	if a.Frozen != "scope-1" || a.Subjects != 3 || a.Certain != 1 || a.Checkpoint != "the head" || a.Entries != 6 {
		t.Errorf("the answer is %+v", a)
	}
	for _, c := range again.Cohorts {
		want := map[string][]uint32{"user.contact.email": {1}, "user.contact.phone_number": {2, 70_000}}[strings.Join(c.Categories, " ")]
		r, err := x.FrozenBitmap(again.ID, c.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(r)
		people := roaring.New()
		if err := people.UnmarshalBinary(data); err != nil || !slices.Equal(people.ToArray(), want) || c.Subjects != uint64(len(want)) {
			t.Errorf("cohort %q: %v, %v", c.Categories, people.ToArray(), err)
		}
	}
}

func TestAFrozenScopeThatWasChangedIsNotGivenOut(t *testing.T) {
	j, d := scene(), db(t)
	x := open(t, j, d, epoch.Add(10*time.Hour))
	s := freeze(t, x, j, Query{Vendor: "mail"}, "")
	text, err := get(d, frozenKey(s.ID))
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string][]byte{
		"another count": []byte(strings.Replace(string(text), `"subjects":1`, `"subjects":2`, 1)),
		"cut short":     text[:len(text)/2],
		"gone":          nil,
	} {
		if changed == nil {
			d.Delete(frozenKey(s.ID), pebble.Sync)
		} else {
			d.Set(frozenKey(s.ID), changed, pebble.Sync)
		}
		if _, err := x.Frozen(s.ID); err == nil {
			t.Errorf("%s: given out", name)
		}
	}
	d.Set(frozenKey(s.ID), text, pebble.Sync)
	if _, err := x.Frozen(s.ID); err != nil {
		t.Error(err)
	}

	sum := s.Cohorts[0].SHA256
	it, _ := d.NewIter(&pebble.IterOptions{LowerBound: []byte{store.Frozen, keyBitmap}, UpperBound: []byte{store.Frozen, keyBitmap + 1}})
	it.First()
	key, value := slices.Clone(it.Key()), slices.Clone(it.Value())
	it.Close()
	value[len(value)-1] ^= 1
	d.Set(key, value, pebble.Sync)
	if _, err := x.FrozenBitmap(s.ID, sum); err == nil {
		t.Error("a changed bitmap was given out")
	}
}

func TestAScopeWithoutItsEntryWasNeverFrozen(t *testing.T) {
	j, d := scene(), db(t)
	x := open(t, j, d, epoch.Add(10*time.Hour))
	if _, err := x.Freeze(context.Background(), Query{Vendor: "mail"}, "scope-1", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Frozen("scope-1"); !errors.Is(err, ErrNotFrozen) {
		t.Errorf("given out: %v", err)
	}
	if _, err := x.Freeze(context.Background(), Query{Vendor: "mail"}, "scope-1", ""); err == nil {
		t.Error("the same id was taken twice")
	}
	if id, err := x.NextScope(); err != nil || id != "scope-2" {
		t.Errorf("the next is %q, %v", id, err)
	}
}
