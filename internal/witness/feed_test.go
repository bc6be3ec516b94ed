package witness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cordon/evidence"
)

// desk is a witness behind HTTP whose answers a test may spoil.
type desk struct {
	*Witness
	server *httptest.Server
	client *Client
	asked  atomic.Int64
	mu     sync.Mutex
	spoil  func(rw http.ResponseWriter, r *http.Request, next http.Handler)
}

func newDesk(t *testing.T, w *Witness) *desk {
	t.Helper()
	d := &desk{Witness: w}
	inner := w.Handler()
	d.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			d.asked.Add(1)
		}
		d.mu.Lock()
		spoil := d.spoil
		d.mu.Unlock()
		if spoil != nil {
			spoil(rw, r, inner)
			return
		}
		inner.ServeHTTP(rw, r)
	}))
	t.Cleanup(d.server.Close)
	var err error
	if d.client, err = NewClient(d.server.URL, w.Key().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.client.Close)
	return d
}

func (d *desk) spoiled(f func(rw http.ResponseWriter, r *http.Request, next http.Handler)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spoil = f
}

func down(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
	http.Error(rw, "the house is on fire", http.StatusServiceUnavailable)
}

// run runs a feed in a hurry and collects what it tells.
func run(t *testing.T, d *desk, l Ledger, o FeedOptions) (f *Feed, told func() string) {
	t.Helper()
	var mu sync.Mutex
	var changes []string
	o.Origin = logName
	o.Changed = func(s Status, c Change) {
		mu.Lock()
		defer mu.Unlock()
		changes = append(changes, string(c))
	}
	f = NewFeed(d.client, l, o)
	f.pause, f.late = 2*time.Millisecond, time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return f, func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(changes, " ")
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("did not happen within 5 s: %s", what)
}

func TestFeedKeepsTheNewestHeadWitnessed(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 7)
	w, _ := newWitness(t, l)
	d := newDesk(t, w)
	f, told := run(t, d, l, FeedOptions{})
	for _, size := range []int{7, 8, 20} {
		l.growTo(t, size)
		eventually(t, fmt.Sprintf("size %d is cosigned", size), func() bool { return f.Status().Size == uint64(size) })
	}
	s := f.Status()
	if s.Name != "witness.example/w1" || s.Late || s.Problem != "" || time.Since(s.At) > time.Minute || told() != "" {
		t.Errorf("status %+v, told %q", s, told())
	}
	kept := l.all()
	last := kept[len(kept)-1]
	if _, err := w.Key().Cosigned(last); err != nil {
		t.Errorf("kept: %v\n%s", err, last)
	}
	if c, err := l.Agrees(last); c != "" || err != nil {
		t.Errorf("kept: %s %v\n%s", c, err, last)
	}
	// What does not grow is not asked for again and again.
	before := d.asked.Load()
	time.Sleep(50 * time.Millisecond)
	if n := d.asked.Load() - before; n > 0 {
		t.Errorf("asked %d times for nothing", n)
	}
}

// TestNewProcessLearnsTheSize: a ledger that kept nothing finds out what the
// witness has seen, and proves from there.
func TestNewProcessLearnsTheSize(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 30)
	w, _ := newWitness(t, l)
	mustCosign(t, w, l.request(t, 0, 20))
	f, told := run(t, newDesk(t, w), l, FeedOptions{})
	eventually(t, "cosigned", func() bool { return f.Status().Size == 30 })
	if told() != "" {
		t.Errorf("told: %s", told())
	}
}

func TestOneRequestAtATimeAndTheNewestWins(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 1)
	w, _ := newWitness(t, l)
	d := newDesk(t, w)
	var inside, most atomic.Int64
	var sizes sync.Map
	d.spoiled(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		most.Store(max(most.Load(), inside.Add(1)))
		defer inside.Add(-1)
		time.Sleep(30 * time.Millisecond)
		sizes.Store(d.asked.Load(), true)
		next.ServeHTTP(rw, r)
	})
	f, _ := run(t, d, l, FeedOptions{})
	for size := 2; size <= 60; size++ {
		l.growTo(t, size)
		time.Sleep(2 * time.Millisecond)
	}
	eventually(t, "the last head is cosigned", func() bool { return f.Status().Size == 60 })
	if most.Load() != 1 || d.asked.Load() > 20 {
		t.Errorf("%d at once, %d requests for 60 heads", most.Load(), d.asked.Load())
	}
}

