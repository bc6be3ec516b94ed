package minimize

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

const mapping = `
mapping:
  - {on: POST /send, subjects: 'to[]', fields: {email: user.contact.email, name.first: user.name.first, name.last: user.name.last, id: user.unique_id, phone: user.contact.phone_number, age: user.demographic.age_range, optout: user.privacy_preferences}}
  - {on: POST /send, fields: {text: user.content.private}}
  - {on: 'DELETE /people/{email}', in: path, fields: {email: user.contact.email}}
`

// spec reads a manifest with further keys.
func spec(t testing.TB, more string) *vendor.Spec {
	t.Helper()
	s, problems := vendor.Parse("acme.yaml", []byte("vendor: acme\nupstream: https://api.acme.example\n"+more+mapping))
	for _, p := range problems {
		t.Fatalf("manifest: %+v", p)
	}
	return s
}

func send(body string) *classify.Message {
	return &classify.Message{Method: "POST", Path: "/send", Body: []byte(body),
		Header: map[string][]string{"Content-Type": {"application/json"}}}
}

func find(t testing.TB, s *vendor.Spec, m *classify.Message) *classify.Findings {
	t.Helper()
	c, err := classify.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	f := c.Classify(s.Match(m.Method, m.Path), m)
	return &f
}

const two = `{"to":[{"email":"ada@example.org","name":{"first":"Ada","last":"Lovelace"},"age":36,"optout":true},{"id":"7","phone":"+44 20 7183 8750"}],"text":"Hi","extra":1}`

func exposed(c *Cleared) string {
	var lines []string
	for _, e := range c.Exposures() {
		who := "nobody"
		if len(e.Identifiers) > 0 {
			who = e.Identifiers[0].Value
		}
		lines = append(lines, who+": "+e.Set.String())
	}
	return strings.Join(lines, "\n")
}

func TestPolicyOfAParentCoversItsChildren(t *testing.T) {
	s := spec(t, "minimize: {user.name: drop, user.name.last: mask, user.contact: mask, user.demographic: mask, user.privacy_preferences: mask, unclassified: drop}\n")
	c, d := Clear(find(t, s, send(two)), s, nil)
	if d.Verdict != exposure.Pass {
		t.Fatal(d)
	}
	want := `{"to":[{"email":"a***@masked.invalid","name":{"last":"L***"},"age":null,"optout":null},{"id":"7","phone":"***50"}],"text":"Hi"}`
	if got := string(c.Outgoing().Body); got != want {
		t.Errorf("left\n%s\nwant\n%s", got, want)
	}
	want = "ada@example.org: user.content.private,user.contact.email:masked,user.demographic.age_range:masked,user.name.last:masked,user.privacy_preferences:masked\n" +
		"7: user.content.private,user.unique_id,user.contact.phone_number:masked"
	if got := exposed(&c); got != want {
		t.Errorf("exposed\n%s\nwant\n%s", got, want)
	}
}

func TestEverythingAllowedLeavesUntouched(t *testing.T) {
	s := spec(t, "")
	m := send(two)
	c, d := Clear(find(t, s, m), s, nil)
	if d.Verdict != exposure.Pass || &c.Outgoing().Body[0] != &m.Body[0] {
		t.Errorf("%+v", d)
	}
	if c.Vendor() != "acme" || c.Route().Name != "POST /send" {
		t.Errorf("goes to %s %s", c.Vendor(), c.Route().Name)
	}
}

func TestShadowChangesAndRefusesNothing(t *testing.T) {
	s := spec(t, "mode: shadow\nunclassified: refuse\nminimize: {default: drop, user.name: mask}\n")
	m := send(two + " trailing")
	c, d := Clear(find(t, s, m), s, nil)
	if d.Verdict != exposure.Pass || string(c.Outgoing().Body) != string(m.Body) {
		t.Fatalf("%+v", d)
	}
	if !strings.Contains(exposed(&c), "user.name.first") || len(c.Incomplete()) != 1 {
		t.Errorf("recorded %s, %v", exposed(&c), c.Incomplete())
	}
}

