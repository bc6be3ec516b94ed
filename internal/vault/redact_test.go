package vault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// loud is a value that a test would find again in any of its usual spellings.
const loud = "hunter2hunter2hunter2hunter2hunt" // 32 bytes, for a Key

func silent(t *testing.T, where, text string) {
	t.Helper()
	for _, spelling := range []string{"hunter2", "104 117 110 116", "0x68, 0x75", "68756e746572", "aHVudGVy"} {
		if strings.Contains(text, spelling) {
			t.Errorf("%s gives the secret away: %s", where, text)
		}
	}
}

func TestSecretsArePrintedNowhere(t *testing.T) {
	type holder struct {
		Secret Secret
		Key    Key
		Keys   *Keys
		hidden Secret
		List   []Secret
		Map    map[string]Key
	}
	s, k := NewSecret([]byte(loud)), Key([]byte(loud))
	keys := &Keys{Identity: k, SigningKey: s}
	v := &Vault{keys: keys, digest: &k}
	h := holder{s, k, keys, s, []Secret{s}, map[string]Key{"a": k}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		for _, value := range []any{s, &s, k, &k, keys, *v.keys, v, h, &h, []any{s, k}, fmt.Errorf("%v %w", s, os.ErrClosed)} {
			silent(t, fmt.Sprintf("%s of %T", verb, value), fmt.Sprintf(verb, value))
		}
	}
	for _, handler := range []func(*bytes.Buffer) slog.Handler{
		func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(handler(&b)).Info("opened", "secret", s, "key", k, "keys", keys, "vault", v, "holder", h)
		silent(t, "slog", b.String())
	}
	out, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	silent(t, "JSON", string(out))
	if out, err = yaml.Dump(map[string]any{"s": s, "k": k}); err != nil {
		t.Fatal(err)
	}
	silent(t, "YAML", string(out))
}

// A panic prints its value after every defer has run, so it is looked at from
// outside.
func TestPanicPrintsNoSecret(t *testing.T) {
	if which := os.Getenv("CORDON_TEST_PANIC"); which != "" {
		s, k := NewSecret([]byte(loud)), Key([]byte(loud))
		panic(map[string]any{"secret": s, "key": k, "keys": &Keys{Identity: k, SigningKey: s}}[which])
	}
	for _, which := range []string{"secret", "key", "keys"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPanicPrintsNoSecret$")
		cmd.Env = append(os.Environ(), "CORDON_TEST_PANIC="+which)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "panic:") {
			t.Fatalf("%s: no panic: %s", which, out)
		}
		silent(t, "a panic with "+which, string(out))
	}
}

func TestErrorsOfDamagedKeysQuoteNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	mustOpen(t, Source{Dir: dir}, serve)
	for _, name := range []string{identityKey, ledgerKey, caKey} {
		path := filepath.Join(dir, name)
		before, _ := os.ReadFile(path)
		os.WriteFile(path, []byte(loud), 0o600)
		_, err := Open(Source{Dir: dir}, serve)
		if err == nil {
			t.Fatal("accepted")
		}
		silent(t, "the error", err.Error())
		os.WriteFile(path, before, 0o600)
	}
}
