// Package c2sp_test reads our proofs and cosignatures with torchwood, an
// implementation of the C2SP formats by their authors. It is a module of its
// own, so that nothing of it enters the product.
package c2sp_test

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"cordon/evidence"
	"cordon/test/evidence/sample"
)

// policy demands the ledger's signature and the witness's.
func policy(t *testing.T, c *sample.Case) torchwood.Policy {
	t.Helper()
	log, err := note.NewVerifier(c.Book.Key)
	if err != nil {
		t.Fatal(err)
	}
	witness, err := torchwood.NewCosignatureVerifier(c.Contents.Witnesses[0])
	if err != nil {
		t.Fatal(err)
	}
	return torchwood.ThresholdPolicy(3, torchwood.OriginPolicy(sample.Origin), torchwood.SingleVerifierPolicy(log), torchwood.SingleVerifierPolicy(witness))
}

func TestTorchwoodAcceptsEveryProofOfABundle(t *testing.T) {
	c := sample.NewCase(true, 3, 5)
	data, err := c.Bundle(false)
	if err != nil {
		t.Fatal(err)
	}
	p, proofs := policy(t, c), 0
	files := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(h.Name, ".tlog-proof") {
			continue
		}
		proof, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := torchwood.ProofExtraData(proof)
		if err != nil {
			t.Fatalf("%s: %v", h.Name, err)
		}
		if err := torchwood.VerifyProof(p, tlog.RecordHash(leaf), proof); err != nil {
			t.Errorf("%s: %v", h.Name, err)
		}
		leaf[90] ^= 1
		if torchwood.VerifyProof(p, tlog.RecordHash(leaf), proof) == nil {
			t.Errorf("%s: another leaf was accepted", h.Name)
		}
		proofs++
	}
	if proofs != len(c.Contents.Batches)+1 {
		t.Errorf("%d proofs in the file", proofs)
	}
}

func TestTorchwoodAndWeReadEachOthersCosignatures(t *testing.T) {
	c := sample.NewCase(true, 1)
	_, signed := c.Book.Checkpoint()
	theirs, err := torchwood.NewCosignatureVerifier(c.Contents.Witnesses[0])
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(signed), note.VerifierList(theirs))
	if err != nil {
		t.Fatal(err)
	}
	at, err := torchwood.CosignatureTimestamp(n.Sigs[0])
	ours, err2 := c.Book.Witness.Witness().Cosigned(signed)
	if err != nil || err2 != nil || at != ours.Unix() {
		t.Errorf("they read %d, %v; we read %v, %v", at, err, ours, err2)
	}
	if _, err := evidence.ParseWitness(theirs.String()); err != nil {
		t.Error(err)
	}
}
