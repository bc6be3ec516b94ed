package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
	tokens "cordon/internal/token"
)

// tokenised asks for tokens of everything that the usual message has.
const tokenised = `minimize: {user.contact.email: token, user.name: token, user.unique_id: token, user.contact.phone_number: token}
unclassified: pass
`

// echoing is a vendor that answers with what it was sent.
func echoing(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

// keeping is a vendor that tells at /list and /hidden what it was sent before.
func keeping(kind string) http.HandlerFunc {
	var kept []string
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("ETag", `"1"`)
		switch r.URL.Path {
		case "/list", "/hidden":
			fmt.Fprintf(w, "[%s]", strings.Join(kept, ","))
		default:
			kept = append(kept, r.Header.Get("X-Kept"))
		}
	}
}

const revealing = tokenised + `reveal: [POST /send]
`

func vendorSees(t testing.TB, b *bed) (m struct{ Email, Name string }) {
	t.Helper()
	check(t, json.Unmarshal([]byte(b.vendor.last(t).body), &m))
	return m
}

func (b *bed) resolve(t testing.TB, text string) (ledger.Resolved, bool) {
	t.Helper()
	found := tokens.New([32]byte(b.root), tokenDomain).AppendString(nil, text)
	if len(found) != 1 {
		t.Fatalf("%d tokens in %q", len(found), text)
	}
	r, ok, err := b.ledger.Resolve("acme", found[0].Key)
	check(t, err)
	return r, ok
}

func answerOf(t testing.TB, r *http.Response) string {
	t.Helper()
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	check(t, err)
	return string(body)
}

func TestVendorGetsTokensThatTheTableResolves(t *testing.T) {
	b := start(t, setup{manifest: tokenised})
	b.post("/acme/send", ada).Body.Close()
	m := vendorSees(t, b)
	if strings.Contains(m.Email, "ada") || !strings.HasSuffix(m.Email, "@id.acme-photos.example") || strings.Contains(m.Name, "Ada") {
		t.Fatalf("the vendor got %+v", m)
	}
	for text, want := range map[string]string{m.Email: "ada@example.org", m.Name: "Ada"} {
		r, ok := b.resolve(t, text)
		if !ok || r.Value != want || len(r.Ordinals) != 1 {
			t.Errorf("%s stands for %+v, %v; want %s", text, r, ok, want)
		}
	}
	if o, ok, _ := b.ledger.Lookup(exposure.Identifier{Kind: exposure.KindEmail, Value: "ada@example.org"}); !ok {
		t.Error("the ledger does not know whom it was about")
	} else if r, _ := b.resolve(t, m.Email); r.Ordinals[0] != o {
		t.Errorf("the token is %v's, the message was about %v", r.Ordinals, o)
	}
	epochs := b.ledger.TokenEpochs("acme")
	if len(epochs) != 1 || epochs[0].Tokens != 2 {
		t.Errorf("epochs %+v, want one with 2 tokens", epochs)
	}
	// The same again writes nothing.
	b.post("/acme/send", ada).Body.Close()
	if again := vendorSees(t, b); again != m {
		t.Errorf("the same message gave %+v, then %+v", m, again)
	}
	if epochs = b.ledger.TokenEpochs("acme"); epochs[0].Tokens != 2 {
		t.Errorf("%d tokens after the same message twice", epochs[0].Tokens)
	}
}

// An app names somebody by the token that it had from an answer.
func TestTokenThatAnAppSendsBackStaysAndNamesItsPerson(t *testing.T) {
	b := start(t, setup{manifest: tokenised})
	b.post("/acme/send", ada).Body.Close()
	first := vendorSees(t, b)
	rotate(t, b)
	back, err := json.Marshal(map[string]string{"email": first.Email, "name": "Ada"})
	check(t, err)
	b.post("/acme/send", string(back)).Body.Close()
	if got := vendorSees(t, b); got.Email != first.Email {
		t.Errorf("the vendor knows %s, and got %s", first.Email, got.Email)
	}
	var who []exposure.Ordinal
	for e, err := range b.ledger.Entries(1) {
		check(t, err)
		if e.Kind == ledger.KindDisclosure {
			for _, s := range e.Subjects {
				who = append(who, s.Ordinal)
			}
		}
	}
	if len(who) != 2 || who[0] != who[1] {
		t.Errorf("recorded about %v", who)
	}
	if r, ok := b.resolve(t, first.Email); !ok || r.Value != "ada@example.org" {
		t.Errorf("the token stands for %+v", r)
	}
}

