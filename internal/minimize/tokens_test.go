package minimize

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/token"
	"cordon/internal/vendor"
)

var (
	maker   = token.New([32]byte{7}, "photos.example")
	session = token.Session{Maker: maker, Vendor: "acme"}
)

const everyKind = `
mapping:
  - on: POST /people
    subjects: 'people[]'
    fields: {id: user.unique_id, email: user.contact.email, phone: user.contact.phone_number, name: user.name, first: user.name.first,
      ip: user.device.ip_address, zip: user.contact.address.postal_code, born: user.demographic.date_of_birth, age: user.demographic.age_range,
      lat: user.location.precise, street: user.contact.address.street, agrees: user.account.username}
  - {on: 'GET /people/{id}', in: path, fields: {id: user.unique_id}}
  - {on: 'PUT /{org}/people/{id}/mail/{email}', in: path, fields: {org: none, id: user.unique_id, email: user.contact.email}}
  - {on: 'GET /people', in: query, fields: {email: user.contact.email}}
  - {on: 'POST /mail', subjects: 'to[]', fields: {email: user.contact.email, name: user.name, greeting: user.name.first, id: user.unique_id, ip: user.device.ip_address},
     deliver: [email, ip], render: [greeting]}
`

func kinds(t testing.TB, policy string) *vendor.Spec {
	t.Helper()
	s, problems := vendor.Parse("acme.yaml", []byte("vendor: acme\nupstream: https://api.acme.example\n"+policy+everyKind))
	for _, p := range problems {
		t.Fatalf("manifest: %+v", p)
	}
	return s
}

func post(path, body string) *classify.Message {
	m := send(body)
	m.Path = path
	return m
}

func clearTo(t testing.TB, s *vendor.Spec, m *classify.Message) Cleared {
	t.Helper()
	c, d := Clear(find(t, s, m), s, session)
	if d.Verdict != exposure.Pass {
		t.Fatalf("%+v", d)
	}
	return c
}

func one(t testing.TB, c exposure.Category, value string, bare bool) string {
	t.Helper()
	k, err := session.Token(c, value, bare)
	if err != nil {
		t.Fatal(err)
	}
	return k.Text
}

const ada = `{"people":[{"id":97727693,"email":"Ada@example.org","phone":"+44 20 7183 8750","name":"Ada Lovelace","first":"Ada","street":"12 St James's","agrees":true},{"id":7,"email":"ada@example.org"}]}`

func TestTokensKeepTheTypeOfWhatTheyReplace(t *testing.T) {
	s := kinds(t, "minimize: {user.unique_id: token, user.contact.email: token, user.contact.phone_number: token, user.name: token, user.contact.address.street: token, user.account.username: token}\n")
	c := clearTo(t, s, post("/people", ada))
	want := `{"people":[{"id":` + one(t, exposure.UserID, "97727693", true) + `,"email":"` + one(t, exposure.Email, "ada@example.org", false) +
		`","phone":"` + one(t, exposure.Phone, "+442071838750", false) + `","name":"` + one(t, exposure.Name, "Ada Lovelace", false) +
		`","first":"` + one(t, exposure.FirstName, "Ada", false) + `","street":"` + one(t, exposure.Street, "12 St James's", false) +
		`","agrees":null},{"id":` + one(t, exposure.UserID, "7", true) + `,"email":"` + one(t, exposure.Email, "ada@example.org", false) + `"}]}`
	if got := string(c.Outgoing().Body); got != want {
		t.Errorf("left\n%s\nwant\n%s", got, want)
	}
	if got, want := exposed(&c), "97727693: user.account.username:masked,user.contact.address.street:tokenised,user.contact.email:tokenised,user.contact.phone_number:tokenised,user.name:tokenised,user.name.first:tokenised,user.unique_id:tokenised"; got != want {
		t.Errorf("exposed\n%s\nwant\n%s", got, want)
	}
	seen := map[token.Key]bool{}
	for _, m := range c.Tokens() {
		if seen[m.Key] || m.Form != exposure.Tokenised || m.Person != 0 || len(m.Identifiers) == 0 || m.Value == "" {
			t.Errorf("minted %+v", m)
		}
		seen[m.Key] = true
		if !strings.Contains(want, m.Text) {
			t.Errorf("%s does not leave", m.Text)
		}
	}
	if len(seen) != 7 { // the address that two records share once
		t.Errorf("%d tokens minted", len(seen))
	}
}