func TestIncompleteMessagesGoByTheManifest(t *testing.T) {
	for verdict, want := range map[string]exposure.Verdict{"pass": exposure.Pass, "hold": exposure.Hold, "refuse": exposure.Refuse} {
		s := spec(t, "unclassified: "+verdict+"\nminimize: {user.contact.email: mask}\n")
		c, d := Clear(find(t, s, send(`{"to":[{"email":"ada@example.org","email":"bob@example.org"}]}`)), s, nil)
		if d.Verdict != want || d.Reason != exposure.IncompleteDuplicateKey || d.Detail == "" {
			t.Errorf("%s: %+v", verdict, d)
		}
		if want != exposure.Pass {
			if c.Outgoing().Body != nil || c.Exposures() != nil || c.Digest() != [32]byte{} {
				t.Errorf("%s: something was cleared", verdict)
			}
			continue
		}
		// Both occurrences are masked: parsers differ on which one counts.
		if got := string(c.Outgoing().Body); got != `{"to":[{"email":"a***@masked.invalid","email":"b***@masked.invalid"}]}` {
			t.Errorf("left %s", got)
		}
	}
}

func TestAnActionThatCannotApplyIsRefused(t *testing.T) {
	for _, policy := range []map[string]vendor.Action{
		{"user.name.last": vendor.Alias}, {"user.name.last": vendor.Generalize}, {"user.name.last": "else"},
		{"user.content.private": vendor.Hash}, {"unclassified": vendor.Token},
	} {
		s := spec(t, "")
		s.Policy = map[exposure.Category]vendor.Action{}
		for key, action := range policy {
			s.Policy[exposure.MustCategory(key)] = action
		}
		c, d := Clear(find(t, s, send(two)), s, session)
		if d.Verdict != exposure.Refuse || d.Reason != exposure.ReasonNotSupported || c.Outgoing().Body != nil {
			t.Errorf("%v: %+v", policy, d)
		}
	}
}

func TestAValueInThePathIsNeverMasked(t *testing.T) {
	for _, action := range []string{"drop", "mask"} {
		s := spec(t, "minimize: {user.contact.email: "+action+"}\n")
		_, d := Clear(find(t, s, &classify.Message{Method: "DELETE", Path: "/people/ada%40example.org"}), s, nil)
		if d.Verdict != exposure.Refuse || d.Reason != exposure.ReasonPolicy || strings.Contains(d.Detail, "ada") {
			t.Errorf("%s: %+v", action, d)
		}
	}
}

func TestMasksHaveOneLength(t *testing.T) {
	for _, c := range []struct {
		category    exposure.Category
		value, want string
	}{
		{exposure.Email, "ada@example.org", "a***@masked.invalid"},
		{exposure.Email, "Ada Lovelace <A.L@example.org>", "a***@masked.invalid"},
		{exposure.Email, "a@example.org", "***@masked.invalid"},
		{exposure.Email, "not an address", "***@masked.invalid"},
		{exposure.Phone, "+44 20 7183 8750", "***50"},
		{exposure.Phone, "110", "***"},
		{exposure.Name, "Ångström", "Å***"},
		{exposure.Name, " X ", "***"},
		{exposure.Name, "", "***"},
		{exposure.Name, "\xff\xfe", "***"},
		{exposure.MustCategory("user.name.last"), "Lovelace", "L***"},
		{exposure.UserID, "12345", "***"},
		{exposure.Text, "a long text", "***"},
	} {
		if got := mask(c.category, c.value); got != c.want {
			t.Errorf("%s %q became %q, want %q", c.category, c.value, got, c.want)
		}
	}
}

func TestNothingIsClearedByTheZeroValue(t *testing.T) {
	var c Cleared
	if c.Vendor() != "" || c.Outgoing().Body != nil || len(c.Exposures()) != 0 || c.Route().Mapped() && c.Route().Spec != nil {
		t.Errorf("%+v", c)
	}
}