func TestMessageWhoseTokensCannotBeRecordedDoesNotLeave(t *testing.T) {
	b := start(t, setup{manifest: tokenised, tokenless: true})
	resp := b.post("/acme/send", ada)
	if resp.StatusCode != 503 || b.vendor.received() != 0 {
		t.Errorf("status %d, the vendor got %d bytes", resp.StatusCode, b.vendor.received())
	}
}

func TestNoValueOfATokenLiesInTheDataDirectory(t *testing.T) {
	b := start(t, setup{manifest: revealing, handler: echoing})
	b.post("/acme/send", `{"email":"grace.hopper.leaks@example.org","name":"Grace Murray Leakproof"}`).Body.Close()
	check(t, b.ledger.Store().DB().Flush())
	check(t, filepath.WalkDir(filepath.Join(b.dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		data, _ := os.ReadFile(path)
		for _, value := range []string{"grace.hopper", "Murray", "Leakproof"} {
			if bytes.Contains(data, []byte(value)) {
				t.Errorf("%s holds %q", path, value)
			}
		}
		return nil
	}))
}

func TestTwoVendorsCannotLinkAPerson(t *testing.T) {
	b := start(t, setup{manifest: tokenised, more: map[string]string{"other": "vendor: other\nname: Other\nupstream: UPSTREAM\nmapping:\n  - {on: POST /send, fields: {email: user.contact.email, name: user.name}}\n" + tokenised}})
	b.post("/acme/send", ada).Body.Close()
	one := vendorSees(t, b)
	b.post("/other/send", ada).Body.Close()
	two := vendorSees(t, b)
	if one.Email == two.Email || one.Name == two.Name || one.Email == "" || two.Email == "" {
		t.Errorf("one got %+v, the other %+v", one, two)
	}
	b.post("/other/send", ada).Body.Close()
	if again := vendorSees(t, b); again != two {
		t.Errorf("one vendor got %+v, then %+v", two, again)
	}
}

func TestRetryAfterARotationIsByteEqual(t *testing.T) {
	s := setup{manifest: tokenised, data: t.TempDir()}
	var first, second string
	t.Run("before a restart", func(t *testing.T) {
		b := start(t, s)
		b.post("/acme/send", ada, "Idempotency-Key", "order-1").Body.Close()
		first = b.vendor.last(t).body
		rotate(t, b)
		b.post("/acme/send", ada, "Idempotency-Key", "order-1").Body.Close()
		if again := b.vendor.last(t).body; again != first {
			t.Errorf("the same key gave %s, then %s", first, again)
		}
		// In the body, as some vendors have it, it is the same in another place.
		inBody := `{"email":"ada@example.org","idempotency_key":"KEY"}`
		b.post("/acme/send", strings.Replace(inBody, "KEY", "k1", 1)).Body.Close()
		before := b.vendor.last(t).body
		rotate(t, b)
		b.post("/acme/send", strings.Replace(inBody, "KEY", "k1", 1)).Body.Close()
		if again := b.vendor.last(t).body; again != before {
			t.Errorf("the same key in the body gave %s, then %s", before, again)
		}
		b.post("/acme/send", strings.Replace(inBody, "KEY", "k2", 1)).Body.Close()
		if again := b.vendor.last(t).body; strings.Replace(again, "k2", "k1", 1) == before {
			t.Error("another key in the body gave the old tokens")
		}
		b.post("/acme/send", ada, "Idempotency-Key", "order-2").Body.Close()
		if second = b.vendor.last(t).body; second == first {
			t.Error("a new key after a rotation gave the old tokens")
		}
		var old struct{ Email string }
		check(t, json.Unmarshal([]byte(first), &old))
		if r, ok := b.resolve(t, old.Email); !ok || r.Value != "ada@example.org" {
			t.Errorf("after a rotation the old token stands for %+v, %v", r, ok)
		}
	})
	b := start(t, s)
	for key, want := range map[string]string{"order-1": first, "order-2": second} {
		b.post("/acme/send", ada, "Idempotency-Key", key).Body.Close()
		if again := b.vendor.last(t).body; again != want {
			t.Errorf("after a restart %s gave %s, before %s", key, again, want)
		}
	}
	if b.ledger.TokenEpoch("acme") != 2 {
		t.Errorf("epoch %d after a restart", b.ledger.TokenEpoch("acme"))
	}
}

