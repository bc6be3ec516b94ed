package app_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cordon/internal/api"
	"cordon/internal/app"
	"cordon/internal/config"
)

// fakeClock runs ahead of the real one by what was added.
type fakeClock struct{ ahead atomic.Int64 }

func (c *fakeClock) now() time.Time      { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *fakeClock) add(d time.Duration) { c.ahead.Add(int64(d)) }

// emergency is a Cordon with a cut vendor, an open incident and three users.
type emergency struct {
	app   *app.App
	desk  *api.Desk
	clock *fakeClock
}

func (e *emergency) as(name string, role api.Role) context.Context {
	return api.WithActor(context.Background(), api.Actor{Name: name, Role: role})
}

func (e *emergency) local() context.Context {
	return api.WithActor(context.Background(), api.LocalActor)
}

func newEmergency(t *testing.T) *emergency {
	t.Helper()
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(vendor.Close)
	e := &emergency{clock: &fakeClock{}}
	path := furnish(t, t.TempDir(), vendor.URL)
	other := filepath.Join(filepath.Dir(path), "vendors", "backup-mail.yaml")
	if err := os.WriteFile(other, []byte("vendor: backup-mail\ncatalogue: postmark\nupstream: "+vendor.URL+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, specs, _, problems := config.LoadOrCreate(path, config.Overrides{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var err error
	if e.app, err = app.New(t.Context(), cfg, specs, app.Options{Log: slog.New(slog.DiscardHandler), Now: e.clock.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, e.app) })
	e.desk = e.app.Desk()
	for _, u := range []struct {
		name string
		role api.Role
	}{{"rob", api.Responder}, {"rosa", api.Responder}, {"dana", api.Counsel}} {
		if _, err := e.desk.Fold.Users.Add(e.local(), u.name, u.role); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.desk.Fold.Users.Approve(e.as("rob", api.Responder), "dana"); err != nil {
		t.Fatal(err)
	}
	e.must(t, "cut")
	if _, err := e.desk.OpenIncident(e.as("rob", api.Responder), api.IncidentOpen{Vendor: "acme-mail"}); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *emergency) gate(verb string, glass bool) error {
	_, err := e.desk.ChangeGate(e.local(), verb, "acme-mail", api.GateRequest{BreakGlass: glass})
	return err
}

func (e *emergency) must(t *testing.T, verb string) {
	t.Helper()
	if err := e.gate(verb, false); err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
}

// refused says that policy refused, and why.
func refused(t *testing.T, err error, why string) {
	t.Helper()
	p, ok := errors.AsType[*api.Error](err)
	if !ok || p.Status != http.StatusForbidden || !strings.Contains(p.Detail, why) || p.Next == "" {
		t.Fatalf("want a refusal that says %q, got %v", why, err)
	}
}

func TestVendorOfAnOpenIncidentIsRestoredByTwo(t *testing.T) {
	e := newEmergency(t)
	approve := func(name string, role api.Role) error {
		_, err := e.desk.ApproveStep(e.as(name, role), "inc-1", api.IncidentApproval{Step: "restore"})
		return err
	}
	refused(t, e.gate("restore", false), "has none")
	refused(t, approve("rob", api.Auditor), "may not approve steps")
	if err := approve("rob", api.Responder); err != nil {
		t.Fatal(err)
	}
	if err := approve("rosa", api.Responder); err != nil {
		t.Fatal(err)
	}
	refused(t, e.gate("restore", false), "rob (responder), rosa (responder)")
	if err := approve("dana", api.Counsel); err != nil {
		t.Fatal(err)
	}
	// Whoever cuts it once more knows something: nothing that was approved
	// before may open it now.
	e.must(t, "cut")
	refused(t, e.gate("restore", false), "has none")
	for name, role := range map[string]api.Role{"rob": api.Responder, "dana": api.Counsel} {
		if err := approve(name, role); err != nil {
			t.Fatal(err)
		}
	}
	e.must(t, "restore")
	// One use.
	e.must(t, "cut")
	refused(t, e.gate("restore", false), "has none")
}

func TestIncidentIsNotClosedToGetAroundTheSecondPerson(t *testing.T) {
	e := newEmergency(t)
	_, err := e.desk.CloseIncident(e.as("rob", api.Responder), "inc-1", api.IncidentText{})
	refused(t, err, "close needs approvals")
	// A second incident does not help, and its closing is nobody's business.
	if _, err := e.desk.OpenIncident(e.as("rob", api.Responder), api.IncidentOpen{Vendor: "acme-mail", Again: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.desk.CloseIncident(e.as("rob", api.Responder), "inc-2", api.IncidentText{}); err != nil {
		t.Fatal(err)
	}
	refused(t, e.gate("restore", false), "inc-1 is open")
	for name, role := range map[string]api.Role{"rosa": api.Responder, "dana": api.Counsel} {
		if _, err := e.desk.ApproveStep(e.as(name, role), "inc-1", api.IncidentApproval{Step: "close"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.desk.CloseIncident(e.as("rob", api.Responder), "inc-1", api.IncidentText{Text: "over"}); err != nil {
		t.Fatal(err)
	}
	e.must(t, "restore") // no open incident: one is enough
}

func TestBrokenGlassOpensAfterAQuarterOfAnHour(t *testing.T) {
	e := newEmergency(t)
	refused(t, e.gate("restore", true), "local broke the glass")
	status, err := e.desk.Status(e.local())
	if err != nil || len(status.Alarms) != 1 || status.IncidentsOpen != 1 {
		t.Fatalf("alarms %v, open %d, %v", status.Alarms, status.IncidentsOpen, err)
	}
	e.clock.add(14 * time.Minute)
	refused(t, e.gate("restore", true), "broke the glass")
	// A cut stops it, and it has to begin anew.
	e.must(t, "cut")
	e.clock.add(2 * time.Minute)
	refused(t, e.gate("restore", true), "broke the glass")
	e.clock.add(15*time.Minute + time.Second)
	if err := e.gate("restore", true); err != nil {
		t.Fatal(err)
	}
	findings, err := e.desk.Findings(e.local(), api.FindingQuery{Kind: "break-glass"})
	if err != nil || findings.Open != 2 { // each time somebody did it
		t.Fatalf("%d findings, %v", findings.Open, err)
	}
	// Why one was closed may name people: it is no part of an entry, and is not for everybody.
	closed, err := e.desk.CloseFinding(e.local(), findings.Findings[0].Finding, api.FindingClose{Reason: "ada@photos.example asked"})
	if err != nil || closed.Reason != "ada@photos.example asked" {
		t.Fatalf("%+v, %v", closed, err)
	}
	if f, err := e.desk.Finding(e.as("vic", api.Viewer), closed.Finding); err != nil || f.Reason != "" || f.ClosedBy != "local" {
		t.Errorf("a viewer is shown %+v, %v", f, err)
	}
	for entry, err := range e.desk.Ledger.Events(1) {
		if text := fmt.Sprint(entry.Event.Fields); err != nil || strings.Contains(text, "ada@") {
			t.Errorf("entry %d: %s, %v", entry.Seq, text, err)
		}
	}
	if status, err = e.desk.Status(e.local()); err != nil || len(status.Alarms) != 0 {
		t.Fatalf("alarms after it was done: %v, %v", status.Alarms, err)
	}
}

func TestRolesOfIncidents(t *testing.T) {
	e := newEmergency(t)
	for role, may := range map[api.Role]bool{
		api.Viewer: false, api.Auditor: false, api.VendorManager: false, api.Counsel: true, api.Responder: true, api.Administrator: true,
	} {
		ctx := e.as("x", role)
		for what, do := range map[string]func() error{
			"open": func() error {
				_, err := e.desk.OpenIncident(ctx, api.IncidentOpen{Vendor: "acme-mail", Again: true, DryRun: true})
				return err
			},
			"fact": func() error {
				_, err := e.desk.SetFacts(ctx, "inc-1", api.IncidentFacts{Facts: map[string]string{"risk": "high"}})
				return err
			},
			"note": func() error {
				_, err := e.desk.AddNote(ctx, "inc-1", api.IncidentText{Text: "x"})
				return err
			},
			"accessed": func() error {
				_, err := e.desk.IncidentAccessed(ctx, "inc-1", "", strings.NewReader("email\nnobody@photos.example\n"))
				return err
			},
			"scope": func() error {
				_, err := e.desk.FreezeIncident(ctx, "inc-1", api.IncidentWindow{})
				return err
			},
		} {
			if err := do(); may != (err == nil) {
				t.Errorf("%s as %s: %v", what, role, err)
			} else if !may {
				refused(t, err, "may not")
			}
		}
		if _, err := e.desk.Incidents(ctx, ""); err != nil {
			t.Errorf("list as %s: %v", role, err)
		}
	}
	if _, err := e.desk.Incidents(context.Background(), ""); err == nil {
		t.Error("nobody sees the incidents")
	}
}

// Two who close two incidents at once must not each rely on the other one.
func TestIncidentsClosedAtOnceAreNotBothClosedByOne(t *testing.T) {
	e := newEmergency(t)
	rob := e.as("rob", api.Responder)
	for range 7 {
		if _, err := e.desk.OpenIncident(rob, api.IncidentOpen{Vendor: "acme-mail", Again: true}); err != nil {
			t.Fatal(err)
		}
	}
	open := e.desk.Fold.Cases.OpenFor("acme-mail")
	var all sync.WaitGroup
	for _, k := range open {
		all.Go(func() { _, _ = e.desk.CloseIncident(rob, k.ID, api.IncidentText{}) })
	}
	all.Wait()
	if left := len(e.desk.Fold.Cases.OpenFor("acme-mail")); len(open) != 8 || left != 1 {
		t.Fatalf("of %d incidents %d are open", len(open), left)
	}
	refused(t, e.gate("restore", false), "is open")
}

// A route that no manifest names is closed by name, and is closed all the same.
func TestIncidentIsNotClosedWhileARouteIsCutThatNoManifestNames(t *testing.T) {
	e := newEmergency(t)
	for name, role := range map[string]api.Role{"rob": api.Responder, "dana": api.Counsel} {
		if _, err := e.desk.ApproveStep(e.as(name, role), "inc-1", api.IncidentApproval{Step: "restore"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.desk.ChangeGate(e.local(), "cut", "acme-mail", api.GateRequest{Route: "PUT /*"}); err != nil {
		t.Fatal(err)
	}
	for name, role := range map[string]api.Role{"rob": api.Responder, "dana": api.Counsel} {
		if _, err := e.desk.ApproveStep(e.as(name, role), "inc-1", api.IncidentApproval{Step: "restore"}); err != nil {
			t.Fatal(err)
		}
	}
	e.must(t, "restore")
	_, err := e.desk.CloseIncident(e.as("rob", api.Responder), "inc-1", api.IncidentText{})
	refused(t, err, "close needs approvals")
}

// Whoever leaves people out of a scope decides that nobody tells them.
func TestNarrowingAScopeTakesTwo(t *testing.T) {
	e := newEmergency(t)
	if _, err := e.desk.OpenIncident(e.as("rob", api.Responder), api.IncidentOpen{Vendor: "acme-mail", Again: true, DryRun: true}); err != nil {
		t.Fatal(err)
	}
	approve := func(id, step string) {
		t.Helper()
		k, _ := e.desk.Fold.Cases.Get(id)
		digest := ""
		for _, p := range k.Plans {
			if p.Step == step && p.State() == "waiting" {
				digest = p.Digest
			}
		}
		for name, role := range map[string]api.Role{"rob": api.Responder, "dana": api.Counsel} {
			if _, err := e.desk.ApproveStep(e.as(name, role), id, api.IncidentApproval{Step: step, Digest: digest}); err != nil {
				t.Fatal(err)
			}
		}
	}
	approve("inc-1", "restore")
	e.must(t, "restore")
	if err := e.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := http.Post("http://"+e.app.Addresses().HTTP+"/acme-mail/v3/mail/send", "application/json", strings.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	rob := e.as("rob", api.Responder)
	i, err := e.desk.FreezeIncident(rob, "inc-1", api.IncidentWindow{}) // more people: no approvals
	if err != nil || i.Scope.Subjects != 1 {
		t.Fatalf("%v, %v", i.Scope, err)
	}
	before := e.clock.now().Add(-time.Hour)
	_, err = e.desk.FreezeIncident(rob, "inc-1", api.IncidentWindow{Until: &before})
	refused(t, err, "scope needs approvals")
	approve("inc-1", "scope")
	earlier := before.Add(-time.Hour)
	_, err = e.desk.FreezeIncident(rob, "inc-1", api.IncidentWindow{Until: &earlier})
	refused(t, err, "scope needs approvals") // what was approved was another window
	// Whoever looked at the first one and names only the step approves neither.
	_, err = e.desk.ApproveStep(e.as("dana", api.Counsel), "inc-1", api.IncidentApproval{Step: "scope"})
	refused(t, err, "what waits as scope is now: a scope that leaves out 1 people whom scope-2 counts, until ")
	approve("inc-1", "scope")
	i, err = e.desk.FreezeIncident(rob, "inc-1", api.IncidentWindow{Until: &earlier})
	if err != nil || i.Scope.Subjects != 0 || i.Until == nil || !i.Until.Equal(earlier) {
		t.Fatalf("%d people until %v, %v", i.Scope.Subjects, i.Until, err)
	}
	for _, s := range i.Steps {
		if s.Step == "scope" && s.State != "done" && s.State != "void" {
			t.Errorf("step %s is %s", s.Digest, s.State)
		}
	}
	// Wider again is nobody's business, and takes the bound away.
	if i, err = e.desk.FreezeIncident(rob, "inc-1", api.IncidentWindow{AllTime: true}); err != nil || i.Scope.Subjects != 1 || i.Until != nil {
		t.Fatalf("%d people until %v, %v", i.Scope.Subjects, i.Until, err)
	}
}

// The same people with fewer categories is narrower as well: they would not be
// told what else went out.
func TestAScopeThatLeavesOutCategoriesTakesTwo(t *testing.T) {
	c := newCounter(t, "")
	c.send(t, "ada@photos.example", "Ada")
	c.clock.add(time.Hour)
	between := c.clock.now()
	c.clock.add(time.Hour)
	c.send(t, "ada@photos.example", "")
	if _, err := c.desk.OpenIncident(c.ctx, api.IncidentOpen{Vendor: "acme-mail"}); err != nil {
		t.Fatal(err)
	}
	last := api.ScopeQuery{Vendor: "acme-mail", Since: between, Basis: "sent", Incident: "inc-1"}
	if a, err := c.desk.Scope(c.ctx, last); err != nil || a.Subjects != 1 {
		t.Fatalf("%+v, %v", a, err)
	}
	_, err := c.desk.FreezeScope(c.ctx, last)
	refused(t, err, "scope needs approvals")
	if k, _ := c.desk.Fold.Cases.Get("inc-1"); len(k.Plans) != 1 || !strings.HasPrefix(k.Plans[0].Detail, "a scope that leaves out user.name of 1 people, which scope-1 counts, since ") {
		t.Errorf("%+v", k.Plans)
	}
}

// What another vendor got is no answer to whom this one's incident concerns.
func TestAScopeOfAnotherVendorIsNotTheIncidents(t *testing.T) {
	e := newEmergency(t)
	_, err := e.desk.FreezeScope(e.as("rob", api.Responder), api.ScopeQuery{Vendor: "backup-mail", Incident: "inc-1"})
	if reasonOf(err) != "incident-of-another-vendor" {
		t.Fatal(err)
	}
}
