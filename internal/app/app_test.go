package app_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cordon/internal/api"
	"cordon/internal/app"
	"cordon/internal/config"
	"cordon/internal/isolate"
)

// furnish writes a configuration with one vendor into dir.
func furnish(t *testing.T, dir, upstream string) string {
	t.Helper()
	for name, text := range map[string]string{
		"cordon.yaml":            "organization: {name: Example Photos, domain: photos.example}\nlisten: {http: \"127.0.0.1:0\", proxy: \"127.0.0.1:0\", console: \"127.0.0.1:0\"}\n",
		"vendors/acme-mail.yaml": "vendor: acme-mail\ncatalogue: sendgrid\nupstream: " + upstream + "\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cordon.yaml")
}

func open(t *testing.T, path string, o config.Overrides) (*app.App, error) {
	t.Helper()
	cfg, specs, _, problems := config.LoadOrCreate(path, o)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return app.New(t.Context(), cfg, specs, app.Options{Log: slog.New(slog.DiscardHandler)})
}

func stop(t *testing.T, a *app.App) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

const mail = `{"personalizations":[{"to":[{"email":"ada@photos.example"}]}],"from":{"email":"us@photos.example"},"subject":"Hi","content":[{"type":"text/plain","value":"x"}]}`

func TestServesOnFreePortsFromADeepFolder(t *testing.T) {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	defer vendor.Close()
	// Deeper than the 108 bytes of a Unix socket's address.
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 30))
	path := furnish(t, dir, vendor.URL)
	a, err := open(t, path, config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := http.Post("http://"+a.Addresses().HTTP+"/acme-mail/v3/mail/send", "application/json", strings.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	data := filepath.Join(dir, "data")
	if !api.SocketAlive(data) {
		t.Fatal("nobody answers on the socket")
	}
	status, err := api.Socket(data, "").Status(t.Context())
	if err != nil || len(status.Vendors) != 1 || status.Vendors[0].Disclosures24h != 1 || status.Vendors[0].Subjects24h != 1 {
		t.Fatalf("status %+v, %v", status, err)
	}
	if info, err := os.Stat(a.Addresses().Socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode is %v, %v", info.Mode(), err)
	}
	stop(t, a)
	if api.SocketAlive(data) {
		t.Error("somebody still answers on the socket")
	}

	// Coverage began before the message and ended after it.
	if kinds, want := recorded(t, path), "config coverage-start disclosure outcome coverage-stop"; kinds != want {
		t.Errorf("entries %q; want %q", kinds, want)
	}
}

func TestTakenPortLeavesNothingBehind(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	path := furnish(t, t.TempDir(), "http://127.0.0.1:9")
	addr := taken.Addr().String()
	a, err := open(t, path, config.Overrides{ListenConsole: &addr})
	if err != nil {
		t.Fatal(err)
	}
	err = a.Run(t.Context())
	refused, ok := errors.AsType[*app.ListenError](err)
	if !ok || refused.Key != "console" || !strings.Contains(refused.Next(), "--listen-console 127.0.0.1:PORT") {
		t.Fatalf("err %v", err)
	}
	if addr := a.Addresses().HTTP; addr != "" {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			t.Error("another door stayed open")
		}
	}
	// The data directory is free again, and in good order.
	b, err := open(t, path, config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, b)
}

// A stream that never ends must not cost the record of when Cordon stopped to
// stand in the way.
func TestStopWithAnEndlessStreamStillRecordsTheEndOfCoverage(t *testing.T) {
	begun := make(chan struct{})
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("data: 1\n\n"))
		w.(http.Flusher).Flush()
		close(begun)
		<-r.Context().Done()
	}))
	defer vendor.Close()
	path := furnish(t, t.TempDir(), vendor.URL)
	a, err := open(t, path, config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() {
		if r, err := http.Post("http://"+a.Addresses().HTTP+"/acme-mail/v3/mail/send", "application/json", strings.NewReader(mail)); err == nil {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
	}()
	<-begun
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Errorf("stopping: %v", err)
	}
	if kinds := recorded(t, path); !strings.HasSuffix(kinds, "coverage-stop") {
		t.Errorf("entries %q", kinds)
	}
}