func TestPinEndsAfterADay(t *testing.T) {
	now := time.Date(2026, 2, 3, 23, 30, 0, 0, time.UTC)
	b := start(t, setup{manifest: tokenised, clock: func() time.Time { return now }})
	b.post("/acme/send", ada, "Idempotency-Key", "k").Body.Close()
	first := b.vendor.last(t).body
	rotate(t, b)
	for _, step := range []struct {
		after time.Duration
		same  bool
	}{{23 * time.Hour, true}, {25 * time.Hour, false}} {
		at := now
		now = now.Add(step.after)
		b.post("/acme/send", ada, "Idempotency-Key", "k").Body.Close()
		if same := b.vendor.last(t).body == first; same != step.same {
			t.Errorf("after %v the same: %v", step.after, same)
		}
		now = at
	}
}

func rotate(t testing.TB, b *bed) {
	t.Helper()
	_, _, err := b.ledger.RotateTokens(context.Background(), ledger.Event{Vendor: "acme", Actor: "test"})
	check(t, err)
}

func TestOnlyNamedRoutesReveal(t *testing.T) {
	b := start(t, setup{manifest: tokenised + `reveal: [GET /list]
mapping:
  - {on: POST /send, fields: {email: user.contact.email, name: user.name}}
  - {on: GET /list, fields: {}}
  - {on: GET /hidden, fields: {}}
`, handler: keeping("application/json")})
	b.post("/acme/send", `{"email":"ada@example.org","name":"Ada \"The\" Lovelace"}`).Body.Close()
	m := vendorSees(t, b)
	kept := fmt.Sprintf(`{"email":%q,"name":%q,"up":%q,"url":"https://x.example/?to=%s"}`, m.Email, m.Name, strings.ToUpper(m.Email), strings.Replace(m.Email, "@", "%40", 1))
	b.post("/acme/send", ada, "X-Kept", kept).Body.Close()

	get := func(path string) (*http.Response, string) {
		resp, err := client(t).Get(b.route + "/acme" + path)
		check(t, err)
		return resp, answerOf(t, resp)
	}
	resp, shown := get("/list")
	want := `[,{"email":"ada@example.org","name":"Ada \"The\" Lovelace","up":"ada@example.org","url":"https://x.example/?to=ada%40example.org"}]`
	if shown != want {
		t.Errorf("the app got\n%s\nwant\n%s", shown, want)
	}
	if resp.Header.Get("Etag") != "" || b.vendor.last(t).header.Get("Accept-Encoding") != "identity" {
		t.Errorf("ETag %q of another body; asked for %q", resp.Header.Get("Etag"), b.vendor.last(t).header.Get("Accept-Encoding"))
	}
	resp, hidden := get("/hidden")
	if !strings.Contains(hidden, m.Email) || strings.Contains(hidden, "ada@") || resp.Header.Get("Etag") == "" {
		t.Errorf("a route that may not reveal gave %s", hidden)
	}
	var reveals []ledger.Event
	for e, err := range b.ledger.Entries(1) {
		check(t, err)
		if e.Event.Kind == ledger.EventReveal {
			reveals = append(reveals, e.Event)
		}
	}
	if len(reveals) != 1 || reveals[0].Fields["route"] != "GET /list" || reveals[0].Fields["tokens"] != 4. || len(reveals[0].Fields["people"].([]any)) != 1 {
		t.Errorf("reveals on record: %+v", reveals)
	}
	if text, _ := json.Marshal(reveals); bytes.Contains(text, []byte("ada@")) {
		t.Errorf("the entry holds a value: %s", text)
	}
}

func TestRevealThatCannotBeRecordedDoesNotHappen(t *testing.T) {
	b := start(t, setup{manifest: revealing, handler: echoing})
	b.post("/acme/send", ada).Body.Close()
	token := vendorSees(t, b).Email
	if body := answerOf(t, b.post("/acme/send", ada)); !strings.Contains(body, "ada@example.org") {
		t.Fatalf("not revealed at all: %s", body)
	}
	b.recorder.set(func() { b.recorder.after = func() { b.recorder.set(func() { b.recorder.sick = fmt.Errorf("full") }) } })
	resp := b.post("/acme/send", ada)
	if body := answerOf(t, resp); !strings.Contains(body, token) || strings.Contains(body, "ada@") {
		t.Errorf("revealed without an entry: %s", body)
	}
}

