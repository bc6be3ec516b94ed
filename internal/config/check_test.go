package config

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cordon/internal/vault"
)

func keyPEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// sound is an installation about which there is nothing to say.
func sound(t *testing.T) map[string]string {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "ca")
	v, err := vault.Open(vault.Source{Dir: dir}, vault.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"cordon.yaml": `data: ./data
apps:
  - {app: web, token: file:web.token, vendors: [acme]}
directory: {file: people.csv}
notices:
  from: security@photos.example
  smtp: {upstream: "127.0.0.1:2526", tls: none, password: file:smtp.secret}
  dkim:
    - {selector: s1, key: file:rsa.pem}
    - {selector: s2, key: file:ed.pem}
`,
		"vendors/acme.yaml": `vendor: acme
upstream: http://127.0.0.1:9001
credential:
  in: header
  name: Authorization
  secret: file:acme.secret
tls:
  ca: file:acme-ca.pem
`,
		"people.csv": "id,email\n", "keys/web.token": strings.Repeat("t", 24), "keys/smtp.secret": "x", "keys/acme.secret": "SG.abc",
		"keys/rsa.pem": keyPEM(t, rsaKey), "keys/ed.pem": keyPEM(t, edKey), "keys/acme-ca.pem": string(v.Keys().CACert),
	}
}

func TestSoundInstallationHasNoProblems(t *testing.T) {
	dir := folder(t, sound(t))
	if problems := Check(filepath.Join(dir, "cordon.yaml"), Overrides{}); len(problems) > 0 {
		t.Error(problems)
	}
	if _, err := os.Stat(filepath.Join(dir, "keys", "ledger.key")); err == nil {
		t.Error("a check made keys")
	}
}

func TestCheckLooksAtWhatFilesName(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	files := sound(t)
	for what, c := range map[string]struct {
		change func(dir string)
		file   string // where the problem is reported
		line   int
		part   string
	}{
		"a missing secret": {func(d string) { os.Remove(filepath.Join(d, "keys/acme.secret")) }, "vendors/acme.yaml", 6, "is missing"},
		"an open secret":   {func(d string) { os.Chmod(filepath.Join(d, "keys/acme.secret"), 0o644) }, "vendors/acme.yaml", 6, "can be read by others"},
		"a missing token":  {func(d string) { os.Remove(filepath.Join(d, "keys/web.token")) }, "cordon.yaml", 3, "is missing"},
		"a short token":    {func(d string) { os.WriteFile(filepath.Join(d, "keys/web.token"), []byte("abc"), 0o600) }, "cordon.yaml", 3, "could be guessed"},
		"a token of two lines": {func(d string) {
			os.WriteFile(filepath.Join(d, "keys/web.token"), []byte("abc\nabcabcabcabcabcabc"), 0o600)
		}, "cordon.yaml", 3, "several lines"},
		"a CA without a cert":   {func(d string) { os.WriteFile(filepath.Join(d, "keys/acme-ca.pem"), []byte("x"), 0o600) }, "vendors/acme.yaml", 8, "no certificate"},
		"an ECDSA key for DKIM": {func(d string) { os.WriteFile(filepath.Join(d, "keys/ed.pem"), []byte(keyPEM(t, ec)), 0o600) }, "cordon.yaml", 10, "DKIM does not know"},
		"no people":             {func(d string) { os.Remove(filepath.Join(d, "people.csv")) }, "cordon.yaml", 4, "cannot be read"},
		"a damaged key": {func(d string) {
			os.WriteFile(filepath.Join(d, "keys/identity.key"), []byte("x"), 0o600)
		}, "cordon.yaml", 1, "identity.key"},
		"lost keys of a ledger": {func(d string) {
			os.MkdirAll(filepath.Join(d, "data/store/x"), 0o700)
			os.Chmod(filepath.Join(d, "data"), 0o700)
		}, "cordon.yaml", 1, "the ledger was written with it"},
		"a data directory open to all": {func(d string) { os.Mkdir(filepath.Join(d, "data"), 0o700); os.Chmod(filepath.Join(d, "data"), 0o777) }, "cordon.yaml", 1, "everybody can write"},
		"a vendor that is ourselves": {func(d string) {
			os.WriteFile(filepath.Join(d, "vendors/acme.yaml"), []byte("vendor: acme\nupstream: http://localhost:8400\n"), 0o600)
		}, "vendors/acme.yaml", 2, "round in circles"},
		"a vendor in the metadata range": {func(d string) {
			os.WriteFile(filepath.Join(d, "vendors/acme.yaml"), []byte("vendor: acme\nupstream: http://169.254.169.254\n"), 0o600)
		}, "vendors/acme.yaml", 2, "link-local"},
	} {
		t.Run(strings.ReplaceAll(what, " ", "-"), func(t *testing.T) {
			dir := folder(t, files)
			c.change(dir)
			problems := Check(filepath.Join(dir, "cordon.yaml"), Overrides{})
			if len(problems) != 1 || !strings.Contains(problems[0].Problem, c.part) || problems[0].Fix == "" ||
				problems[0].File != filepath.Join(dir, c.file) || problems[0].Line != c.line {
				t.Errorf("%+v", problems)
			}
			for _, p := range problems {
				if strings.Contains(p.Problem+p.Fix, "SG.abc") {
					t.Error("a secret is repeated")
				}
			}
		})
	}
}

func TestMissingConfigurationIsOneProblem(t *testing.T) {
	problems := Check(filepath.Join(t.TempDir(), "cordon.yaml"), Overrides{})
	if len(problems) != 1 || problems[0].Fix == "" {
		t.Error(problems)
	}
}
