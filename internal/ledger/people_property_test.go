package ledger

import (
	"context"
	"maps"
	"os"
	"slices"
	"testing"

	"cordon/internal/exposure"

	"pgregory.net/rapid"
)

// Whatever messages, answers and undoings say in whatever order, with restarts
// between: an identifier stays the same person's until somebody undoes that, a
// message names exactly those whom its identifiers name, and a shared address
// nobody beside them.
func TestPeopleStayWhoTheyAre(t *testing.T) {
	var pool []exposure.Identifier
	for i := range 3 {
		pool = append(pool, email(i), phone(i), cookie(i))
		pool = append(pool, email(i).Hashes()...)
		pool = append(pool, phone(i).Hashes()...)
	}
	for i := range 8 {
		pool = append(pool, userID(i))
	}
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "ledger-people")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		l, err := openTest(t, dir)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { l.Close() }()
		owner := map[exposure.Identifier]exposure.Ordinal{}
		shared := map[exposure.Identifier]bool{}
		look := func(after string, moved ...exposure.Identifier) {
			for _, id := range pool {
				found, err := l.ids.find(l.hasher.hash(id))
				if err != nil {
					rt.Fatal(err)
				}
				if was, ok := owner[id]; ok && was != found.ordinal && !slices.Contains(moved, id) {
					rt.Fatalf("%s: %v %s was %d's and is %d's", after, id, id.Value, was, found.ordinal)
				}
				if shared[id] && !found.shared {
					rt.Fatalf("%s: %v %s is not shared any more", after, id, id.Value)
				}
				if found.ordinal != exposure.Nobody {
					owner[id] = found.ordinal
				}
				if found.shared {
					shared[id] = true
				}
			}
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch step := rapid.SampledFrom([]string{"message", "message", "message", "message", "answer", "undo", "restart"}).Draw(rt, "step"); step {
			case "message":
				ids := rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 1, 4, rapid.ID[exposure.Identifier]).Draw(rt, "ids")
				r, err := l.record(context.Background(), mail(about(justMail, ids...)))
				if err != nil {
					rt.Fatal(err)
				}
				look(step)
				want := map[exposure.Ordinal]bool{}
				strong := slices.ContainsFunc(ids, func(id exposure.Identifier) bool { return !shared[id] })
				for _, id := range ids {
					if o, known := owner[id]; known && (!strong || !shared[id]) {
						want[o] = true
					}
				}
				got := slices.Sorted(slices.Values(r.Ordinals()))
				if len(got) == 0 || !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
					rt.Fatalf("%v named %v, want %v", ids, got, want)
				}
				for _, o := range got {
					links, err := l.Links(o)
					if err != nil {
						rt.Fatal(err)
					}
					for _, k := range links {
						if k.Entry == 0 || k.Entry > r.Seq() {
							rt.Fatalf("entry %d is the evidence of %+v", r.Seq(), k)
						}
					}
				}
			case "answer":
				end := l.durable.Load().entries
				if end == 0 {
					continue
				}
				of := rapid.SampledFrom(pool).Draw(rt, "of")
				if err := l.Link(context.Background(), mailPath.Vendor, []exposure.Identifier{of}, cookie(rapid.IntRange(0, 2).Draw(rt, "cookie")), end); err != nil {
					rt.Fatal(err)
				}
				if _, err := l.Append(context.Background(), Event{Kind: EventConfig}); err != nil {
					rt.Fatal(err)
				}
				look(step)
			case "undo":
				id := rapid.SampledFrom(pool).Draw(rt, "id")
				done, err := l.Unlink(context.Background(), id, Event{})
				if _, known := owner[id]; known != (err == nil) {
					rt.Fatalf("undoing %v: %v", id, err)
				}
				look(step, append(id.Hashes(), id)...)
				if err == nil && owner[id] != done.To {
					rt.Fatalf("%v is %d's, want %d", id, owner[id], done.To)
				}
			case "restart":
				if err := l.Close(); err != nil {
					rt.Fatal(err)
				}
				if l, err = openTest(t, dir); err != nil {
					rt.Fatal(err)
				}
				look(step)
			}
		}
		// Every name of an address is known as soon as the address is.
		for id := range owner {
			for _, h := range id.Hashes() {
				if _, known := owner[h]; !known {
					rt.Fatalf("%v is known and %v is not", id, h)
				}
			}
		}
		if r := l.Verify(context.Background(), nil); !r.OK {
			rt.Fatal(r.Problems)
		}
	})
}

// What the store holds is read back whole or refused.
func FuzzIdentityRow(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1})
	f.Add([]byte{0, 0, 0, 1, 0, 1, 2, 3, 4})
	f.Add([]byte{0, 0, 0, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		row, err := parseIdentity(b)
		if err != nil {
			return
		}
		again, err := parseIdentity(row.append(nil))
		if err != nil || again.identity != row.identity || again.counted != row.counted || !row.shared && !slices.Equal(again.tags, row.tags) {
			t.Errorf("%x read as %+v, then as %+v, %v", b, row, again, err)
		}
	})
}

func FuzzLinkRow(f *testing.F) {
	f.Add(make([]byte, 20))
	f.Add(append([]byte{linkVersion, 3, 1}, make([]byte, 14)...))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = parseLink(b) })
}
