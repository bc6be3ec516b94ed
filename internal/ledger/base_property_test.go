package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"cordon/internal/classify"
	"cordon/internal/exposure"

	"pgregory.net/rapid"
)

// Whatever directories come after one another, with people who share addresses,
// strangers who turn out to be in them, ids that come twice and people who
// leave, and messages, undone links and restarts between: it makes no difference
// whether people lie in the base or in the store.
func TestBaseAndStoreGiveTheSameAnswers(t *testing.T) {
	var pool, users []exposure.Identifier
	for i := range 5 {
		pool = append(pool, email(i), phone(i), exposure.Identifier{Kind: exposure.KindUsername, Value: fmt.Sprint("name", i)})
	}
	for i := range 9 {
		users = append(users, userID(i))
	}
	pool = append(pool, users...)
	all := slices.Clone(pool)
	for _, id := range pool {
		all = append(all, id.Hashes()...)
	}
	birthday := time.Now().AddDate(3, 0, 0)
	end := time.Now().Add(20 * time.Second) // each round syncs dozens of files
	rapid.Check(t, func(rt *rapid.T) {
		if time.Now().After(end) {
			return
		}
		from := []uint64{1 << 40, rapid.Uint64Range(1, 4).Draw(rt, "from")}
		var dirs [2]string
		var ls [2]*Ledger
		for i := range ls {
			var err error
			if dirs[i], err = os.MkdirTemp("", "ledger-base"); err != nil {
				rt.Fatal(err)
			}
			defer os.RemoveAll(dirs[i])
			if ls[i], err = openTest(t, dirs[i]); err != nil {
				rt.Fatal(err)
			}
			ls[i].baseFrom = from[i]
			defer func() { ls[i].Close() }()
		}
		both := func(f func(l *Ledger) string) {
			rt.Helper()
			if a, b := f(ls[0]), f(ls[1]); a != b {
				rt.Fatalf("the store gives\n%s, the base\n%s", a, b)
			}
		}
		for range rapid.IntRange(1, 7).Draw(rt, "steps") {
			switch step := rapid.SampledFrom([]string{"import", "import", "message", "undo", "restart"}).Draw(rt, "step"); step {
			case "import":
				var people []Person
				for i := range rapid.IntRange(0, 7).Draw(rt, "people") {
					p := Person{
						ID:          rapid.SampledFrom(users).Draw(rt, "id").Value,
						Identifiers: rapid.SliceOfN(rapid.SampledFrom(pool), 0, 3).Draw(rt, "ids"),
						Country:     rapid.SampledFrom([]string{"", "DE", "FR"}).Draw(rt, "country"),
						Language:    rapid.SampledFrom([]string{"", "de"}).Draw(rt, "language"),
						Line:        uint64(i + 2),
					}
					if p.Country == "DE" {
						p.State = "BE"
					}
					if rapid.Bool().Draw(rt, "minor") {
						p.MinorUntil = birthday
					}
					for n := range rapid.IntRange(0, 2).Draw(rt, "needles") {
						p.Needles = append(p.Needles, classify.Needle{Hash: uint64(n + len(p.Country)), Words: 1, Category: exposure.City})
					}
					people = append(people, p)
				}
				both(func(l *Ledger) string {
					done, err := l.Import(context.Background(), peopleSeq(people...))
					return fmt.Sprintf("%+v %v", done, err)
				})
			case "message":
				ids := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 3, rapid.ID[exposure.Identifier]).Draw(rt, "ids")
				both(func(l *Ledger) string {
					r, err := l.record(context.Background(), mail(about(justMail, ids...)))
					if err != nil {
						rt.Fatal(err)
					}
					return fmt.Sprint(len(r.Ordinals()))
				})
			case "undo":
				id := rapid.SampledFrom(pool).Draw(rt, "id")
				both(func(l *Ledger) string {
					_, err := l.Unlink(context.Background(), id, Event{})
					return fmt.Sprint(err)
				})
			case "restart":
				for i := range ls {
					if err := ls[i].Close(); err != nil {
						rt.Fatal(err)
					}
					var err error
					if ls[i], err = openTest(t, dirs[i]); err != nil {
						rt.Fatal(err)
					}
					ls[i].baseFrom = from[i]
				}
			}
			both(func(l *Ledger) string { return portrait(rt, l, all) })
		}
		for _, l := range ls {
			if r := l.Verify(context.Background(), nil); !r.OK {
				rt.Fatal(r.Problems)
			}
		}
	})
}

