package ledger

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"cordon/internal/exposure"
)

func rows(list ...Declared) iter.Seq2[Declared, error] {
	return func(yield func(Declared, error) bool) {
		for _, d := range list {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func TestDeclaredPeopleAreEntriesThatNobodyWaitsFor(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	if _, err := l.Import(context.Background(), peopleSeq(Person{ID: "u-1", Identifiers: []exposure.Identifier{email(1)}})); err != nil {
		t.Fatal(err)
	}
	begun := mustAppend(t, l, Event{Kind: EventBackfill, Vendor: "acme-mail"})
	since := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	var list []Declared
	for n := range 600 { // three entries of the same instant, with others between
		list = append(list, Declared{Identifiers: []exposure.Identifier{email(n)}, Set: justMail})
		if n%100 == 0 {
			list = append(list, Declared{Identifiers: []exposure.Identifier{userID(n)}, Set: nameMail, HeldSince: since})
		}
	}
	got, err := l.Declare(context.Background(), "acme-mail", begun, rows(list...))
	if err != nil || got.People != 606 || got.New != 605 || got.First <= begun || got.Last < got.First {
		t.Fatalf("%+v, %v", got, err)
	}
	people, entries := map[time.Time]int{}, 0
	for _, e := range allEntries(t, l) {
		if e.Kind != KindDisclosure {
			continue
		}
		if entries++; !e.Declared || e.Pathway != DeclaredPathway("acme-mail", begun) || len(e.Subjects) > declareAtOnce {
			t.Errorf("entry %d: %+v with %d subjects", e.Seq, e.Pathway, len(e.Subjects))
		}
		people[e.HeldSince] += len(e.Subjects)
	}
	if entries != 4 || people[time.Time{}] != 600 || people[since] != 6 {
		t.Errorf("%d entries, %v", entries, people)
	}
	if who, ok, _ := l.Lookup(email(1)); !ok {
		t.Error("u-1 is not known")
	} else if id, ok, _ := l.DirectoryID(who); !ok || id != "u-1" {
		t.Errorf("the declared address is of %q", id)
	}
	if n := l.Status().Pending; n != 0 {
		t.Errorf("%d wait for an outcome", n)
	}
	mustVerify(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// A restart settles what was open, and none of these was.
	again := mustOpen(t, dir)
	for _, e := range allEntries(t, again) {
		if e.Kind == KindOutcome {
			t.Errorf("entry %d settles %d", e.Seq, e.Of)
		}
	}
}

func TestADeclarationThatBreaksOffKeepsWhatItHas(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	if _, err := l.Declare(context.Background(), "acme-mail", 99, rows()); err == nil {
		t.Error("declared without an entry that says from where")
	}
	begun := mustAppend(t, l, Event{Kind: EventBackfill, Vendor: "acme-mail"})
	broken := errors.New("the file ends here")
	got, err := l.Declare(context.Background(), "acme-mail", begun, func(yield func(Declared, error) bool) {
		for n := range 300 {
			if !yield(Declared{Identifiers: []exposure.Identifier{email(n)}, Set: justMail}, nil) {
				return
			}
		}
		yield(Declared{}, broken)
	})
	if !errors.Is(err, broken) || got.People != declareAtOnce {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := l.Declare(context.Background(), "acme-mail", begun, rows(Declared{Identifiers: []exposure.Identifier{email(1)}})); err == nil {
		t.Error("declared that nothing was held")
	}
}
