package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
)

func identity(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAnyRecipientRestoresABackup(t *testing.T) {
	base := t.TempDir()
	src := Source{Dir: filepath.Join(base, "keys")}
	before := mustOpen(t, src, serve)
	os.WriteFile(filepath.Join(src.Dir, "acme.secret"), []byte("SG.abc"), 0o600)
	one, two := identity(t), identity(t)
	out := filepath.Join(base, "backup.age")
	if err := Backup(src, []age.Recipient{one.Recipient(), two.Recipient()}, out, filepath.Join(base, "data")); err != nil {
		t.Fatal(err)
	}
	sealed, _ := os.ReadFile(out)
	if info, _ := os.Stat(out); info.Mode().Perm() != 0o600 || bytes.Contains(sealed, []byte("identity.key")) {
		t.Error("the backup is open")
	}
	for i, id := range []*age.X25519Identity{one, two} {
		dir := filepath.Join(base, "restored", string(rune('a'+i)))
		if err := Restore(bytes.NewReader(sealed), []age.Identity{id}, dir); err != nil {
			t.Fatal(err)
		}
		o := serve
		o.LedgerExists = true
		after := mustOpen(t, Source{Dir: dir}, o)
		if !slices.Equal(before.Keys().Fingerprint, after.Keys().Fingerprint) || len(after.Created()) != 0 {
			t.Error("not the same keys")
		}
		if s, err := after.Secret("file:acme.secret"); err != nil || s.Reveal() != "SG.abc" {
			t.Error("the secrets are not in the backup", err)
		}
		refused(t, Restore(bytes.NewReader(sealed), []age.Identity{id}, dir), "is not empty")
	}
	refused(t, Restore(bytes.NewReader(sealed), []age.Identity{identity(t)}, filepath.Join(base, "c")), "somebody else")
	refused(t, Restore(bytes.NewReader(sealed[:len(sealed)-20]), []age.Identity{one}, filepath.Join(base, "d")), "cannot be decrypted")
	if _, err := os.Stat(filepath.Join(base, "d")); err == nil {
		t.Error("a cut backup was partly restored")
	}

	// What a backup is, the age provider reads.
	file := filepath.Join(base, "id")
	os.WriteFile(file, []byte(one.String()+"\n"), 0o600)
	v := mustOpen(t, Source{Age: out, Identity: file}, Options{LedgerExists: true})
	if !slices.Equal(before.Keys().Fingerprint, v.Keys().Fingerprint) {
		t.Error("not the same keys")
	}
}

func TestBackupIsRefusedWhereItWouldHarm(t *testing.T) {
	base := t.TempDir()
	src := Source{Dir: filepath.Join(base, "keys")}
	mustOpen(t, src, serve)
	data := filepath.Join(base, "data")
	os.MkdirAll(filepath.Join(data, "sub"), 0o700)
	os.Symlink(data, filepath.Join(base, "link"))
	to := []age.Recipient{identity(t).Recipient()}

	refused(t, Backup(src, nil, filepath.Join(base, "b"), data), "at least one recipient")
	for _, out := range []string{filepath.Join(data, "b"), filepath.Join(data, "sub", "b"), filepath.Join(base, "link", "b"), filepath.Join(base, "x", "..", "data", "b")} {
		refused(t, Backup(src, to, out, data), "data directory")
	}
	existing := filepath.Join(base, "existing")
	os.WriteFile(existing, []byte("older backup"), 0o600)
	refused(t, Backup(src, to, existing, data), "exists already")
	if text, _ := os.ReadFile(existing); string(text) != "older backup" {
		t.Error("a backup was replaced")
	}
	os.WriteFile(filepath.Join(src.Dir, identityKey), []byte("x"), 0o600)
	refused(t, Backup(src, to, filepath.Join(base, "b"), data), identityKey)
}

func TestAgeFileKeepsAllKeys(t *testing.T) {
	defer func(work int) { scryptWork = work }(scryptWork)
	scryptWork = 10
	base := t.TempDir()
	id := identity(t)
	file, phrase := filepath.Join(base, "id"), filepath.Join(base, "phrase")
	os.WriteFile(file, []byte("# made by a test\n"+id.String()+"\n"), 0o600)
	os.WriteFile(phrase, []byte("correct horse battery staple\n"), 0o600)
	t.Setenv("CORDON_TEST_PHRASE", "correct horse battery staple")
	for what, src := range map[string]Source{
		"identity":            {Age: filepath.Join(base, "a.age"), Identity: file},
		"passphrase":          {Age: filepath.Join(base, "b.age"), Passphrase: phrase},
		"passphrase from env": {Age: filepath.Join(base, "c.age"), Passphrase: "env:CORDON_TEST_PHRASE"},
	} {
		a := mustOpen(t, src, serve)
		b := mustOpen(t, src, Options{LedgerExists: true})
		if len(a.Created()) != 9 || len(b.Created()) != 0 || a.Keys().Identity != b.Keys().Identity {
			t.Errorf("%s: created %v, then %v", what, a.Created(), b.Created())
		}
		if pem, ok := b.Public("ca.pem"); !ok || len(pem) == 0 {
			t.Errorf("%s: no ca.pem", what)
		}
	}
	if sealed, _ := os.ReadFile(filepath.Join(base, "a.age")); !bytes.HasPrefix(sealed, []byte("age-encryption.org/v1")) {
		t.Error("not an age file")
	}
	other := filepath.Join(base, "other")
	os.WriteFile(other, []byte(identity(t).String()), 0o600)
	_, err := Open(Source{Age: filepath.Join(base, "a.age"), Identity: other}, serve)
	refused(t, err, "somebody else")
	os.Chmod(file, 0o644)
	_, err = Open(Source{Age: filepath.Join(base, "a.age"), Identity: file}, serve)
	refused(t, err, "can be read by others")
	_, err = Open(Source{Age: filepath.Join(base, "a.age")}, serve)
	refused(t, err, "identity or a passphrase")
}

func TestSecretInAnAgeFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	v := mustOpen(t, Source{Dir: dir}, serve)
	id := identity(t)
	os.WriteFile(filepath.Join(dir, ageIdentity), []byte(id.String()), 0o600)
	var out bytes.Buffer
	if err := encryptAge(&out, []byte("SG.abc\n"), []age.Recipient{id.Recipient()}); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "acme.age"), out.Bytes(), 0o644)
	if s, err := v.Secret("age:acme.age"); err != nil || s.Reveal() != "SG.abc" {
		t.Error(err)
	}
}

