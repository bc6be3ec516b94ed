package gateway_test

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBodyTakesOurCredentialInPlaceOfTheApps(t *testing.T) {
	for _, c := range []struct{ name, kind, sent, want string }{
		{"api_key", "application/json", `{"api_key":"apps-own-key", "email":"ada@example.org"}`, `{"api_key":"s3cret-of-acme", "email":"ada@example.org"}`},
		{"api_key", "application/json", `{ "email":"ada@example.org","x":[1, 2]}`, `{"api_key":"s3cret-of-acme", "email":"ada@example.org","x":[1, 2]}`},
		{"api_key", "application/json", `{}`, `{"api_key":"s3cret-of-acme"}`},
		{"api_key", "text/plain", `{"api_key":null}`, `{"api_key":"s3cret-of-acme"}`},
		{"auth.key", "application/json", `{"auth":{"key":"apps-own-key"}}`, `{"auth":{"key":"s3cret-of-acme"}}`},
		{"auth.key", "application/json", `{"a":1}`, `{"auth":{"key":"s3cret-of-acme"},"a":1}`},
		{"[].properties.token", "application/json", `[{"properties":{"token":"apps-own-key"}},{"properties":{"a":1}}]`,
			`[{"properties":{"token":"s3cret-of-acme"}},{"properties":{"token":"s3cret-of-acme","a":1}}]`},
		{"[].properties.token", "application/json", `{"properties":{}}`, `{"properties":{"token":"s3cret-of-acme"}}`},
		{"api_key", "application/x-www-form-urlencoded", `api_key=apps-own-key&a=1+2&api%5Fkey=apps-own-key`, `a=1+2&api_key=s3cret-of-acme`},
	} {
		b := start(t, setup{manifest: "unclassified: pass\ncredential: {in: body, name: '" + c.name + "', secret: file:acme.secret}\n"})
		resp := b.post("/acme/other", c.sent, "Content-Type", c.kind)
		if got := b.vendor.last(t).body; got != c.want || resp.StatusCode != 202 {
			t.Errorf("%s of %s: status %d, the vendor got\n%s\nwant\n%s", c.name, c.sent, resp.StatusCode, got, c.want)
		}
		notes := 0
		for _, n := range b.recorder.notes {
			if n.Fields["replaced_credential"] != nil {
				notes++
			}
		}
		if (notes == 1) != strings.Contains(c.sent, "apps-own-key") {
			t.Errorf("%s: %d notes of a replaced credential", c.sent, notes)
		}
	}
}

func TestBodyWithoutAPlaceForOurCredentialIsRefused(t *testing.T) {
	for _, sent := range []string{`"text"`, `{"api_key":"a","api_key":"b"}`, `{"api_key":`, `not json`, `{"a":1} {"b":2}`} {
		b := start(t, setup{manifest: "unclassified: pass\ncredential: {in: body, name: api_key, secret: file:acme.secret}\n"})
		if resp := b.post("/acme/other", sent); resp.StatusCode != 501 || b.vendor.received() != 0 {
			t.Errorf("%s: status %d, the vendor got %d bytes", sent, resp.StatusCode, b.vendor.received())
		}
	}
}

func TestCompressedBodyIsOpenedForOurCredential(t *testing.T) {
	b := start(t, setup{manifest: "unclassified: pass\ncredential: {in: body, name: api_key, secret: file:acme.secret}\n"})
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write([]byte(`{"api_key":"apps-own-key","a":1}`))
	w.Close()
	b.post("/acme/other", packed.String(), "Content-Encoding", "gzip").Body.Close()
	got := b.vendor.last(t)
	if got.body != `{"api_key":"s3cret-of-acme","a":1}` || got.header.Get("Content-Encoding") != "" {
		t.Errorf("the vendor got %q in %q", got.body, got.header.Get("Content-Encoding"))
	}
}

