// Package clients runs the vendors' own SDKs, unchanged, through Cordon: by
// its reverse routes and under `cordon exec`, and asks the ledger afterwards
// whose data each call carried. The vendors are simulators on loopback; under
// `cordon exec` the SDKs believe they speak to the real hosts.
//
// CORDON=PATH tests that program instead of building one.
package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"photos/people"
	"photos/vendorsim"
)

// call is one program that tells a vendor about some people.
type call struct {
	name, vendor string
	people       int
	argv         func(some []people.Person) []string
	categories   []string // what must be known of each person afterwards
	npm          bool
}

var email, fullName, userID = "user.contact.email", "user.name", "user.unique_id"

func TestLedgerNamesExactlyThePeopleThatRealClientsCarried(t *testing.T) {
	bin := t.TempDir()
	mailer, payer := goBuild(t, ".", "./mailer", bin), goBuild(t, ".", "./payer", bin)
	var npm string
	own := t.TempDir() // outlives the subtest
	t.Run("install the npm SDKs", func(t *testing.T) { npm = nodeFolder(t, "node", own) })
	script := func(name string) string { return filepath.Join(npm, name) }

	mail, err := vendorsim.Mail("127.0.0.1:0", vendorsim.Options{Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	defer mail.Close()
	insight, err := vendorsim.Analytics("127.0.0.1:0", vendorsim.Options{Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	defer insight.Close()
	pay := startStripeMock(t)

	all := people.Generate(80, 7)
	gate := startCordon(t, map[string]string{"acme-mail": mail.URL(), "acme-pay": pay.url, "acme-insight": insight.URL()}, all, nil)
	received := map[string]func() []byte{"acme-mail": mail.Wire, "acme-insight": insight.Wire, "acme-pay": pay.wire}
	arrived := map[string]func() int{
		"acme-mail":    func() int { return len(mail.Messages()) },
		"acme-insight": func() int { return len(insight.Messages()) },
		"acme-pay":     pay.messages,
	}

	addresses := func(some []people.Person) (list []string) {
		for _, p := range some {
			list = append(list, fmt.Sprintf("%q <%s>", p.Name, p.Email))
		}
		return list
	}
	pairs := func(some []people.Person) (list []string) {
		for _, p := range some {
			list = append(list, p.Name, p.Email)
		}
		return list
	}
	exposed := map[string][]string{}
	next := 0
	for _, c := range []call{
		{"sendgrid-go", "acme-mail", 3, func(some []people.Person) []string {
			return append([]string{mailer}, addresses(some)...)
		}, []string{email, fullName}, false},
		{"@sendgrid/mail", "acme-mail", 3, func(some []people.Person) []string {
			return append([]string{"node", script("mailer.cjs")}, pairs(some)...)
		}, []string{email, fullName}, true},
		{"stripe-go", "acme-pay", 1, func(some []people.Person) []string {
			return append([]string{payer}, pairs(some)...)
		}, []string{email, fullName}, false},
		{"stripe (npm)", "acme-pay", 1, func(some []people.Person) []string {
			return append([]string{"node", script("payer.mjs")}, pairs(some)...)
		}, []string{email, fullName}, true},
		{"@segment/analytics-node", "acme-insight", 1, func(some []people.Person) []string {
			return []string{"node", script("insight.mjs"), some[0].ID, some[0].Email, some[0].Name}
		}, []string{email, fullName, userID}, true},
		{"curl", "acme-mail", 2, func(some []people.Person) []string {
			body := fmt.Sprintf(`{"personalizations":[{"to":[{"email":%q,"name":%q},{"email":%q,"name":%q}]}],"from":{"email":"hello@photos.example"},"subject":"s","content":[{"type":"text/plain","value":"v"}]}`,
				some[0].Email, some[0].Name, some[1].Email, some[1].Name)
			return []string{"sh", "-c", `exec curl -sS --fail-with-body -H 'Authorization: Bearer SG.test' -H 'Content-Type: application/json' --data-binary "$1" "${BASE_URL:-https://api.sendgrid.com}/v3/mail/send"`, "sh", body}
		}, []string{email, fullName}, false},
	} {
		for _, way := range []string{"route", "exec"} {
			some := all[next : next+c.people]
			next += c.people
			t.Run(c.name+" by "+way, func(t *testing.T) {
				if c.npm && npm == "" {
					t.Skip("the npm SDKs are not installed, see above")
				}
				if c.vendor == "acme-pay" && pay.url == unused {
					t.Skip("stripe-mock is not installed, see above")
				}
				before := arrived[c.vendor]()
				argv, env := c.argv(some), []string{}
				if way == "route" {
					env = append(env, "BASE_URL=http://"+gate.http+"/"+c.vendor)
				} else {
					argv = append([]string{gate.program, "exec", "--config", filepath.Join(gate.dir, "cordon.yaml"), "--"}, argv...)
				}
				cmd := exec.Command(argv[0], argv[1:]...)
				cmd.Env = append(os.Environ(), append(env, "NO_PROXY=api.sendgrid.com,api.stripe.com,api.segment.io")...)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("the client failed: %v\n%s", err, out)
				}
				if n := arrived[c.vendor]() - before; n != 1 {
					t.Errorf("%d messages reached the vendor, want 1", n)
				}
				for _, p := range some {
					exposed[c.vendor] = append(exposed[c.vendor], p.ID)
				}
				slices.Sort(exposed[c.vendor])
				expectExposed(t, gate, c.vendor, exposed[c.vendor])
				for _, p := range some {
					expectSubject(t, gate, p, c)
					expectReceived(t, received[c.vendor](), p)
				}
			})
		}
	}
	// With every call on record, the record holds together.
	var v struct{ OK bool }
	out, err := gate.run("ledger", "verify", "--json")
	if err != nil || json.Unmarshal([]byte(out), &v) != nil || !v.OK {
		t.Errorf("the ledger does not verify: %v %s", err, out)
	}
}

// expectExposed waits for the index, which follows the ledger, and then wants
// exactly these people: one too many is as wrong as one too few.
func expectExposed(t *testing.T, gate *cordon, vendor string, want []string, flags ...string) {
	t.Helper()
	var got []string
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if got, err = gate.exposed(vendor, flags...); err == nil && slices.Equal(got, want) {
			return
		}
	}
	t.Errorf("scope of %s names %v, want %v (%v)", vendor, got, want, err)
}

func expectSubject(t *testing.T, gate *cordon, p people.Person, c call) {
	t.Helper()
	s, err := gate.subject(p.Email)
	if err != nil {
		t.Error(err)
		return
	}
	if len(s.Vendors) != 1 || s.Vendors[0].Vendor != c.vendor {
		t.Errorf("%s was told to %+v, want %s alone", p.ID, s.Vendors, c.vendor)
		return
	}
	for _, category := range c.categories {
		if !slices.Contains(s.Vendors[0].Categories, category) {
			t.Errorf("%s: %s is missing from %v", p.ID, category, s.Vendors[0].Categories)
		}
	}
}

// expectReceived finds the person in the vendor's bytes, however written.
func expectReceived(t *testing.T, wire []byte, p people.Person) {
	t.Helper()
	if !bytes.Contains(wire, []byte(p.Email)) && !bytes.Contains(wire, []byte(url.QueryEscape(p.Email))) {
		t.Errorf("the vendor never received the address of %s", p.ID)
	}
}

// mock is stripe-mock behind a recorder.
type mock struct {
	url   string
	mu    sync.Mutex
	seen  bytes.Buffer
	count int
}

func (m *mock) messages() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}

// unused is an upstream that nobody dials.
const unused = "http://127.0.0.1:9"

func (m *mock) wire() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.seen.Bytes())
}

func startStripeMock(t *testing.T) *mock {
	t.Helper()
	var program string
	t.Run("install stripe-mock", func(t *testing.T) { program = stripeMock(t) })
	if program == "" {
		return &mock{url: unused}
	}
	addrs := freePorts(t, 2)
	_, plain, _ := net.SplitHostPort(addrs[0])
	_, secure, _ := net.SplitHostPort(addrs[1])
	cmd := exec.Command(program, "-http-addr", "127.0.0.1:"+plain, "-https-addr", "127.0.0.1:"+secure)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", addrs[0]); err == nil {
			c.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("stripe-mock does not listen")
		}
	}
	to, err := url.Parse("http://" + addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	m := &mock{}
	forward := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		dump, err := httputil.DumpRequest(r, true)
		if err != nil {
			t.Error(err)
		}
		m.mu.Lock()
		m.seen.Write(dump)
		m.count++
		m.mu.Unlock()
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	m.url = s.URL
	if !strings.HasPrefix(m.url, "http://127.0.0.1:") {
		t.Fatalf("the recorder listens at %s", m.url)
	}
	return m
}