// portrait is all that a ledger says of whom these identifiers name, without the
// ordinals: people are numbered as they come up.
func portrait(t interface{ Fatal(...any) }, l *Ledger, ids []exposure.Identifier) (text string) {
	columns, err := l.People()
	if err != nil {
		t.Fatal(err)
	}
	number := map[exposure.Ordinal]int{}
	for _, id := range ids {
		found, err := l.ids.find(l.hasher.hash(id))
		if err != nil {
			t.Fatal(err)
		}
		o := found.ordinal
		if o == exposure.Nobody {
			continue
		}
		n, seen := number[o]
		if !seen {
			n = len(number)
			number[o] = n
		}
		text += fmt.Sprintf("%s %s is %d's, shared %v, known %v", id.Kind, id.Value, n, found.shared, l.Knows(id))
		if !seen {
			own, ok, err := l.DirectoryID(o)
			links, err2 := l.Links(o)
			text += fmt.Sprintf(": %q %v %v, %d links %v, %v", own, ok, err, len(links), err2, l.Needles([]exposure.Identifier{id}, nil))
			if int(o) < len(columns.Country) {
				text += fmt.Sprintf(", %s-%s %s %d %v", columns.Countries[columns.Country[o]], columns.States[columns.State[o]],
					columns.Languages[columns.Language[o]], columns.MinorUntil[o], columns.InDirectory(o))
			} else {
				text += ", -  0 false"
			}
		}
		text += "\n"
	}
	return text
}

// Somebody of the file writes while the base is being written: they are whom the
// message named, as if it had come before the import.
func TestPeopleWhoBecomeKnownDuringAnImportStayWhoTheyAre(t *testing.T) {
	testBaseFrom = 1
	defer func() { testBaseFrom = 0 }()
	dir := t.TempDir()
	l := mustOpen(t, dir)
	var people []Person
	for i := range 40 {
		people = append(people, Person{ID: fmt.Sprint("p-", i), Country: "DE", Identifiers: []exposure.Identifier{email(i), phone(i)}})
	}
	var strangers []exposure.Ordinal
	l.beforeNaming = func() {
		for i := range 3 {
			strangers = append(strangers, mustRecord(t, l, mail(about(justMail, email(i)))).Ordinals()[0])
		}
		strangers = append(strangers, mustRecord(t, l, mail(about(justMail, phone(3).Hashes()[0]))).Ordinals()[0])
	}
	if done := mustImport(t, l, people...); done.New != 40 || done.People != 40 {
		t.Errorf("imported %+v", done)
	}
	for range 2 {
		for i, want := range strangers {
			for _, id := range append(email(i).Hashes(), email(i), phone(i), user(fmt.Sprint("p-", i))) {
				if got := ordinalOf(t, l, id); got != want {
					t.Errorf("%v of person %d is %d's, the message was about %d", id.Kind, i, got, want)
				}
			}
			if own, ok, err := l.DirectoryID(want); err != nil || !ok || own != people[i].ID {
				t.Errorf("person %d: %q, %v, %v", i, own, ok, err)
			}
		}
		l.beforeNaming = nil
		if again := mustImport(t, l, people...); again.New+again.Changed+again.Left != 0 {
			t.Errorf("again: %+v", again)
		}
		mustVerify(t, l)
		l.Close()
		l = mustOpen(t, dir)
	}
}

// An import that ends with an error leaves everybody as they were.
func TestAnImportThatBreaksOffChangesNothing(t *testing.T) {
	dir := t.TempDir()
	l := baseOf(t, dir, 60)
	before, _, err := l.baseRow()
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the line is dead")
	_, err = l.Import(context.Background(), func(yield func(Person, error) bool) {
		for i := range 2000 {
			if !yield(Person{ID: fmt.Sprint("q-", i), Identifiers: []exposure.Identifier{email(1000 + i)}}, nil) {
				return
			}
		}
		yield(Person{}, broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("the import ended with %v", err)
	}
	used := l.j.used
	isIn(t, l, 60)
	if o := ordinalOf(t, l, email(1000)); o != exposure.Nobody {
		t.Errorf("somebody of the import is %d", o)
	}
	l.Close()
	l = mustOpen(t, dir)
	isIn(t, l, 60)
	if after, _, err := l.baseRow(); err != nil || after != before || l.j.used > used {
		t.Errorf("the base is %v, was %v, %v", after, before, err)
	}
	list, err := os.ReadDir(l.peopleDir())
	if err != nil || len(list) != 1 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}
