package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"cordon/evidence"
	"cordon/internal/exposure"

	"github.com/cockroachdb/pebble/v2"
)

var may = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)

// clock is a clock that tests set.
type clock struct{ t time.Time }

func (c *clock) option(o *Options) { o.Now = func() time.Time { return c.t } }

// recordOn records people and an event on a day.
func recordOn(t testing.TB, l *Ledger, c *clock, at time.Time, people int) {
	t.Helper()
	c.t = at
	for i := range people {
		m := mail(about(nameMail, email(i), userID(i)))
		m.at = at.UnixMilli()
		l.Settle(mustRecord(t, l, m), Outcome{Sent, 202, 700})
	}
	mustAppend(t, l, Event{Kind: EventConfig, At: at})
}

func disclosuresOf(t testing.TB, l *Ledger, day time.Time) (n int) {
	for _, e := range allEntries(t, l) {
		if e.Kind != KindEvent && e.Kind != KindDefinition && utcDay(e.At.UnixMilli()) == utcDay(day.UnixMilli()) {
			n++
		}
	}
	return n
}

func TestExpiredDayIsGoneAndTheTreeStillVerifies(t *testing.T) {
	dir := t.TempDir()
	c := &clock{may}
	l := mustOpen(t, dir, c.option)
	recordOn(t, l, c, may, 30)
	recordOn(t, l, c, may.AddDate(0, 0, 1), 20)
	var event, disclosure uint64
	for _, e := range allEntries(t, l) {
		switch {
		case e.Event.Kind == EventConfig && event == 0:
			event = e.Seq
		case e.Kind == KindDisclosure && disclosure == 0:
			disclosure = e.Seq
		}
	}
	if err := l.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := mustVerify(t, l)
	proof, err := l.Prove(event)
	if err != nil {
		t.Fatal(err)
	}
	row, _ := l.days.get(utcDay(may.UnixMilli()))
	if err := l.Expire(t.Context(), may, "bodies-30d", "digest"); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		if n := disclosuresOf(t, l, may); n != 0 {
			t.Errorf("%d disclosures and outcomes are left of an expired day", n)
		}
		if n := disclosuresOf(t, l, may.AddDate(0, 0, 1)); n != 40 {
			t.Errorf("%d are left of the next day", n)
		}
		r := mustVerify(t, l)
		if len(r.Erased) != 1 || !strings.Contains(r.Erased[0], "erased by policy bodies-30d on 2026-05-02") {
			t.Errorf("verify says %q", r.Erased)
		}
		if r.Size < before.Size {
			t.Errorf("verify sees %d entries of %d", r.Size, before.Size)
		}
		if err := l.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		again, err := l.Prove(event)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Entry, proof.Entry) || !bytes.Equal(again.Header, proof.Header) {
			t.Error("an event of the day is proved otherwise than before")
		}
		if _, _, err := again.Verify(l.keys.Verifier); err != nil {
			t.Errorf("the proof of an event that stayed: %v", err)
		}
		if _, err := l.Prove(disclosure); !errors.Is(err, ErrErased) {
			t.Errorf("proving what is erased: %v", err)
		}
		if round == 0 {
			l.Close()
			l = mustOpen(t, dir, c.option)
		}
	}
	if err := l.Expire(t.Context(), may, "bodies-30d", "digest"); !errors.Is(err, ErrNoSuchDay) {
		t.Errorf("a second time: %v", err)
	}
	if err := l.Expire(t.Context(), may.AddDate(0, 0, 1), "bodies-30d", "digest"); !errors.Is(err, ErrDayNotOver) {
		t.Errorf("today: %v", err)
	}
	l.Close()
	eachFile(t, dir, func(path string, content []byte) {
		if strings.HasSuffix(path, ".sst") && bytes.Contains(content, row.row) {
			t.Errorf("%s still holds the key of the day", path)
		}
	})
}

