package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cordon/internal/config"
	"cordon/internal/ledger"
)

var noon = time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)

// tape is a ledger that keeps its events in memory.
type tape struct {
	events []ledger.Event
	broken error
}

func (r *tape) Append(_ context.Context, e ledger.Event) (uint64, error) {
	if r.broken != nil {
		return 0, r.broken
	}
	r.events = append(r.events, e)
	return uint64(len(r.events)), nil
}

func (r *tape) AppendSealed(ctx context.Context, e ledger.Event, _, _ string) (uint64, error) {
	return r.Append(ctx, e)
}

func newUsers(r *tape) *Users { return NewUsers(r, [32]byte{1}, func() time.Time { return noon }) }

func as(a Actor) context.Context { return WithActor(context.Background(), a) }

func reason(err error) string {
	if p, ok := errors.AsType[*Error](err); ok {
		return p.Reason
	}
	return ""
}

func TestThirdUserWaitsForASecondPerson(t *testing.T) {
	record := &tape{}
	users := newUsers(record)
	local := as(LocalActor)
	alex, err := users.Add(local, "alex", Administrator)
	if err != nil || alex.Needs != "" {
		t.Fatalf("first user: %+v, %v", alex, err)
	}
	dana, err := users.Add(local, "dana", Responder)
	if err != nil || dana.Needs != "" {
		t.Fatalf("second user: %+v, %v", dana, err)
	}
	eve, err := users.Add(local, "eve", Administrator)
	if err != nil || eve.Needs != "approval" {
		t.Fatalf("third user: %+v, %v", eve, err)
	}
	if _, ok := users.Who(eve.Token); ok {
		t.Error("a token works before it was approved")
	}
	alexActor, _ := users.Who(alex.Token)
	danaActor, _ := users.Who(dana.Token)
	for name, ctx := range map[string]context.Context{
		"the socket's owner": local, "eve herself": as(Actor{Name: "eve", Role: Administrator}), "nobody": context.Background(),
	} {
		if _, err := users.Approve(ctx, "eve"); reason(err) != "second-user-needed" {
			t.Errorf("%s approved: %v", name, err)
		}
	}
	if _, err := users.Approve(as(danaActor), "eve"); err != nil {
		t.Fatal(err)
	}
	if _, ok := users.Who(eve.Token); !ok {
		t.Error("an approved token does not work")
	}

	// Whoever asked may not approve; a user who came later may not either.
	if _, err := users.ChangeRole(as(alexActor), "dana", Administrator); err != nil {
		t.Fatal(err)
	}
	if _, err := users.Approve(as(alexActor), "dana"); reason(err) != "second-user-needed" {
		t.Errorf("who asked approved: %v", err)
	}
	if _, err := users.Approve(as(danaActor), "dana"); reason(err) != "second-user-needed" {
		t.Errorf("approved herself: %v", err)
	}
	if who, _ := users.Who(dana.Token); who.Role != Responder {
		t.Errorf("the role changed before the approval: %v", who.Role)
	}

	// The ledger alone gives the same users again, and no token.
	again := newUsers(&tape{})
	for i, e := range record.events {
		again.Fold(ledger.Entry{Seq: uint64(i + 1), Kind: ledger.KindEvent, At: e.At, Event: e})
		for _, token := range []string{alex.Token, dana.Token, eve.Token} {
			for _, v := range e.Fields {
				if s, _ := v.(string); strings.Contains(s, token) {
					t.Error("a token stands in the ledger")
				}
			}
		}
	}
	want, _ := users.List(local)
	got, _ := again.List(local)
	if len(got.Users) != 3 || got.Users[1] != want.Users[1] || got.Users[2] != want.Users[2] {
		t.Errorf("folded %+v, want %+v", got, want)
	}
}

func TestLaterUserMayNotApproveAnEarlierWish(t *testing.T) {
	users := newUsers(&tape{})
	local := as(LocalActor)
	users.Add(local, "alex", Administrator)
	dana, _ := users.Add(local, "dana", Administrator)
	danaActor, _ := users.Who(dana.Token)
	users.Add(local, "eve", Viewer) // the wish
	zoe, _ := users.Add(local, "zoe", Counsel)
	if _, err := users.Approve(as(danaActor), "zoe"); err != nil {
		t.Fatal(err)
	}
	zoeActor, _ := users.Who(zoe.Token)
	if _, err := users.Approve(as(zoeActor), "eve"); reason(err) != "second-user-needed" {
		t.Errorf("a user who came after the wish approved it: %v", err)
	}
}

// Who approves has seen one wish; another must not slip into its place.
func TestWishThatWaitsIsNotReplacedByAnother(t *testing.T) {
	users := newUsers(&tape{})
	local := as(LocalActor)
	users.Add(local, "alex", Administrator)
	dana, _ := users.Add(local, "dana", Responder)
	danaActor, _ := users.Who(dana.Token)
	eve, _ := users.Add(local, "eve", Viewer)
	if _, err := users.Approve(as(danaActor), "eve"); err != nil {
		t.Fatal(err)
	}
	if _, err := users.ChangeRole(local, "eve", Auditor); err != nil {
		t.Fatal(err)
	}
	if _, err := users.ChangeRole(local, "eve", Administrator); reason(err) != "wish-waiting" {
		t.Errorf("the wish was replaced: %v", err)
	}
	if _, err := users.Approve(as(danaActor), "eve"); err != nil {
		t.Fatal(err)
	}
	if who, _ := users.Who(eve.Token); who.Role != Auditor {
		t.Errorf("approved as %s", who.Role)
	}
}

