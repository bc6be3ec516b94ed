// Package evidence_test checks bundles with a second verifier, written in
// another language from the specification alone: what the two do not agree on,
// the specification does not say.
package evidence_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cordon/evidence"
	"cordon/test/evidence/sample"
)

// node runs the foreign verifier, or skips where there is no Node.
func node(t *testing.T, input string, args ...string) (out string, code int) {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skip("the foreign verifier needs Node, and there is none")
	}
	cmd := exec.Command(path, append([]string{"verify.mjs"}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	var talk bytes.Buffer
	cmd.Stderr = &talk
	text, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || talk.Len() > 0 {
		t.Fatalf("%v: %v\n%s", args, err, talk.String())
	}
	return string(text), cmd.ProcessState.ExitCode()
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bundle")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func bundle(t *testing.T, c *sample.Case, redacted bool) []byte {
	t.Helper()
	data, err := c.Bundle(redacted)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// ours is the step at which package evidence stops, "ok" where it does not.
func ours(t *testing.T, data []byte) string {
	t.Helper()
	_, err := evidence.Verify(bytes.NewReader(data), int64(len(data)), evidence.Trust{})
	f := (*evidence.Failure)(nil)
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &f):
		return string(f.Step)
	}
	t.Fatal(err)
	return ""
}

func TestForeignVerifierHoldsWhatWeHold(t *testing.T) {
	for name, c := range map[string]*sample.Case{
		"witnessed": sample.NewCase(true, 3, 5), "alone": sample.NewCase(false, 1), "nobody": sample.NewCase(true),
		"many people": sample.NewCase(true, 9000, 200_000, 3, 17),
	} {
		for _, redacted := range []bool{false, true} {
			data := bundle(t, c, redacted)
			r, err := evidence.Verify(bytes.NewReader(data), int64(len(data)), evidence.Trust{})
			if err != nil {
				t.Fatal(err)
			}
			out, code := node(t, "", write(t, data))
			text, ok := strings.CutPrefix(out, "ok ")
			var theirs struct {
				Incident, Vendor string
				Entries          int
				Redacted         []string
				Export           uint64
				Scopes           []struct {
					ID       string
					Subjects uint64
					Counted  bool
				}
			}
			if err := json.Unmarshal([]byte(text), &theirs); !ok || code != 0 || err != nil {
				t.Fatalf("%s: exit %d, %s", name, code, out)
			}
			if theirs.Entries != r.Entries || theirs.Export != r.Export.Entry || theirs.Scopes[0].Subjects != r.Scopes[0].Subjects ||
				theirs.Scopes[0].Counted != r.Scopes[0].Counted || len(theirs.Redacted) != len(r.Redacted) {
				t.Errorf("%s: they say %+v, we say %+v", name, theirs, r)
			}
			// The next export of the same ledger comes after this one.
			c = sample.NewCase(name != "alone", 3, 5)
		}
	}
}

// TestForeignVerifierStopsAtTheSameStep changes bytes and cuts the file, and
// compares the step at which each of the two stops.
func TestForeignVerifierStopsAtTheSameStep(t *testing.T) {
	for _, redacted := range []bool{false, true} {
		data := bundle(t, sample.NewCase(true, 3, 5), redacted)
		path := write(t, data)
		r := rand.New(rand.NewPCG(4, uint64(len(data))))
		var input strings.Builder
		var want []string
		for i := range data {
			// A third of the bytes before the parts, and fewer behind, where all
			// are under hashes.
			if i%3 != 0 || i > 8192 && i%29 != 0 {
				continue
			}
			mask := byte(1) << r.UintN(8)
			fmt.Fprintf(&input, "%d %d\n", i, mask)
			data[i] ^= mask
			want = append(want, ours(t, data))
			data[i] ^= mask
		}
		out, _ := node(t, input.String(), "--changes", path)
		compare(t, strings.Split(input.String(), "\n"), strings.Fields(out), want)

		input.Reset()
		want = want[:0]
		for n := 0; n < len(data); n += 1 + r.IntN(97) {
			fmt.Fprintf(&input, "%d\n", n)
			want = append(want, ours(t, data[:n]))
		}
		out, _ = node(t, input.String(), "--cuts", path)
		compare(t, strings.Split(input.String(), "\n"), strings.Fields(out), want)
	}
}

func TestForeignVerifierSeesThroughTheSameLies(t *testing.T) {
	for _, lie := range sample.Lies {
		data, err := lie.Bundle()
		if err != nil {
			t.Fatal(err)
		}
		out, code := node(t, "", write(t, data))
		if theirs, _, _ := strings.Cut(out, ":"); theirs != ours(t, data) || code != 4 {
			t.Errorf("%s: they say %q, exit %d; we stop at %s", lie.Name, out, code, ours(t, data))
		}
	}
}

func compare(t *testing.T, what, theirs, ours []string) {
	t.Helper()
	if len(theirs) != len(ours) {
		t.Fatalf("%d answers to %d questions", len(theirs), len(ours))
	}
	wrong := 0
	for i := range ours {
		if ours[i] == "ok" {
			t.Errorf("%s: not noticed", what[i])
		}
		if theirs[i] != ours[i] {
			if wrong++; wrong < 10 {
				t.Errorf("%s: they stop at %s, we at %s", what[i], theirs[i], ours[i])
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d differ", wrong, len(ours))
	}
}
