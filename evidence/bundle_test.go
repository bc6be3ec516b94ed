package evidence_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"cordon/evidence"
	"cordon/test/evidence/sample"
)

func small(t testing.TB, redacted bool) ([]byte, *sample.Case) {
	t.Helper()
	c := sample.NewCase(true, 3, 5)
	data, err := c.Bundle(redacted)
	if err != nil {
		t.Fatal(err)
	}
	return data, c
}

func verify(data []byte, trust evidence.Trust) (*evidence.Report, error) {
	return evidence.Verify(bytes.NewReader(data), int64(len(data)), trust)
}

func trusted(c *sample.Case) evidence.Trust {
	return evidence.Trust{Key: c.Book.Key, Witnesses: c.Contents.Witnesses}
}

func TestWholeBundleHolds(t *testing.T) {
	data, c := small(t, false)
	r, err := verify(data, trusted(c))
	if err != nil {
		t.Fatal(err)
	}
	if r.Incident != "inc-1" || r.Vendor != "acme-mail" || r.Entries != 10 || r.Disclosures != 1 || len(r.Timeline) != 7 || len(r.Redacted) != 0 {
		t.Errorf("%+v", r)
	}
	if s := r.Scopes[0]; !s.Counted || s.Subjects != 8 || s.Certain != 2 || s.Excluded != 2 || s.Cohorts != 2 || s.Entry == 0 {
		t.Errorf("%+v", s)
	}
	if w := r.Witnesses; len(w) != 1 || !w[0].Given || !r.KeyGiven || r.Export.Actor != "grace" || len(r.Unchecked) != 1 {
		t.Errorf("%+v %v %v", w, r.Export, r.Unchecked)
	}
	if out, err := exec.Command("tar", "--version").Output(); err == nil && len(out) > 0 { // anybody's tar reads it
		list := exec.Command("tar", "-tf", "-")
		list.Stdin = bytes.NewReader(data)
		if out, err := list.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "manifest\nhead\nexport.tlog-proof\n") {
			t.Errorf("tar: %v\n%s", err, out)
		}
	}
}

// The manifest that is shown was in force at some time. Another one may have
// been when it mattered, and the report must not pass over it.
func TestAnotherManifestInForceIsSaid(t *testing.T) {
	c := sample.NewCase(true, 3, 5)
	sample.Again(c, sample.Event(sample.Start.Add(20*time.Minute), "coverage-start", "acme-mail", "cordon", map[string]any{"manifest": strings.Repeat("ab", 32)}))
	data, err := c.Bundle(false)
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify(data, trusted(c))
	if err != nil || len(r.Unchecked) != 2 || !strings.HasPrefix(r.Unchecked[0], "that vendors/acme-mail.yaml was in force all the time: entry ") {
		t.Fatalf("%q, %v", r.Unchecked, err)
	}
}

func TestRedactedBundleHoldsUnderTheSameSignature(t *testing.T) {
	data, c := small(t, false)
	var out bytes.Buffer
	if err := evidence.Redact(&out, bytes.NewReader(data), int64(len(data))); err != nil {
		t.Fatal(err)
	}
	whole, err := verify(data, trusted(c))
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify(out.Bytes(), trusted(c))
	if err != nil {
		t.Fatal(err)
	}
	if r.Manifest != whole.Manifest || r.Export != whole.Export {
		t.Error("another manifest, or another export")
	}
	if r.Disclosures != 0 || r.Scopes[0].Counted || len(r.Redacted) != 6 || len(r.Unchecked) != 4 || r.Scopes[0].Subjects != 8 {
		t.Errorf("%+v\n%q\n%q", r.Scopes, r.Redacted, r.Unchecked)
	}
	again, _ := small(t, true)
	if !bytes.Equal(again, out.Bytes()) {
		t.Error("a bundle made without its personal parts is another one than a bundle from which they were taken")
	}
}

func TestSameContentsGiveTheSameBytes(t *testing.T) {
	a, _ := small(t, false)
	b, _ := small(t, false)
	if !bytes.Equal(a, b) {
		t.Error("two bundles of the same contents differ")
	}
}

// TestEveryChangedByteIsFound changes one bit of each byte in turn; with
// CORDON_EVERY_BIT=1 in the environment each of its eight.
func TestEveryChangedByteIsFound(t *testing.T) {
	every := os.Getenv("CORDON_EVERY_BIT") != ""
	for _, redacted := range []bool{false, true} {
		data, _ := small(t, redacted)
		for i := range data {
			for bit := range 8 {
				if bit != i%8 && !every {
					continue
				}
				data[i] ^= 1 << bit
				_, err := verify(data, evidence.Trust{})
				if f := (*evidence.Failure)(nil); !errors.As(err, &f) || f.What == "" || f.Step == "" {
					t.Fatalf("bit %d of byte %d changed: %v", bit, i, err)
				}
				data[i] ^= 1 << bit
			}
		}
		if _, err := verify(data, evidence.Trust{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryCutIsFound(t *testing.T) {
	data, _ := small(t, false)
	for n := range data {
		_, err := verify(data[:n], evidence.Trust{})
		if f := (*evidence.Failure)(nil); !errors.As(err, &f) || f.Step != evidence.StepFrame {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	for _, more := range []string{"\x00", "x", strings.Repeat("\x00", 512), strings.Repeat("\x00", 10240)} {
		if _, err := verify(append(data[:len(data):len(data)], more...), evidence.Trust{}); err == nil {
			t.Errorf("%d bytes more were not noticed", len(more))
		}
	}
}
