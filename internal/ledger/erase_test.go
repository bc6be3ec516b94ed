package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cordon/internal/exposure"

	"github.com/cockroachdb/pebble/v2"
	"pgregory.net/rapid"
)

// eraseAll erases the people with these identifiers.
func eraseAll(t testing.TB, l *Ledger, vendors []exposure.VendorID, ids ...exposure.Identifier) []Erasure {
	t.Helper()
	var people []ToErase
	for _, id := range ids {
		o, ok, err := l.Lookup(id)
		if err != nil || !ok {
			t.Fatalf("%v is nobody's: %v", id.Kind, err)
		}
		people = append(people, ToErase{o, vendors})
	}
	done, err := l.Erase(t.Context(), people, Event{Actor: "local"})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// tracesOf are byte strings of which none may be in the store once the person
// is erased: keyed hashes, the sealed id, keys of token rows.
func tracesOf(t testing.TB, l *Ledger, o exposure.Ordinal) map[string][]byte {
	t.Helper()
	f, err := l.findTraces(t.Context(), []exposure.Ordinal{o})
	if err != nil {
		t.Fatal(err)
	}
	left := map[string][]byte{}
	for i, h := range f.hashes[o] {
		left[fmt.Sprintf("hash %d", i)] = bytes.Clone(h[:])
	}
	for i, k := range f.rows {
		left[fmt.Sprintf("token row %d", i)] = k[1:]
	}
	row, ok, err := l.personRow(o)
	if err != nil {
		t.Fatal(err)
	}
	if ok && len(row.sealed) > 0 {
		left["sealed id"] = row.sealed
	}
	if wrapped, ok, err := l.value(slotKey(personSlot(o))); err != nil {
		t.Fatal(err)
	} else if ok {
		left["token key"] = wrapped
	}
	contacts, err := l.Contacts(o)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range contacts {
		left[fmt.Sprintf("contact %d", i)] = c
	}
	return left
}

// rowsWith looks through all keys and values of the store.
func rowsWith(t testing.TB, l *Ledger, what map[string][]byte) (found []string) {
	t.Helper()
	it, err := l.store.DB().NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		for name, b := range what {
			if bytes.Contains(it.Key(), b) || bytes.Contains(it.Value(), b) {
				found = append(found, fmt.Sprintf("%s in a row %q", name, it.Key()[0]))
			}
		}
	}
	return found
}

func TestErasedPersonLeavesNothingButAnOrdinal(t *testing.T) {
	t.Run("of the store", func(t *testing.T) { leavesNothing(t, false) })
	t.Run("of the base", func(t *testing.T) {
		testBaseFrom = 1
		defer func() { testBaseFrom = 0 }()
		leavesNothing(t, true)
	})
}

