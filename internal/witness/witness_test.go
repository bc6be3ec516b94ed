package witness

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"cordon/evidence"
)

// newWitness makes a witness that knows the log.
func newWitness(t testing.TB, logs ...*fakeLog) (w *Witness, dir string) {
	t.Helper()
	dir = t.TempDir()
	if _, err := Init(dir, "witness.example/w1"); err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		if err := AddLog(dir, logName, l.vkey); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, dir, Options{}), dir
}

func open(t testing.TB, dir string, o Options) *Witness {
	t.Helper()
	w, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func mustCosign(t testing.TB, w *Witness, r Request) time.Time {
	t.Helper()
	line, err := w.Cosign(r)
	if err != nil {
		t.Fatal(err)
	}
	at, err := w.Key().Cosigned(r.Checkpoint + line)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func wantStatus(t testing.TB, err error, status int) {
	t.Helper()
	if !IsRefusal(err, status) {
		t.Errorf("want status %d, got %v", status, err)
	}
}

func TestCosignsWhatGrows(t *testing.T) {
	l := newLog(t, 1)
	w, dir := newWitness(t, l)
	old := 0
	for _, size := range []int{0, 1, 2, 3, 8, 8, 13, 300, 301} {
		l.growTo(t, size)
		mustCosign(t, w, l.request(t, old, size))
		old = size
	}
	// The newest head, with the log's signature and ours and no other.
	head, err := w.Latest(originHash(logName))
	if err != nil {
		t.Fatal(err)
	}
	v, _ := note.NewVerifier(l.vkey)
	if c, err := evidence.OpenCheckpoint(head, v); err != nil || c.Size != 301 {
		t.Errorf("latest: %+v %v", c, err)
	}
	if _, err := w.Key().Cosigned(head); err != nil {
		t.Error(err)
	}
	w.Close()
	if s := open(t, dir, Options{}).States(); len(s) != 1 || s[0].Size != 301 || s[0].Problem != "" {
		t.Errorf("after a restart: %+v", s)
	}
}

func TestRefusals(t *testing.T) {
	l, stranger := newLog(t, 1), newLog(t, 2)
	l.growTo(t, 20)
	stranger.growTo(t, 20)
	w, _ := newWitness(t, l)
	mustCosign(t, w, l.request(t, 0, 10))
	unknown := strings.Replace(l.headAt(t, 12), logName, "other.example/log", 2)
	broken := []byte(l.headAt(t, 12))
	broken[len(broken)-8] ^= 1
	twice := l.request(t, 10, 12)
	twice.Proof = append(twice.Proof, tlog.Hash{})
	for name, c := range map[string]struct {
		r      Request
		status int
	}{
		"a log that is not known":                {Request{10, nil, unknown}, http.StatusNotFound},
		"another key of a known log":             {stranger.request(t, 10, 12), http.StatusForbidden},
		"a signature that is damaged":            {Request{10, nil, string(broken)}, http.StatusForbidden},
		"no head at all":                         {Request{10, nil, ""}, http.StatusNotFound},
		"an old size above the head's":           {Request{13, nil, l.headAt(t, 12)}, http.StatusBadRequest},
		"an old size that is not ours":           {l.request(t, 9, 12), http.StatusConflict},
		"a smaller head, honestly named":         {l.request(t, 5, 8), http.StatusConflict},
		"no proof":                               {Request{10, nil, l.headAt(t, 12)}, http.StatusUnprocessableEntity},
		"a proof of another step":                {Request{10, l.request(t, 9, 12).Proof, l.headAt(t, 12)}, http.StatusUnprocessableEntity},
		"a proof with one line more":             {twice, http.StatusUnprocessableEntity},
		"a proof beside a head of the same size": {Request{10, []tlog.Hash{{}}, l.headAt(t, 10)}, http.StatusUnprocessableEntity},
	} {
		line, err := w.Cosign(c.r)
		if line != "" {
			t.Errorf("%s: cosigned", name)
		}
		t.Run(name, func(t *testing.T) { wantStatus(t, err, c.status) })
	}
	if s := w.States()[0]; s.Size != 10 {
		t.Errorf("a refusal moved the head to %d", s.Size)
	}
	mustCosign(t, w, l.request(t, 10, 12))
}

func TestEmptyTreeWithAnotherRootIsRefused(t *testing.T) {
	l := newLog(t, 1)
	w, _ := newWitness(t, l)
	head, err := evidence.Checkpoint{Origin: logName, Size: 0, Root: tlog.Hash{1}}.Sign(l.signer)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Cosign(Request{0, nil, head})
	wantStatus(t, err, http.StatusUnprocessableEntity)
	l.growTo(t, 3)
	_, err = w.Cosign(Request{0, []tlog.Hash{{}}, l.headAt(t, 3)})
	wantStatus(t, err, http.StatusUnprocessableEntity)
}

func TestForkIsRefusedLoudlyAndBothHeadsAreKept(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 10)
	forked := l.rewritten(t, 9, "another leaf 9")
	var logged bytes.Buffer
	dir := t.TempDir()
	if _, err := Init(dir, "witness.example/w1"); err != nil {
		t.Fatal(err)
	}
	if err := AddLog(dir, logName, l.vkey); err != nil {
		t.Fatal(err)
	}
	w := open(t, dir, Options{Log: slog.New(slog.NewTextHandler(&logged, nil))})
	mustCosign(t, w, l.request(t, 0, 10))
	for range 3 { // the same evidence is kept once
		_, err := w.Cosign(forked.request(t, 10, 10))
		wantStatus(t, err, http.StatusUnprocessableEntity)
	}
	if !strings.Contains(logged.String(), "level=ERROR") || !strings.Contains(logged.String(), "kind=fork") {
		t.Errorf("not loud: %s", &logged)
	}
	s := w.States()[0]
	if len(s.Refused) != 1 {
		t.Fatalf("kept: %v", s.Refused)
	}
	kept, err := os.ReadFile(s.Refused[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, head := range []string{forked.headAt(t, 10), l.headAt(t, 10)} {
		if text, _, _ := strings.Cut(head, "\n\n"); !bytes.Contains(kept, []byte(text)) {
			t.Errorf("this head is not kept:\n%s", head)
		}
	}
}

func TestTruncatedAndRegrownLogIsRefused(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 10)
	w, _ := newWitness(t, l)
	mustCosign(t, w, l.request(t, 0, 10))
	// The operator cuts off three leaves, puts others there, and signs with the same key.
	l = l.rewritten(t, 7, "x", "y", "z", "a", "b")
	_, err := w.Cosign(l.request(t, 7, 12))
	wantStatus(t, err, http.StatusConflict)
	_, err = w.Cosign(l.request(t, 10, 12))
	wantStatus(t, err, http.StatusUnprocessableEntity)
	if s := w.States()[0]; s.Size != 10 || len(s.Refused) != 1 || !strings.Contains(s.Refused[0], "unproved") {
		t.Errorf("state: %+v", s)
	}
}

func TestWhatIsKeptOfALyingLogIsBounded(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 10)
	w, _ := newWitness(t, l)
	mustCosign(t, w, l.request(t, 0, 10))
	for i := range 3 * maxRefused {
		forked := l.rewritten(t, 9, fmt.Sprint("fork ", i))
		_, err := w.Cosign(forked.request(t, 10, 10))
		wantStatus(t, err, http.StatusUnprocessableEntity)
	}
	if n := len(w.States()[0].Refused); n != maxRefused {
		t.Errorf("%d heads are kept", n)
	}
}

func TestRacingRequestsNeverGoBack(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 40)
	w, _ := newWitness(t, l)
	mustCosign(t, w, l.request(t, 0, 1))
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for size := 2; size <= 16; size++ {
		r := l.request(t, 1, size)
		wg.Go(func() {
			if _, err := w.Cosign(r); err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d heads were cosigned as the first after size 1", won)
	}
}

func TestTooManyHeadsOfOneLog(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 60)
	c := newClock()
	dir := t.TempDir()
	if _, err := Init(dir, "witness.example/w1"); err != nil {
		t.Fatal(err)
	}
	if err := AddLog(dir, logName, l.vkey); err != nil {
		t.Fatal(err)
	}
	w := open(t, dir, Options{Now: c.now})
	size := 0
	for ; ; size++ {
		if _, err := w.Cosign(l.request(t, size, size+1)); err != nil {
			wantStatus(t, err, http.StatusTooManyRequests)
			break
		}
		if size > 50 {
			t.Fatal("no bound")
		}
	}
	c.add(time.Second)
	mustCosign(t, w, l.request(t, size, size+1))
}

func TestLogAddedWhileServing(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 3)
	w, dir := newWitness(t)
	c := newClock()
	w.now = c.now
	_, err := w.Cosign(l.request(t, 0, 3))
	wantStatus(t, err, http.StatusNotFound)
	if err := AddLog(dir, logName, l.vkey); err != nil {
		t.Fatal(err)
	}
	c.add(2 * time.Second)
	mustCosign(t, w, l.request(t, 0, 3))
	if err := AddLog(dir, logName, l.vkey); err != nil {
		t.Errorf("adding the same again: %v", err)
	}
	if err := AddLog(dir, logName, newLog(t, 2).vkey); err == nil {
		t.Error("a known log got another key")
	}
	if err := AddLog(dir, "other.example", l.vkey); err == nil {
		t.Error("a log was added under a name that is not its key's")
	}
}