// recorded are the kinds of all entries.
func recorded(t *testing.T, path string) string {
	t.Helper()
	cfg, specs, problems := config.Load(path, config.Overrides{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	reader, err := app.OpenReadOnly(t.Context(), cfg, specs, app.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var kinds []string
	err = reader.Desk().Tail(api.WithActor(t.Context(), api.LocalActor), 1, 0, false, func(e api.Entry) error {
		kinds = append(kinds, e.Kind)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(kinds, " ")
}

// An empty answer to a typing mistake would be told to people as the truth; and
// a vendor is asked about long after its manifest was taken away.
func TestScopeKnowsWhatTheLedgerKnowsAndRefusesTheRest(t *testing.T) {
	vendor := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer vendor.Close()
	path := furnish(t, t.TempDir(), vendor.URL)
	a, err := open(t, path, config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := http.Post("http://"+a.Addresses().HTTP+"/acme-mail/v3/mail/send", "application/json", strings.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	local := api.WithActor(t.Context(), api.LocalActor)
	before := a.Desk().Ledger.Status().Size
	for name, c := range map[string]struct {
		q      api.ScopeQuery
		reason string
	}{
		"app":             {api.ScopeQuery{Vendor: "acme-mail", App: "anonymuos"}, "unknown-app"},
		"somebody as app": {api.ScopeQuery{Vendor: "acme-mail", App: "ada@photos.example"}, "unknown-app"},
		"credential":      {api.ScopeQuery{Vendor: "acme-mail", Credential: "file:other.secret"}, "unknown-credential"},
		"route":           {api.ScopeQuery{Vendor: "acme-mail", Route: "POST /v3/mail/sent"}, "unknown-route"},
		"word as method":  {api.ScopeQuery{Vendor: "acme-mail", Route: "ADA@PHOTOS.EXAMPLE /*"}, "unknown-route"},
		"vendor":          {api.ScopeQuery{Vendor: "acme"}, "unknown-vendor"},
	} {
		if answer, err := a.Desk().Scope(local, c.q); reasonOf(err) != c.reason {
			t.Errorf("%s: %+v, %v", name, answer, err)
		}
		if err := a.Desk().ExportScope(local, c.q, io.Discard); reasonOf(err) != c.reason {
			t.Errorf("exporting by %s: %v", name, err)
		}
	}
	if _, err := a.Desk().ChangeGate(local, "cut", "acme-mail", api.GateRequest{Route: "ADA@PHOTOS.EXAMPLE /*"}); reasonOf(err) != "unknown-route" {
		t.Errorf("cut a route that cannot be: %v", err)
	}
	if after := a.Desk().Ledger.Status().Size; after > before+1 { // the outcome may have come in
		t.Errorf("%d entries were written for questions that were refused", after-before)
	}
	for name, q := range map[string]api.ScopeQuery{
		"app": {Vendor: "acme-mail", App: "anonymous"}, "route": {Vendor: "acme-mail", Route: "POST /v3/mail/send"},
	} {
		if answer, err := a.Desk().Scope(local, q); err != nil || answer.Subjects != 1 {
			t.Errorf("%s: %+v, %v", name, answer, err)
		}
	}
	stop(t, a)

	if err := os.Remove(filepath.Join(filepath.Dir(path), "vendors", "acme-mail.yaml")); err != nil {
		t.Fatal(err)
	}
	if a, err = open(t, path, config.Overrides{}); err != nil {
		t.Fatal(err)
	}
	defer stop(t, a)
	answer, err := a.Desk().Scope(local, api.ScopeQuery{Vendor: "acme-mail", Route: "POST /v3/mail/send"})
	if err != nil || answer.Subjects != 1 || len(answer.NeverExposed) != 0 {
		t.Errorf("without its manifest: %+v, %v", answer, err)
	}
}

func reasonOf(err error) string {
	if p, ok := errors.AsType[*api.Error](err); ok {
		return p.Reason
	}
	return ""
}

func TestCutWithoutAServerIsRecordedWithoutThePathOfTheData(t *testing.T) {
	path := furnish(t, t.TempDir(), "http://127.0.0.1:9")
	a, err := open(t, path, config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, a)
	data := filepath.Join(filepath.Dir(path), "data")
	if _, err := isolate.WriteGate(data, "acme-mail", "", isolate.Cut); err != nil {
		t.Fatal(err)
	}
	if a, err = open(t, path, config.Overrides{}); err != nil {
		t.Fatal(err)
	}
	defer stop(t, a)
	var found []any
	err = a.Desk().Tail(api.WithActor(t.Context(), api.LocalActor), 1, 0, false, func(e api.Entry) error {
		if e.Kind == "gate" && e.Fields["gate"] == "cut" {
			found = append(found, e.Fields["found"])
		}
		return nil
	})
	if err != nil || len(found) != 1 || strings.Contains(found[0].(string), data) || !strings.Contains(found[0].(string), "acme-mail.gate says cut") {
		t.Errorf("recorded %q, %v", found, err)
	}
}
