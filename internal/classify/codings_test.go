package classify

import (
	"bytes"
	"testing"
)

func TestEveryCodingIsReadAndWrittenAgain(t *testing.T) {
	const body = `{"email":"ada@example.org","name":"Ada","amount":1}`
	for name, list := range map[string]codings{
		"gzip": {gzipped}, "deflate": {zlibbed}, "Deflate": {deflated}, "br": {brotlied}, "zstd": {zstandard},
		"zstd, gzip": {gzipped, zstandard}, "br, identity, deflate": {zlibbed, brotlied},
	} {
		packed, err := list.encode([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		m := message("/person", "application/json", string(packed))
		m.Header["Content-Encoding"] = []string{name}
		f := read(t, flat, m)
		expect(t, f, `email=ada@example.org: user.contact.email email="ada@example.org" user.name name="Ada"`)
		out, err := f.Rewrite([]Edit{{Field: 1, Drop: true}})
		if err != nil {
			t.Fatal(err)
		}
		again := message("/person", "application/json", string(out.Body))
		again.Header = m.Header
		if g := read(t, flat, again); g.Text() != `{"email":"ada@example.org","amount":1}` || len(g.Incomplete()) > 0 {
			t.Errorf("%s: %q, %v", name, g.Text(), g.Incomplete())
		}
		if out, err := f.Rewrite(keepAll(f)); err != nil || !bytes.Equal(out.Body, packed) {
			t.Errorf("%s: an edit that changes nothing packed the body anew", name)
		}
	}
}

func TestDigestsFollowTheBody(t *testing.T) {
	m := message("/person", "application/json", `{"email":"ada@example.org","name":"Ada"}`)
	m.Header["Content-Md5"] = []string{"x"}
	m.Header["Digest"] = []string{"SHA-256=abc=, unixsum=3"}
	m.Header["Content-Digest"] = []string{"sha-512=:abc=:, sha-256=:abc=:"}
	m.Header["X-Amz-Content-Sha256"] = []string{"UNSIGNED-PAYLOAD"}
	f := read(t, flat, m)
	out, err := f.Rewrite([]Edit{{Field: 1, Drop: true}})
	if err != nil {
		t.Fatal(err)
	}
	// printf '{"email":"ada@example.org"}' | openssl dgst -md5 -binary | base64
	for name, want := range map[string]string{
		"Content-Md5":          "X+GmdW3sUzm9KzuLsnMRUw==",
		"Digest":               "SHA-256=qTeo8rjCqYd0M0ngooJcGJpz7Sk4KOnawAsuC0kdyHA=",
		"Content-Digest":       "sha-512=:sZEJNXgWT7VO06tI3tx4+PrBQlMFRs3FaDC9XN/wVcPgQQuy5cgj4vhHtkafn0zMhXAKFn2q28QdkW091WHH4A==:, sha-256=:qTeo8rjCqYd0M0ngooJcGJpz7Sk4KOnawAsuC0kdyHA=:",
		"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
	} {
		if got := out.Header[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if out, _ := f.Rewrite(keepAll(f)); out.Header != nil {
		t.Error("an edit that changes nothing changed headers")
	}
}

func TestSignedMessages(t *testing.T) {
	for name, value := range map[string]string{
		"Authorization":   "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=y",
		"Signature-Input": `sig1=("content-digest")`,
	} {
		m := message("/person", "application/json", `{}`)
		m.Header[name] = []string{value}
		if !read(t, flat, m).Signed() {
			t.Errorf("%s is not seen", name)
		}
	}
	m := message("/person", "application/json", `{}`)
	m.Header["Authorization"] = []string{"Bearer x"}
	if read(t, flat, m).Signed() {
		t.Error("a bearer token signs nothing")
	}
}
