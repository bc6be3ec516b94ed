package cli_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"cordon/internal/app"
	"cordon/internal/cli"
	"cordon/internal/config"
	"cordon/internal/witness"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"cordon": func() { os.Exit(cli.Main(os.Args[1:], cli.System())) },
	})
}

// TestVerbs runs the scripts of testdata: each is one verb against a real
// server, in a folder of its own with a manifest of a mail vendor, whose place
// a simulator takes. Commands besides testscript's own:
//
//	server start|stop     the server of cordon.yaml, on free ports, in the test
//	send FILE [N]         N times FILE as a body to /acme-mail/v3/mail/send; prints each status
//	received N            fails unless the simulator got exactly N messages
//	hang                  a socket that accepts and never answers
//	waitfor FILE          until the file is there, at most 10 s
//	witness start|stop    the witness in folder w, at the address $WITNESS
//	get PATH              an answer of the console's address, without a session, as is
func TestVerbs(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			h := &house{dir: env.WorkDir}
			env.Values["house"] = h
			h.sim = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				h.received.Add(1)
				w.WriteHeader(http.StatusAccepted)
			}))
			env.Defer(func() {
				h.stop()
				h.sim.Close()
			})
			env.Setenv("SIM", h.sim.URL)
			verifier, err := verifier()
			if err != nil {
				return err
			}
			env.Setenv("PATH", verifier+string(os.PathListSeparator)+env.Getenv("PATH"))
			return h.furnish()
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": func(ts *testscript.TestScript, neg bool, args []string) {
				h := ts.Value("house").(*house)
				if args[0] == "stop" {
					h.stop()
					return
				}
				err := h.start()
				if (err != nil) != neg {
					ts.Fatalf("server start: %v", err)
				}
				if err == nil {
					ts.Setenv("HTTP", h.app.Addresses().HTTP)
					ts.Setenv("PROXY", h.app.Addresses().Proxy)
					ts.Setenv("PROXY", h.app.Addresses().Proxy)
					ts.Setenv("CONSOLE", h.app.Addresses().Console)
				}
			},
			"send": func(ts *testscript.TestScript, _ bool, args []string) {
				h, n := ts.Value("house").(*house), 1
				if len(args) > 1 {
					fmt.Sscan(args[1], &n)
				}
				for range n {
					r, err := http.Post("http://"+h.app.Addresses().HTTP+"/acme-mail/v3/mail/send", "application/json",
						strings.NewReader(ts.ReadFile(args[0])))
					ts.Check(err)
					r.Body.Close()
					fmt.Fprintf(ts.Stdout(), "%d\n", r.StatusCode)
				}
			},
			"received": func(ts *testscript.TestScript, _ bool, args []string) {
				h := ts.Value("house").(*house)
				if got := fmt.Sprint(h.received.Load()); got != args[0] {
					ts.Fatalf("the vendor received %s messages, not %s", got, args[0])
				}
			},
			"hang": func(ts *testscript.TestScript, _ bool, _ []string) {
				ts.Check(os.MkdirAll(ts.MkAbs("data"), 0o700))
				l, err := net.Listen("unix", ts.MkAbs("data/cordon.sock"))
				ts.Check(err)
				ts.Defer(func() { l.Close() })
			},
			"waitfor": func(ts *testscript.TestScript, _ bool, args []string) {
				for range 200 {
					if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
						return
					}
					time.Sleep(50 * time.Millisecond)
				}
				ts.Fatalf("%s did not appear within 10 s", args[0])
			},
			"witness": func(ts *testscript.TestScript, _ bool, args []string) {
				h := ts.Value("house").(*house)
				if h.cosigning != nil {
					h.cosigning()
					h.cosigning = nil
				}
				if args[0] == "stop" {
					return
				}
				w, err := witness.Open(ts.MkAbs("w"), witness.Options{})
				ts.Check(err)
				l, err := net.Listen("tcp", cmp.Or(ts.Getenv("WITNESS"), "127.0.0.1:0"))
				ts.Check(err)
				server := &http.Server{Handler: w.Handler()}
				go func() { _ = server.Serve(l) }()
				h.cosigning = func() { server.Close(); w.Close() }
				ts.Defer(func() {
					if h.cosigning != nil {
						h.cosigning()
					}
				})
				ts.Setenv("WITNESS", l.Addr().String())
			},
			"get": func(ts *testscript.TestScript, _ bool, args []string) {
				h := ts.Value("house").(*house)
				r, err := http.Get("http://" + h.app.Addresses().Console + args[0])
				ts.Check(err)
				defer r.Body.Close()
				fmt.Fprintf(ts.Stdout(), "%d\n", r.StatusCode)
				_, err = io.Copy(ts.Stdout(), r.Body)
				ts.Check(err)
			},
		},
	})
}

// verifier builds cordon-verify once, a program of its own, and gives its folder.
var verifier = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "cordon-verify")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir, "cordon/cmd/cordon-verify").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building cordon-verify: %w\n%s", err, out)
	}
	return dir, nil
})

// house is one script's Cordon and its vendor.
type house struct {
	dir      string
	sim      *httptest.Server
	received atomic.Int64
	app      *app.App
	// cosigning ends the witness that runs, nil while none does.
	cosigning func()
	log       bytes.Buffer
}

func (h *house) furnish() error {
	files := map[string]string{
		"cordon.yaml": `organization: {name: Example Photos, domain: photos.example, country: US}
listen: {http: "127.0.0.1:0", proxy: "127.0.0.1:0", console: "127.0.0.1:0"}
`,
		"vendors/acme-mail.yaml": "vendor: acme-mail\nname: Acme Mail, Inc.\ncatalogue: sendgrid\nupstream: " + h.sim.URL + "\nminimize: {user.name: mask, default: allow}\n",
		"mail.json":              `{"personalizations":[{"to":[{"email":"ada@photos.example","name":"Ada Lovelace"}]}],"from":{"email":"us@photos.example"},"subject":"Hello","content":[{"type":"text/plain","value":"x"}]}`,
		"people.csv":             "id,email,country,language\nu1,ada@photos.example,GB,en\nu2,bob@photos.example,DE,de\nu3,,,\n,nobody@photos.example,,\n",
	}
	for name, text := range files {
		path := filepath.Join(h.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) start() error {
	cfg, specs, _, problems := config.LoadOrCreate(filepath.Join(h.dir, "cordon.yaml"), config.Overrides{})
	if len(problems) > 0 {
		return fmt.Errorf("%v", problems)
	}
	ctx := context.Background()
	a, err := app.New(ctx, cfg, specs, app.Options{Log: slog.New(slog.NewTextHandler(&h.log, nil))})
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		a.Stop(ctx)
		return err
	}
	h.app = a
	return nil
}

func (h *house) stop() {
	if h.app != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		h.app.Stop(ctx)
		h.app = nil
	}
}
