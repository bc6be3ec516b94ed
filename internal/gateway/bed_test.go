package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/gateway"
	"cordon/internal/gateway/ca"
	"cordon/internal/gateway/httproute"
	"cordon/internal/gateway/proxy"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	tokens "cordon/internal/token"
	"cordon/internal/vault"
	"cordon/internal/vendor"

	"golang.org/x/mod/sumdb/note"
)

// bed is a gateway on loopback with a real ledger, real gates and a vendor.
type bed struct {
	t        testing.TB
	dir      string
	ledger   *ledger.Ledger
	recorder *watched
	gates    *isolate.Gates
	gateway  *gateway.Gateway
	vendor   *simulator
	root     []byte // of tokens
	table    *askedTable
	route    string // base address of the route port
	proxy    string
	ca       []byte // PEM
}

type setup struct {
	manifest  string // more keys of the manifest
	upstream  string // instead of the simulator
	tls       bool   // the simulator speaks TLS
	hosts     string
	apps      []gateway.App
	observe   bool
	limit     int64
	reveals   int               // per minute
	more      map[string]string // further manifests, by vendor
	clock     func() time.Time
	tokenless bool   // the ledger has no keys for tokens
	data      string // where the bed lies; "": somewhere new
	timeout   time.Duration
	handler   http.HandlerFunc // of the simulator; nil: 202
}

const token = "app-token-1"

// tokenDomain is the organisation's; the ledger knows it from its origin.
const tokenDomain = "acme-photos.example"

func start(t testing.TB, s setup) *bed {
	t.Helper()
	b := &bed{t: t, dir: s.data}
	if b.dir == "" {
		b.dir = t.TempDir()
	}
	b.vendor = simulate(t, s)
	keys := filepath.Join(b.dir, "keys")
	v, err := vault.Open(vault.Source{Dir: keys}, vault.Options{Origin: tokenDomain + "/cordon", Create: true})
	check(t, err)
	check(t, os.WriteFile(filepath.Join(keys, "acme.secret"), []byte("s3cret-of-acme"), 0o600))
	check(t, os.WriteFile(filepath.Join(keys, "acme-ca.pem"), b.vendor.ca, 0o600))

	upstream := s.upstream
	if upstream == "" {
		upstream = b.vendor.url
	}
	hosts := s.hosts
	if hosts == "" {
		hosts = "api.acme.example"
	}
	mapping := "mapping:\n  - {on: POST /send, fields: {email: user.contact.email, name: user.name}}\n"
	if strings.Contains(s.manifest, "mapping:") {
		mapping = ""
	}
	manifest := fmt.Sprintf("vendor: acme\nname: Acme\nupstream: %s\nhosts: [%s]\n%s%s", upstream, hosts, mapping, s.manifest)
	if !strings.Contains(manifest, "credential:") {
		manifest += "credential: {in: header, name: Authorization, value: \"Bearer {secret}\", secret: file:acme.secret}\n"
	}
	vendors := filepath.Join(b.dir, "vendors")
	check(t, os.MkdirAll(vendors, 0o700))
	for name, text := range s.more {
		check(t, os.WriteFile(filepath.Join(vendors, name+".yaml"), []byte(strings.ReplaceAll(text, "UPSTREAM", b.vendor.url)), 0o600))
	}
	check(t, os.WriteFile(filepath.Join(vendors, "acme.yaml"), []byte(manifest), 0o600))
	specs, problems := vendor.LoadDir(vendors)
	if len(problems) > 0 {
		t.Fatalf("manifest: %v", problems)
	}

	data := filepath.Join(b.dir, "data")
	k := v.Keys()
	b.root = k.TokenRoot[:]
	tokenRoot := k.TokenRoot
	if s.tokenless {
		tokenRoot = vault.Key{}
	}
	signer, err := note.NewSigner(k.SigningKey.Reveal())
	check(t, err)
	verifier, err := note.NewVerifier(k.Verifier)
	check(t, err)
	quiet := slog.New(slog.DiscardHandler)
	b.ledger, err = ledger.Open(ledger.Options{Dir: data, Log: quiet, Now: s.clock, Keys: ledger.Keys{
		Identity: k.Identity, Directory: k.Directory, Tokens: tokenRoot, Signer: signer, Verifier: verifier, Contact: k.Contact, ID: k.Fingerprint,
	}})
	check(t, err)
	t.Cleanup(func() { b.ledger.Close() })
	b.recorder = &watched{Ledger: b.ledger}
	b.table = &askedTable{Ledger: b.ledger}
	known := []isolate.Known{{Vendor: "acme", Routes: []string{"POST /send"}}, {Vendor: gateway.ObservedVendor}}
	for name := range s.more {
		known = append(known, isolate.Known{Vendor: vendorID(name)})
	}
	b.gates, err = isolate.Load(data, known)
	check(t, err)
	t.Cleanup(func() { b.gates.Close() })
	for i := range s.apps {
		if s.apps[i].Token.IsZero() {
			s.apps[i].Token = vault.NewSecret([]byte(token))
		}
	}
	b.gateway, err = gateway.New(gateway.Options{
		Recorder: b.recorder, Journal: b.recorder, Gates: b.gates, Specs: specs, Secrets: v, Apps: s.apps,
		Known: b.ledger, Tokens: tokens.New(k.TokenRoot, tokenDomain), Table: b.table, Learn: b.ledger,
		RevealsPerMinute: s.reveals,
		BodyLimit:        s.limit, VendorTimeout: s.timeout, Observe: s.observe, Log: quiet, Now: s.clock,
	})
	check(t, err)
	t.Cleanup(b.gateway.Close)

	limits := gateway.Limits{HeadTimeout: 2 * time.Second, BodyTimeout: 2 * time.Second}
	routes := httproute.New(b.gateway, limits)
	b.route = "http://" + serve(t, routes.Serve, routes.Shutdown)
	b.ca = k.CACert
	authority, err := ca.New(k.CACert, []byte(k.CAKey.Reveal()), nil)
	check(t, err)
	p := proxy.New(b.gateway, authority, limits)
	b.proxy = serve(t, p.Serve, p.Shutdown)
	return b
}