func TestDigestBindsEveryPart(t *testing.T) {
	seen := map[[32]byte]string{}
	for _, m := range []struct {
		method, path, query, body string
		envelope                  *classify.Envelope
	}{
		{"POST", "/a", "", "", nil}, {"POST", "/", "a", "", nil}, {"POST", "/", "", "a", nil}, {"PUT", "/a", "", "", nil}, {"POST", "/a", "b", "", nil},
		{"POST", "/a", "", "b", nil}, {"POST", "/ab", "", "", nil},
		{"SMTP", "/", "", "a", &classify.Envelope{From: "a", To: []string{"b"}}}, {"SMTP", "/", "", "a", &classify.Envelope{From: "a", To: []string{"c"}}},
		{"SMTP", "/", "", "a", &classify.Envelope{From: "a", To: []string{"b", "c"}}}, {"SMTP", "/", "", "a", &classify.Envelope{From: "ab", To: []string{""}}},
		{"SMTP", "/", "", "a", nil},
	} {
		d := digest(m.method, &classify.Outgoing{Path: m.path, Query: m.query, Body: []byte(m.body), Envelope: m.envelope})
		if other, ok := seen[d]; ok {
			t.Errorf("%v and %s have one digest", m, other)
		}
		seen[d] = fmt.Sprint(m, m.envelope)
	}
}

func TestRouteTestAnswersWithConcretePlaces(t *testing.T) {
	s := spec(t, "minimize: {user.name: mask}\n")
	a, err := Test(s, send(two), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"vendor":"acme","route":"POST /send","status":"classified","reason":"","verdict":"pass","subjects":[` +
		`{"identifiers":{"email":"ada@example.org"},"fields":[` +
		`{"category":"user.contact.email","path":"to[0].email","value":"ada@example.org","action":"allow"},` +
		`{"category":"user.name.first","path":"to[0].name.first","value":"Ada","action":"mask"},` +
		`{"category":"user.name.last","path":"to[0].name.last","value":"Lovelace","action":"mask"},` +
		`{"category":"user.demographic.age_range","path":"to[0].age","value":"36","action":"allow"},` +
		`{"category":"user.privacy_preferences","path":"to[0].optout","value":"true","action":"allow"},` +
		`{"category":"user.content.private","path":"text","value":"Hi","action":"allow"},` +
		`{"category":"unclassified","path":"extra","value":"1","action":"allow"}]},` +
		`{"identifiers":{"phone":"+442071838750","user_id":"7"},"fields":[` +
		`{"category":"user.unique_id","path":"to[1].id","value":"7","action":"allow"},` +
		`{"category":"user.contact.phone_number","path":"to[1].phone","value":"+44 20 7183 8750","action":"allow"},` +
		`{"category":"user.content.private","path":"text","value":"Hi","action":"allow"},` +
		`{"category":"unclassified","path":"extra","value":"1","action":"allow"}]}],` +
		`"unmapped":["extra"],"cleared":"{\"to\":[{\"email\":\"ada@example.org\",\"name\":{\"first\":\"A***\",\"last\":\"L***\"},\"age\":36,\"optout\":true},{\"id\":\"7\",\"phone\":\"+44 20 7183 8750\"}],\"text\":\"Hi\",\"extra\":1}"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRouteTestTellsIncompleteFromRefused(t *testing.T) {
	const broken = `{"to":[{"email":"ada@example.org"}]`
	for _, c := range []struct{ manifest, status, verdict string }{
		{"", "incomplete", "hold"},
		{"unclassified: pass\n", "incomplete", "pass"},
		{"unclassified: refuse\n", "refused", "refuse"},
	} {
		a, err := Test(spec(t, c.manifest), send(broken), nil)
		if err != nil || a.Status != c.status || a.Verdict != c.verdict || a.Reason != "broken-syntax" || len(a.Subjects) != 1 {
			t.Errorf("%q: %+v, %v", c.manifest, a, err)
		}
		if (a.Cleared != "") != (c.verdict == "pass") {
			t.Errorf("%q: cleared %q", c.manifest, a.Cleared)
		}
	}
}