func leavesNothing(t *testing.T, base bool) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	// Somebody of the directory with tokens, and a stranger.
	person := Person{ID: "u-1", Identifiers: []exposure.Identifier{email(1)}, Country: "DE", Language: "de", Needles: known(l, exposure.Name, "ada lovelace")}
	other := Person{ID: "u-2", Identifiers: []exposure.Identifier{email(2)}, Country: "FR"}
	if _, err := l.Import(t.Context(), peopleSeq(person, other)); err != nil {
		t.Fatal(err)
	}
	who := about(nameMail, email(1), userID(1))
	first := mustRecord(t, l, withTokens(t, l, mail(who), minted(t, exposure.Email, email(1).Value, who.identifiers)))
	l.Settle(first, Outcome{Result: Sent})
	mustRecord(t, l, mail(about(nameMail, email(2)), about(nameMail, email(3))))
	if err := l.Link(t.Context(), mailPath.Vendor, []exposure.Identifier{userID(1)}, cookie(1), first.Seq()); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, Event{Kind: EventConfig})
	if err := l.store.DB().Flush(); err != nil {
		t.Fatal(err)
	}
	o, _, _ := l.Lookup(email(1))
	stranger, _, _ := l.Lookup(email(3))
	traces := tracesOf(t, l, o)
	for name, b := range tracesOf(t, l, stranger) {
		traces["stranger's "+name] = b
	}
	names := slices.Sorted(maps.Keys(traces))
	for _, want := range []string{"hash 2", "token row 0", "sealed id", "token key", "stranger's contact 0"} {
		if !slices.Contains(names, want) {
			t.Fatalf("before the erasure there is no %s, only %v", want, names)
		}
	}
	if !base && len(rowsWith(t, l, traces)) < len(traces) {
		t.Fatal("the search does not find what is there")
	}
	if base && l.ids.base.Load() == nil {
		t.Fatal("there is no base")
	}

	plan, err := l.PlanErase(t.Context(), []exposure.Ordinal{o, stranger})
	if err != nil {
		t.Fatal(err)
	}
	done := eraseAll(t, l, []exposure.VendorID{"acme-mail"}, email(1), email(3))
	for i := range plan {
		plan[i].Entry = done[i].Entry
		if plan[i] != done[i] || done[i].Entry == 0 || done[i].Identifiers == 0 {
			t.Errorf("planned %+v, done %+v", plan[i], done[i])
		}
	}
	if !done[0].Directory || done[0].Tokens != 1 || done[1].Contacts != 1 {
		t.Errorf("done %+v", done)
	}
	for round := range 2 {
		if found := rowsWith(t, l, traces); len(found) > 0 {
			t.Errorf("the store still has %v", found)
		}
		for _, id := range []exposure.Identifier{email(1), userID(1), cookie(1), email(3)} {
			if _, ok, _ := l.Lookup(id); ok {
				t.Errorf("%v still leads to somebody", id.Kind)
			}
		}
		if _, ok, err := l.DirectoryID(o); ok || err != nil {
			t.Errorf("the directory id is still there: %v", err)
		}
		if n := l.Needles([]exposure.Identifier{email(1)}, nil); len(n) > 0 {
			t.Errorf("%d values are still known", len(n))
		}
		p, err := l.People()
		if err != nil {
			t.Fatal(err)
		}
		if p.Countries[p.Country[o]] != "DE" || p.InDirectory(o) {
			t.Error("the country is gone while a vendor may hold the data, or the person is still in the directory")
		}
		if kept, ok, _ := l.Lookup(email(2)); !ok || kept == exposure.Nobody {
			t.Error("somebody else is gone too")
		}
		if e := entryAt(t, l, first.Seq()); len(e.Subjects) != 1 || e.Subjects[0].Ordinal != o {
			t.Errorf("the entry reads %+v", e)
		}
		mustVerify(t, l)
		if round == 0 {
			l.Close()
			eachFile(t, dir, func(path string, content []byte) {
				for name, b := range traces {
					if (strings.HasSuffix(path, ".sst") || strings.Contains(path, "/people/")) && bytes.Contains(content, b) {
						t.Errorf("%s holds the %s", path, name)
					}
				}
			})
			l = mustOpen(t, dir)
		}
	}

	// The same identifier in a new message is somebody new.
	mustRecord(t, l, mail(who))
	again, ok, _ := l.Lookup(email(1))
	if !ok || again == o {
		t.Errorf("the new message is about %d, the erased one was %d", again, o)
	}
	n, _, err := l.DropAttributes(t.Context(), func(exposure.Ordinal) bool { return true }, Event{})
	if err != nil || n != 1 {
		t.Errorf("attributes of %d dropped: %v", n, err)
	}
	p, err := l.People()
	if err != nil {
		t.Fatal(err)
	}
	if int(o) < len(p.Country) && p.Country[o] != 0 {
		t.Error("the country stays after the last vendor deleted")
	}
	list, err := l.ErasedPeople()
	if err != nil || len(list) != 2 || !list[0].Pending("acme-mail") || list[0].Attributes || list[1].Attributes || !list[0].swept {
		t.Errorf("list %+v, %v", list, err)
	}
	if n, entry, err := l.PassedOn(t.Context(), "acme-mail", Event{}); n != 2 || entry == 0 || err != nil {
		t.Errorf("passed on for %d: %v", n, err)
	}
	if n, entry, err := l.PassedOn(t.Context(), "acme-mail", Event{}); n != 0 || entry != 0 || err != nil {
		t.Errorf("a second time for %d: %v", n, err)
	}
}

