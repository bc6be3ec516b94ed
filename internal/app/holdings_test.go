package app_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"cordon/internal/api"
	"cordon/internal/app"
	"cordon/internal/config"
)

// counter is a Cordon with a vendor that keeps what it gets.
type counter struct {
	desk  *api.Desk
	clock *fakeClock
	url   string
	got   chan string
	ctx   context.Context
}

func newCounter(t *testing.T, manifest string, keys ...string) *counter {
	t.Helper()
	c := &counter{clock: &fakeClock{}, got: make(chan string, 100), ctx: api.WithActor(context.Background(), api.LocalActor)}
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.got <- string(body)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(vendor.Close)
	path := furnish(t, t.TempDir(), vendor.URL)
	file := filepath.Join(filepath.Dir(path), "vendors", "acme-mail.yaml")
	if err := os.WriteFile(file, []byte("vendor: acme-mail\ncatalogue: sendgrid\nupstream: "+vendor.URL+"\n"+manifest), 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(string(text)+strings.Join(keys, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, specs, _, problems := config.LoadOrCreate(path, config.Overrides{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	a, err := app.New(t.Context(), cfg, specs, app.Options{Log: slog.New(slog.DiscardHandler), Now: c.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.desk, c.url = a.Desk(), "http://"+a.Addresses().HTTP+"/acme-mail/v3/mail/send"
	return c
}

// send sends one mail and gives what the vendor got.
func (c *counter) send(t *testing.T, address, name string) string {
	t.Helper()
	body := `{"personalizations":[{"to":[{"email":"` + address + `","name":"` + name + `"}]}],"from":{"email":"us@photos.example"},"subject":"Hi","content":[{"type":"text/plain","value":"x"}]}`
	r, err := http.Post(c.url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusAccepted {
		t.Fatalf("the message was answered %d", r.StatusCode)
	}
	return <-c.got
}

func TestARetentionPromisedInAContractExcludesNobody(t *testing.T) {
	c := newCounter(t, "contract: {retention_days: 30}\n")
	c.send(t, "ada@photos.example", "Ada")
	c.clock.add(100 * 24 * time.Hour)
	since := c.clock.now()
	a, err := c.desk.Scope(c.ctx, api.ScopeQuery{Vendor: "acme-mail", Since: since})
	if err != nil || a.Subjects != 1 || len(a.Excluded) != 0 {
		t.Fatalf("by the contract alone: %+v, %v", a, err)
	}
	letter := api.Attest{SentBefore: since.Add(-24 * time.Hour), DeletedAt: since.Add(-time.Hour), Statement: []byte("deleted")}
	if _, err := c.desk.AttestDeletion(c.ctx, "acme-mail", letter); err != nil {
		t.Fatal(err)
	}
	a, err = c.desk.Scope(c.ctx, api.ScopeQuery{Vendor: "acme-mail", Since: since})
	if err != nil || a.Subjects != 0 || len(a.Excluded) != 1 || a.Excluded[0].Subjects != 1 {
		t.Fatalf("with the letter: %+v, %v", a, err)
	}
	// A window that begins within the hour before the deletion: it was held then.
	a, err = c.desk.Scope(c.ctx, api.ScopeQuery{Vendor: "acme-mail", Since: since.Add(-time.Hour - time.Nanosecond)})
	if err != nil || a.Subjects != 1 {
		t.Fatalf("an instant earlier: %+v, %v", a, err)
	}
}

func TestALetterDuringAnIncidentTakesTwo(t *testing.T) {
	e := newEmergency(t)
	now := e.clock.now()
	letter := api.Attest{SentBefore: now.Add(-2 * time.Hour), DeletedAt: now.Add(-time.Hour), Statement: []byte("deleted")}
	attest := func(l api.Attest) (api.Attestation, error) {
		return e.desk.AttestDeletion(e.as("rob", api.Responder), "acme-mail", l)
	}
	_, err := attest(letter)
	refused(t, err, "approvals by two users")
	for _, who := range []struct {
		name string
		role api.Role
	}{{"rob", api.Responder}, {"dana", api.Counsel}} {
		if _, err := e.desk.ApproveStep(e.as(who.name, who.role), "inc-1", api.IncidentApproval{Step: "attest"}); err != nil {
			t.Fatal(err)
		}
	}
	a, err := attest(letter)
	if err != nil {
		t.Fatal(err)
	}
	// What was approved is that letter and no other.
	other := letter
	other.Statement = []byte("another letter")
	_, err = attest(other)
	refused(t, err, "approvals by two users")
	// Taking it back widens, and one may do that.
	if _, err := attest(api.Attest{Withdraws: a.Entry, Statement: []byte("retracted")}); err != nil {
		t.Fatal(err)
	}
	if list, _ := e.desk.Index.Attestations(t.Context(), "acme-mail"); len(list) != 1 || !list[0].Withdrawn {
		t.Errorf("%+v", list)
	}
	if _, err := e.desk.AttestDeletion(e.as("vera", api.Viewer), "acme-mail", letter); reasonOf(err) != "role-not-allowed" {
		t.Errorf("a viewer took a letter in: %v", err)
	}
}

func TestANarrowerFrozenScopeOfAnIncidentTakesTwo(t *testing.T) {
	c := newCounter(t, "")
	c.send(t, "ada@photos.example", "Ada")
	if _, err := c.desk.OpenIncident(c.ctx, api.IncidentOpen{Vendor: "acme-mail"}); err != nil {
		t.Fatal(err)
	}
	before := c.clock.now().Add(-time.Hour)
	narrow := api.ScopeQuery{Vendor: "acme-mail", Until: before, Incident: "inc-1"}
	_, err := c.desk.FreezeScope(c.ctx, narrow)
	refused(t, err, "approvals by two users")
	// Nothing of it stays, and a scope that counts them all is frozen by one.
	all := narrow
	all.Until = time.Time{}
	a, err := c.desk.FreezeScope(c.ctx, all)
	if err != nil || a.Subjects != 1 || a.Frozen != "scope-2" {
		t.Fatalf("%+v, %v", a, err)
	}
	again, err := c.desk.FrozenScope(c.ctx, "scope-2")
	if err != nil || again.Checkpoint != a.Checkpoint || again.TookMS != a.TookMS {
		t.Errorf("%+v, %v", again, err)
	}
	// Of no incident, it is an answer like others.
	narrow.Incident = ""
	if a, err := c.desk.FreezeScope(c.ctx, narrow); err != nil || a.Subjects != 0 || a.Frozen != "scope-3" {
		t.Errorf("%+v, %v", a, err)
	}
}

// What was declared is not in the index under the day on which it was written,
// so that day must not go.
func TestTheDayOfADeclarationDoesNotExpire(t *testing.T) {
	c := newCounter(t, "", "retention: {bodies: 30d}\n")
	c.send(t, "ada@photos.example", "Ada")
	c.clock.add(48 * time.Hour)
	file := strings.NewReader("email,held_since\nzoe@photos.example,2020-01-01\n")
	b, err := c.desk.Backfill(c.ctx, api.BackfillQuery{Vendor: "acme-mail", Categories: "user.name"}, file)
	if err != nil || b.People != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
	c.clock.add(48 * time.Hour)
	c.send(t, "bob@photos.example", "Bob")
	c.clock.add(100 * 24 * time.Hour)
	e, err := c.desk.ExpireDue(c.ctx, true)
	if err != nil || len(e.Days) != 3 {
		t.Fatalf("%+v, %v", e, err)
	}
	for i, held := range []bool{false, true, false} {
		if got := strings.HasPrefix(e.Days[i].HeldBy, "the declaration of entry "); got != held {
			t.Errorf("%s is held by %q", e.Days[i].Day, e.Days[i].HeldBy)
		}
	}
}

// A declaration that broke off is not all that the vendor held, and what is
// declared is not met by a question about one route: both are said.
func TestScopeSaysWhatDeclarationsLack(t *testing.T) {
	c := newCounter(t, "")
	c.send(t, "ada@photos.example", "Ada")
	q := api.BackfillQuery{Vendor: "acme-mail", Categories: "user.name"}
	rows := "email\n" // more than one entry takes
	for i := range 600 {
		rows += fmt.Sprintf("p%d@photos.example\n", i)
	}
	ask := func(q api.ScopeQuery) (bool, int) {
		t.Helper()
		a, err := c.desk.Scope(c.ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		return a.DeclaredLeftOut, len(a.Unfinished)
	}
	if _, err := c.desk.Backfill(c.ctx, q, io.MultiReader(strings.NewReader(rows), iotest.ErrReader(io.ErrUnexpectedEOF))); err == nil {
		t.Fatal("half a file was taken for a whole one")
	}
	if out, n := ask(api.ScopeQuery{Vendor: "acme-mail"}); out || n != 1 {
		t.Errorf("after half a file: left out %v, %d unfinished", out, n)
	}
	if _, err := c.desk.Backfill(c.ctx, q, strings.NewReader(rows)); err != nil {
		t.Fatal(err)
	}
	if out, n := ask(api.ScopeQuery{Vendor: "acme-mail"}); out || n != 0 {
		t.Errorf("after the whole file: left out %v, %d unfinished", out, n)
	}
	if out, _ := ask(api.ScopeQuery{Vendor: "acme-mail", App: "anonymous"}); !out {
		t.Error("asked of one app, nobody says that declared people are left out")
	}
	if out, _ := ask(api.ScopeQuery{Vendor: "acme-mail", Basis: "sent"}); out {
		t.Error("what was sent leaves nobody out")
	}
}

var tokenised = regexp.MustCompile(`"name":"([^"]+)"`)

func TestEveryKindOfProofMakesPeopleCertain(t *testing.T) {
	c := newCounter(t, "minimize: {user.name: token, default: allow}\n")
	token := tokenised.FindStringSubmatch(c.send(t, "ada@photos.example", "Ada Lovelace"))[1]
	if strings.Contains(token, "Ada") {
		t.Fatalf("the vendor got %q", token)
	}
	c.send(t, "bob@photos.example", "Bob")
	c.send(t, "eve@photos.example", "Eve")
	c.send(t, "fay@photos.example", "Fay")
	c.send(t, "gus@photos.example", "Gus")
	if _, err := c.desk.OpenIncident(c.ctx, api.IncidentOpen{Vendor: "acme-mail"}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		kind, file               string
		rows, matched, unmatched uint64
		certain                  uint64 // of the incident, after it
	}{
		{"records", "someone@else.example\nBOB@photos.example\n\nno one\n", 3, 1, 2, 1},
		{"token", "what came back: " + token + " and nothing else\n", 1, 1, 0, 2},
		{"vendor-log", `2026-02-03 GET /export rcpt=<eve@photos.example> 200` + "\n" + `2026-02-03 GET /health 200` + "\n", 2, 1, 1, 3},
		{"canary", "nobody@photos.example\n", 1, 0, 1, 3},
		{"vendor-log", "GET /v3/contacts?e=fay%40photos.example&done=100% 200\nGET /u/gus%40photos.example/mail\nGET /?e=fay%2540photos.example\n", 3, 2, 1, 5},
	} {
		a, err := c.desk.Accessed(c.ctx, "inc-1", "acme-mail", step.kind, strings.NewReader(step.file))
		if err != nil {
			t.Fatalf("%s: %v", step.kind, err)
		}
		if a.Rows != step.rows || a.Matched != step.matched || a.UnmatchedRows != step.unmatched || a.NotHeld != 0 {
			t.Errorf("%s: %+v", step.kind, a)
		}
		scope, err := c.desk.Scope(c.ctx, api.ScopeQuery{Vendor: "acme-mail", Incident: "inc-1"})
		if err != nil || scope.Certain != step.certain || scope.Certain+scope.Possible != scope.Subjects {
			t.Errorf("after %s: certain %d, possible %d, %v", step.kind, scope.Certain, scope.Possible, err)
		}
	}
	if _, err := c.desk.Accessed(c.ctx, "inc-1", "acme-mail", "rumour", strings.NewReader("x\n")); reasonOf(err) != "kind-unknown" {
		t.Errorf("a rumour: %v", err)
	}
}