func TestWitnessDownForLongIsSaidOnceAndItsRecoveryToo(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 5)
	w, dir := newWitness(t, l)
	w.Close()
	c := newClock()
	w = open(t, dir, Options{Now: c.now})
	d := newDesk(t, w)
	f, told := run(t, d, l, FeedOptions{Now: c.now})
	c.add(time.Second)
	eventually(t, "cosigned", func() bool { c.add(10 * time.Millisecond); return f.Status().Size == 5 })
	d.spoiled(down)
	l.growTo(t, 6)
	eventually(t, "the problem is known", func() bool { c.add(10 * time.Millisecond); return f.Status().Problem != "" })
	if f.Status().Late {
		t.Error("late at once")
	}
	c.add(61 * time.Second)
	eventually(t, "late", func() bool { return told() == "late" })
	for size := 7; size < 12; size++ { // the ledger goes on, and nobody hears it twice
		l.growTo(t, size)
		c.add(30 * time.Second)
		time.Sleep(10 * time.Millisecond)
	}
	if s := f.Status(); !s.Late || s.Size != 5 || told() != "late" || !strings.Contains(s.Problem, "503") {
		t.Errorf("status %+v, told %q", s, told())
	}
	d.spoiled(nil)
	eventually(t, "recovered", func() bool { c.add(time.Second); return told() == "late recovered" })
	if s := f.Status(); s.Late || s.Size != 11 || s.Problem != "" || !s.Since.IsZero() {
		t.Errorf("after: %+v", s)
	}
}

func TestLatenessOutlivesARestartAndIsNotSaidAgain(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 5)
	w, _ := newWitness(t, l)
	d := newDesk(t, w)
	d.spoiled(down)
	f, told := run(t, d, l, FeedOptions{Late: true})
	time.Sleep(30 * time.Millisecond)
	if !f.Status().Late || told() != "" {
		t.Errorf("status %+v, told %q", f.Status(), told())
	}
	d.spoiled(nil)
	eventually(t, "recovered", func() bool { return told() == "recovered" })
}

func TestHistoryThatWasTruncatedAndSignedAgainIsFoundOut(t *testing.T) {
	honest := newLog(t, 1)
	honest.growTo(t, 20)
	for name, forged := range map[string]*fakeLog{
		"shorter":          honest.rewritten(t, 12),
		"of the same size": honest.rewritten(t, 12, "a", "b", "c", "d", "e", "f", "g", "h"),
		"grown beyond":     honest.rewritten(t, 19, "another", "and", "more"),
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := newWitness(t, honest)
			mustCosign(t, w, honest.request(t, 0, 20))
			d := newDesk(t, w)
			// At start, before anything is written.
			f := NewFeed(d.client, forged, FeedOptions{Origin: logName})
			var found *Contradiction
			if err := f.Check(t.Context()); !errors.As(err, &found) {
				t.Errorf("at start: %v", err)
			}
			// And while running, when the start could not reach the witness.
			f, told := run(t, d, forged, FeedOptions{})
			eventually(t, "the rewriting is said", func() bool { return told() == "rewritten" })
			if s := f.Status(); s.Rewritten == "" || s.Size != 0 {
				t.Errorf("status %+v", s)
			}
			if w.States()[0].Size != 20 {
				t.Error("the witness moved")
			}
		})
	}
	w, _ := newWitness(t, honest)
	mustCosign(t, w, honest.request(t, 0, 20))
	if err := NewFeed(newDesk(t, w).client, honest, FeedOptions{Origin: logName}).Check(t.Context()); err != nil {
		t.Errorf("the honest ledger: %v", err)
	}
}

