package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"cordon/internal/api"
	"cordon/internal/ledger"
	"cordon/internal/scope"
)

var noon = time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)

// full is a status with something in every place that a page can show.
func full() api.Status {
	return api.Status{
		Organization: `Photos & <script>alert(1)</script>`, SubjectsToday: 4118302, IndexError: "behind by 3 entries",
		Ledger: api.LedgerStatus{
			Size: 35002114, Checkpoint: "photos.example/cordon\n12\nabcdefghijklmnop=\n\n— x y\n", LastSync: noon.Add(-3 * time.Second),
			Warnings: []string{"the mirror is missing"}, Error: "no space left on device",
		},
		Vendors: []api.VendorStatus{
			{Vendor: "acme-mail", Name: `Acme <b>Mail</b>`, Gate: "open", Mode: "shadow", Connections: 312, Disclosures24h: 9000, Subjects24h: 8000, SubjectsToday: 7000},
			{Vendor: "pay", Name: "Pay", Gate: "cut", Mode: "enforce", AttemptsAfterCut: 41, GateProblem: "the gate file is damaged",
				Routes: []api.RouteGate{{Route: "POST /v1/customers", Gate: "hold"}}},
			{Vendor: "insight", Name: "Insight", Gate: "hold", Mode: "enforce"},
		},
	}
}

// TestEveryTemplateDrawsWithNothingAndWithEverything is the compiler that
// html/template does not have.
func TestEveryTemplateDrawsWithNothingAndWithEverything(t *testing.T) {
	s := full()
	f := frame{Title: "T", Organization: s.Organization, Actor: "alex", Role: "responder", Ledger: &s.Ledger, Now: noon}
	change := api.GateChange{Vendor: "pay", Gate: "cut", Epoch: 3, ConnectionsClosed: 312, TookMS: 14, Routes: []string{"POST /v1/customers"},
		Live: []api.LiveMessage{{Route: "POST /v1/customers", App: "web", Bytes: 512}}, Pending: "closed, entry pending"}
	row := vendorRow{VendorStatus: s.Vendors[0], PerSecond: 5.8, Spark: spark([]float64{0, 1, 5, 2}), MayChange: true}
	cases := map[string][2]any{
		"overview.html": {overviewPage{}, overviewPage{frame: f, SubjectsToday: 1, Closed: 2, IndexError: "x", MayChange: true,
			Vendors: []vendorRow{row, {VendorStatus: s.Vendors[1], MayChange: true}, {VendorStatus: s.Vendors[2]}}}},
		"ask.html": {askPage{}, askPage{frame: f, Verb: "cut", Vendor: s.Vendors[0], Preview: change, Reason: `"><script>`, Problem: "Type it."}},
		"result.html": {resultPage{}, resultPage{frame: f, Verb: "cut", Vendor: s.Vendors[1], Change: change, Handed: 512, Scope: &scope.Answer{
			Subjects: 5, Disclosures: 6, CoveredSince: &noon, UnknownSubjects: 2, IncompleteMessages: 1,
			Categories: []scope.CategoryCount{{Category: "user.name", Subjects: 5}},
			Protected:  []scope.ProtectedCount{{Category: "user.contact.email", Form: "masked", Subjects: 5}},
		}, ScopeProblem: "x"}},
		"login.html":   {loginPage{}, loginPage{frame: f, Problem: "No."}},
		"problem.html": {problemPage{}, problemPage{frame: f, What: "What.", Next: "Next."}},
	}
	for name := range pages {
		if _, ok := cases[name]; !ok {
			t.Errorf("no case draws %s", name)
		}
	}
	for name, both := range cases {
		for i, data := range both {
			var b bytes.Buffer
			if err := pages[name].Execute(&b, data); err != nil {
				t.Errorf("%s, case %d: %v", name, i, err)
			}
			text := b.String()
			if strings.Contains(text, "<script>") || strings.Contains(text, "<b>Mail") {
				t.Errorf("%s lets markup through:\n%s", name, text)
			}
			for _, inline := range []string{` style="`, "onclick", "<style", "javascript:"} {
				if strings.Contains(text, inline) {
					t.Errorf("%s holds %q, which the content policy refuses", name, inline)
				}
			}
			if !strings.Contains(text, `<html lang="en">`) || !strings.Contains(text, `class="skip"`) {
				t.Errorf("%s is not in the layout", name)
			}
		}
	}
}

type fakeOffice struct {
	status  api.Status
	changed []string
}