func serve(t testing.TB, serve func(net.Listener) error, shutdown func(context.Context) error) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	go serve(ln)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		shutdown(ctx)
	})
	return ln.Addr().String()
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// askedTable is the ledger's table of tokens, of which a test can say that a
// token is taken.
type askedTable struct {
	*ledger.Ledger
	asked int
	taken func(tokens.Token) bool
}

func (a *askedTable) TokenFree(v exposure.VendorID, t *tokens.Token) (bool, error) {
	a.asked++
	if a.taken != nil && a.taken(*t) {
		return false, nil
	}
	return a.Ledger.TokenFree(v, t)
}

// watched is the ledger with a look at when Record returned, and a switch for
// an ill one.
type watched struct {
	*ledger.Ledger
	mu       sync.Mutex
	before   func() // runs inside Record
	after    func() // runs before Record returns
	recorded []ledger.Disclosure
	outcomes []ledger.Outcome
	notes    []ledger.Event
	sick     error // what Record and Append return instead
}

func (w *watched) Record(ctx context.Context, d ledger.Disclosure) (*ledger.Receipt, error) {
	w.mu.Lock()
	before, after, sick := w.before, w.after, w.sick
	w.mu.Unlock()
	if sick != nil {
		return nil, sick
	}
	if before != nil {
		before()
	}
	r, err := w.Ledger.Record(ctx, d)
	w.mu.Lock()
	w.recorded = append(w.recorded, d)
	w.mu.Unlock()
	if after != nil {
		after()
	}
	return r, err
}

func (w *watched) Append(ctx context.Context, e ledger.Event) (uint64, error) {
	w.mu.Lock()
	sick := w.sick
	w.mu.Unlock()
	if sick != nil {
		return 0, sick
	}
	return w.Ledger.Append(ctx, e)
}

