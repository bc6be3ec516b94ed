package ledger

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"cordon/internal/exposure"
)

func hashOf(t testing.TB, id exposure.Identifier, kind exposure.Kind) exposure.Identifier {
	t.Helper()
	for _, h := range id.Hashes() {
		if h.Kind == kind {
			return h
		}
	}
	t.Fatalf("%v has no %v", id, kind)
	return exposure.Identifier{}
}

func cookie(n int) exposure.Identifier {
	return exposure.Identifier{Kind: exposure.KindPseudonym, Value: fmt.Sprintf("cus_%d", n), Vendor: mailPath.Vendor}
}

func phone(n int) exposure.Identifier {
	return exposure.Identifier{Kind: exposure.KindPhone, Value: fmt.Sprintf("+4930%07d", n)}
}

func user(id string) exposure.Identifier {
	return exposure.Identifier{Kind: exposure.KindUserID, Value: id}
}

func mustImport(t testing.TB, l *Ledger, people ...Person) Imported {
	t.Helper()
	done, err := l.Import(context.Background(), peopleSeq(people...))
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestHashOfAKnownAddressIsThatPerson(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	mustImport(t, l, Person{ID: "1", Identifiers: []exposure.Identifier{email(1), phone(1)}})
	mustRecord(t, l, mail(about(justMail, email(2)))) // a stranger
	for _, id := range []exposure.Identifier{email(1), phone(1), email(2)} {
		want := ordinalOf(t, l, id)
		for _, h := range id.Hashes() {
			if got := ordinalOf(t, l, h); got != want || got == exposure.Nobody {
				t.Errorf("%v of %v is %d, want %d", h, id, got, want)
			}
		}
	}
}

func TestStrangerKnownByAHashIsThePersonOfTheAddressThatComesLater(t *testing.T) {
	for name, later := range map[string]func(*Ledger){
		"a message":     func(l *Ledger) { mustRecord(t, l, mail(about(justMail, email(1)))) },
		"with a new id": func(l *Ledger) { mustRecord(t, l, mail(about(justMail, userID(1), email(1)))) },
		"the directory": func(l *Ledger) { mustImport(t, l, Person{ID: "u-1", Identifiers: []exposure.Identifier{email(1)}}) },
		"both in one batch": func(l *Ledger) {
			mustRecord(t, l, mail(about(justMail, hashOf(t, email(1), exposure.KindEmailSHA256)), about(justMail, email(1))))
		},
	} {
		l := mustOpen(t, t.TempDir())
		mustRecord(t, l, mail(about(justMail, hashOf(t, email(1), exposure.KindEmailSHA256))))
		want := ordinalOf(t, l, hashOf(t, email(1), exposure.KindEmailSHA256))
		later(l)
		for _, id := range []exposure.Identifier{email(1), hashOf(t, email(1), exposure.KindEmailMD5)} {
			if got := ordinalOf(t, l, id); got != want {
				t.Errorf("%s: %v is %d, want %d", name, id, got, want)
			}
		}
		if name == "with a new id" && ordinalOf(t, l, userID(1)) != want {
			t.Errorf("the id beside the address is another's")
		}
		sealed, err := l.Contacts(want)
		if stranger := name != "the directory"; err != nil || (len(sealed) > 0) != stranger {
			t.Errorf("%s: %d contacts, %v", name, len(sealed), err)
		}
	}
}

func TestAddressOfThreeUserIDsLinksAndOfFourNoMore(t *testing.T) {
	for _, id := range []exposure.Identifier{email(1), phone(1), hashOf(t, email(1), exposure.KindEmailSHA256)} {
		l := mustOpen(t, t.TempDir())
		mustRecord(t, l, mail(about(justMail, id)))
		first := ordinalOf(t, l, id)
		for i := range 6 {
			r := mustRecord(t, l, mail(about(justMail, id, userID(i))))
			mustRecord(t, l, mail(about(justMail, userID(i), id))) // again, the other way round: it counts once
			got, merged := ordinalOf(t, l, userID(i)), i < maxUserIDs
			if (got == first) != merged || got == exposure.Nobody {
				t.Errorf("%v: user %d is %d, the first person is %d", id.Kind, i, got, first)
			}
			if named := r.Ordinals(); len(named) != 1 || named[0] != got {
				t.Errorf("%v: the message about user %d named %v, not %d", id.Kind, i, named, got)
			}
		}
		// Alone it still names whom it named, and by every name it is shared.
		if r := mustRecord(t, l, mail(about(justMail, id))); r.Ordinals()[0] != first {
			t.Errorf("%v alone names %v", id.Kind, r.Ordinals())
		}
		for _, h := range id.Hashes() {
			mustRecord(t, l, mail(about(justMail, h, user("hashed"))))
			if ordinalOf(t, l, user("hashed")) == first {
				t.Errorf("%v still links", h.Kind)
			}
		}
		links, err := l.Links(first)
		if err != nil || len(links) != maxUserIDs {
			t.Fatalf("%v: %d links, %v", id.Kind, len(links), err)
		}
		for _, k := range links {
			if !k.Shared || k.How != ByMessage || k.Kind != exposure.KindUserID || k.Entry == 0 || k.At.IsZero() {
				t.Errorf("%v: link %+v", id.Kind, k)
			}
			if e := entryAt(t, l, k.Entry); e.Kind != KindDisclosure || e.Subjects[0].Ordinal != first {
				t.Errorf("the evidence is entry %+v", e)
			}
		}
	}
}

func TestSharingIsCountedOverAllNamesOfAnAddress(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	hash := hashOf(t, email(1), exposure.KindEmailSHA256)
	mustRecord(t, l, mail(about(justMail, hash, userID(0))))
	mustRecord(t, l, mail(about(justMail, email(1), userID(1))))
	mustRecord(t, l, mail(about(justMail, hash, userID(2))))
	mustRecord(t, l, mail(about(justMail, email(1), userID(3))))
	first := ordinalOf(t, l, email(1))
	if ordinalOf(t, l, userID(2)) != first || ordinalOf(t, l, userID(3)) == first {
		t.Errorf("people %d, %d, %d", first, ordinalOf(t, l, userID(2)), ordinalOf(t, l, userID(3)))
	}
}

func TestMailboxOfADepartmentMakesNoOnePersonOfIt(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	var people []Person
	for i := range 10 {
		people = append(people, Person{ID: fmt.Sprint("e-", i), Identifiers: []exposure.Identifier{email(1), email(100 + i)}})
	}
	mustImport(t, l, people...)
	if again := mustImport(t, l, people...); again.Changed != 0 || again.New != 0 {
		t.Errorf("again: %+v", again)
	}
	l.Close()
	l = mustOpen(t, dir) // what is shared is on disk
	seen := map[exposure.Ordinal]bool{}
	for i := range 10 {
		seen[ordinalOf(t, l, user(fmt.Sprint("e-", i)))] = true
	}
	if len(seen) != 10 {
		t.Errorf("ten people are %d", len(seen))
	}
	// A newcomer who writes from there is nobody of them.
	r := mustRecord(t, l, mail(about(justMail, email(1), user("newcomer"))))
	if o := r.Ordinals(); len(o) != 1 || seen[o[0]] {
		t.Errorf("the newcomer is %v", o)
	}
	// The third colleague is named by their id, and the mailbox adds nobody.
	r = mustRecord(t, l, mail(about(justMail, user("e-3"), email(1))))
	if o := r.Ordinals(); len(o) != 1 || o[0] != ordinalOf(t, l, user("e-3")) {
		t.Errorf("the third colleague is %v", o)
	}
}

func TestWhatAnAnswerToldIdentifiesFromThenOn(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	r := mustRecord(t, l, mail(about(justMail, email(1))))
	learnt := exposure.Identifier{Kind: exposure.KindPseudonym, Value: "cus_1"}
	for range 2 { // the answer to a retry tells the same
		if err := l.Link(context.Background(), mailPath.Vendor, []exposure.Identifier{email(1)}, learnt, r.Seq()); err != nil {
			t.Fatal(err)
		}
	}
	mustAppend(t, l, Event{Kind: EventConfig}) // takes it along
	l.Close()
	l = mustOpen(t, dir)
	later := mustRecord(t, l, mail(about(nameMail, cookie(1))))
	if !reflect.DeepEqual(later.Ordinals(), r.Ordinals()) {
		t.Errorf("cus_1 is %v, the customer is %v", later.Ordinals(), r.Ordinals())
	}
	links, err := l.Links(r.Ordinals()[0])
	if err != nil || len(links) != 1 || links[0].How != ByAnswer || links[0].Entry != r.Seq() || links[0].Kind != exposure.KindPseudonym {
		t.Errorf("links %+v, %v", links, err)
	}
}

func TestAnAnswerAboutSeveralOrNobodyTeachesNothing(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	r := mustRecord(t, l, mail(about(justMail, email(1))))
	mustRecord(t, l, mail(about(justMail, userID(2))))
	mustRecord(t, l, mail(about(justMail, cookie(3))))
	for i, of := range [][]exposure.Identifier{{email(1), userID(2)}, {email(77)}, nil} {
		if err := l.Link(context.Background(), mailPath.Vendor, of, cookie(1), r.Seq()); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := l.Link(context.Background(), mailPath.Vendor, []exposure.Identifier{email(1)}, cookie(3), r.Seq()); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, Event{Kind: EventConfig})
	if o := ordinalOf(t, l, cookie(1)); o != exposure.Nobody {
		t.Errorf("the answer made it %d's", o)
	}
	if o := ordinalOf(t, l, cookie(3)); o == ordinalOf(t, l, email(1)) {
		t.Error("what was another's became somebody else's")
	}
	if s := l.Status(); s.Refused != 4 || s.Linked != 0 {
		t.Errorf("refused %d, linked %d", s.Refused, s.Linked)
	}
	if err := l.Link(context.Background(), mailPath.Vendor, []exposure.Identifier{email(1)}, cookie(1), 1000); err == nil {
		t.Error("an entry that is not there is no evidence")
	}
}

func TestUnlinkedAddressIsSomebodyElse(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	mustRecord(t, l, mail(about(justMail, email(1))))
	r := mustRecord(t, l, mail(about(justMail, email(1), userID(7))))
	from := r.Ordinals()[0]
	plan, err := l.PlanUnlink(userID(7))
	if err != nil || plan.From != from || plan.Link == nil || plan.Link.Entry != r.Seq() || plan.Entry != 0 || plan.To != exposure.Nobody {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	if ordinalOf(t, l, userID(7)) != from {
		t.Fatal("a plan did something")
	}
	done, err := l.Unlink(context.Background(), email(1), Event{Actor: "ada", Fields: map[string]any{"reason_digest": "x"}})
	if err != nil || done.From != from || done.To == from || done.To == exposure.Nobody || done.Link != nil {
		t.Fatalf("done %+v, %v", done, err)
	}
	e := entryAt(t, l, done.Entry).Event
	if e.Kind != EventUnlink || e.Actor != "ada" || e.Fields["from"] != float64(from) || e.Fields["to"] != float64(done.To) || e.Fields["reason_digest"] != "x" {
		t.Errorf("event %+v", e)
	}
	for range 2 {
		if got := ordinalOf(t, l, userID(7)); got != from {
			t.Errorf("what stayed is %d's", got)
		}
		for _, id := range append(email(1).Hashes(), email(1)) {
			if got := ordinalOf(t, l, id); got != done.To {
				t.Errorf("%v is %d's, not %d's", id, got, done.To)
			}
		}
		if c, _ := l.Contacts(done.To); len(c) != 1 {
			t.Error("the contact did not go along")
		}
		// A message with both names both, and joins nobody again.
		if o := mustRecord(t, l, mail(about(justMail, email(1), userID(7)))).Ordinals(); len(o) != 2 {
			t.Errorf("together they are %v", o)
		}
		if o := mustRecord(t, l, mail(about(justMail, email(1)))).Ordinals(); len(o) != 1 || o[0] != done.To {
			t.Errorf("alone it is %v", o)
		}
		l.Close()
		l = mustOpen(t, dir)
	}
	mustVerify(t, l)
}

func TestOnlyLinksAreUndone(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	mustImport(t, l, Person{ID: "1", Identifiers: []exposure.Identifier{email(1)}})
	for want, id := range map[error]exposure.Identifier{ErrUnknown: email(404), ErrOwnID: user("1")} {
		if _, err := l.Unlink(context.Background(), id, Event{}); err != want {
			t.Errorf("%v: %v, want %v", id, err, want)
		}
		if _, err := l.PlanUnlink(id); err != want {
			t.Errorf("%v: %v, want %v", id, err, want)
		}
	}
	// A recycled address that the directory once gave: it may be undone.
	if _, err := l.Unlink(context.Background(), email(1), Event{}); err != nil {
		t.Error(err)
	}
}

// Records that were looked up before a link was undone, and lie in the queue
// meanwhile, are about whom the identifier names when they are written.
func TestWhatIsUndoneHoldsForEveryLaterEntry(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	for round := range 30 {
		mustRecord(t, l, mail(about(justMail, email(round), userID(round))))
		stop := make(chan struct{})
		failed := make(chan error, 4)
		entries := make(chan *Receipt, 1<<16)
		for range 4 {
			go func() {
				for {
					select {
					case <-stop:
						failed <- nil
						return
					default:
					}
					r, err := l.record(context.Background(), mail(about(justMail, email(round))))
					if err != nil {
						failed <- err
						return
					}
					entries <- r
				}
			}()
		}
		done, err := l.Unlink(context.Background(), email(round), Event{})
		if err != nil {
			t.Fatal(err)
		}
		after := mustRecord(t, l, mail(about(justMail, email(round))))
		close(stop)
		for range 4 {
			if err := <-failed; err != nil {
				t.Fatal(err)
			}
		}
		close(entries)
		for r := range entries {
			want := done.From
			if r.Seq() > done.Entry {
				want = done.To
			}
			if o := r.Ordinals(); len(o) != 1 || o[0] != want {
				t.Fatalf("round %d: entry %d is about %v, want %d; undone at %d", round, r.Seq(), o, want, done.Entry)
			}
		}
		if after.Ordinals()[0] != done.To {
			t.Fatal("not undone")
		}
	}
}