func TestAnAppSeesSoManyPeopleAMinute(t *testing.T) {
	now := time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)
	b := start(t, setup{manifest: revealing, handler: echoing, reveals: 3, clock: func() time.Time { return now }})
	shown := 0
	send := func(i int) {
		email := fmt.Sprintf("p%d@example.org", i)
		if strings.Contains(answerOf(t, b.post("/acme/send", fmt.Sprintf(`{"email":%q}`, email))), email) {
			shown++
		}
	}
	for i := range 8 {
		send(i)
	}
	if shown != 3 {
		t.Errorf("%d people shown, want 3", shown)
	}
	send(0) // seen before
	if shown != 4 {
		t.Error("somebody who was shown already is not shown again")
	}
	if got := b.recorder.refusals(); len(got) != 1 || got[0] != "reveal-capped" {
		t.Errorf("noted %v", got)
	}
	now = now.Add(time.Minute)
	send(7)
	if shown != 5 {
		t.Error("nobody is shown in the next minute")
	}
}

// A token is found wherever the vendor's answer is cut into pieces.
func TestTokensSplitOverPieces(t *testing.T) {
	var parts []string
	b := start(t, setup{manifest: revealing, handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for _, p := range parts {
			io.WriteString(w, p)
			w.(http.Flusher).Flush()
			time.Sleep(2 * time.Millisecond)
		}
	}})
	b.post("/acme/send", ada).Body.Close()
	m := vendorSees(t, b)
	text := `{"a":"` + m.Email + `","b":"` + m.Name + `"}`
	want := `{"a":"ada@example.org","b":"Ada"}`
	for cut := 1; cut < len(text); cut += 7 {
		parts = []string{text[:cut], text[cut:min(len(text), cut+5)], text[min(len(text), cut+5):]}
		if got := answerOf(t, b.post("/acme/send", ada)); got != want {
			t.Errorf("cut at %d: %s", cut, got)
		}
	}
}

// Each event of a stream is shown when it is there, not with the next one.
func TestStreamOfEventsIsRevealedAsItComes(t *testing.T) {
	var event string
	next := make(chan bool)
	b := start(t, setup{manifest: revealing, handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if event == "" {
			return
		}
		for range next {
			io.WriteString(w, event)
			w.(http.Flusher).Flush()
		}
	}})
	b.post("/acme/send", `{"email":"ada@example.org","name":"Ada \"A\" L"}`).Body.Close()
	m := vendorSees(t, b)
	event = "event: x\ndata: {\"who\":\"" + m.Email + "\",\"name\":\"" + m.Name + "\"}\n\ndata: " + m.Email + "\n\n"
	want := "event: x\ndata: {\"who\":\"ada@example.org\",\"name\":\"Ada \\\"A\\\" L\"}\n\ndata: ada@example.org\n\n"
	done := make(chan *http.Response)
	go func() { done <- b.post("/acme/send", ada) }()
	next <- true
	resp := <-done
	defer resp.Body.Close()
	for i := range 3 {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
			t.Fatalf("event %d: %s, %v", i, got, err)
		}
		if i < 2 {
			next <- true
		}
	}
	close(next)
}

