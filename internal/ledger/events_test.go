package ledger

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// someEvents writes events of all sorts between disclosures, many to a batch.
func someEvents(t *testing.T, l *Ledger, n int) {
	t.Helper()
	kinds := []EventKind{EventGate, EventRefusal, EventRead, EventUser, EventReveal, EventFinding, EventIncident}
	for i := range n {
		switch k := kinds[rand.N(len(kinds))]; {
		case rand.N(3) == 0:
			l.Settle(mustRecord(t, l, mail(about(nameMail, email(i)))), Outcome{Sent, 202, 1})
		case rand.N(2) == 0:
			l.Note(Event{Kind: k, Vendor: "acme-mail"})
		default:
			mustAppend(t, l, Event{Kind: k, Vendor: "acme-mail", Fields: map[string]any{"n": float64(i)}})
		}
	}
	mustAppend(t, l, Event{Kind: EventConfig}) // the notes before it are durable too
}

// checkEvents compares the list with a reading of everything.
func checkEvents(t *testing.T, l *Ledger) (rows []uint64) {
	t.Helper()
	var want []Entry
	for _, e := range allEntries(t, l) {
		if e.Kind == KindEvent && folded(e.Event.Kind) {
			want = append(want, e)
			rows = append(rows, e.Seq)
		}
	}
	for _, from := range []uint64{0, 1, 2, rows[len(rows)/2], rows[len(rows)/2] + 1, rows[len(rows)-1], rows[len(rows)-1] + 1} {
		var got []Entry
		for e, err := range l.Events(from) {
			if err != nil {
				t.Fatalf("from %d: %v", from, err)
			}
			got = append(got, e)
		}
		skip := 0
		for skip < len(want) && want[skip].Seq < from {
			skip++
		}
		if !reflect.DeepEqual(got, append([]Entry(nil), want[skip:]...)) {
			t.Fatalf("from %d: %d events, want %d", from, len(got), len(want)-skip)
		}
	}
	return rows
}

func TestEventsAreWhatAReadingOfEverythingFinds(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	for range 3 {
		someEvents(t, l, 60)
		checkEvents(t, l)
		mustVerify(t, l)
		l.Close()
		l = mustOpen(t, dir)
		if w := l.Status().Warnings; len(w) > 0 {
			t.Fatalf("warned of a whole ledger: %v", w)
		}
	}
	for range l.Events(1) {
		break // a reader may stop
	}
}

// A row that is gone must be missed by Verify, by whoever folds, and by the next
// start, which makes the list anew.
func TestMissingRowOfTheListOfEventsIsNoticedAndMadeAnew(t *testing.T) {
	change := func(f func(*pebble.Batch) error) func(t *testing.T, l *Ledger) {
		return func(t *testing.T, l *Ledger) {
			pb := l.store.DB().NewBatch()
			if err := f(pb); err != nil {
				t.Fatal(err)
			}
			if err := l.store.Apply(pb); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		harm   func(rows []uint64) func(*pebble.Batch) error
		folder bool // Events itself notices
	}{
		"first":  {func(rows []uint64) func(*pebble.Batch) error { return del(eventKey(rows[0])) }, true},
		"middle": {func(rows []uint64) func(*pebble.Batch) error { return del(eventKey(rows[len(rows)/2])) }, true},
		"last":   {func(rows []uint64) func(*pebble.Batch) error { return del(eventKey(rows[len(rows)-1])) }, false},
		"all": {func([]uint64) func(*pebble.Batch) error {
			return func(pb *pebble.Batch) error {
				return pb.DeleteRange([]byte{store.EventAt}, []byte{store.EventAt + 1}, nil)
			}
		}, false},
		"too many": {func(rows []uint64) func(*pebble.Batch) error {
			return eventRow{rows[0] + 1, 0, 2}.set
		}, true},
		"another's": {func(rows []uint64) func(*pebble.Batch) error {
			return eventRow{rows[3], 0, 4}.set
		}, true},
		"unfinished": {func([]uint64) func(*pebble.Batch) error { return del(metaKey(metaEvents)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := mustOpen(t, dir)
			// Alone, then with neighbours, so that the row after the first is no event's.
			mustAppend(t, l, Event{Kind: EventConfig})
			l.Settle(mustRecord(t, l, mail(about(nameMail, email(1)))), Outcome{Sent, 202, 1})
			someEvents(t, l, 40)
			rows := checkEvents(t, l)
			change(c.harm(rows))(t, l)

			report := l.Verify(t.Context(), nil)
			if named := strings.Contains(strings.Join(report.Problems, "\n"), "list of events"); named == (name == "unfinished") {
				t.Errorf("verify says %v", report.Problems)
			}
			var failed error
			for _, err := range l.Events(1) {
				failed = err
			}
			if (failed != nil) != c.folder {
				t.Errorf("reading the list says %v", failed)
			}
			l.Close()

			if _, err := openTest(t, dir, func(o *Options) { o.ReadOnly = true }); err == nil {
				t.Error("opened for reading with a list that is not whole")
			}
			l = mustOpen(t, dir)
			if w := strings.Join(l.Status().Warnings, " "); !strings.Contains(w, "list of events") {
				t.Errorf("made anew without a word: %q", w)
			}
			checkEvents(t, l)
			mustVerify(t, l)
		})
	}
}

func del(key []byte) func(*pebble.Batch) error {
	return func(pb *pebble.Batch) error { return pb.Delete(key, nil) }
}