func (w *watched) Settle(r *ledger.Receipt, o ledger.Outcome) {
	w.mu.Lock()
	w.outcomes = append(w.outcomes, o)
	w.mu.Unlock()
	w.Ledger.Settle(r, o)
}

func (w *watched) Note(e ledger.Event) {
	w.mu.Lock()
	w.notes = append(w.notes, e)
	w.mu.Unlock()
	w.Ledger.Note(e)
}

func (w *watched) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// refusals are the reasons noted, in order.
func (w *watched) refusals() (reasons []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.notes {
		if n.Kind == ledger.EventRefusal {
			reasons = append(reasons, n.Fields["reason"].(string))
		}
	}
	return reasons
}

// outcome waits for the n-th outcome, since it is settled beside the answer.
func (w *watched) outcome(t testing.TB, n int) ledger.Outcome {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		w.mu.Lock()
		if len(w.outcomes) > n {
			o := w.outcomes[n]
			w.mu.Unlock()
			return o
		}
		w.mu.Unlock()
		if time.Now().After(end) {
			t.Fatalf("no outcome %d", n)
		}
	}
}

// simulator is a vendor that keeps what it was sent, byte for byte.
type simulator struct {
	url   string
	ca    []byte
	mu    sync.Mutex
	raw   []byte
	got   []seen
	new   int // connections
	conns []net.Conn
}

type seen struct {
	method, target, host, body string
	header                     http.Header
}

func simulate(t testing.TB, s setup) *simulator {
	sim := &simulator{}
	handler := s.handler
	if handler == nil {
		handler = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusAccepted) }
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sim.mu.Lock()
		sim.got = append(sim.got, seen{r.Method, r.RequestURI, r.Host, string(body), r.Header.Clone()})
		sim.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		handler(w, r)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Listener = tapListener{server.Listener, sim}
	if s.tls {
		server.StartTLS()
		sim.ca = pemOf(server)
	} else {
		server.Start()
	}
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	sim.url = server.URL
	return sim
}

type tapListener struct {
	net.Listener
	sim *simulator
}

func (l tapListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.sim.mu.Lock()
	l.sim.new++
	l.sim.conns = append(l.sim.conns, c)
	l.sim.mu.Unlock()
	return tapConn{c, l.sim}, nil
}

type tapConn struct {
	net.Conn
	sim *simulator
}

func (c tapConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.sim.mu.Lock()
	c.sim.raw = append(c.sim.raw, p[:n]...)
	c.sim.mu.Unlock()
	return n, err
}

func (s *simulator) received() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.raw)
}

func (s *simulator) messages() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.got...)
}

func (s *simulator) last(t testing.TB) seen {
	t.Helper()
	m := s.messages()
	if len(m) == 0 {
		t.Fatal("the vendor got nothing")
	}
	return m[len(m)-1]
}

// post sends the usual message.
func (b *bed) post(path, body string, header ...string) *http.Response {
	b.t.Helper()
	r, err := http.NewRequest("POST", b.route+path, strings.NewReader(body))
	check(b.t, err)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := client(b.t).Do(r)
	check(b.t, err)
	return resp
}

func client(t testing.TB) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

const ada = `{"email":"ada@example.org","name":"Ada"}`

// raw speaks bytes to an address and returns everything until its end.
func raw(t testing.TB, addr, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(addr, "http://"))
	check(t, err)
	defer c.Close()
	_, err = io.WriteString(c, text)
	check(t, err)
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	all, _ := io.ReadAll(c)
	return string(all)
}

// disclosures are the ledger's own entries, waiting until n are there.
func (b *bed) people() (n int) {
	for e, err := range b.ledger.Entries(1) {
		check(b.t, err)
		if e.Kind == ledger.KindDisclosure {
			n += len(e.Subjects)
		}
	}
	return n
}

type vendorID = exposure.VendorID
