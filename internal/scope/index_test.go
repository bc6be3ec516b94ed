package scope

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
)

func TestAnHourInWhichEverythingFailedExposesNobody(t *testing.T) {
	j := scene()
	j.disclose(epoch.Add(2*time.Hour), ways[0], notSent, Exposure{2, exposure.SetOf(exposure.Phone)})
	a := ask(t, j, Query{})
	if a.Subjects != 1 || a.Disclosures != 1 {
		t.Fatalf("%d subjects in %d disclosures", a.Subjects, a.Disclosures)
	}
}

func TestAnOpenIntentCountsAtOnceAndGoesWhenItFailed(t *testing.T) {
	j := scene()
	x := open(t, j, db(t), epoch)
	count := func() (uint64, uint64) {
		a, err := x.Query(context.Background(), Query{Vendor: "mail"})
		if err != nil {
			t.Fatal(err)
		}
		return a.Subjects, a.Pending
	}
	seq := j.disclose(epoch.Add(2*time.Hour), ways[0], nil, Exposure{2, exposure.SetOf(exposure.Phone)})
	if n, pending := count(); n != 2 || pending != 1 {
		t.Fatalf("%d subjects, %d pending", n, pending)
	}
	j.append(Entry{Kind: Settled, At: epoch, Of: seq, Result: NotSent})
	if n, pending := count(); n != 1 || pending != 0 {
		t.Fatalf("%d subjects, %d pending", n, pending)
	}
}