// script is a key command of ten lines that keeps the bundle in a file.
func script(t *testing.T, body string) Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kms")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return Source{Command: []string{path, filepath.Join(t.TempDir(), "bundle")}}
}

func TestCommandKeepsAllKeys(t *testing.T) {
	src := script(t, `case "$2" in load) [ -e "$1" ] && cat "$1"; exit 0;; store) cat >"$1";; *) exit 9;; esac`)
	a := mustOpen(t, src, serve)
	b := mustOpen(t, src, Options{LedgerExists: true})
	if len(a.Created()) != 9 || a.Keys().Identity != b.Keys().Identity {
		t.Errorf("created %v", a.Created())
	}
}

func TestFailingKeyCommandSaysWhatItSaid(t *testing.T) {
	_, err := Open(script(t, "echo no such vault >&2; exit 3"), serve)
	refused(t, err, "no such vault", "load")
	_, err = Open(script(t, "echo nonsense"), serve)
	refused(t, err, "does not hold a bundle")
	_, err = Open(script(t, `[ "$2" = load ]`), serve)
	refused(t, err, "store")
	_, err = Open(Source{Command: []string{filepath.Join(t.TempDir(), "none")}}, serve)
	refused(t, err, "failed")
}

func TestBundleCannotWriteOutsideItsFolder(t *testing.T) {
	for _, name := range []string{"../x", "/etc/x", "a/b", ".hidden", "", strings.Repeat("x", 200)} {
		if _, err := decodeBundle((bundle{name: []byte("x")}).encode()); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
}

func TestKeysAreKeptInOnePlace(t *testing.T) {
	for _, src := range []Source{{}, {Dir: "a", Age: "b"}, {Dir: "a", Command: []string{"c"}}} {
		_, err := Open(src, serve)
		refused(t, err, "exactly one place")
	}
}

func FuzzKeyFile(f *testing.F) {
	f.Add(encodeKey(identityKey, newKey()))
	f.Add([]byte("cordon-key-v1 identity.key x y"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if k, err := decodeKey(identityKey, text); err == nil && !bytes.Equal(bytes.TrimSpace(encodeKey(identityKey, k)), bytes.Join(bytes.Fields(text), []byte(" "))) {
			t.Errorf("%q was accepted", text)
		}
	})
}