func TestLookupsHitWhatWasSentAsATokenBefore(t *testing.T) {
	s := kinds(t, "minimize: {user.unique_id: token, user.contact.email: token}\n")
	c := clearTo(t, s, post("/people", ada))
	var sent struct {
		People []struct {
			ID    json.Number
			Email string
		}
	}
	if err := json.Unmarshal(c.Outgoing().Body, &sent); err != nil {
		t.Fatal(err)
	}
	c = clearTo(t, s, &classify.Message{Method: "GET", Path: "/people/97727693"})
	if got := c.Outgoing().Path; got != "/people/"+string(sent.People[0].ID) {
		t.Errorf("asked for %s, sent %s", got, sent.People[0].ID)
	}
	if got, want := exposed(&c), "97727693: user.unique_id:tokenised"; got != want {
		t.Errorf("exposed %s", got)
	}
	if a := Describe(find(t, s, &classify.Message{Method: "GET", Path: "/people/97727693", Query: "a=1"}), s, session); a.ClearedURL != "/people/"+string(sent.People[0].ID)+"?a=1" {
		t.Errorf("route test shows %q", a.ClearedURL)
	}
	c = clearTo(t, s, &classify.Message{Method: "PUT", Path: "/1/people/97727693/mail/Ada%40example.org"})
	if got, want := c.Outgoing().Path, "/1/people/"+string(sent.People[0].ID)+"/mail/"+sent.People[0].Email; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	c = clearTo(t, s, &classify.Message{Method: "GET", Path: "/people", Query: "a=1&email=ada%40example.org&b=2"})
	q, err := url.ParseQuery(c.Outgoing().Query)
	if err != nil || q.Get("email") != sent.People[0].Email || q.Get("a")+q.Get("b") != "12" {
		t.Errorf("searched %v, sent %s", q, sent.People[0].Email)
	}
}

func TestWhatTheVendorDeliversToOrShowsIsKept(t *testing.T) {
	const body = `{"to":[{"email":"ada@example.org","name":"Ada","greeting":"Ada","id":"7","ip":"203.0.113.9"}]}`
	for policy, want := range map[string]string{
		"user.contact.email: token, user.name: token, user.unique_id: hash, user.device.ip_address: generalize": "email=ada@example.org greeting=Ada ip=203.0.113.9",
		"user.contact.email: hash, user.name: hash, user.unique_id: mask":                                       "email=ada@example.org greeting=Ada",
		"user.contact.email: alias, user.name: token, user.unique_id: mask":                                     "greeting=Ada",
		"user.contact.email: mask, user.name: drop":                                                             "id=7",
	} {
		s := kinds(t, "minimize: {"+policy+"}\n")
		c := clearTo(t, s, post("/mail", body))
		var got struct{ To []map[string]string }
		if err := json.Unmarshal(c.Outgoing().Body, &got); err != nil {
			t.Fatal(err)
		}
		for _, pair := range strings.Fields(want) {
			key, value, _ := strings.Cut(pair, "=")
			if got.To[0][key] != value {
				t.Errorf("%s: %s left as %q", policy, key, got.To[0][key])
			}
		}
		a := Describe(find(t, s, post("/mail", body)), s, session)
		for _, f := range a.Subjects[0].Fields {
			key := strings.TrimPrefix(f.Path, "to[0].")
			kept := strings.Contains(want, key+"=") && strings.Contains(policy, f.Category[:strings.LastIndexByte(f.Category, '.')])
			if key == "id" && strings.Contains(want, "id=") {
				kept = false
			}
			if kept != (f.Kept != "") || kept && f.Action != "allow" {
				t.Errorf("%s: %+v", policy, f)
			}
		}
	}
	s := kinds(t, "minimize: {user.contact.email: alias}\n")
	c := clearTo(t, s, post("/mail", body))
	if alias, _ := session.Alias("ada@example.org"); !strings.Contains(string(c.Outgoing().Body), alias.Text) || !strings.Contains(exposed(&c), "user.contact.email:aliased") ||
		len(c.Tokens()) != 1 || c.Tokens()[0].Form != exposure.Aliased {
		t.Errorf("left %s, exposed %s", c.Outgoing().Body, exposed(&c))
	}
}

func TestHashesLeaveAsHashes(t *testing.T) {
	s := kinds(t, "minimize: {user.unique_id: hash, user.contact.email: hash, user.name: hash}\n")
	c := clearTo(t, s, post("/people", ada))
	if got := exposed(&c); !strings.Contains(got, "user.contact.email:hashed") || !strings.Contains(got, "user.unique_id:hashed") || !strings.Contains(got, "user.name.first:hashed") {
		t.Errorf("exposed %s", got)
	}
	if body := string(c.Outgoing().Body); !strings.Contains(body, `"id":"`+session.Hash(exposure.UserID, "97727693")+`"`) || strings.Contains(body, "Ada") || len(c.Tokens()) != 0 {
		t.Errorf("left %s", body)
	}
	c = clearTo(t, s, &classify.Message{Method: "GET", Path: "/people/97727693"})
	if got := c.Outgoing().Path; got != "/people/"+session.Hash(exposure.UserID, "97727693") {
		t.Errorf("asked for %s", got)
	}
}