func (f *fakeOffice) Status(context.Context) (api.Status, error) { return f.status, nil }
func (f *fakeOffice) Counts() map[string]uint64                  { return nil }
func (f *fakeOffice) Scope(context.Context, api.ScopeQuery) (*scope.Answer, error) {
	return &scope.Answer{Subjects: 42}, nil
}
func (f *fakeOffice) ChangeGate(ctx context.Context, verb, vendor string, r api.GateRequest) (api.GateChange, error) {
	if !r.DryRun {
		f.changed = append(f.changed, verb+" "+vendor+" by "+api.ActorOf(ctx).Name)
	}
	return api.GateChange{Vendor: vendor, Gate: "cut", ConnectionsClosed: 312, DryRun: r.DryRun}, nil
}

type noRecord struct{}

func (noRecord) Append(context.Context, ledger.Event) (uint64, error) { return 1, nil }

// visit is a browser's session with a console over a fake office.
type visit struct {
	t      *testing.T
	office *fakeOffice
	access *api.Access
	server *httptest.Server
	client *http.Client
}

func newVisit(t *testing.T) *visit {
	v := &visit{t: t, office: &fakeOffice{status: full()}}
	v.access = api.NewAccess(api.NewUsers(noRecord{}, [32]byte{}, time.Now), time.Now)
	c := New(t.Context(), v.office, v.access, slog.New(slog.DiscardHandler), time.Now)
	v.server = httptest.NewServer(v.access.Guard(c))
	t.Cleanup(v.server.Close)
	v.client = v.server.Client()
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return v
}

func (v *visit) do(method, path string, form url.Values, cookie string, header map[string]string) (*http.Response, string) {
	v.t.Helper()
	r, err := http.NewRequest(method, v.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: api.SessionCookie, Value: cookie})
	}
	for name, value := range header {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	answer, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer, string(text)
}

// login uses a one-time link and returns the session's cookie.
func (v *visit) login() string {
	v.t.Helper()
	answer, _ := v.do("GET", "/login?code="+v.access.OneTimeCode(), nil, "", nil)
	if answer.StatusCode != http.StatusSeeOther || len(answer.Cookies()) != 1 {
		v.t.Fatalf("login: status %d, cookies %v", answer.StatusCode, answer.Cookies())
	}
	c := answer.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		v.t.Fatalf("the session's cookie is readable or crosses sites: %v", c)
	}
	return c.Value
}

func TestOneTimeLinkOpensOnce(t *testing.T) {
	v := newVisit(t)
	code := v.access.OneTimeCode()
	if answer, _ := v.do("GET", "/login?code="+code, nil, "", nil); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("first use: %d", answer.StatusCode)
	}
	if answer, text := v.do("GET", "/login?code="+code, nil, "", nil); answer.StatusCode != http.StatusUnauthorized || !strings.Contains(text, "used already") {
		t.Fatalf("second use: %d", answer.StatusCode)
	}
}

func TestStrangersSeeOnlyTheLogin(t *testing.T) {
	v := newVisit(t)
	for _, path := range []string{"/", "/vendors/acme-mail/cut", "/vendors/acme-mail/changed"} {
		for _, cookie := range []string{"", "made-up"} {
			if answer, text := v.do("GET", path, nil, cookie, nil); answer.Header.Get("Location") != "/login" || strings.Contains(text, "Acme") {
				t.Errorf("%s with cookie %q: %d to %q", path, cookie, answer.StatusCode, answer.Header.Get("Location"))
			}
		}
	}
	if answer, _ := v.do("POST", "/vendors/acme-mail/cut", url.Values{"name": {"acme-mail"}}, "", nil); answer.Header.Get("Location") != "/login" {
		t.Errorf("cut: %d", answer.StatusCode)
	}
	if len(v.office.changed) > 0 {
		t.Errorf("a stranger did %v", v.office.changed)
	}
}

