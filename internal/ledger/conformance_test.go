package ledger_test

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"testing"

	"cordon/internal/ledger"
	"cordon/internal/ledger/ledgertest"

	"golang.org/x/mod/sumdb/note"
)

func TestConformance(t *testing.T) {
	skey, vkey, err := note.GenerateKey(rand.Reader, "photos.example/conformance")
	if err != nil {
		t.Fatal(err)
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := ledger.Keys{Identity: [32]byte{1}, Directory: [32]byte{2}, ID: []byte("conformance")}
	if keys.Signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	if keys.Verifier, err = note.NewVerifier(vkey); err != nil {
		t.Fatal(err)
	}
	if keys.Contact, err = hpke.NewDHKEMPublicKey(private.PublicKey()); err != nil {
		t.Fatal(err)
	}
	ledgertest.Run(t, func(t *testing.T, dir string) ledgertest.Ledger {
		l, err := ledger.Open(ledger.Options{Dir: dir, Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	})
}
