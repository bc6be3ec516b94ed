package ledger

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"cordon/internal/exposure"
)

func eachFile(t *testing.T, dir string, f func(path string, content []byte)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			f(path, content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func ordinalOf(t *testing.T, l *Ledger, id exposure.Identifier) exposure.Ordinal {
	t.Helper()
	o, _, err := l.Lookup(id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOrdinalsAreAPermutationWithoutNobody(t *testing.T) {
	p := newPermutation([32]byte{7})
	seen := make([]bool, 1<<(blockBits+1))
	var used uint64
	sorted := 0
	last := exposure.Nobody
	for range 1<<(blockBits+1) - 1 {
		o, err := p.next(&used)
		if err != nil {
			t.Fatal(err)
		}
		if o == exposure.Nobody || seen[o] {
			t.Fatalf("ordinal %d handed out twice or at all", o)
		}
		seen[o] = true
		if o > last {
			sorted++
		}
		last = o
	}
	if n := 1 << (blockBits + 1); sorted < n/2-n/50 || sorted > n/2+n/50 {
		t.Errorf("%d of %d ordinals are greater than the one before: their order tells something", sorted, n)
	}
	used = 1 << 32
	if _, err := p.next(&used); err == nil {
		t.Error("an ordinal after the last")
	}
}

func TestUnknownIdentifierJoinsTheOneKnownPerson(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	mustRecord(t, l, mail(about(justMail, email(1))))
	mustRecord(t, l, mail(about(justMail, email(1), userID(1))))
	if a, b := ordinalOf(t, l, email(1)), ordinalOf(t, l, userID(1)); a != b || a == exposure.Nobody {
		t.Errorf("e-mail %d, user id %d", a, b)
	}
}

func TestIdentifiersThatDisagreeMeanAllOfThem(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	mustRecord(t, l, mail(about(justMail, email(1))))
	mustRecord(t, l, mail(about(justMail, userID(2))))
	r := mustRecord(t, l, mail(about(nameMail, email(1), userID(2), email(3))))
	one, two := ordinalOf(t, l, email(1)), ordinalOf(t, l, userID(2))
	got := entryAt(t, l, r.Seq()).Subjects
	if len(got) != 2 || got[0] != (Subject{one, nameMail}) || got[1] != (Subject{two, nameMail}) {
		t.Errorf("subjects %v, want %d and %d", got, one, two)
	}
	if o := ordinalOf(t, l, email(3)); o != exposure.Nobody {
		t.Errorf("the unknown address became %d's", o)
	}
}

func TestTwoExposuresOfOnePersonBecomeOne(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	mustRecord(t, l, mail(about(justMail, email(1), userID(1))))
	r := mustRecord(t, l, mail(about(justMail, email(1)), about(exposure.SetOf(exposure.Name), userID(1))))
	got := entryAt(t, l, r.Seq()).Subjects
	if len(got) != 1 || got[0].Set != nameMail {
		t.Errorf("subjects %v", got)
	}
}

func TestManyRecipientsOfOneMessageKeepTheirOwnSets(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	var people []exposed
	for i := range 1000 {
		set := justMail
		if i%2 == 0 {
			set = nameMail
		}
		people = append(people, about(set, email(i)))
	}
	people = append(people, about(exposure.SetOf(exposure.IPAddress), email(0)))
	r := mustRecord(t, l, mail(people...))
	got := entryAt(t, l, r.Seq()).Subjects
	if len(got) != 1000 {
		t.Fatalf("%d subjects", len(got))
	}
	for i, s := range got {
		want := people[i].set
		if i == 0 {
			want = want.Union(exposure.SetOf(exposure.IPAddress))
		}
		if s.Ordinal != ordinalOf(t, l, email(i)) || s.Set != want {
			t.Fatalf("subject %d is %v, want set %v", i, s, want)
		}
	}
}

func TestNewcomerSeenByManyAtOnceIsOnePerson(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := range 50 {
				if _, err := l.record(context.Background(), mail(about(justMail, email(i), userID(i)))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	l.Close()
	l = mustOpen(t, dir)
	byOrdinal := map[exposure.Ordinal]bool{}
	for _, e := range allEntries(t, l) {
		for _, s := range e.Subjects {
			byOrdinal[s.Ordinal] = true
		}
	}
	if len(byOrdinal) != 50 {
		t.Errorf("50 people became %d ordinals", len(byOrdinal))
	}
}

func TestPseudonymBelongsToItsVendor(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	a := exposure.Identifier{Kind: exposure.KindPseudonym, Value: "c-1", Vendor: "acme"}
	b := exposure.Identifier{Kind: exposure.KindPseudonym, Value: "c-1", Vendor: "other"}
	mustRecord(t, l, mail(about(justMail, a)))
	mustRecord(t, l, mail(about(justMail, b)))
	if x, y := ordinalOf(t, l, a), ordinalOf(t, l, b); x == y {
		t.Errorf("both are %d", x)
	}
}

func TestCacheForgetsButTheStoreDoesNot(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	r := mustRecord(t, l, mail(about(justMail, email(1))))
	want := entryAt(t, l, r.Seq()).Subjects[0].Ordinal
	for i := range 3 * 64 * shardSize {
		l.ids.remember(l.hasher.hash(userID(i)), identity{ordinal: 99})
	}
	n := 0
	for i := range l.ids.shards {
		n += len(l.ids.shards[i].young) + len(l.ids.shards[i].old)
	}
	if n > 2*64*shardSize {
		t.Errorf("the cache holds %d", n)
	}
	if got := ordinalOf(t, l, email(1)); got != want {
		t.Errorf("ordinal %d, want %d", got, want)
	}
}

func TestContactOfAStrangerIsSealedAndOpens(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	_, private := testKeys(t)
	mustRecord(t, l, mail(about(justMail, email(1), userID(1))))
	sealed, err := l.Contacts(ordinalOf(t, l, email(1)))
	if err != nil || len(sealed) != 1 {
		t.Fatalf("%d contacts, %v", len(sealed), err)
	}
	if id, err := OpenContact(private, sealed[0]); err != nil || id != email(1) {
		t.Errorf("opened %v, %v", id, err)
	}
}

func TestDirectoryImportCountsNewChangedAndLeft(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	mustRecord(t, l, mail(about(justMail, email(2)))) // a stranger until the directory names them
	stranger := ordinalOf(t, l, email(2))
	birthday := time.Now().AddDate(2, 0, 0)
	people := []Person{
		{ID: "1", Identifiers: []exposure.Identifier{email(1)}, Country: "DE", State: "BE", Language: "de"},
		{ID: "2", Identifiers: []exposure.Identifier{email(2)}, Country: "US", State: "CA", Language: "en", MinorUntil: birthday},
		{ID: "3", Identifiers: []exposure.Identifier{email(3)}, Country: "DE", MinorUntil: time.Now().AddDate(-1, 0, 0)},
	}
	load := func(want Imported, people ...Person) {
		t.Helper()
		got, err := l.Import(context.Background(), peopleSeq(people...))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("imported %+v, want %+v, %v", got, want, err)
		}
	}
	load(Imported{People: 3, New: 3}, people...)
	load(Imported{People: 3}, people...)
	people[0].Country = "FR"
	people[1].Identifiers = append(people[1].Identifiers, userID(22))
	load(Imported{People: 2, Changed: 2, Left: 1}, people[:2]...)
	if got := ordinalOf(t, l, exposure.Identifier{Kind: exposure.KindUserID, Value: "2"}); got != stranger || ordinalOf(t, l, userID(22)) != stranger {
		t.Errorf("the stranger %d became %d in the directory", stranger, got)
	}
	if sealed, _ := l.Contacts(stranger); len(sealed) != 0 {
		t.Error("the contact of somebody in the directory is still kept")
	}
	l.Close()

	l = mustOpen(t, dir)
	p, err := l.People()
	if err != nil {
		t.Fatal(err)
	}
	one, two, three := ordinalOf(t, l, email(1)), ordinalOf(t, l, email(2)), ordinalOf(t, l, email(3))
	if p.Countries[p.Country[one]] != "FR" || p.States[p.State[one]] != "BE" || p.Languages[p.Language[two]] != "en" {
		t.Errorf("attributes are wrong: %+v", p.Countries)
	}
	if p.MinorUntil[two] != personDay(birthday) || p.MinorUntil[three] != 0 {
		t.Errorf("minors: %d, %d", p.MinorUntil[two], p.MinorUntil[three])
	}
	if !p.InDirectory(one) || p.InDirectory(three) || p.InDirectory(1<<30) {
		t.Error("in the directory: wrong people")
	}
	if id, ok, err := l.DirectoryID(two); err != nil || !ok || id != "2" {
		t.Errorf("directory id %q %v %v", id, ok, err)
	}
	// A new address of somebody in the directory is not kept: the directory has it.
	mustRecord(t, l, mail(about(justMail, email(1), email(99))))
	if sealed, _ := l.Contacts(one); len(sealed) != 0 {
		t.Error("a contact of somebody in the directory was kept")
	}
}

func TestSharedAddressDoesNotMakeOnePersonOfTwo(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	if _, err := l.Import(context.Background(), peopleSeq(
		Person{ID: "mother", Identifiers: []exposure.Identifier{email(1)}},
		Person{ID: "child", Identifiers: []exposure.Identifier{email(1)}},
	)); err != nil {
		t.Fatal(err)
	}
	ids := []exposure.Ordinal{
		ordinalOf(t, l, exposure.Identifier{Kind: exposure.KindUserID, Value: "mother"}),
		ordinalOf(t, l, exposure.Identifier{Kind: exposure.KindUserID, Value: "child"}),
	}
	if ids[0] == ids[1] || slices.Contains(ids, exposure.Nobody) {
		t.Errorf("ordinals %v", ids)
	}
}