func TestUserThatTheLedgerDoesNotHoldDoesNotExist(t *testing.T) {
	users := newUsers(&tape{broken: ledger.ErrUnavailable})
	if _, err := users.Add(as(LocalActor), "alex", Administrator); !errors.Is(err, ledger.ErrUnavailable) {
		t.Fatalf("err %v", err)
	}
	if list, _ := users.List(as(LocalActor)); len(list.Users) != 0 {
		t.Errorf("a user came to be without an entry: %+v", list)
	}
}

func TestReadsOfPeopleAreSlowedDownForAllButTheOwner(t *testing.T) {
	limit := newThrottle(3, time.Second)
	dana := Actor{Name: "dana", Role: Counsel}
	for range 3 {
		if err := limit.take(dana, 1, noon); err != nil {
			t.Fatal(err)
		}
	}
	if err := limit.take(dana, 1, noon); reason(err) != "too-many-reads" {
		t.Errorf("fourth read: %v", err)
	}
	if err := limit.take(Actor{Name: "eve", Role: Counsel}, 1, noon); err != nil {
		t.Errorf("another reader pays for it: %v", err)
	}
	if err := limit.take(dana, 1, noon.Add(time.Second)); err != nil {
		t.Errorf("a second later: %v", err)
	}
	for range 100 {
		if err := limit.take(LocalActor, 10, noon); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHostsThatDNSCouldRebindAreRefused(t *testing.T) {
	a := NewAccess(newUsers(&tape{}), time.Now, "cordon.internal")
	for host, allowed := range map[string]bool{
		"localhost:8480": true, "127.0.0.1:8480": true, "[::1]:8480": true, "10.1.2.3": true, "Cordon.Internal:8480": true,
		"evil.example:8480": false, "localhost.evil.example": false, "": false, "127.0.0.1.evil.example": false,
	} {
		if got := a.HostAllowed(host); got != allowed {
			t.Errorf("host %q: %t", host, got)
		}
	}
}

// stand is the API on the console's address, over a desk without a ledger.
func stand(t *testing.T) (*httptest.Server, *Users, *Access) {
	users := newUsers(&tape{})
	access := NewAccess(users, func() time.Time { return noon })
	desk := &Desk{Config: &config.Config{}, Fold: &Fold{Users: users}, Now: func() time.Time { return noon }}
	s := httptest.NewServer(access.Guard(access.Console(NewHandler(desk))))
	t.Cleanup(s.Close)
	return s, users, access
}

func ask(t *testing.T, s *httptest.Server, method, path, body string, header map[string]string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, s.URL+Prefix+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestEveryOperationButThePublicWantsSomebody(t *testing.T) {
	s, _, _ := stand(t)
	_, document := ask(t, s, "GET", "/openapi.json", "", nil)
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(document), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Paths) < 14 {
		t.Fatalf("the document has only %d paths", len(doc.Paths))
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			concrete := strings.NewReplacer("{vendor}", "acme", "{verb}", "cut", "{seq}", "1", "{user}", "eve").Replace(path)
			status, text := ask(t, s, strings.ToUpper(method), concrete, "", nil)
			if path == "/health" {
				if status != http.StatusOK {
					t.Errorf("health: %d", status)
				}
				continue
			}
			if status != http.StatusUnauthorized || !strings.Contains(text, `"next":`) {
				t.Errorf("%s %s answers a stranger %d %s", method, path, status, text)
			}
		}
	}
}

func TestFormsAndSessionsOfOtherSitesDoNothing(t *testing.T) {
	s, users, access := stand(t)
	cookie := SessionCookie + "=" + access.open(LocalActor)
	body := `{"user":"eve","role":"administrator"}`
	for name, header := range map[string]map[string]string{
		"a form's type": {"Content-Type": "text/plain"},
		"a form":        {"Content-Type": "application/x-www-form-urlencoded"},
		"another site":  {"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"},
		"an old page":   {"Content-Type": "application/json", "Origin": "http://evil.example"},
	} {
		header["Cookie"] = cookie
		if status, text := ask(t, s, "POST", "/users", body, header); status < 400 {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if list, _ := users.List(as(LocalActor)); len(list.Users) > 0 {
		t.Errorf("another site added %+v", list)
	}
}

func TestProblemsNeverEchoWhatWasSent(t *testing.T) {
	s, _, access := stand(t)
	header := map[string]string{"Cookie": SessionCookie + "=" + access.open(LocalActor), "Content-Type": "application/json"}
	status, text := ask(t, s, "POST", "/subjects/lookup", `{"identifier":7,"ada@photos.example":1}`, header)
	if status != http.StatusUnprocessableEntity || strings.Contains(text, `"value"`) || !strings.Contains(text, `"reason":"malformed-request"`) {
		t.Errorf("%d %s", status, text)
	}
}

func TestSessionLosesItsRoleWithItsUser(t *testing.T) {
	users := newUsers(&tape{})
	access := NewAccess(users, func() time.Time { return noon })
	alex, _ := users.Add(as(LocalActor), "alex", Responder)
	secret, ok := access.RedeemToken(alex.Token)
	if !ok {
		t.Fatal("the token opens no session")
	}
	if _, err := users.ChangeRole(as(LocalActor), "alex", Viewer); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: SessionCookie, Value: secret})
	if who, _ := access.Who(r); who.Role != Viewer {
		t.Errorf("the session still has role %s", who.Role)
	}
}