func TestBatchIsOfOneDay(t *testing.T) {
	c := &clock{may}
	l := mustOpen(t, t.TempDir(), c.option)
	midnight := time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)
	done := make(chan error, 200)
	for i := range cap(done) {
		go func() {
			m := mail(about(nameMail, email(i)))
			m.at = midnight.UnixMilli() - 50 + int64(i*37%100)
			r, err := l.record(context.Background(), m)
			if err == nil {
				l.Settle(r, Outcome{Result: Sent})
			}
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	c.t = midnight.AddDate(0, 0, 1)
	mustAppend(t, l, Event{Kind: EventConfig})
	err := l.batches(0, l.durable.Load().batches, func(n uint64, r *record) error {
		if utcDay(r.start) != utcDay(r.end) {
			return fmt.Errorf("batch %d reaches from %d to %d", n, r.start, r.end)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	mustVerify(t, l)
	late := 0
	for _, e := range allEntries(t, l) {
		if e.Kind == KindDisclosure && !e.At.Before(midnight) {
			late++
		}
	}
	if err := l.Expire(t.Context(), may, "p", "d"); err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, e := range allEntries(t, l) {
		if e.Kind == KindDisclosure {
			left++
		}
	}
	if left != late {
		t.Errorf("%d disclosures are left, the day after had %d", left, late)
	}
	mustVerify(t, l)
}

func TestClockThatGoesBackIntoAnExpiredDayLosesNothing(t *testing.T) {
	dir := t.TempDir()
	c := &clock{may}
	l := mustOpen(t, dir, c.option)
	recordOn(t, l, c, may, 5)
	recordOn(t, l, c, may.AddDate(0, 0, 3), 5)
	if err := l.Expire(t.Context(), may, "p", "d"); err != nil {
		t.Fatal(err)
	}
	recordOn(t, l, c, may, 7)
	for range 2 {
		if n := disclosuresOf(t, l, may); n != 14 {
			t.Errorf("%d disclosures and outcomes, want 14", n)
		}
		mustVerify(t, l)
		l.Close()
		l = mustOpen(t, dir, c.option)
	}
}

func TestBatchesThatVanishWithoutAnEntryAreNamed(t *testing.T) {
	c := &clock{may}
	l := mustOpen(t, t.TempDir(), c.option)
	recordOn(t, l, c, may, 5)
	recordOn(t, l, c, may.AddDate(0, 0, 1), 5)
	day := utcDay(may.UnixMilli())
	key, _ := l.days.get(day)
	key.last = l.durable.Load().batches - 1
	if err := l.rewriteDay(t.Context(), day, key); err != nil {
		t.Fatal(err)
	}
	r := l.Verify(t.Context(), nil)
	if r.OK || !strings.Contains(strings.Join(r.Problems, "\n"), "no entry says by what rule") {
		t.Errorf("verify says %q", r.Problems)
	}
}

func TestMissingDayKeyIsNamedAndTheRestIsRead(t *testing.T) {
	dir := t.TempDir()
	c := &clock{may}
	l := mustOpen(t, dir, c.option)
	recordOn(t, l, c, may, 5)
	recordOn(t, l, c, may.AddDate(0, 0, 1), 5)
	l.days.mu.Lock()
	delete(l.days.days, utcDay(may.UnixMilli()))
	l.days.mu.Unlock()
	r := l.Verify(t.Context(), nil)
	if r.OK || !strings.Contains(r.Problems[0], "the key of its day, 2026-05-01, is missing") || r.Size != l.durable.Load().entries {
		t.Errorf("verify says %q and sees %d entries", r.Problems, r.Size)
	}
}

// TestExpiryInterruptedAnywhereIsFinishedAtTheNextStart cuts the power after
// every write of an expiry in turn.
func TestExpiryInterruptedAnywhereIsFinishedAtTheNextStart(t *testing.T) {
	for step := range 4 {
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			dir, c := t.TempDir(), &clock{may}
			l := mustOpen(t, dir, c.option)
			recordOn(t, l, c, may, 40)
			recordOn(t, l, c, may.AddDate(0, 0, 1), 5)
			day := utcDay(may.UnixMilli())
			// The steps of Expire, up to the one after which the process dies.
			mark := func() {
				text, err := encodeEvent(Event{Kind: EventExpire, Fields: map[string]any{"day": dayName(day), "policy": "p", "digest": "d"}})
				if err != nil {
					t.Fatal(err)
				}
				err = l.wait(t.Context(), l.queue.add(job{step: func(j *journal, pb *pebble.Batch) error {
					key, _ := l.days.get(day)
					key.state, key.entry = dayExpiring, j.add(evidence.Entry{Kind: evidence.Event, Time: l.nowMS(), JSON: text})
					return l.days.set(pb, day, key)
				}}, true))
				if err != nil {
					t.Fatal(err)
				}
			}
			rewrite := func(half bool) {
				key, _ := l.days.get(day)
				if half {
					key.last = (key.first + key.last) / 2
				}
				if err := l.rewriteDay(t.Context(), day, key); err != nil {
					t.Fatal(err)
				}
			}
			mark()
			switch step {
			case 1:
				rewrite(true)
			case 2:
				rewrite(false)
			case 3:
				rewrite(false)
				if err := l.setDay(t.Context(), day, dayShredded); err != nil {
					t.Fatal(err)
				}
			}
			if n := disclosuresOf(t, l, may); n != 0 {
				t.Errorf("in the middle %d are shown", n)
			}
			crashed := t.TempDir()
			copyDir(t, dir, crashed)
			l.Close()

			readOnly, err := openTest(t, crashed, c.option, func(o *Options) { o.ReadOnly = true })
			if err != nil {
				t.Fatal(err)
			}
			if n := disclosuresOf(t, readOnly, may); n != 0 {
				t.Errorf("before it is finished %d are shown", n)
			}
			readOnly.Close()
			l = mustOpen(t, crashed, c.option)
			l.chores.Wait()
			if key, _ := l.days.get(day); key.state != dayExpired || key.row != nil {
				t.Errorf("the day is in state %d", key.state)
			}
			if n := disclosuresOf(t, l, may); n != 0 {
				t.Errorf("%d are shown", n)
			}
			if n := disclosuresOf(t, l, may.AddDate(0, 0, 1)); n != 10 {
				t.Errorf("%d of the next day", n)
			}
			mustVerify(t, l)
			l.Close()
			l = mustOpen(t, crashed, c.option)
			mustVerify(t, l)
		})
	}
}

// TestScanTellsWhatMayHaveBeenSentWhenTheOutcomeExpired: a message just before
// midnight has its outcome in the batches of the next day. Where that one has
// expired and the message's own stays, nobody knows any more that it was sent.
func TestScanTellsWhatMayHaveBeenSentWhenTheOutcomeExpired(t *testing.T) {
	defer func(was uint64) { pieceBatches = was }(pieceBatches)
	c := &clock{}
	l := mustOpen(t, t.TempDir(), c.option)
	midnight := may.Truncate(24*time.Hour).AddDate(0, 0, 1)
	c.t = midnight.Add(-time.Second)
	receipt := mustRecord(t, l, mail(about(nameMail, email(1))))
	settled := mustRecord(t, l, mail(about(nameMail, email(1))))
	l.Settle(settled, Outcome{Result: NotSent})
	mustAppend(t, l, Event{Kind: EventConfig})
	c.t = midnight.Add(time.Second)
	l.Settle(receipt, Outcome{Sent, 202, 700})
	last := mustAppend(t, l, Event{Kind: EventConfig})
	c.t = midnight.AddDate(0, 0, 2)
	open := mustRecord(t, l, mail(about(nameMail, email(1)))) // of a day that stays, without an outcome
	end := mustAppend(t, l, Event{Kind: EventConfig})
	person := entryAt(t, l, receipt.Seq()).Subjects[0].Ordinal
	for _, when := range []string{"before", "after"} {
		for _, pieceBatches = range []uint64{1, 2, 512} {
			for _, to := range []uint64{last, end} {
				for _, who := range []exposure.Ordinal{exposure.Nobody, person} {
					var found []uint64
					p := Probe{Takes: func(exposure.Pathway) bool { return true }, Who: who}
					err := l.Scan(t.Context(), 1, to, p, func(e *Entry) error { found = append(found, e.Seq); return nil })
					if err != nil || len(found) != 1 || found[0] != receipt.Seq() {
						t.Errorf("%s the outcome expired, %d batches a piece, up to entry %d, about %d: entries %v, %v; want %d and not %d or %d",
							when, pieceBatches, to, who, found, err, receipt.Seq(), settled.Seq(), open.Seq())
					}
				}
			}
		}
		if when == "before" {
			if err := l.Expire(t.Context(), midnight, "bodies-30d", "digest"); err != nil {
				t.Fatal(err)
			}
		}
	}
}
