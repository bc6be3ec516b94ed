package evidence_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"cordon/evidence"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// newLedgerKey makes a ledger's key and signs a checkpoint with it.
func newLedgerKey(t testing.TB) (note.Signer, note.Verifier, string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "photos.example/cordon")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v, vkey
}

func newCosigner(t testing.TB, at time.Time) *evidence.Cosigner {
	t.Helper()
	skey, vkey, err := evidence.GenerateCosigner(rand.Reader, "witness.example/w1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := evidence.ParseCosigner(skey, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	if c.Witness().String() != vkey {
		t.Fatalf("the two halves differ: %s and %s", c.Witness(), vkey)
	}
	return c
}

func TestCosignatureStandsBesideTheLedgersOwn(t *testing.T) {
	s, v, _ := newLedgerKey(t)
	at := time.Unix(1679315147, 0).UTC()
	c := newCosigner(t, at)
	signed, err := evidence.Checkpoint{Origin: s.Name(), Size: 7, Root: tlog.Hash{1}}.Sign(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Witness().Cosigned(signed); !errors.Is(err, evidence.ErrNotCosigned) {
		t.Errorf("without a cosignature: %v", err)
	}
	n, err := note.Open([]byte(signed), note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	both, err := note.Sign(n, c)
	if err != nil {
		t.Fatal(err)
	}
	w, err := evidence.ParseWitness(c.Witness().String())
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Cosigned(string(both))
	if err != nil || !got.Equal(at) {
		t.Errorf("cosigned at %v, %v; want %v", got, err, at)
	}
	if head, err := evidence.OpenCheckpoint(string(both), v); err != nil || head.Size != 7 {
		t.Errorf("the ledger's own signature: %+v, %v", head, err)
	}
	// Another time under the same signature is not what was signed.
	line := string(both)[strings.LastIndex(string(both), " ")+1:]
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint64(raw[4:], binary.BigEndian.Uint64(raw[4:])+1)
	later := strings.TrimSuffix(string(both), line) + base64.StdEncoding.EncodeToString(raw) + "\n"
	if _, err := w.Cosigned(later); err == nil || errors.Is(err, evidence.ErrNotCosigned) {
		t.Errorf("a cosignature with its time changed: %v", err)
	}
}

// A signature of one type must never pass for the other.
func TestKeyOfAWitnessIsNoKeyOfALog(t *testing.T) {
	_, _, vkey := newLedgerKey(t)
	if _, err := evidence.ParseWitness(vkey); err == nil {
		t.Error("a log's key was taken for a witness's")
	}
	c := newCosigner(t, time.Now())
	if _, err := note.NewVerifier(c.Witness().String()); err == nil {
		t.Error("a witness's key was taken for a log's")
	}
	for _, bad := range []string{"", "w", "w+1+2", "w+00000000+" + strings.SplitN(c.Witness().String(), "+", 3)[2], c.Witness().String() + "\n"} {
		if _, err := evidence.ParseWitness(bad); err == nil {
			t.Errorf("%q was taken for a key", bad)
		}
	}
}
