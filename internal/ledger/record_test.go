package ledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"cordon/internal/exposure"
)

func TestRecordedDisclosureIsReadBackAfterReopening(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	m := mail(about(nameMail, email(1)), about(justMail, email(2), userID(2)), about(nameMail))
	m.incomplete = []exposure.Reason{exposure.IncompleteDepth}
	m.shadow = true
	r := mustRecord(t, l, m)
	l.Settle(r, Outcome{Sent, 202, 1234})
	retry := mail(about(justMail, email(2)))
	retry.retry = r.Seq()
	r2 := mustRecord(t, l, retry)
	l.Settle(r2, Outcome{NotSent, 0, 0})
	event := mustAppend(t, l, Event{Kind: EventGate, Vendor: "acme-mail", Actor: "local", Fields: map[string]any{"to": "cut", "epoch": 7.0}})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	l = mustOpen(t, dir)
	e := entryAt(t, l, r.Seq())
	if e.Kind != KindDisclosure || e.Pathway != mailPath || !e.Shadow || !slices.Equal(e.Incomplete, m.incomplete) || len(e.Subjects) != 3 {
		t.Errorf("disclosure read back as %+v", e)
	}
	if e.At.UnixMilli() != m.at {
		t.Errorf("time %v, want %v", e.At, time.UnixMilli(m.at))
	}
	one, _, _ := l.Lookup(email(1))
	two, _, _ := l.Lookup(email(2))
	same, _, _ := l.Lookup(userID(2))
	want := []Subject{{one, nameMail}, {two, justMail}, {exposure.Nobody, nameMail}}
	if one == exposure.Nobody || one == two || same != two || !reflect.DeepEqual(e.Subjects, want) {
		t.Errorf("subjects %v, want %v; user id gives %d", e.Subjects, want, same)
	}
	if e := entryAt(t, l, r2.Seq()); e.Retry != r.Seq() {
		t.Errorf("retry of %d, want %d", e.Retry, r.Seq())
	}
	var outcomes []Entry
	for _, e := range allEntries(t, l) {
		if e.Kind == KindOutcome {
			outcomes = append(outcomes, e)
		}
	}
	if len(outcomes) != 2 || outcomes[0].Of != r.Seq() || outcomes[0].Outcome != (Outcome{Sent, 202, 1234}) || outcomes[1].Outcome != (Outcome{NotSent, 0, 0}) {
		t.Errorf("outcomes %+v", outcomes)
	}
	ev := entryAt(t, l, event).Event
	if ev.Kind != EventGate || ev.Vendor != "acme-mail" || ev.Actor != "local" || !reflect.DeepEqual(ev.Fields, map[string]any{"to": "cut", "epoch": 7.0}) {
		t.Errorf("event read back as %+v", ev)
	}
	mustVerify(t, l)
	if w := l.Status().Warnings; len(w) > 0 {
		t.Errorf("warnings after a clean close: %v", w)
	}
}

func TestReceiptIsGoodForOneMessageOnce(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	r := mustRecord(t, l, mail(about(justMail, email(1))))
	if err := r.redeem("other-vendor", [32]byte{1}); !errors.Is(err, ErrReceipt) {
		t.Errorf("another vendor: %v", err)
	}
	if err := r.redeem("acme-mail", [32]byte{2}); !errors.Is(err, ErrReceipt) {
		t.Errorf("another message: %v", err)
	}
	done := make(chan error, 16)
	for range cap(done) {
		go func() { done <- r.redeem("acme-mail", [32]byte{1}) }()
	}
	good := 0
	for range cap(done) {
		if <-done == nil {
			good++
		}
	}
	if good != 1 {
		t.Errorf("redeemed %d times", good)
	}
	var none *Receipt
	if err := none.redeem("acme-mail", [32]byte{1}); !errors.Is(err, ErrReceipt) {
		t.Errorf("no receipt: %v", err)
	}
	settled := mustRecord(t, l, mail(about(justMail, email(1))))
	l.Settle(settled, Outcome{Result: NotSent})
	if err := settled.redeem("acme-mail", [32]byte{1}); !errors.Is(err, ErrReceipt) {
		t.Errorf("a settled receipt: %v", err)
	}
}

