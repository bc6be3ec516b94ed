package app_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"cordon/internal/api"
	"cordon/internal/app"
	"cordon/internal/config"
)

// TestDayThatIsTooOldExpiresAndIsStillCounted goes through what the server does
// by itself, and asks the same question before and after, after a restart and
// after the index was made anew.
func TestDayThatIsTooOldExpiresAndIsStillCounted(t *testing.T) {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	defer vendor.Close()
	path := furnish(t, t.TempDir(), vendor.URL)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "retention: {bodies: 30d}\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	clock := &fakeClock{}
	start := func() *app.App {
		cfg, specs, _, problems := config.LoadOrCreate(path, config.Overrides{})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		a, err := app.New(t.Context(), cfg, specs, app.Options{Log: slog.New(slog.DiscardHandler), Now: clock.now})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return a
	}
	local := api.WithActor(t.Context(), api.LocalActor)
	count := func(a *app.App, when string, want uint64) {
		t.Helper()
		s, err := a.Desk().Scope(local, api.ScopeQuery{Vendor: "acme-mail"})
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if s.Disclosures != want || s.Subjects != 1 {
			t.Errorf("%s: %d disclosures about %d people, want %d about one", when, s.Disclosures, s.Subjects, want)
		}
		if r, err := a.Desk().VerifyLedger(local, nil); err != nil || !r.OK {
			t.Errorf("%s: not verified: %v %v", when, r.Problems, err)
		}
	}
	send := func(a *app.App) {
		t.Helper()
		r, err := http.Post("http://"+a.Addresses().HTTP+"/acme-mail/v3/mail/send", "application/json", strings.NewReader(mail))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
	}

	a := start()
	send(a)
	send(a)
	count(a, "on the day", 2)
	clock.add(32 * 24 * time.Hour)
	send(a)

	// While an incident concerns the vendor, the day stays.
	opened, err := a.Desk().OpenIncident(local, api.IncidentOpen{Vendor: "acme-mail"})
	if err != nil {
		t.Fatal(err)
	}
	x, err := a.Desk().Expire(local, false)
	if err != nil || len(x.Days) != 1 || x.Expired != 0 || !strings.Contains(x.Days[0].HeldBy, opened.Incident) {
		t.Errorf("under an incident: %+v, %v", x, err)
	}
	if _, err := a.Desk().CloseIncident(local, opened.Incident, api.IncidentText{Text: "a false alarm"}); err != nil {
		t.Fatal(err)
	}
	x, err = a.Desk().Expire(local, true)
	if err != nil || len(x.Days) != 1 || x.Expired != 0 || x.Days[0].HeldBy != "" {
		t.Errorf("a dry run: %+v, %v", x, err)
	}
	count(a, "before it expired", 3)
	x, err = a.Desk().Expire(local, false)
	if err != nil || x.Expired != 1 || x.Policy != "bodies-30d" {
		t.Fatalf("expiring: %+v, %v", x, err)
	}
	r, err := a.Desk().VerifyLedger(local, nil)
	if err != nil || len(r.Erased) != 1 || !strings.Contains(r.Erased[0], "erased by policy bodies-30d") {
		t.Errorf("verify says %q, %v", r.Erased, err)
	}
	count(a, "after it expired", 3)
	stop(t, a)

	a = start()
	count(a, "after a restart", 3)
	send(a)
	count(a, "after another message", 4)
	if err := a.Desk().Index.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	count(a, "after the index was made anew", 4)
	stop(t, a)
	a = start()
	count(a, "after another restart", 4)
	stop(t, a)
}