func TestCutsOnlyWhenTheNameWasTyped(t *testing.T) {
	v := newVisit(t)
	cookie := v.login()
	if _, text := v.do("GET", "/vendors/acme-mail/cut", nil, cookie, nil); !strings.Contains(text, "312") {
		t.Error("the page before a cut does not say how many connections it closes")
	}
	answer, text := v.do("POST", "/vendors/acme-mail/cut", url.Values{"name": {"acme"}, "reason": {"because"}}, cookie, nil)
	if answer.StatusCode != http.StatusOK || !strings.Contains(text, "Nothing was changed") || !strings.Contains(text, `value="because"`) {
		t.Errorf("wrong name: %d", answer.StatusCode)
	}
	if len(v.office.changed) > 0 {
		t.Fatalf("changed without the name: %v", v.office.changed)
	}
	answer, _ = v.do("POST", "/vendors/acme-mail/cut", url.Values{"name": {"acme-mail"}}, cookie, nil)
	if answer.Header.Get("Location") != "/vendors/acme-mail/changed" {
		t.Fatalf("cut: %d", answer.StatusCode)
	}
	if want := "cut acme-mail by local"; len(v.office.changed) != 1 || v.office.changed[0] != want {
		t.Errorf("did %v, want %q", v.office.changed, want)
	}
	if _, text := v.do("GET", "/vendors/acme-mail/changed", nil, cookie, nil); !strings.Contains(text, "is cut") || !strings.Contains(text, "42") {
		t.Error("the page after a cut does not say who may be affected")
	}
}

func TestRefusesFormsOfOtherSites(t *testing.T) {
	v := newVisit(t)
	cookie := v.login()
	form := url.Values{"name": {"acme-mail"}}
	for name, header := range map[string]map[string]string{
		"another site":   {"Sec-Fetch-Site": "cross-site"},
		"another origin": {"Origin": "https://evil.example"},
		"a rebound name": {"Host": "evil.example:8480"},
	} {
		if answer, _ := v.do("POST", "/vendors/acme-mail/cut", form, cookie, header); answer.StatusCode < 400 {
			t.Errorf("%s: %d", name, answer.StatusCode)
		}
	}
	if len(v.office.changed) > 0 {
		t.Errorf("another site did %v", v.office.changed)
	}
	if answer, _ := v.do("POST", "/vendors/acme-mail/cut", form, cookie, map[string]string{"Sec-Fetch-Site": "same-origin"}); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("our own page: %d", answer.StatusCode)
	}
}

func TestLogoutEndsTheSession(t *testing.T) {
	v := newVisit(t)
	cookie := v.login()
	if answer, _ := v.do("GET", "/", nil, cookie, nil); answer.StatusCode != http.StatusOK {
		t.Fatalf("logged in: %d", answer.StatusCode)
	}
	v.do("POST", "/logout", url.Values{}, cookie, nil)
	if answer, _ := v.do("GET", "/", nil, cookie, nil); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("after the logout: %d", answer.StatusCode)
	}
}

func TestPagesAllowOnlyTheirOwnParts(t *testing.T) {
	v := newVisit(t)
	answer, text := v.do("GET", "/", nil, v.login(), nil)
	csp := answer.Header.Get("Content-Security-Policy")
	if strings.Contains(csp, "unsafe") || !strings.HasPrefix(csp, "default-src 'none'") {
		t.Errorf("policy %q", csp)
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], "/") && !strings.HasPrefix(m[1], "#") {
			t.Errorf("the page loads or leads to %s", m[1])
		}
		if strings.HasPrefix(m[1], "/assets/") {
			if asset, _ := v.do("GET", m[1], nil, "", nil); asset.StatusCode != http.StatusOK || !strings.Contains(asset.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %d", m[1], asset.StatusCode)
			}
		}
	}
	for _, exact := range []string{"4,118,302", "35,002,114 entries", "The ledger does not record", "41 messages tried since"} {
		if !strings.Contains(text, exact) {
			t.Errorf("the page does not say %q", exact)
		}
	}
}

func TestVendoredScriptIsWhatItsChecksumSays(t *testing.T) {
	sums, err := assetFiles.ReadFile("assets/htmx/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		data, err := assetFiles.ReadFile("assets/htmx/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestFlowCountsWhatPassedEachSecond(t *testing.T) {
	f := newFlow()
	for i, n := range []uint64{100, 100, 110, 130, 5} { // the last: a restart began to count anew
		f.take(map[string]uint64{"v": n}, noon.Add(time.Duration(i)*time.Second))
	}
	got := f.rates("v")
	if len(got) != 3 || got[0] != 0 || got[1] != 10 || got[2] != 20 {
		t.Errorf("rates %v", got)
	}
	if s := spark(got); s.Peak != 20 || !strings.HasPrefix(s.Line, "M") || spark(got[:1]) != (sparkline{}) {
		t.Errorf("spark %+v", s)
	}
	for i := range 200 {
		f.take(map[string]uint64{"v": uint64(1000 + i)}, noon.Add(time.Duration(10+i)*time.Second))
	}
	if n := len(f.rates("v")); n != window {
		t.Errorf("%d samples are kept", n)
	}
}
