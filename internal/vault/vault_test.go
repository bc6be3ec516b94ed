package vault

import (
	"crypto/hpke"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

var serve = Options{Origin: "photos.example/cordon", Create: true}

func mustOpen(t *testing.T, src Source, o Options) *Vault {
	t.Helper()
	v, err := Open(src, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func refused(t *testing.T, err error, parts ...string) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) || r.Next == "" {
		t.Fatalf("not a refusal with a next step: %v", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestFirstStartMakesKeysThatWork(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	v := mustOpen(t, Source{Dir: dir}, serve)
	k := v.Keys()
	if len(v.Created()) != 9 || k.Identity == k.Directory || k.Identity == (Key{}) || len(k.Fingerprint) != 32 {
		t.Errorf("created %v", v.Created())
	}

	signer, err := note.NewSigner(k.SigningKey.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(k.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: "photos.example/cordon\n1\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, note.VerifierList(verifier)); err != nil {
		t.Errorf("checkpoint.pub does not verify what ledger.key signs: %v", err)
	}

	sealed, err := hpke.Seal(k.Contact, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), nil, []byte("ada@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, contactsKey))
	raw, err := decodeKey(contactsKey, text)
	if err != nil {
		t.Fatal(err)
	}
	private, err := contactKEM().NewPrivateKey(raw[:])
	if err != nil {
		t.Fatal(err)
	}
	if open, err := hpke.Open(private, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), nil, sealed); err != nil || string(open) != "ada@example.org" {
		t.Errorf("contacts.key does not open what contacts.pub seals: %v", err)
	}

	if _, err := tls.X509KeyPair(k.CACert, []byte(k.CAKey.Reveal())); err != nil {
		t.Error(err)
	}
	if pem, ok := v.Public("ca.pem"); !ok || !x509.NewCertPool().AppendCertsFromPEM(pem) {
		t.Error("ca.pem is not a certificate")
	}
	for _, name := range v.Created() {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want := fs.FileMode(0o600)
		if public[name] {
			want = 0o644
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o", name, info.Mode().Perm())
		}
	}
}

func TestSecondStartFindsTheSameKeys(t *testing.T) {
	src := Source{Dir: filepath.Join(t.TempDir(), "keys")}
	a := mustOpen(t, src, serve)
	b := mustOpen(t, src, Options{Create: true, LedgerExists: true})
	if len(b.Created()) != 0 || a.Keys().Identity != b.Keys().Identity || !slices.Equal(a.Keys().Fingerprint, b.Keys().Fingerprint) || a.Digest("sk_live") != b.Digest("sk_live") {
		t.Error("the keys changed")
	}
	other := mustOpen(t, Source{Dir: filepath.Join(t.TempDir(), "keys")}, serve)
	if slices.Equal(a.Keys().Fingerprint, other.Keys().Fingerprint) || a.Digest("sk_live") == other.Digest("sk_live") || a.Digest("sk_live") == a.Digest("sk_test") || len(a.Digest("x")) != 16 {
		t.Error("fingerprint or digest does not depend on the keys")
	}
}

func TestOtherVerbsMakeNoKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	_, err := Open(Source{Dir: dir}, Options{})
	refused(t, err, "is missing", "cordon serve")
	if err := Check(Source{Dir: dir}, serve); err != nil {
		t.Errorf("a first start would succeed: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was written")
	}
}

func TestKeysOfExistingLedgerAreNeverMadeAnew(t *testing.T) {
	for _, name := range ledgerNames {
		dir := filepath.Join(t.TempDir(), "keys")
		src := Source{Dir: dir}
		mustOpen(t, src, serve)
		if name == contactsPub {
			os.Remove(filepath.Join(dir, contactsKey)) // moved away, as advised
		}
		os.Remove(filepath.Join(dir, name))
		o := serve
		o.LedgerExists = true
		_, err := Open(src, o)
		refused(t, err, name, "is missing", "backup")
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was made anew", name)
		}
	}
}

func TestPublicHalvesAreMadeAgainFromPrivateOnes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	src := Source{Dir: dir}
	before := mustOpen(t, src, serve)
	for name := range public {
		os.Remove(filepath.Join(dir, name))
	}
	o := serve
	o.LedgerExists = true
	after := mustOpen(t, src, o)
	if before.Keys().Verifier != after.Keys().Verifier || !slices.Equal(before.Keys().ContactPublic, after.Keys().ContactPublic) || len(after.Created()) != 3 {
		t.Errorf("made %v", after.Created())
	}
	if _, err := tls.X509KeyPair(after.Keys().CACert, []byte(after.Keys().CAKey.Reveal())); err != nil {
		t.Error(err)
	}
}

func TestContactsKeyMayBeMovedAway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	src := Source{Dir: dir}
	v := mustOpen(t, src, serve)
	if !strings.Contains(v.ContactAdvice(), contactsKey) {
		t.Error("no advice to move contacts.key away")
	}
	os.Remove(filepath.Join(dir, contactsKey))
	o := serve
	o.LedgerExists = true
	after := mustOpen(t, src, o)
	if after.ContactAdvice() != "" || len(after.Created()) != 0 || !slices.Equal(v.Keys().ContactPublic, after.Keys().ContactPublic) {
		t.Error("contacts.key was made anew")
	}
}

func TestRefusesDamagedKeyFiles(t *testing.T) {
	damages := map[string]func(data []byte) []byte{
		"cut short": func(d []byte) []byte { return d[:len(d)/2] },
		"empty":     func([]byte) []byte { return nil },
		"a flipped bit": func(d []byte) []byte {
			d[len(d)/3] ^= 1 // of ca.key: in the private number, not in the public point behind it, which is not read
			return d
		},
	}
	for what, damage := range damages {
		for _, name := range []string{identityKey, directoryKey, tokenKey, ledgerKey, contactsKey, contactsPub, caKey, caCert, checkpointPub} {
			dir := filepath.Join(t.TempDir(), "keys")
			src := Source{Dir: dir}
			mustOpen(t, src, serve)
			path := filepath.Join(dir, name)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
			o := serve
			o.LedgerExists = true
			_, err = Open(src, o)
			if err == nil {
				t.Errorf("%s %s was accepted", name, what)
				continue
			}
			refused(t, err, name)
		}
	}
}

func TestRefusesSwappedKeyFiles(t *testing.T) {
	swap := func(t *testing.T, dirA, a, dirB, b string) {
		t.Helper()
		x, y, tmp := filepath.Join(dirA, a), filepath.Join(dirB, b), filepath.Join(dirA, "tmp")
		if err := errors.Join(os.Rename(x, tmp), os.Rename(y, x), os.Rename(tmp, y)); err != nil {
			t.Fatal(err)
		}
	}
	one, two := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "keys")
	mustOpen(t, Source{Dir: one}, serve)
	mustOpen(t, Source{Dir: two}, serve)

	swap(t, one, identityKey, one, directoryKey)
	_, err := Open(Source{Dir: one}, serve)
	refused(t, err, "swapped")
	swap(t, one, identityKey, one, directoryKey)
	mustOpen(t, Source{Dir: one}, serve)

	for _, name := range []string{ledgerKey, contactsKey, caKey} { // halves of another organisation's pair
		swap(t, one, name, two, name)
		_, err := Open(Source{Dir: one}, serve)
		refused(t, err, "does not belong to")
		swap(t, one, name, two, name)
	}
	mustOpen(t, Source{Dir: one}, serve)
}

func TestRefusesKeysThatOthersCanRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	src := Source{Dir: dir}
	mustOpen(t, src, serve)
	for _, name := range []string{identityKey, ledgerKey, caKey, contactsKey} {
		path := filepath.Join(dir, name)
		os.Chmod(path, 0o640)
		_, err := Open(src, serve)
		refused(t, err, name, "0640", "chmod 0600")
		os.Chmod(path, 0o600)
	}
	os.Chmod(filepath.Join(dir, caCert), 0o444)
	mustOpen(t, src, serve)
	os.Chmod(dir, 0o777)
	_, err := Open(src, serve)
	refused(t, err, "can be written by others")
}

func TestSymbolicLinksStayInTheKeysFolder(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "keys")
	src := Source{Dir: dir}
	v := mustOpen(t, src, serve)
	secret := []byte("hunter2\n")
	os.WriteFile(filepath.Join(base, "outside"), secret, 0o600)
	os.Mkdir(filepath.Join(dir, "..data"), 0o700) // how secrets are mounted in containers
	os.WriteFile(filepath.Join(dir, "..data", "acme"), secret, 0o600)
	os.Symlink(filepath.Join("..data", "acme"), filepath.Join(dir, "acme.secret"))
	os.Symlink("../outside", filepath.Join(dir, "leak.secret"))
	os.Symlink(filepath.Join(base, "outside"), filepath.Join(dir, "absolute.secret"))

	if s, err := v.Secret("file:acme.secret"); err != nil || s.Reveal() != "hunter2" {
		t.Errorf("a link inside the folder: %v", err)
	}
	for _, name := range []string{"leak.secret", "absolute.secret"} {
		_, err := v.Secret("file:" + name)
		refused(t, err, name)
	}
}

func TestSecretsAreReadFromWhereManifestsSay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	v := mustOpen(t, Source{Dir: dir}, serve)
	os.WriteFile(filepath.Join(dir, "acme.secret"), []byte("SG.abc\r\n"), 0o600)
	os.WriteFile(filepath.Join(dir, "open.secret"), []byte("SG.abc"), 0o644)
	os.WriteFile(filepath.Join(dir, "empty.secret"), []byte("\n"), 0o600)
	os.Mkdir(filepath.Join(dir, "folder.secret"), 0o700)
	t.Setenv("ACME_SECRET", "from the environment")

	if s, err := v.Secret("file:acme.secret"); err != nil || s.Reveal() != "SG.abc" || !s.Equal("SG.abc") || s.Equal("SG.abd") {
		t.Error(err)
	}
	if s, err := v.Secret("env:ACME_SECRET"); err != nil || s.Reveal() != "from the environment" {
		t.Error(err)
	}
	for ref, want := range map[string]string{
		"file:none.secret": "is missing", "file:open.secret": "can be read by others", "file:empty.secret": "is empty",
		"file:folder.secret": "not a plain file", "file:ledger.key": "Cordon's own key", "env:CORDON_NOT_SET": "is not set",
		"vault:x": "neither", "age:x.age": "age.identity",
	} {
		_, err := v.Secret(ref)
		refused(t, err, want)
	}
	if _, err := v.Secret("file:../outside"); err == nil {
		t.Error("a secret outside the folder was read")
	}
	if (Secret{}).Equal("") {
		t.Error("no secret equals the empty string")
	}
}

func TestFIFODoesNotHangTheStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	v := mustOpen(t, Source{Dir: dir}, serve)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.secret"), 0o600); err != nil {
		t.Skip(err)
	}
	_, err := v.Secret("file:pipe.secret")
	refused(t, err, "not a plain file")
}
