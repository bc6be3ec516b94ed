package isolate

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// pair is a TCP connection on loopback: ours, and the vendor's end.
func pair(t testing.TB) (ours, vendors net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := ln.Accept()
		accepted <- c
	}()
	if ours, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	vendors = <-accepted
	t.Cleanup(func() { ours.Close(); vendors.Close() })
	return ours, vendors
}

func TestCutCancelsWithItsReasonAndCountsWhatWasHanded(t *testing.T) {
	gate := load(t, t.TempDir(), acme).Gate("acme")
	ctx, cancel := context.WithCancelCause(context.Background())
	p, err := gate.Enter(cancel, Live{Route: send, App: "web"})
	if err != nil {
		t.Fatal(err)
	}
	ours, _ := pair(t)
	conn, err := gate.Register(ours)
	if err != nil {
		t.Fatal(err)
	}
	conn.Write([]byte("handshake")) // not the message's
	if err := conn.Carry(p); err != nil {
		t.Fatal(err)
	}
	conn.Write(make([]byte, 1234))
	c, err := gate.Change(Cut, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Interrupted) != 1 || c.Interrupted[0].Handed != 1234 || c.Interrupted[0].App != "web" || c.ConnectionsClosed != 1 {
		t.Errorf("%+v", c)
	}
	var r *Refusal
	if !errors.As(context.Cause(ctx), &r) || r.State != Cut {
		t.Errorf("cause %v", context.Cause(ctx))
	}
	if _, err := conn.Write([]byte("x")); err == nil {
		t.Error("wrote after the cut")
	}
	if conn.Handed() != 1234+9 {
		t.Errorf("the socket took %d", conn.Handed())
	}
}

func TestRouteCutLeavesOtherRoutesAlone(t *testing.T) {
	gate := load(t, t.TempDir(), acme).Gate("acme")
	conns := map[string]*Conn{}
	for _, route := range acme.Routes {
		p, _ := gate.Enter(nil, Live{Route: route})
		ours, _ := pair(t)
		conns[route], _ = gate.Register(ours)
		conns[route].Carry(p)
	}
	c, err := gate.Change(Cut, send)
	if err != nil || c.ConnectionsClosed != 1 || len(c.Interrupted) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := conns[send].Write([]byte("x")); err == nil {
		t.Error("the cut route still writes")
	}
	if _, err := conns["GET /stats"].Write([]byte("x")); err != nil {
		t.Errorf("the other route does not write: %v", err)
	}
}

func TestDialUnderWayDoesNotSlipPastACut(t *testing.T) {
	gate := load(t, t.TempDir(), acme).Gate("acme")
	ours, vendors := pair(t) // connected before the cut, registered after it
	gate.Change(Cut, "")
	if _, err := gate.Register(ours); err == nil {
		t.Error("registered")
	}
	vendors.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := vendors.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("not closed: %v", err)
	}
}

func TestAttemptsAreCountedByWhoTriedAndHandedOverOnRestore(t *testing.T) {
	gate := load(t, t.TempDir(), acme).Gate("acme")
	gate.Change(Cut, "")
	for range 3 {
		gate.Enter(nil, Live{Route: send, App: "web", Credential: "file:a", Token: "t1"})
	}
	gate.Enter(nil, Live{Route: send, App: "batch", Credential: "file:a", Token: "t2"})
	for i := range maxAttempts + 10 {
		gate.Enter(nil, Live{App: "flood", Token: string(rune(i))})
	}
	got := gate.Status().Attempts
	total := uint64(0)
	for _, a := range got {
		total += a.Count
	}
	if total != 4+maxAttempts+10 || len(got) > maxAttempts+1 {
		t.Errorf("%d attempts in %d rows", total, len(got))
	}
	if i := slices.IndexFunc(got, func(a Attempt) bool { return a.App == "web" }); i < 0 || got[i].Count != 3 {
		t.Error("web's three are not there")
	}
	c, _ := gate.Change(Open, "")
	if len(c.Attempts) != len(got) || len(gate.Status().Attempts) != 0 {
		t.Errorf("restore reports %d rows, keeps %d", len(c.Attempts), len(gate.Status().Attempts))
	}
}

