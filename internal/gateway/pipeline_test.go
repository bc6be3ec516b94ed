package gateway_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/gateway"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
)

func pemOf(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

func TestMessageIsRecordedBeforeItsFirstByteLeaves(t *testing.T) {
	b := start(t, setup{})
	b.recorder.set(func() {
		b.recorder.before = func() {
			if n := b.vendor.received(); n != 0 {
				t.Errorf("%d bytes at the vendor before Record", n)
			}
		}
		b.recorder.after = func() {
			time.Sleep(50 * time.Millisecond)
			if n := b.vendor.received(); n != 0 {
				t.Errorf("%d bytes at the vendor before Record returned", n)
			}
		}
	})
	resp := b.post("/acme/send?x=%2F&y=1", ada)
	if resp.StatusCode != http.StatusAccepted {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("answer %d %s", resp.StatusCode, body)
	}
	got := b.vendor.last(t)
	if got.target != "/send?x=%2F&y=1" || got.body != ada || got.header.Get("Authorization") != "Bearer s3cret-of-acme" {
		t.Errorf("the vendor got %+v", got)
	}
	if n := b.people(); n != 1 {
		t.Errorf("%d people in the ledger", n)
	}
	if o := b.recorder.outcome(t, 0); o.Result != ledger.Sent || o.Status != 202 || o.Bytes != int64(b.vendor.received()) {
		t.Errorf("outcome %+v, the vendor received %d bytes", o, b.vendor.received())
	}
}

// Every message that the vendor saw has an earlier entry, also with many at once.
func TestWireAndRecordAgreeUnderConcurrency(t *testing.T) {
	b := start(t, setup{handler: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }})
	var wg sync.WaitGroup
	var bad atomic.Int64
	for i := range 8 {
		wg.Go(func() {
			for j := range 25 {
				resp := b.post("/acme/send", fmt.Sprintf(`{"email":"p%d-%d@example.org"}`, i, j))
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 204 {
					bad.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if bad.Load() != 0 || len(b.vendor.messages()) != 200 || b.people() != 200 {
		t.Errorf("%d failed, the vendor saw %d, the ledger %d people", bad.Load(), len(b.vendor.messages()), b.people())
	}
	c := b.gateway.Counters()["acme"]
	if c.Disclosures != 200 || c.InFlight != 0 || c.Bytes != uint64(b.vendor.received()) {
		t.Errorf("counters %+v", c)
	}
}

func TestPolicyIsAppliedBeforeForwardingAndLengthFollows(t *testing.T) {
	b := start(t, setup{manifest: "minimize: {user.name: drop}\n"})
	if resp := b.post("/acme/send", ada); resp.StatusCode != 202 {
		t.Fatal(resp.Status)
	}
	if got := b.vendor.last(t); got.body != `{"email":"ada@example.org"}` || got.header.Get("Content-Length") != fmt.Sprint(len(got.body)) {
		t.Errorf("the vendor got %q, length %s", got.body, got.header.Get("Content-Length"))
	}
}

func TestLedgerThatDoesNotRecordStopsForwardingInShadowModeToo(t *testing.T) {
	for _, mode := range []string{"enforce", "shadow"} {
		b := start(t, setup{manifest: "mode: " + mode + "\n"})
		b.recorder.set(func() { b.recorder.sick = ledger.ErrUnavailable })
		resp := b.post("/acme/send", ada)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 503 || !bytes.Contains(body, []byte("ledger-unavailable")) || b.vendor.received() != 0 {
			t.Errorf("%s: %d %s, %d bytes at the vendor", mode, resp.StatusCode, body, b.vendor.received())
		}
	}
}

func TestCutAnswersWithAReasonAndRecordsTheChange(t *testing.T) {
	b := start(t, setup{})
	b.post("/acme/send", ada)
	before := b.vendor.received()
	done, err := b.gateway.Change(t.Context(), gateway.Order{Vendor: "acme", To: isolate.Cut, Actor: "local", Reason: "breach of ada@example.org"})
	if err != nil || done.Pending() || done.ConnectionsClosed != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	for _, c := range []struct {
		to     isolate.State
		reason exposure.Reason
		retry  string
	}{{isolate.Cut, exposure.ReasonCut, ""}, {isolate.Held, exposure.ReasonHold, "30"}} {
		b.gateway.Change(t.Context(), gateway.Order{Vendor: "acme", To: c.to})
		resp := b.post("/acme/send", ada)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 503 || !bytes.Contains(body, []byte(c.reason)) || resp.Header.Get("Retry-After") != c.retry {
			t.Errorf("%s: %d %s", c.to, resp.StatusCode, body)
		}
	}
	if b.vendor.received() != before {
		t.Error("bytes reached the vendor")
	}
	states, err := gateway.GateStates(b.ledger.Entries(1))
	if err != nil || states["acme"][""] != isolate.Held {
		t.Errorf("the ledger remembers %v, %v", states, err)
	}
	for e, err := range b.ledger.Entries(1) {
		check(t, err)
		if s := fmt.Sprint(e.Event.Fields); strings.Contains(s, "ada") || strings.Contains(s, "breach") {
			t.Errorf("the reason lies in the ledger: %s", s)
		}
	}
	done, _ = b.gateway.Change(t.Context(), gateway.Order{Vendor: "acme", To: isolate.Open})
	if len(done.Attempts) != 1 || done.Attempts[0].Count != 2 {
		t.Errorf("attempts %+v", done.Attempts)
	}
	if resp := b.post("/acme/send", ada); resp.StatusCode != 202 {
		t.Errorf("after restore: %s", resp.Status)
	}
}

func TestCutWithASickLedgerHoldsAndItsEntryFollows(t *testing.T) {
	b := start(t, setup{})
	b.recorder.set(func() { b.recorder.sick = errors.New("disk full") })
	done, err := b.gateway.Change(t.Context(), gateway.Order{Vendor: "acme", To: isolate.Cut})
	if err != nil || !done.Pending() {
		t.Fatalf("%+v, %v", done, err)
	}
	if s, _ := b.gates.Gate("acme").State(""); s != isolate.Cut {
		t.Error("not cut")
	}
	b.recorder.set(func() { b.recorder.sick = nil })
	for end := time.Now().Add(5 * time.Second); b.gateway.PendingEntries() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the entry is still pending")
		}
	}
	if states, _ := gateway.GateStates(b.ledger.Entries(1)); states["acme"][""] != isolate.Cut {
		t.Errorf("the ledger remembers %v", states)
	}
}

func TestCutBreaksOffAMessageThatWaitsForItsAnswer(t *testing.T) {
	reached, release := make(chan bool), make(chan bool)
	b := start(t, setup{handler: func(w http.ResponseWriter, r *http.Request) { reached <- true; <-release }})
	defer close(release)
	answer := make(chan *http.Response)
	go func() { answer <- b.post("/acme/send", ada) }()
	<-reached
	done, err := b.gateway.Change(t.Context(), gateway.Order{Vendor: "acme", To: isolate.Cut})
	if err != nil || len(done.Interrupted) != 1 || done.Interrupted[0].Handed == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	resp := <-answer
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 503 || !bytes.Contains(body, []byte(`"outcome":"unknown"`)) {
		t.Errorf("answer %d %s", resp.StatusCode, body)
	}
	if o := b.recorder.outcome(t, 0); o.Result != ledger.Unknown || o.Bytes != done.Interrupted[0].Handed {
		t.Errorf("outcome %+v, the cut counted %d", o, done.Interrupted[0].Handed)
	}
}

func TestCutBreaksOffAStreamingAnswerInsteadOfEndingIt(t *testing.T) {
	b := start(t, setup{handler: func(w http.ResponseWriter, r *http.Request) {
		for i := 0; r.Context().Err() == nil; i++ {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	}})
	resp := b.post("/acme/send", ada)
	if _, err := resp.Body.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	b.gateway.Change(t.Context(), gateway.Order{Vendor: "acme", To: isolate.Cut})
	if _, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Error("the app takes the cut stream for a whole one")
	}
}

func TestUnreachableVendorIsNotSent(t *testing.T) {
	b := start(t, setup{upstream: "http://127.0.0.1:1"})
	resp := b.post("/acme/send", ada)
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 502 || !bytes.Contains(body, []byte(`"outcome":"not-sent"`)) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if o := b.recorder.outcome(t, 0); o.Result != ledger.NotSent || o.Bytes != 0 {
		t.Errorf("outcome %+v", o)
	}
}

func TestVendorThatDropsTheConnectionGetsNoSecondCopy(t *testing.T) {
	b := start(t, setup{handler: func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }})
	resp := b.post("/acme/send", ada)
	if resp.StatusCode != 502 || len(b.vendor.messages()) != 1 {
		t.Errorf("%d, the vendor saw %d messages", resp.StatusCode, len(b.vendor.messages()))
	}
	if o := b.recorder.outcome(t, 0); o.Result != ledger.Unknown {
		t.Errorf("outcome %+v", o)
	}
}

func TestSilentVendorIsATimeoutWithUnknownOutcome(t *testing.T) {
	release := make(chan bool)
	b := start(t, setup{timeout: 200 * time.Millisecond, handler: func(http.ResponseWriter, *http.Request) { <-release }})
	defer close(release)
	if resp := b.post("/acme/send", ada); resp.StatusCode != 504 {
		t.Errorf("answer %s", resp.Status)
	}
	if o := b.recorder.outcome(t, 0); o.Result != ledger.Unknown {
		t.Errorf("outcome %+v", o)
	}
}

// The vendor closed the idle connection; the next message must neither fail nor
// leave an entry that says it may have been sent twice.
func TestConnectionThatTheVendorClosedIsNotUsedAgain(t *testing.T) {
	b := start(t, setup{handler: func(w http.ResponseWriter, r *http.Request) {}})
	for range 3 {
		if resp := b.post("/acme/send", ada); resp.StatusCode != 200 {
			t.Fatal(resp.Status)
		}
		b.vendor.closeIdle()
		time.Sleep(20 * time.Millisecond)
	}
	for i := range 3 {
		if o := b.recorder.outcome(t, i); o.Result != ledger.Sent {
			t.Errorf("outcome %d: %+v", i, o)
		}
	}
	if n := len(b.vendor.messages()); n != 3 {
		t.Errorf("the vendor saw %d messages", n)
	}
}

func TestConnectionsAreKept(t *testing.T) {
	b := start(t, setup{handler: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") }})
	for range 5 {
		resp := b.post("/acme/send", ada)
		io.Copy(io.Discard, resp.Body)
	}
	if b.vendor.new != 1 {
		t.Errorf("%d connections for 5 messages", b.vendor.new)
	}
}

// The deadline of the last answer stays on an idle connection and is no reason to
// take it for dead; and a body may take longer than its head was given.
func TestDeadlineOfAnAnswersHeadIsNoOneElses(t *testing.T) {
	b := start(t, setup{timeout: 150 * time.Millisecond, handler: func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "first,")
		if r.URL.Path == "/slow" {
			w.(http.Flusher).Flush()
			time.Sleep(300 * time.Millisecond)
		}
		fmt.Fprint(w, "last")
	}})
	for _, path := range []string{"/acme/send", "/acme/slow", "/acme/send"} {
		resp := b.post(path, ada)
		if got, err := io.ReadAll(resp.Body); err != nil || string(got) != "first,last" {
			t.Errorf("%s: %q, %v", path, got, err)
		}
		time.Sleep(250 * time.Millisecond)
	}
	if b.vendor.new != 1 {
		t.Errorf("%d connections for 3 messages", b.vendor.new)
	}
}

func TestRedirectIsPassedBackAndNotFollowed(t *testing.T) {
	b := start(t, setup{handler: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect)
	}})
	resp := b.post("/acme/send", ada)
	if resp.StatusCode != 307 || resp.Header.Get("Location") != "http://169.254.169.254/latest/meta-data" || len(b.vendor.messages()) != 1 {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

func TestTooLargeBodyFollowsThePolicy(t *testing.T) {
	long := `{"email":"ada@example.org","x":"` + strings.Repeat("y", 300_000) + `"}`
	for _, c := range []struct {
		policy string
		status int
	}{{"refuse", 413}, {"hold", 413}, {"pass", 202}} {
		b := start(t, setup{limit: 100_000, manifest: "unclassified: " + c.policy + "\n"})
		for _, chunked := range []bool{false, true} {
			r, _ := http.NewRequest("POST", b.route+"/acme/send", io.MultiReader(strings.NewReader(long)))
			r.Header.Set("Content-Type", "application/json")
			if !chunked {
				r.ContentLength = int64(len(long))
			}
			resp, err := client(t).Do(r)
			if err != nil {
				t.Fatalf("%s: %v", c.policy, err)
			}
			if resp.StatusCode != c.status {
				t.Errorf("%s, chunked %v: %s", c.policy, chunked, resp.Status)
			}
			if c.status != 202 {
				if b.vendor.received() != 0 {
					t.Errorf("%s: forwarded", c.policy)
				}
			} else if b.vendor.last(t).body != long {
				t.Errorf("%s, chunked %v: the vendor got %d of %d bytes", c.policy, chunked, len(b.vendor.last(t).body), len(long))
			}
		}
		if c.status == 202 && !slices.Contains(b.recorder.recorded[0].Cleared.Incomplete(), exposure.IncompleteTooLarge) {
			t.Error("not recorded as incomplete")
		}
	}
}

func TestBodyOfExactlyTheLimitIsRead(t *testing.T) {
	b := start(t, setup{limit: int64(len(ada))})
	r, _ := http.NewRequest("POST", b.route+"/acme/send", io.MultiReader(strings.NewReader(ada))) // chunked
	r.Header.Set("Content-Type", "application/json")
	resp, err := client(t).Do(r)
	check(t, err)
	if resp.StatusCode != 202 || b.people() != 1 || len(b.recorder.recorded[0].Cleared.Incomplete()) != 0 {
		t.Errorf("%s, %d people", resp.Status, b.people())
	}
}

func TestVendorThatAnswersBeforeItHeardAllDoesNotHang(t *testing.T) {
	b := start(t, setup{upstream: startEarly(t), limit: 1 << 22, manifest: "unclassified: pass\n"})
	resp := b.post("/acme/send", `{"x":"`+strings.Repeat("y", 3<<20)+`"}`)
	if resp.StatusCode != 413 {
		t.Errorf("answer %s", resp.Status)
	}
	if o := b.recorder.outcome(t, 0); o.Result != ledger.Sent || o.Status != 413 {
		t.Errorf("outcome %+v", o)
	}
}