func TestValuesAreWrittenAsTheAnswerIs(t *testing.T) {
	var kind, text, location string
	b := start(t, setup{manifest: revealing, handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		if location != "" {
			w.Header().Set("Location", location)
		}
		io.WriteString(w, text)
	}})
	b.post("/acme/send", `{"email":"o'brien+x@example.org","name":"Bo <b> & \"Co\""}`).Body.Close()
	m := vendorSees(t, b)
	e, n := m.Email, m.Name
	pct := func(s string) string { return strings.ReplaceAll(s, "@", "%40") }
	location = "https://acme.example/people/" + pct(e) + "?name=" + strings.ReplaceAll(n, " ", "%20")
	for _, c := range []struct{ kind, text, want string }{
		{"application/json; charset=utf-8", `["` + n + `"]`, `["Bo <b> & \"Co\""]`},
		{"application/json", `["{\"name\":\"` + n + `\"}"]`, `["{\"name\":\"` + n + `\"}"]`}, // JSON in a string: a quote would break it
		{"application/json", `["{\"e\":\"` + e + `\"}"]`, `["{\"e\":\"o'brien+x@example.org\"}"]`},
		{"application/json", `["` + strings.Replace(e, "@", `\u0040`, 1) + `"]`, `["o'brien+x\u0040example.org"]`},
		{"application/x-www-form-urlencoded", "e=" + pct(e) + "&n=" + strings.ReplaceAll(n, " ", "+"), "e=o%27brien%2Bx%40example.org&n=Bo+%3Cb%3E+%26+%22Co%22"},
		{"text/html", "<p>" + n + " " + e + "</p>", "<p>Bo &lt;b&gt; &amp; &#34;Co&#34; o&#39;brien+x@example.org</p>"},
		{"application/atom+xml", "<x>" + n + "</x>", "<x>Bo &lt;b&gt; &amp; &#34;Co&#34;</x>"},
		{"text/plain", n, `Bo <b> & "Co"`},
		{"text/csv", e + "," + n, "o'brien+x@example.org," + n},
		{"application/octet-stream", e, e},
		{"text/html; charset=utf-16", e, e},
	} {
		kind, text = c.kind, c.text
		resp := b.post("/acme/send", ada)
		if got := answerOf(t, resp); got != c.want {
			t.Errorf("%s %s\n got %s\nwant %s", c.kind, c.text, got, c.want)
		}
		if got := resp.Header.Get("Location"); !strings.HasPrefix(got, "https://acme.example/people/o%27brien%2Bx%40example.org?name=Bo%20") {
			t.Errorf("Location: %s", got)
		}
	}
}

func TestShreddedPersonsTokensStayTokens(t *testing.T) {
	b := start(t, setup{manifest: revealing, handler: keepingLast()})
	b.post("/acme/send", ada).Body.Close()
	m := vendorSees(t, b)
	before, err := json.Marshal(m)
	check(t, err)
	b.post("/acme/send", ada, "X-Body", string(before)).Body.Close()
	s, err := b.ledger.Shred(context.Background(), exposure.Identifier{Kind: exposure.KindEmail, Value: "ada@example.org"}, ledger.Event{Actor: "test"})
	check(t, err)
	if s.Keys != 1 || s.Entry == 0 {
		t.Errorf("shredded %+v", s)
	}
	if r, ok := b.resolve(t, m.Email); ok {
		t.Errorf("still stands for %+v", r)
	}
	// About somebody else, the vendor's answer names the one who was shredded.
	body := answerOf(t, b.post("/acme/send", `{"email":"bob@example.org","name":"Bob"}`))
	if !strings.Contains(body, m.Email) || strings.Contains(body, "ada@") {
		t.Errorf("the way back gave %s", body)
	}
	// A new message about the person begins anew, and what leaves can be resolved.
	b.post("/acme/send", ada).Body.Close()
	if r, ok := b.resolve(t, vendorSees(t, b).Email); !ok || r.Value != "ada@example.org" {
		t.Errorf("a token left that stands for %+v, %v", r, ok)
	}
}

// keepingLast answers with the message before.
func keepingLast() http.HandlerFunc {
	last := "{}"
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, last)
		last = fmt.Sprintf(`{"before":%s}`, r.Header.Get("X-Body"))
	}
}

var digitsOnly = regexp.MustCompile(`^\+1\d{10}$`)

// A telephone number's token is so short that two numbers can have the same.
func TestSecondValueOfAShortTokenGetsTheNextAttempt(t *testing.T) {
	b := start(t, setup{manifest: tokenised, more: map[string]string{"tel": "vendor: tel\nname: Tel\nupstream: UPSTREAM\nmapping:\n  - {on: POST /send, fields: {phone: user.contact.phone_number}}\n" + tokenised}})
	sees := func() string {
		var m struct{ Phone string }
		check(t, json.Unmarshal([]byte(b.vendor.last(t).body), &m))
		return m.Phone
	}
	b.post("/tel/send", `{"phone":"+15555550100"}`).Body.Close()
	first := sees()
	if !digitsOnly.MatchString(first) {
		t.Fatalf("the token is %s", first)
	}
	// The table says that the first attempt of another number is taken.
	b.table.taken = func(k tokens.Token) bool { return k.Normal == "+15555550101" && b.table.asked == 1 }
	b.table.asked = 0
	b.post("/tel/send", `{"phone":"+15555550101"}`).Body.Close()
	second := sees()
	plain, err := tokens.New([32]byte(b.root), tokenDomain).Make("tel", exposure.Phone, 0, "+15555550101", false, 1)
	check(t, err)
	if second != plain.Text {
		t.Errorf("got %s, want the second attempt %s", second, plain.Text)
	}
}
