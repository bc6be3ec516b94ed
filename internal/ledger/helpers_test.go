package ledger

import (
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"fmt"
	"iter"
	"testing"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/store"

	"golang.org/x/mod/sumdb/note"
)

// testKeys are the same in every run, so that a re-executed test finds its ledger.
func testKeys(t testing.TB) (Keys, hpke.PrivateKey) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(&countingReader{}, "photos.example/test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	seed := sha256.Sum256([]byte("contact"))
	priv, err := ecdh.X25519().NewPrivateKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	contact, err := hpke.NewDHKEMPrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return Keys{
		Identity: sha256.Sum256([]byte("identity")), Directory: sha256.Sum256([]byte("directory")), Tokens: sha256.Sum256([]byte("tokens")),
		Signer: signer, Verifier: verifier, Contact: contact.PublicKey(), ID: []byte("test keys"),
	}, contact
}

// countingReader is randomness that is not random.
type countingReader struct{ n byte }

func (r *countingReader) Read(p []byte) (int, error) {
	for i := range p {
		r.n++
		p[i] = r.n
	}
	return len(p), nil
}

func mustOpen(t testing.TB, dir string, change ...func(*Options)) *Ledger {
	t.Helper()
	l, err := openTest(t, dir, change...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// testBaseFrom is the number of news from which on imports of ledgers that are
// opened make a base of people.
var testBaseFrom uint64

// openTest opens without a reserve: dozens of test stores need none.
func openTest(t testing.TB, dir string, change ...func(*Options)) (*Ledger, error) {
	keys, _ := testKeys(t)
	o := Options{Dir: dir, Keys: keys}
	for _, c := range change {
		c(&o)
	}
	l, err := open(o, store.Options{Reserve: -1})
	if l != nil {
		l.baseFrom = testBaseFrom
	}
	return l, err
}

func email(n int) exposure.Identifier {
	return exposure.Identifier{Kind: exposure.KindEmail, Value: fmt.Sprintf("person%d@mail.example", n)}
}

func userID(n int) exposure.Identifier {
	return exposure.Identifier{Kind: exposure.KindUserID, Value: fmt.Sprintf("u-%d", n)}
}

var (
	mailPath = exposure.Pathway{Vendor: "acme-mail", Route: "POST /v3/mail/send", Credential: "file:acme.secret", App: "web"}
	nameMail = exposure.SetOf(exposure.Name, exposure.Email)
	justMail = exposure.SetOf(exposure.Email)
)

func mail(people ...exposed) message {
	return message{pathway: mailPath, exposed: people, digest: [32]byte{1}, at: time.Now().UnixMilli()}
}

func about(set exposure.Set, ids ...exposure.Identifier) exposed { return exposed{ids, set} }

func mustRecord(t testing.TB, l *Ledger, m message) *Receipt {
	t.Helper()
	r, err := l.record(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustAppend(t testing.TB, l *Ledger, e Event) uint64 {
	t.Helper()
	seq, err := l.Append(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func allEntries(t testing.TB, l *Ledger) []Entry {
	t.Helper()
	var all []Entry
	for e, err := range l.Entries(1) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func entryAt(t testing.TB, l *Ledger, seq uint64) Entry {
	t.Helper()
	for e, err := range l.Entries(seq) {
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	t.Fatalf("no entry %d", seq)
	return Entry{}
}

func mustVerify(t testing.TB, l *Ledger) Report {
	t.Helper()
	r := l.Verify(context.Background(), nil)
	if !r.OK {
		t.Fatalf("not verified: %v", r.Problems)
	}
	return r
}

func peopleSeq(people ...Person) iter.Seq2[Person, error] {
	return func(yield func(Person, error) bool) {
		for _, p := range people {
			if !yield(p, nil) {
				return
			}
		}
	}
}