// TestLyingWitnessIsNotBelieved: without a head that our own key signed nobody
// says that the ledger was rewritten.
func TestLyingWitnessIsNotBelieved(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 5)
	w, _ := newWitness(t, l)
	d := newDesk(t, w)
	d.spoiled(func(rw http.ResponseWriter, r *http.Request, _ http.Handler) {
		if r.Method == http.MethodGet {
			io.WriteString(rw, logName+"\n9\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— "+logName+" AAAA\n")
			return
		}
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(http.StatusConflict)
		io.WriteString(rw, "900\n")
	})
	f, told := run(t, d, l, FeedOptions{})
	eventually(t, "the refusal is said", func() bool { return told() == "refused" })
	if s := f.Status(); s.Rewritten != "" || !strings.Contains(s.Problem, "900") {
		t.Errorf("status %+v", s)
	}
	d.spoiled(nil)
	eventually(t, "cosigned again", func() bool { return f.Status().Size == 5 && f.Status().Problem == "" })
}

func TestSwappedKeyOfTheWitnessIsSaid(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 5)
	w, _ := newWitness(t, l)
	d := newDesk(t, w)
	// The same name and address, another key: a new machine, or an impostor.
	other := t.TempDir()
	vkey, err := Init(other, "witness.example/w1")
	if err != nil {
		t.Fatal(err)
	}
	if d.client, err = NewClient(d.server.URL, vkey); err != nil {
		t.Fatal(err)
	}
	f, told := run(t, d, l, FeedOptions{})
	eventually(t, "the wrong key is said", func() bool { return told() == "refused" })
	if s := f.Status(); s.Size != 0 || !strings.Contains(s.Problem, "another key than the configured one") || len(l.all()) > 0 {
		t.Errorf("status %+v, kept %d", s, len(l.all()))
	}
	renamed, err := Init(t.TempDir(), "witness.example/w2")
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewClient(d.server.URL, renamed)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.AddCheckpoint(t.Context(), l.request(t, 5, 5)); err == nil || !strings.Contains(err.Error(), "signs as witness.example/w1, the configured key is of witness.example/w2") {
		t.Errorf("another name: %v", err)
	}
}

func TestReplayedCosignatureIsNone(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 5)
	w, _ := newWitness(t, l)
	d := newDesk(t, w)
	old, err := w.Cosign(l.request(t, 0, 5))
	if err != nil {
		t.Fatal(err)
	}
	// Somebody between us and the witness gives the old line for each new head.
	d.spoiled(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPost {
			io.WriteString(rw, old)
			return
		}
		next.ServeHTTP(rw, r)
	})
	l.growTo(t, 9)
	f, told := run(t, d, l, FeedOptions{})
	eventually(t, "it is said", func() bool { return told() == "refused" })
	if s := f.Status(); s.Size != 0 || !strings.Contains(s.Problem, "not over this head") {
		t.Errorf("status %+v", s)
	}
}

func TestClockOfTheWitnessIsOff(t *testing.T) {
	for name, by := range map[string]time.Duration{"ahead": 3 * time.Hour, "behind": -3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t, 1)
			l.growTo(t, 5)
			w, dir := newWitness(t, l)
			w.Close()
			w = open(t, dir, Options{Now: func() time.Time { return time.Now().Add(by) }})
			d := newDesk(t, w)
			f, told := run(t, d, l, FeedOptions{})
			eventually(t, "it is said", func() bool { return told() == "clock" })
			// What it proves about order it still proves.
			l.growTo(t, 8)
			eventually(t, "cosigned all the same", func() bool { return f.Status().Size == 8 })
			if s := f.Status(); s.Late || told() != "clock" || !strings.Contains(s.Problem, name) {
				t.Errorf("status %+v, told %q", s, told())
			}
			before := d.asked.Load()
			time.Sleep(50 * time.Millisecond)
			if n := d.asked.Load() - before; n > 0 {
				t.Errorf("asked %d times for nothing", n)
			}
		})
	}
}

