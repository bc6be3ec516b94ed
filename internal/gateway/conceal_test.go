package gateway

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestSecretInABodyIsOverwrittenHoweverItIsCut(t *testing.T) {
	c := &credential{needles: needlesOf("aab&aaba", "Bearer aab&aaba")}
	rapid.Check(t, func(t *rapid.T) {
		var in []byte
		for range rapid.IntRange(0, 30).Draw(t, "pieces") {
			in = append(in, rapid.SampledFrom([]string{"a", "b", "&", "%26", "aab&", "aab&aaba", "aab%26aaba", "x"}).Draw(t, "piece")...)
		}
		want := string(in)
		for _, n := range c.needles {
			want = strings.ReplaceAll(want, string(n), strings.Repeat("*", len(n)))
		}
		var source io.Reader = bytes.NewReader(in)
		if rapid.Bool().Draw(t, "byte by byte") {
			source = iotest.OneByteReader(source)
		}
		if rapid.Bool().Draw(t, "with its end") {
			source = iotest.DataErrReader(source)
		}
		got, err := io.ReadAll(c.concealBody(io.NopCloser(source)))
		if err != nil || len(got) != len(in) {
			t.Fatalf("%q became %q, %v", in, got, err)
		}
		for _, n := range c.needles {
			if bytes.Contains(got, n) {
				t.Fatalf("%q still holds %q: %q", in, n, got)
			}
		}
		if !strings.Contains(want, "a") && string(got) != want {
			t.Fatalf("%q became %q, want %q", in, got, want)
		}
	})
}

func TestBodyThatBreaksOffStaysBroken(t *testing.T) {
	c := &credential{needles: needlesOf("s3cret-of-acme", "s3cret-of-acme")}
	got, err := io.ReadAll(c.concealBody(io.NopCloser(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("s3cr"))))))
	if err != iotest.ErrTimeout || string(got) != "s" {
		t.Fatalf("%q, %v", got, err)
	}
}