func TestPathTakesOurCredential(t *testing.T) {
	b := start(t, setup{manifest: `unclassified: pass
credential: {in: path, value: "/services/{secret}", secret: file:acme.secret}
mapping:
  - {on: 'POST /services/{secret}', fields: {text: user.content.private}}
`})
	for _, path := range []string{"/services/apps-own-secret", "/services/{secret}", "/services/%7Bsecret%7D"} {
		b.post("/acme"+path, `{"text":"x"}`).Body.Close()
		if got := b.vendor.last(t).target; got != "/services/s3cret-of-acme" {
			t.Errorf("%s: the vendor got %s", path, got)
		}
	}
	for _, d := range b.recorder.recorded {
		if d.Pathway.Route != "POST /services/{secret}" {
			t.Errorf("recorded as %s", d.Pathway.Route)
		}
	}
	b.post("/acme/other", `{}`).Body.Close()
	if got := b.vendor.last(t).target; got != "/other" {
		t.Errorf("another path became %s", got)
	}
}

// What the app signed covered its own message; what leaves is signed with our key.
func TestMessageIsSignedAnewAfterItWasMinimised(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	b := start(t, setup{clock: func() time.Time { return now }, manifest: `minimize: {user.name: mask}
credential: {in: sigv4, name: AKIDOURS, secret: file:acme.secret, region: eu-west-1, service: ses}
`})
	resp := b.post("/acme/send?X-Amz-Signature=bad&b=2&a=1", ada,
		"Authorization", "AWS4-HMAC-SHA256 Credential=AKIDAPPS/20260203/eu-west-1/ses/aws4_request, SignedHeaders=host, Signature=0",
		"X-Amz-Date", "20200101T000000Z", "X-Amz-Security-Token", "apps-token", "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	if resp.StatusCode != 202 {
		t.Fatalf("status %d", resp.StatusCode)
	}
	got := b.vendor.last(t)
	if !strings.Contains(got.body, `"A***"`) || got.target != "/send?b=2&a=1" {
		t.Errorf("the vendor got %s %s", got.target, got.body)
	}
	if got.header.Get("X-Amz-Date") != "20260203T040506Z" || len(got.header["X-Amz-Security-Token"]) != 0 || len(got.header["Authorization"]) != 1 {
		t.Errorf("the vendor got %v", got.header)
	}
	if err := verifySigv4(got, "AKIDOURS", "s3cret-of-acme"); err != "" {
		t.Error(err)
	}
	if resp := b.post("/acme/send", strings.Repeat("x", 10)); resp.StatusCode == 202 {
		t.Error("a broken body passed")
	}
}

// verifySigv4 checks a signature as a server does, by what arrived: the fields
// that it names, over the target as it stands on the wire.
func verifySigv4(m seen, key, secret string) string {
	part := func(name string) string {
		_, rest, _ := strings.Cut(m.header.Get("Authorization"), name+"=")
		rest, _, _ = strings.Cut(rest, ",")
		return rest
	}
	id, scope, _ := strings.Cut(part("Credential"), "/")
	if id != key {
		return "signed by " + id
	}
	hash := func(b string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(b))) }
	lines := ""
	for _, name := range strings.Split(part("SignedHeaders"), ";") {
		value := m.header.Get(name)
		if name == "host" {
			value = m.host
		}
		lines += name + ":" + value + "\n"
	}
	path, query, _ := strings.Cut(m.target, "?")
	pairs := strings.Split(query, "&")
	slices.Sort(pairs)
	request := strings.Join([]string{m.method, path, strings.Join(pairs, "&"), lines, part("SignedHeaders"), hash(m.body)}, "\n")
	mac := []byte("AWS4" + secret)
	for _, p := range append(strings.Split(scope, "/"), "AWS4-HMAC-SHA256\n"+m.header.Get("X-Amz-Date")+"\n"+scope+"\n"+hash(request)) {
		h := hmac.New(sha256.New, mac)
		h.Write([]byte(p))
		mac = h.Sum(nil)
	}
	if got := part("Signature"); got != fmt.Sprintf("%x", mac) {
		return "the signature is " + got + ", a server computes " + fmt.Sprintf("%x", mac)
	}
	return ""
}