func TestBlockedWriterLeavesWhenItsGateCloses(t *testing.T) {
	gate := load(t, t.TempDir(), acme).Gate("acme")
	ours, _ := pair(t) // the vendor never reads
	conn, _ := gate.Register(ours)
	left := make(chan error, 1)
	go func() {
		b := make([]byte, 1<<20)
		for {
			if _, err := conn.Write(b); err != nil {
				left <- err
				return
			}
		}
	}()
	time.Sleep(100 * time.Millisecond)
	start := time.Now()
	gate.Change(Cut, "")
	if took := time.Since(start); took > time.Second {
		t.Errorf("the cut waited %s for a writer that nobody reads", took)
	}
	select {
	case <-left:
	case <-time.After(time.Second):
		t.Error("the writer is still inside")
	}
}

// The promise itself: a thousand live connections, half of them writing all the
// time; after Change returned not one byte is handed to a socket.
func TestNoByteIsHandedOverAfterTheAcknowledgement(t *testing.T) {
	if testing.Short() {
		t.Skip("opens two thousand sockets")
	}
	const conns = 1000
	gate := load(t, t.TempDir(), acme).Gate("acme")
	for _, to := range []State{Cut, Held} {
		t.Logf("%s with %d live connections, half writing: %s", to, conns, cutUnderLoad(t, gate, sink(t), conns, to))
	}
}

// BenchmarkCut reports how long the acknowledgement of a cut takes with a
// thousand live connections, half of them writing. Run it with -benchtime 10x.
func BenchmarkCut(b *testing.B) {
	g, err := Load(b.TempDir(), []Known{acme})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	addr := sink(b)
	var took []time.Duration
	for b.Loop() {
		took = append(took, cutUnderLoad(b, g.Gate("acme"), addr, 1000, Cut))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "ms-worst")
}

// sink accepts connections and reads whatever comes.
func sink(t testing.TB) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(io.Discard, c); c.Close() }()
		}
	}()
	return ln.Addr().String()
}

func cutUnderLoad(t testing.TB, gate *Gate, addr string, conns int, to State) time.Duration {
	t.Helper()
	if _, err := gate.Change(Open, ""); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var total atomic.Int64
	all := make([]*Conn, conns)
	passages := make([]*Passage, conns)
	for i := range all {
		raw, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if all[i], err = gate.Register(raw); err != nil {
			t.Fatal(err)
		}
		if passages[i], err = gate.Enter(nil, Live{Route: send}); err != nil {
			t.Fatal(err)
		}
		all[i].Carry(passages[i])
		if i%2 == 0 {
			continue
		}
		wg.Go(func() {
			b := make([]byte, 4096)
			for {
				n, err := all[i].Write(b)
				total.Add(int64(n))
				if err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	time.Sleep(100 * time.Millisecond)

	start := time.Now()
	c, err := gate.Change(to, "")
	took := time.Since(start)
	handed := make([]int64, conns)
	for i := range all {
		handed[i] = all[i].Handed()
	}
	if err != nil || c.ConnectionsClosed != conns || len(c.Interrupted) != conns {
		t.Fatalf("closed %d, interrupted %d, %v", c.ConnectionsClosed, len(c.Interrupted), err)
	}
	time.Sleep(30 * time.Millisecond)
	for i := range all {
		if late := all[i].Handed() - handed[i]; late != 0 {
			t.Errorf("%d bytes handed over after the acknowledgement", late)
		}
	}
	var counted int64
	for _, m := range c.Interrupted {
		counted += m.Handed
	}
	wg.Wait()
	if counted != total.Load() {
		t.Errorf("the change counts %d bytes, the writers %d", counted, total.Load())
	}
	for _, p := range passages {
		p.Leave()
	}
	return took
}

// Whoever cuts while another decides to open is not overruled, also where the
// gate was cut already or never was.
func TestOpeningThatWasDecidedBeforeACutDoesNotUndoIt(t *testing.T) {
	gate := load(t, t.TempDir(), acme).Gate("acme")
	for range 2 { // the second time it was cut already
		for _, route := range []string{"", send} {
			seen := gate.Closings()
			if _, err := gate.Change(Cut, ""); err != nil {
				t.Fatal(err)
			}
			if c, err := gate.Open(route, seen); !errors.Is(err, ErrClosedMeanwhile) || c.Epoch != 0 {
				t.Fatalf("%+v, %v", c, err)
			}
			want(t, gate, "", Cut)
		}
	}
	if _, err := gate.Open("", gate.Closings()); err != nil {
		t.Fatal(err)
	}
	want(t, gate, "", Open)
}