func TestRetiredLogIsKeptAndItsSuccessorBeginsAnew(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 20)
	w, dir := newWitness(t, l)
	mustCosign(t, w, l.request(t, 0, 20))
	if _, err := Retire(dir, logName, time.Now()); err == nil {
		t.Error("retired under a process that serves")
	}
	w.Close()
	kept, err := Retire(dir, logName, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if b := mustRead(t, filepath.Join(kept, headName)); !bytes.Contains(b, []byte("\n20\n")) {
		t.Error("the old head is not kept")
	}
	shorter := l.rewritten(t, 12)
	w = open(t, dir, Options{})
	_, err = w.Cosign(shorter.request(t, 0, 12))
	wantStatus(t, err, http.StatusNotFound)
	w.Close()
	if err := AddLog(dir, logName, l.vkey); err != nil {
		t.Fatal(err)
	}
	mustCosign(t, open(t, dir, Options{}), shorter.request(t, 0, 12))
}

func TestSecondProcessOnTheSameStateIsRefused(t *testing.T) {
	l := newLog(t, 1)
	_, dir := newWitness(t, l)
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second: %v", err)
	}
	if w, err := Open(dir, Options{ReadOnly: true}); err != nil {
		t.Errorf("looking: %v", err)
	} else {
		w.Close()
	}
	if _, err := Init(dir, "witness.example/w2"); err == nil {
		t.Error("a witness was made over another")
	}
}