func TestErasureInTheSameBatchAsAMessageBeginsANewStranger(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	mustRecord(t, l, mail(about(nameMail, email(1))))
	o, _, _ := l.Lookup(email(1))
	f, err := l.findTraces(t.Context(), []exposure.Ordinal{o})
	if err != nil {
		t.Fatal(err)
	}
	// Looked up before, while the identifier was the person's.
	in := &intent{pathway: mailPath, at: l.nowMS(), seen: l.ids.epoch()}
	ids, err := l.lookUp([]exposure.Identifier{email(1)})
	if err != nil {
		t.Fatal(err)
	}
	in.subjects = []unresolved{{set: nameMail, ids: ids}}
	err = l.wait(t.Context(), l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
		row := Erased{Ordinal: o}
		if err := j.erase(pb, &row, f); err != nil {
			return err
		}
		return j.addIntent(pb, in)
	}}, true))
	if err != nil {
		t.Fatal(err)
	}
	now, ok, err := l.Lookup(email(1))
	if err != nil || !ok || now == o {
		t.Errorf("%d is still %d: %v", now, o, err)
	}
	if e := entryAt(t, l, in.seq); len(e.Subjects) != 1 || e.Subjects[0].Ordinal != now {
		t.Errorf("the entry names %+v, the identifier is %d's", e.Subjects, now)
	}
	mustVerify(t, l)
}

// TestErasureInterruptedIsFinishedAtTheNextStart cuts between the entry and the sweep.
func TestErasureInterruptedIsFinishedAtTheNextStart(t *testing.T) {
	for _, rows := range []bool{false, true} {
		dir := t.TempDir()
		l := mustOpen(t, dir)
		who := about(nameMail, email(1), userID(1))
		mustRecord(t, l, withTokens(t, l, mail(who), minted(t, exposure.Email, email(1).Value, who.identifiers)))
		o, _, _ := l.Lookup(email(1))
		if err := l.store.DB().Flush(); err != nil {
			t.Fatal(err)
		}
		traces := tracesOf(t, l, o)
		f, err := l.findTraces(t.Context(), []exposure.Ordinal{o})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.eraseSome(t.Context(), []ToErase{{Ordinal: o}}, f, Event{}); err != nil {
			t.Fatal(err)
		}
		if rows {
			if err := l.sweepRows(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		crashed := t.TempDir()
		copyDir(t, dir, crashed)
		l.Close()
		l = mustOpen(t, crashed)
		l.chores.Wait()
		if found := rowsWith(t, l, traces); len(found) > 0 {
			t.Errorf("the store still has %v", found)
		}
		list, err := l.ErasedPeople()
		if err != nil || len(list) != 1 || !list[0].swept {
			t.Errorf("erased %+v, %v", list, err)
		}
		mustVerify(t, l)
		l.Close()
		eachFile(t, crashed, func(path string, content []byte) {
			for name, b := range traces {
				if strings.HasSuffix(path, ".sst") && bytes.Contains(content, b) {
					t.Errorf("%s holds the %s", path, name)
				}
			}
		})
	}
}

// TestEntriesStayWhatTheyWereAcrossErasuresAndExpiries compares the journal with
// a list kept by hand, through messages, erasures, expiries and restarts.
func TestEntriesStayWhatTheyWereAcrossErasuresAndExpiries(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, c := t.TempDir(), &clock{may}
		l := mustOpen(t, dir, c.option)
		type fact struct {
			seq uint64
			who exposure.Ordinal
			day int64
		}
		var facts []fact
		expired := map[int64]bool{}
		holders := map[int]exposure.Ordinal{} // whose an address is by the list
		past := map[exposure.Ordinal]bool{}   // everybody erased
		check := func() {
			var want, got []fact
			for _, f := range facts {
				if !expired[f.day] {
					want = append(want, f)
				}
			}
			for _, e := range allEntries(t, l) {
				if e.Kind == KindDisclosure {
					got = append(got, fact{e.Seq, e.Subjects[0].Ordinal, utcDay(e.At.UnixMilli())})
				}
			}
			if !slices.Equal(want, got) {
				rt.Fatalf("entries %v, want %v", got, want)
			}
			for i := range 5 {
				o, _, err := l.Lookup(email(i))
				if err != nil || o != holders[i] {
					rt.Fatalf("address %d is %d's, want %d: %v", i, o, holders[i], err)
				}
			}
			if r := l.Verify(t.Context(), nil); !r.OK {
				rt.Fatalf("not verified: %v", r.Problems)
			}
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"message", "message", "message", "day", "erase", "expire", "restart"}).Draw(rt, "step") {
			case "message":
				i := rapid.IntRange(0, 4).Draw(rt, "who")
				m := mail(about(nameMail, email(i)))
				m.at = c.t.UnixMilli()
				r := mustRecord(t, l, m)
				l.Settle(r, Outcome{Result: Sent})
				o, _, _ := l.Lookup(email(i))
				if holders[i] == exposure.Nobody && past[o] {
					rt.Fatalf("the erased %d is known again", o)
				}
				holders[i] = o
				facts = append(facts, fact{r.Seq(), o, utcDay(m.at)})
			case "day":
				c.t = c.t.AddDate(0, 0, 1)
			case "erase":
				i := rapid.IntRange(0, 4).Draw(rt, "whom")
				o := holders[i]
				if _, err := l.Erase(t.Context(), []ToErase{{Ordinal: o}, {Ordinal: o}}, Event{}); err != nil {
					rt.Fatal(err)
				}
				past[o] = true
				holders[i] = exposure.Nobody
			case "expire":
				day := c.t.AddDate(0, 0, -rapid.IntRange(1, 3).Draw(rt, "days"))
				err := l.Expire(t.Context(), day, "p", "d")
				if err != nil && !errors.Is(err, ErrNoSuchDay) {
					rt.Fatal(err)
				}
				if err == nil {
					expired[utcDay(day.UnixMilli())] = true
				}
			case "restart":
				l.Close()
				l = mustOpen(t, dir, c.option)
				check()
			}
		}
		check()
		l.Close()
	})
}