func TestWithoutKeysAPolicyThatNeedsThemIsRefused(t *testing.T) {
	for _, action := range []string{"token", "hash", "alias"} {
		s := kinds(t, "minimize: {user.contact.email: "+action+"}\n")
		c, d := Clear(find(t, s, post("/people", ada)), s, nil)
		if d.Verdict != exposure.Refuse || d.Reason != exposure.ReasonNotSupported || c.Outgoing().Body != nil {
			t.Errorf("%s: %+v", action, d)
		}
		if _, d := Clear(find(t, s, post("/people", `{"people":[{"id":7}]}`)), s, nil); d.Verdict != exposure.Pass {
			t.Errorf("%s of nothing: %+v", action, d)
		}
		s.Mode = vendor.Shadow
		if c, d := Clear(find(t, s, post("/people", ada)), s, nil); d.Verdict != exposure.Pass || string(c.Outgoing().Body) != ada {
			t.Errorf("%s in shadow mode: %+v", action, d)
		}
	}
}

func TestASignedMessageIsNotChanged(t *testing.T) {
	s := kinds(t, "minimize: {user.contact.email: token}\n")
	m := post("/people", ada)
	m.Header["Authorization"] = []string{"AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/ses/aws4_request, SignedHeaders=host, Signature=00"}
	_, d := Clear(find(t, s, m), s, session)
	if d.Verdict != exposure.Refuse || d.Reason != exposure.ReasonPolicy || !strings.Contains(d.Detail, "give Cordon the credential") {
		t.Errorf("%+v", d)
	}
	m.Body = []byte(`{"people":[{"id":7}]}`) // nothing to change in it
	if _, d := Clear(find(t, s, m), s, session); d.Verdict != exposure.Pass {
		t.Errorf("unchanged: %+v", d)
	}
}

func TestGeneralisedValuesAreStillWhatTheyWere(t *testing.T) {
	s := kinds(t, "minimize: {user.device.ip_address: generalize, user.contact.address.postal_code: generalize, user.demographic.date_of_birth: generalize, user.demographic.age_range: generalize, user.location: generalize}\n")
	c := clearTo(t, s, post("/people", `{"people":[{"id":7,"ip":"203.0.113.9","zip":94110,"born":"1990-05-03","age":37,"lat":52.5200066},{"id":8,"zip":"?","born":"unknown","age":[]}]}`))
	want := `{"people":[{"id":7,"ip":"203.0.113.0","zip":941,"born":"1990-01-01","age":30,"lat":52.5},{"id":8,"zip":"***","born":"***","age":[]}]}`
	if got := string(c.Outgoing().Body); got != want {
		t.Errorf("left\n%s\nwant\n%s", got, want)
	}
	if got := exposed(&c); !strings.HasPrefix(got, "7: user.unique_id,user.contact.address.postal_code:generalised,user.demographic.age_range:generalised,user.demographic.date_of_birth:generalised,user.device.ip_address:generalised,user.location.precise:generalised\n8: user.unique_id,user.contact.address.postal_code:masked,") {
		t.Errorf("exposed %s", got)
	}
}

// What leaves of a masked, tokenised, hashed or aliased message holds nothing
// of the values: looked for in the bytes, not in what we think that we changed.
func TestNothingOfTheValuesIsLeft(t *testing.T) {
	traces := regexp.MustCompile(`(?i)ada|lovelace|james|7183|97727693|example\.org`)
	for _, action := range []string{"token", "hash", "mask", "drop"} {
		policy := "minimize: {user.unique_id: A, user.contact.email: A, user.contact.phone_number: A, user.name: A, user.contact.address.street: " +
			map[bool]string{true: "mask", false: "A"}[action == "hash"] + "}\n"
		s := kinds(t, strings.ReplaceAll(policy, "A", action))
		c := clearTo(t, s, post("/people", ada))
		if left := traces.FindString(strings.ReplaceAll(string(c.Outgoing().Body), "a***@", "")); left != "" && left != "A" {
			t.Errorf("%s: %q is left in %s", action, left, c.Outgoing().Body)
		}
	}
}