func TestKeyOpenToOthersIsRefused(t *testing.T) {
	w, dir := newWitness(t)
	w.Close()
	if err := os.Chmod(filepath.Join(dir, keyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "0600") {
		t.Errorf("opened: %v", err)
	}
}

func TestProtocolOverHTTP(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 20)
	w, _ := newWitness(t, l)
	server := httptest.NewServer(w.Handler())
	defer server.Close()
	post := func(body string) (*http.Response, string) {
		t.Helper()
		r, err := http.Post(server.URL+"/add-checkpoint", "", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r, string(b)
	}
	if r, body := post(l.request(t, 0, 10).String()); r.StatusCode != 200 || !strings.HasPrefix(body, "— witness.example/w1 ") || !strings.HasSuffix(body, "\n") {
		t.Errorf("first: %d %q", r.StatusCode, body)
	}
	if r, body := post(l.request(t, 4, 12).String()); r.StatusCode != 409 || r.Header.Get("Content-Type") != "text/x.tlog.size" || body != "10\n" {
		t.Errorf("conflict: %d %q %q", r.StatusCode, r.Header.Get("Content-Type"), body)
	}
	for name, body := range map[string]string{
		"nothing":              "",
		"no empty line":        "old 10\n",
		"no old":               "\n\n" + l.headAt(t, 12),
		"old with a zero":      strings.Replace(l.request(t, 10, 12).String(), "old 10", "old 010", 1),
		"old with a sign":      strings.Replace(l.request(t, 10, 12).String(), "old 10", "old +10", 1),
		"a proof of no base64": strings.Replace(l.request(t, 10, 12).String(), "=\n", "*\n", 1),
		"64 lines of proof":    "old 10\n" + strings.Repeat("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 64) + "\n" + l.headAt(t, 12),
		"a megabyte":           l.request(t, 10, 12).String() + strings.Repeat("— x AAAA\n", 120_000),
	} {
		if r, body := post(body); r.StatusCode != 400 {
			t.Errorf("%s: %d %q", name, r.StatusCode, body)
		}
	}
	r, err := http.Get(server.URL + "/" + originHash(logName) + "/checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	head, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if at, err := w.Key().Cosigned(string(head)); err != nil || time.Since(at) > time.Minute {
		t.Errorf("for monitors: %d %q %v", r.StatusCode, head, err)
	}
	for _, path := range []string{"/" + originHash("other") + "/checkpoint", "/", "/key", "/..%2fkey/checkpoint"} {
		if r, err := http.Get(server.URL + path); err != nil || r.StatusCode != 404 {
			t.Errorf("%s: %v %v", path, r.StatusCode, err)
		} else {
			r.Body.Close()
		}
	}
}

func TestSignaturesOfStrangersAreNotKept(t *testing.T) {
	l := newLog(t, 1)
	l.growTo(t, 3)
	w, _ := newWitness(t, l)
	r := l.request(t, 0, 3)
	r.Checkpoint += "— stranger.example AAAAAAAAAAAA\n"
	mustCosign(t, w, r)
	if head, _ := w.Latest(originHash(logName)); strings.Contains(head, "stranger") {
		t.Errorf("kept:\n%s", head)
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add("old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\nexample.com/log\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/log AAAA\n")
	f.Add("old 0\n\nx")
	f.Fuzz(func(t *testing.T, body string) {
		r, err := ParseRequest(body)
		if err == nil && r.String() != body {
			t.Errorf("%q is read as %q", body, r.String())
		}
	})
}