// TestNothingLeadsToWhoeverIsErasedWhileMessagesComeIn erases people of whom
// messages name ever more identifiers meanwhile.
func TestNothingLeadsToWhoeverIsErasedWhileMessagesComeIn(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for w := range 4 {
		senders.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				who := about(nameMail, email(n%3), userID(n%3), cookie(1000*w+n))
				r, err := l.record(t.Context(), withTokens(t, l, mail(who), minted(t, exposure.Email, email(n%3).Value, who.identifiers)))
				if err != nil {
					t.Error(err)
					return
				}
				l.Settle(r, Outcome{Result: Sent})
			}
		})
	}
	erased := map[exposure.Ordinal]bool{}
	for n := 0; len(erased) < 9 && !t.Failed(); n++ {
		o, ok, err := l.Lookup(email(n % 3))
		if err != nil {
			t.Fatal(err)
		}
		if !ok { // no message since
			time.Sleep(time.Millisecond)
			continue
		}
		if _, err := l.Erase(t.Context(), []ToErase{{Ordinal: o}}, Event{}); err != nil {
			t.Fatal(err)
		}
		erased[o] = true
	}
	close(stop)
	senders.Wait()
	people := slices.Collect(maps.Keys(erased))
	f, err := l.findTraces(t.Context(), people)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range people {
		if e := f.erasure(o); e.Identifiers+e.Links+e.Tokens+e.Contacts > 0 || e.Directory {
			t.Errorf("to an erased person lead %+v", e)
		}
		if k, err := l.personKey(personSlot(o)); err != nil || k.aead != nil {
			t.Errorf("an erased person has a key again: %v", err)
		}
	}
	mustVerify(t, l)
}