func TestWitnessThatWentBackIsSaid(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 20)
	w, dir := newWitness(t, l)
	mustCosign(t, w, l.request(t, 0, 10))
	w.Close()
	backup := mustRead(t, headPath(dir))
	w = open(t, dir, Options{})
	if line, err := w.Cosign(l.request(t, 10, 20)); err != nil || l.KeepCosigned(l.headAt(t, 20)+line) != nil {
		t.Fatal(err)
	}
	kept := l.all()[0]
	w.Close()
	mustWrite(t, headPath(dir), backup)
	w = open(t, dir, Options{})
	l.growTo(t, 21)
	f, told := run(t, newDesk(t, w), l, FeedOptions{Kept: kept, Size: 20})
	eventually(t, "it is said", func() bool { return strings.HasPrefix(told(), "forgot") })
	eventually(t, "and goes on", func() bool { return f.Status().Size == 21 })
}

// TestTwoGatewaysWithOneKey: both run on copies of one data directory. Whoever
// is second learns of it.
func TestTwoGatewaysWithOneKey(t *testing.T) {
	a := newLog(t, 1)
	a.growTo(t, 10)
	b := a.rewritten(t, 10)
	w, _ := newWitness(t, a)
	d := newDesk(t, w)
	second, err := NewClient(d.server.URL, w.Key().String())
	if err != nil {
		t.Fatal(err)
	}
	first, toldA := run(t, d, a, FeedOptions{})
	eventually(t, "the first is cosigned", func() bool { return first.Status().Size == 10 })
	feedB, toldB := run(t, &desk{client: second}, b, FeedOptions{})
	eventually(t, "so far they are one", func() bool { return feedB.Status().Size == 10 })
	a.grow(t, "what a saw")
	eventually(t, "the first goes on", func() bool { return first.Status().Size == 11 })
	b.grow(t, "what b saw", "and more")
	eventually(t, "the fork is said", func() bool { return toldB() == "rewritten" })
	if toldA() != "" || w.States()[0].Size != 11 {
		t.Errorf("the first was told %q; the witness stands at %d", toldA(), w.States()[0].Size)
	}
}

func TestAddressAndKeyOfAWitness(t *testing.T) {
	vkey, err := Init(t.TempDir(), "witness.example/w1")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"", "witness.example", "ftp://witness.example", "http://", "http://w/?a=b"} {
		if _, err := NewClient(address, vkey); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
	if _, err := NewClient("http://witness.example", newLog(t, 1).vkey); err == nil || !strings.Contains(err.Error(), "type 01") {
		t.Errorf("a log's key is taken for a witness's: %v", err)
	}
}

func TestAnswerOfAWitnessIsBounded(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 5)
	w, _ := newWitness(t, l)
	d := newDesk(t, w)
	for name, c := range map[string]struct {
		answer func(rw http.ResponseWriter)
		says   string
	}{
		"endless":        {func(rw http.ResponseWriter) { io.WriteString(rw, strings.Repeat("— x AAAA\n", 20_000)) }, "more than"},
		"no signature":   {func(rw http.ResponseWriter) { io.WriteString(rw, "hello\n") }, "no signature"},
		"nothing":        {func(rw http.ResponseWriter) {}, "another key"},
		"elsewhere":      {func(rw http.ResponseWriter) { rw.Header().Set("Location", "http://127.0.0.1:1/"); rw.WriteHeader(302) }, "status 302"},
		"size of a page": {func(rw http.ResponseWriter) { rw.WriteHeader(409); io.WriteString(rw, "<html>") }, "not what it is"},
	} {
		d.spoiled(func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) { c.answer(rw) })
		if _, _, err := d.client.AddCheckpoint(t.Context(), l.request(t, 0, 5)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Lines of others beside the right one do no harm and are not kept.
	d.spoiled(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		io.WriteString(rw, "— witness.example/w9 AAAAAAAA\n— witness.example/w1 AAAAAAAA\n")
		next.ServeHTTP(rw, r)
	})
	cosigned, _, err := d.client.AddCheckpoint(t.Context(), l.request(t, 0, 5))
	if err != nil || strings.Contains(cosigned, "AAAAAAAA\n") {
		t.Errorf("%v\n%s", err, cosigned)
	}
	if _, err := w.Key().Cosigned(cosigned); errors.Is(err, evidence.ErrNotCosigned) {
		t.Error(err)
	}
}