// settle lets an index read everything and closes it.
func settle(t *testing.T, x *Index) {
	t.Helper()
	if err := errors.Join(x.Sync(context.Background()), x.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestReadOnlyAnswersAndWritesNothing(t *testing.T) {
	j, d := scene(), db(t)
	settle(t, open(t, j, d, epoch))
	j.disclose(epoch.Add(2*time.Hour), ways[0], unknown, Exposure{2, exposure.SetOf(exposure.Phone)})
	x, err := Open(Options{DB: d, Source: j, ReadOnly: true, FlushFacts: 1, Now: func() time.Time { return epoch.Add(3 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	a, err := x.Query(context.Background(), Query{Vendor: "mail"})
	if err != nil || a.Subjects != 2 || len(a.Gaps) != 1 || a.Gaps[0].Why != whyUnclean {
		t.Fatalf("%+v, %v", a, err)
	}
	if err := x.Rebuild(context.Background(), nil); err == nil {
		t.Error("rebuilt a store that is open for reading")
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if at, err := positionOf(d); err != nil || at != 3 {
		t.Fatalf("the store is at entry %d, %v", at, err)
	}
}

// broken is a journal that cannot be read from one entry on. That none is missing
// is what the ledger insists on, which knows which have expired.
type broken struct {
	*journal
	at  uint64
	err error
}

func (b broken) Entries(from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range b.journal.Entries(from) {
			if e.Seq == b.at {
				if err = b.err; err == nil {
					continue
				}
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func TestADamagedJournalIsNoShorterAnswer(t *testing.T) {
	damage := errors.New("block checksum mismatch")
	for name, c := range map[string]error{"unreadable": damage} {
		j := scene()
		j.disclose(epoch, ways[0], sent, Exposure{2, exposure.SetOf(exposure.Phone)})
		x, err := Open(Options{DB: db(t), Source: broken{j, 4, c}})
		if err != nil {
			t.Fatal(err)
		}
		if a, err := x.Query(context.Background(), Query{Vendor: "mail"}); err == nil || c != nil && !errors.Is(err, c) {
			t.Errorf("%s: answered %+v, %v", name, a, err)
		}
		if _, _, err := x.Recent(context.Background()); err == nil {
			t.Errorf("%s: status answered", name)
		}
		if err := x.Close(); err == nil {
			t.Errorf("%s: closed without a word", name)
		}
	}
}

func TestADamagedIndexIsBuiltAgain(t *testing.T) {
	for name, damage := range map[string]func(*pebble.DB) error{
		"another version": func(d *pebble.DB) error { return d.Set(positionKey, []byte{99, 1, 1}, pebble.Sync) },
		"cut short":       func(d *pebble.DB) error { return d.Set(positionKey, []byte{formatVersion}, pebble.Sync) },
		"ahead":           func(d *pebble.DB) error { return d.Set(positionKey, encodePosition(1000, 0), pebble.Sync) },
		"a name missing":  func(d *pebble.DB) error { return d.Delete([]byte{'k', 'n', nameSet, 0, 0, 0, 0, 0, 0}, pebble.Sync) },
		"an open intent cut": func(d *pebble.DB) error {
			return d.Set(entryKey(keyOpen, 2), []byte{1}, pebble.Sync)
		},
	} {
		j, d := scene(), db(t)
		j.disclose(epoch, ways[1], sent, Exposure{2, exposure.SetOf(exposure.Phone)})
		settle(t, open(t, j, d, epoch))
		if err := damage(d); err != nil {
			t.Fatal(err)
		}
		x := open(t, j, d, epoch)
		if a, err := x.Query(context.Background(), Query{Vendor: "mail"}); err != nil || a.Subjects != 2 {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestCheckNamesWhatDiffers(t *testing.T) {
	j, d := scene(), db(t)
	x := open(t, j, d, epoch)
	check := func() string {
		problems, err := x.Check(context.Background(), t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(problems, "\n")
	}
	if got := check(); got != "" {
		t.Fatalf("a sound index: %s", got)
	}
	key := pageKey(nil, 0, 0, partHead, dayOf(epoch).in(levelDay))
	if value, err := get(d, key); err != nil || value == nil {
		t.Fatalf("no page where one should be: %v", err)
	}
	if err := d.Delete(key, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if got := check(); !strings.Contains(got, "2026-02-03") || !strings.Contains(got, "missing") {
		t.Fatalf("a missing page: %q", got)
	}
	if err := x.Rebuild(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if got := check(); got != "" {
		t.Fatalf("a rebuilt index: %s", got)
	}
}

func TestQuestionsAskedWhileEntriesArriveMissNone(t *testing.T) {
	j, d := newJournal(), db(t)
	x, err := Open(Options{DB: d, Source: j, FlushFacts: 50, Now: func() time.Time { return epoch }})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	var wg sync.WaitGroup
	const writers, each = 4, 300
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				who := exposure.Ordinal(1 + w*each + i)
				j.disclose(epoch.Add(time.Duration(i)*10*time.Minute), ways[w%3], sent, Exposure{who, exposure.SetOf(exposure.Email)})
				a, err := x.Query(context.Background(), Query{Vendor: "mail"})
				if err != nil {
					t.Error(err)
					return
				}
				// Ours were acknowledged before we asked.
				if a.Subjects < uint64(i+1) || a.Disclosures != a.Subjects {
					t.Errorf("after %d of mine: %d subjects, %d disclosures", i+1, a.Subjects, a.Disclosures)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for range 5 {
			if err := x.Rebuild(context.Background(), nil); err != nil {
				t.Error(err)
			}
			if _, _, err := x.Recent(context.Background()); err != nil && !strings.Contains(err.Error(), "being built again") {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	p, err := x.Subject(context.Background(), 7)
	if err != nil || len(p.Vendors) != 1 || p.Vendors[0].Disclosures != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
}

func TestWaitingForTheIndexCanBeGivenUp(t *testing.T) {
	x := open(t, newJournal(), db(t), epoch)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := x.reach(ctx, 5, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Query(context.Background(), Query{Vendor: "mail"}); !errors.Is(err, errClosed) {
		t.Fatalf("a closed index: %v", err)
	}
}

func TestRecentIsTheLastDayWhicheverRunItWas(t *testing.T) {
	j, d := newJournal(), db(t)
	now := epoch.Add(30 * time.Hour) // 4 February, 16:00
	x := open(t, j, d, now)
	set := exposure.SetOf(exposure.Email)
	j.disclose(now.Add(-26*time.Hour), ways[0], sent, Exposure{1, set}) // too old
	j.disclose(now.Add(-20*time.Hour), ways[0], sent, Exposure{2, set}) // yesterday
	j.disclose(now.Add(-time.Hour), ways[0], sent, Exposure{2, set}, Exposure{3, set})
	j.disclose(now, ways[0], notSent, Exposure{4, set})
	open1 := j.disclose(now, ways[0], nil, Exposure{5, set})
	j.disclose(now, ways[3], sent, Exposure{3, set})
	check := func(x *Index, mail, pay Recent, everybody uint64) {
		t.Helper()
		got, today, err := x.Recent(context.Background())
		if err != nil || got["mail"] != mail || got["pay"] != pay || today != everybody {
			t.Fatalf("%+v, %d, %v", got, today, err)
		}
	}
	check(x, Recent{3, 3, 3}, Recent{1, 1, 1}, 3)
	j.append(Entry{Kind: Settled, At: now, Of: open1, Result: Sent})
	j.disclose(now, ways[0], sent, Exposure{6, set})
	check(x, Recent{4, 4, 4}, Recent{1, 1, 1}, 4)
	settle(t, x)
	check(open(t, j, d, now), Recent{4, 4, 4}, Recent{1, 1, 1}, 4)
}

// crowd writes the bitmaps of many people directly: what a flush of a long
// journal leaves. Each day reaches a share of them in four sets.
func crowd(t testing.TB, d *pebble.DB, j *journal, people, days int, share float64) {
	t.Helper()
	n := newNames()
	way, err := n.pathway(ways[0])
	if err != nil {
		t.Fatal(err)
	}
	s := []setID{}
	for _, set := range sets()[1:5] {
		s = append(s, n.newSet(0, set))
	}
	random := rand.New(rand.NewPCG(1, 2))
	f := newFresh()
	for i := range days {
		at := epoch.AddDate(0, 0, i)
		m := &message{seq: 1, at: at.UnixNano(), pathway: way}
		for range int(share * float64(people)) {
			m.people = append(m.people, personSet{exposure.Ordinal(1 + random.IntN(people-1)), s[random.IntN(len(s))]})
		}
		f.expose(n, m, 1)
		b := d.NewBatch()
		if err := errors.Join(f.save(d, b, nil, nil), b.Commit(pebble.NoSync)); err != nil {
			t.Fatal(err)
		}
		f = newFresh()
	}
	b := d.NewBatch()
	if err := errors.Join(n.save(b), b.Set(positionKey, encodePosition(1, 0), nil), b.Commit(pebble.NoSync)); err != nil {
		t.Fatal(err)
	}
	j.append(Entry{Kind: Other, At: epoch})
	for o := range people {
		j.people.Country = append(j.people.Country, uint8(1+o%190))
		j.people.Language = append(j.people.Language, uint8(1+o%9))
		j.people.State = append(j.people.State, 0)
		j.people.MinorUntil = append(j.people.MinorUntil, 0)
	}
	for i := range 191 {
		j.people.Countries = append(j.people.Countries, string([]byte{'A' + byte(i/26), 'A' + byte(i%26)}))
		j.people.Languages = append(j.people.Languages, string([]byte{'a' + byte(i/26), 'a' + byte(i%26)}))
	}
	j.people.Directory = make([]uint64, people/64+1)
	for i := range j.people.Directory {
		j.people.Directory[i] = ^uint64(0)
	}
	if err := d.Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestAMillionPeopleInTenDays(t *testing.T) {
	if testing.Short() {
		t.Skip("a few seconds")
	}
	j, d := newJournal(), db(t)
	const people = 1_000_000
	crowd(t, d, j, people, 10, 0.1)
	x := open(t, j, d, epoch.AddDate(0, 0, 11))
	a, err := x.Query(context.Background(), Query{Vendor: "mail"})
	if err != nil {
		t.Fatal(err)
	}
	var cohorts, countries uint64
	for _, c := range a.Cohorts {
		cohorts += c.Subjects
	}
	for _, c := range a.Countries {
		countries += c.Subjects
	}
	// Each day misses a person with probability 0.9048 (1/e^0.1).
	if a.Subjects < 630_000 || a.Subjects > 634_500 || cohorts != a.Subjects || countries != a.Subjects || len(a.Countries) != 190 {
		t.Fatalf("%d subjects, %d in cohorts, %d in %d countries", a.Subjects, cohorts, countries, len(a.Countries))
	}
	t.Logf("%d subjects in %.1f ms", a.Subjects, a.TookMS)
}

// BenchmarkThirtyDays is the question of an incident: 30 days of a vendor that
// reaches most people; cohorts, categories, countries and languages at once.
func BenchmarkThirtyDays(b *testing.B) {
	j, d := newJournal(), db(b)
	const people = 2_000_000
	crowd(b, d, j, people, 30, 0.037)
	x := open(b, j, d, epoch.AddDate(0, 0, 31))
	var subjects uint64
	if _, err := x.Query(context.Background(), Query{Vendor: "mail"}); err != nil {
		b.Fatal(err)
	}
	before := cpu(b)
	b.ResetTimer()
	for range b.N {
		a, err := x.Query(context.Background(), Query{Vendor: "mail"})
		if err != nil {
			b.Fatal(err)
		}
		subjects = a.Subjects
	}
	b.ReportMetric(float64(subjects), "subjects")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(subjects), "ns/subject")
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/float64(subjects), "cpu-ns/subject")
}

// cpu is what this process used: on a shared machine the only sound figure.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// When the disk fails is when people ask who was exposed.
func TestADiskThatTakesNothingStillLeavesAnswers(t *testing.T) {
	j := scene()
	x, err := Open(Options{DB: db(t), Source: j, FlushFacts: 1, Apply: func(*pebble.Batch) error { return errors.New("input/output error") }})
	if err != nil {
		t.Fatal(err)
	}
	before, err := x.Query(context.Background(), Query{Vendor: "mail"})
	if err != nil {
		t.Fatal(err)
	}
	j.disclose(epoch, ways[0], sent, Exposure{4711, exposure.SetOf(exposure.Phone)})
	after, err := x.Query(context.Background(), Query{Vendor: "mail"})
	if err != nil || after.Subjects != before.Subjects+1 {
		t.Errorf("%+v, %v", after, err)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}
