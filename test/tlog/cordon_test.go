// Package tlog lets software that others wrote check the ledger's tree and
// speak with its witness: what our own code accepts of our own code proves
// little. It is a module of its own, so that theirs stays out of the product's
// module graph.
package tlog

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary builds cordon from this source, once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "cordon-tlog")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "cordon")
	build := exec.Command("go", "build", "-o", path, "./cmd/cordon")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building cordon: %v\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// run runs one verb in a folder and returns what it printed.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		stderr := ""
		if e, ok := err.(*exec.ExitError); ok {
			stderr = string(e.Stderr)
		}
		t.Fatalf("cordon %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return string(out)
}

// start runs a verb that serves until the test ends, and returns the values of
// its line `ready a=… b=…`.
func start(t *testing.T, dir string, args ...string) map[string]string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	talk, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("cordon %s ended with %v", args[0], err)
		}
	})
	lines := bufio.NewScanner(talk)
	for lines.Scan() {
		rest, ready := strings.CutPrefix(lines.Text(), "ready ")
		if !ready {
			continue
		}
		values := map[string]string{}
		for _, word := range strings.Fields(rest) {
			if name, value, ok := strings.Cut(word, "="); ok {
				values[name] = value
			}
		}
		go func() {
			for lines.Scan() { // a full pipe would stop it
			}
		}()
		return values
	}
	t.Fatalf("cordon %s ended before it was ready", strings.Join(args, " "))
	return nil
}

const origin = "photos.example/cordon"

// gateway is a running Cordon whose log is public.
type gateway struct {
	dir, http, log string
	vkey           string
}

// newGateway starts one; witness is a line of its configuration, or "".
func newGateway(t *testing.T, witness string) *gateway {
	t.Helper()
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(vendor.Close)
	g := &gateway{dir: t.TempDir()}
	write(t, filepath.Join(g.dir, "cordon.yaml"), `organization: {name: Example Photos, domain: photos.example, country: US}
listen: {http: "127.0.0.1:0", proxy: "", smtp: "", public: "", console: "127.0.0.1:0"}
public_log: true
`+witness)
	write(t, filepath.Join(g.dir, "vendors", "acme-mail.yaml"),
		"vendor: acme-mail\nname: Acme Mail, Inc.\ncatalogue: sendgrid\nupstream: "+vendor.URL+"\n")
	return g
}

func (g *gateway) start(t *testing.T) {
	t.Helper()
	ready := start(t, g.dir, "serve")
	g.http, g.log = ready["http"], "http://"+ready["console"]+"/tlog/"
	key, err := os.ReadFile(filepath.Join(g.dir, "keys", "checkpoint.pub"))
	if err != nil {
		t.Fatal(err)
	}
	g.vkey = strings.TrimSpace(string(key))
}

// makeKeys lets the gateway make its keys, so that a witness can be told of them.
func (g *gateway) makeKeys(t *testing.T) {
	t.Helper()
	t.Run("the gateway makes its keys", func(t *testing.T) { g.start(t) })
}

// send writes to so many people, one message and so at least one batch each.
func (g *gateway) send(t *testing.T, people int) {
	t.Helper()
	for i := range people {
		body := fmt.Sprintf(`{"personalizations":[{"to":[{"email":"user%d@photos.example"}]}],"from":{"email":"us@photos.example"},"subject":"Hi","content":[{"type":"text/plain","value":"x"}]}`, i)
		r, err := http.Post("http://"+g.http+"/acme-mail/v3/mail/send", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusAccepted {
			t.Fatalf("sending: status %d", r.StatusCode)
		}
	}
	time.Sleep(1500 * time.Millisecond) // a head is signed each second
}

func (g *gateway) checkpoint(t *testing.T) string {
	t.Helper()
	r, err := http.Get(g.log + "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("checkpoint: %d %v", r.StatusCode, err)
	}
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("did not happen within 20 s: %s", what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