func TestFirstOutcomeCounts(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	r := mustRecord(t, l, mail(about(justMail, email(1))))
	l.Settle(r, Outcome{Sent, 200, 1})
	l.Settle(r, Outcome{NotSent, 0, 0})
	mustAppend(t, l, Event{Kind: EventConfig})
	n := 0
	for _, e := range allEntries(t, l) {
		if e.Kind == KindOutcome {
			n++
			if e.Outcome.Result != Sent {
				t.Errorf("outcome %v", e.Outcome)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d outcomes", n)
	}
	if p := l.Status().Pending; p != 0 {
		t.Errorf("%d pending", p)
	}
}

func TestOutcomeReachesTheDiskWithoutFurtherTraffic(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	grown := l.Follow()
	r := mustRecord(t, l, mail(about(justMail, email(1))))
	<-grown
	grown = l.Follow()
	l.Settle(r, Outcome{Result: Sent})
	select {
	case <-grown:
	case <-time.After(5 * time.Second):
		t.Fatal("the outcome was never written")
	}
}

func TestCallerWhoGoesAwayLeavesNotSent(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	left := 0
	for range 50 { // each may be durable before the context is looked at
		if _, err := l.record(ctx, mail(about(justMail, email(1)))); err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			left++
		}
	}
	if left == 0 {
		t.Skip("the disk was faster every time")
	}
	deadline := time.Now().Add(5 * time.Second)
	for {
		n := 0
		for _, e := range allEntries(t, l) {
			if e.Kind == KindOutcome && e.Outcome.Result == NotSent {
				n++
			}
		}
		if n == left {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d were settled", n, left)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestRestartSettlesOpenDisclosuresAsUnknown(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	var open []uint64
	for i := range 10 {
		r := mustRecord(t, l, mail(about(justMail, email(i))))
		if i%2 == 0 {
			l.Settle(r, Outcome{Result: Sent})
		} else {
			open = append(open, r.Seq())
		}
	}
	l.Close()
	l = mustOpen(t, dir)
	var unknown []uint64
	restarts := 0
	for _, e := range allEntries(t, l) {
		if e.Kind == KindOutcome && e.Outcome.Result == Unknown {
			unknown = append(unknown, e.Of)
		}
		if e.Kind == KindEvent && e.Event.Kind == EventRestart {
			restarts++
			if e.Event.Fields["unknown"] != float64(len(open)) {
				t.Errorf("restart event says %v", e.Event.Fields)
			}
		}
	}
	if !slices.Equal(unknown, open) || restarts != 1 {
		t.Errorf("unknown %v, want %v; %d restart events", unknown, open, restarts)
	}
}

func TestClockThatJumpsBreaksNothing(t *testing.T) {
	times := []time.Time{
		time.UnixMilli(1_700_000_000_000), time.UnixMilli(1_500_000_000_000), time.Unix(0, 0), time.UnixMilli(-5_000_000),
		time.UnixMilli(4_000_000_000_000), time.UnixMilli(1_700_000_000_001),
	}
	dir := t.TempDir()
	i := 0
	l := mustOpen(t, dir, func(o *Options) { o.Now = func() time.Time { i++; return times[i%len(times)] } })
	done := make(chan uint64, 60)
	for n := range cap(done) {
		go func() {
			m := mail(about(justMail, email(n)))
			m.at = times[n%len(times)].UnixMilli()
			r, err := l.record(context.Background(), m)
			if err != nil {
				t.Error(err)
				done <- 0
				return
			}
			done <- r.Seq()
		}()
	}
	for range cap(done) {
		<-done
	}
	seen := map[int64]int{}
	for _, e := range allEntries(t, l) {
		if e.Kind == KindDisclosure {
			seen[e.At.UnixMilli()]++
		}
	}
	for _, at := range times {
		if seen[at.UnixMilli()] != 10 {
			t.Errorf("%d entries at %v, want 10", seen[at.UnixMilli()], at)
		}
	}
	l.Close()
	mustVerify(t, mustOpen(t, dir))
}

func TestNotesThatDoNotFitAreCounted(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	l.queue.mu.Lock()
	l.queue.notes = maxNotes // as if the disk had been slow
	l.queue.mu.Unlock()
	for range 3 {
		l.Note(Event{Kind: EventRefusal, Fields: map[string]any{"reason": "vendor-cut"}})
	}
	l.queue.mu.Lock()
	l.queue.notes = 0
	l.queue.mu.Unlock()
	l.Note(Event{Kind: EventRefusal})
	mustAppend(t, l, Event{Kind: EventConfig})
	refusals, lost := 0, 0.0
	for _, e := range allEntries(t, l) {
		switch e.Event.Kind {
		case EventRefusal:
			refusals++
		case EventOverflow:
			lost += e.Event.Fields["count"].(float64)
		}
	}
	if refusals != 1 || lost != 3 {
		t.Errorf("%d refusals, %v lost", refusals, lost)
	}
}

func TestNoPersonalValueInTheDataDirectory(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	secretID := exposure.Identifier{Kind: exposure.KindEmail, Value: "findme-zebra@mail.example"}
	mustRecord(t, l, mail(about(nameMail, secretID)))
	r := mustRecord(t, l, mail(about(nameMail, secretID)))
	learnt := exposure.Identifier{Kind: exposure.KindPseudonym, Value: "findme-zebra-cus"}
	if err := l.Link(context.Background(), mailPath.Vendor, []exposure.Identifier{secretID}, learnt, r.Seq()); err != nil {
		t.Fatal(err)
	}
	number := exposure.Identifier{Kind: exposure.KindPhone, Value: "+4930918273645"}
	if _, err := l.Import(context.Background(), peopleSeq(Person{
		ID: "findme-zebra-id", Identifiers: []exposure.Identifier{{Kind: exposure.KindUsername, Value: "findme-zebra-name"}, number},
		Needles: known(l, exposure.Name, "findme-zebra findme-yak"),
	})); err != nil {
		t.Fatal(err)
	}
	l.Close()
	// Nor a hash that anybody can compute, nor the words under a key of zero.
	never := []string{"findme-", number.Value[1:], "918273645"}
	for _, id := range []exposure.Identifier{secretID, number} {
		for _, h := range id.Hashes() {
			sum, err := hex.DecodeString(h.Value)
			if err != nil {
				t.Fatal(err)
			}
			never = append(never, h.Value, h.Value[:16], string(sum), string(sum[:12]), string(sum[:8]))
		}
	}
	eachFile(t, dir, func(path string, content []byte) {
		for _, v := range never {
			if bytes.Contains(content, []byte(v)) {
				t.Errorf("%s holds a personal value: %q", path, v)
			}
		}
	})
}
