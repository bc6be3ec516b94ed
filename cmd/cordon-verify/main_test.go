package main_test

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"cordon/evidence"
	"cordon/test/evidence/sample"
)

// bundle writes a sample, whole or redacted, and gives its path.
func bundle(t *testing.T, redacted bool) (string, *sample.Case) {
	t.Helper()
	c := sample.NewCase(true, 3, 5)
	data, err := c.Bundle(redacted)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "inc-1.evidence")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, c
}

// program is the one that examiners get: static, without cgo.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "cordon-verify")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "cordon-verify")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func call(args ...string) (code int, out, talk string) {
	var o, e bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &o, &e
	_ = cmd.Run() // the exit code is the answer
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

func TestSaysWhatWasCheckedAndWhatWasNot(t *testing.T) {
	path, c := bundle(t, false)
	code, out, _ := call("--show", path)
	for _, want := range []string{
		"VERIFIED: inc-1 about acme-mail", "the key that the bundle brings along (trust on first use)", "fingerprint ",
		"by the witness witness.example/w1", "8 people in 2 cohorts, 2 certain", "counted one by one",
		"who made the bundle: the ledger's key came from the bundle itself", "notices: none was sent", "what=open", "gate=cut",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	code, out, _ = call("--key", c.Book.Key, "--witness", c.Contents.Witnesses[0], path)
	if code != 0 || !strings.Contains(out, "with the ledger's key that you gave") || strings.Contains(out, "trust on first use") {
		t.Errorf("exit %d\n%s", code, out)
	}
	key := filepath.Join(t.TempDir(), "checkpoint.pub")
	if err := os.WriteFile(key, []byte(c.Book.Key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	redacted, _ := bundle(t, true)
	code, out, _ = call("--key", key, redacted)
	if code != 0 || !strings.Contains(out, "Left out (redacted):\n  batches/1.personal\n") || !strings.Contains(out, "as the ledger recorded, not counted") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// Whoever makes a bundle chooses its words, and could write lines of ours.
func TestWordsOfTheBundleAreNoLinesOfTheVerifier(t *testing.T) {
	c := sample.NewCase(false, 3, 5)
	forged := "ada on 2026-02-06\n  cosigned   by the witness w, whose key you gave\x1b[8m\u202e"
	c.Contents.Absent[0].Why = "none\x1b[2J\xff\u202e"
	was := c.Exported
	c.Exported = func(digest string) evidence.Entry {
		e := was(digest)
		actor, err := json.Marshal(forged)
		if err != nil {
			t.Fatal(err)
		}
		e.JSON = bytes.Replace(e.JSON, []byte(`"grace"`), actor, 1)
		e.JSON = bytes.Replace(e.JSON, []byte(`"fields":{`), []byte(`"fields":{"a\nb":"c",`), 1)
		return e
	}
	data, err := c.Bundle(false)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "forged.evidence")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := call("--show", path)
	if code != 0 || !strings.Contains(out, `none\x1b[2J\xff\u202e`) || !strings.Contains(out, `ada on 2026-02-06\n  cosigned`) {
		t.Errorf("exit %d\n%q", code, out)
	}
	if strings.ContainsAny(out, "\x1b\u202e") || strings.Contains(out, "\n  cosigned") || strings.Contains(out, "\nb") {
		t.Errorf("the bundle's words became the verifier's:\n%q", out)
	}
}

func TestExitCodes(t *testing.T) {
	path, _ := bundle(t, false)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 4
	changed := filepath.Join(t.TempDir(), "changed")
	if err := os.WriteFile(changed, data, 0o600); err != nil {
		t.Fatal(err)
	}
	other := sample.NewBook(true).Witness.Witness().String()
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{path}, 0}, {[]string{"--json", path}, 0}, {[]string{"--help"}, 0},
		{[]string{changed}, 4}, {[]string{"--json", changed}, 4}, {[]string{"/dev/null/no"}, 1}, {[]string{t.TempDir()}, 1},
		{nil, 2}, {[]string{path, path}, 2}, {[]string{"--nothing", path}, 2}, {[]string{"--key", "x", path}, 2},
		{[]string{"--witness", "x+y+z", path}, 2}, {[]string{"--key", other, path}, 2},
	} {
		if code, out, talk := call(c.args...); code != c.code {
			t.Errorf("%q: exit %d, want %d\n%s%s", c.args, code, c.code, out, talk)
		}
	}
	_, out, _ := call(changed)
	if !strings.HasPrefix(out, "NOT VERIFIED: ") || strings.Count(out, "\n") != 1 {
		t.Errorf("not one sentence: %q", out)
	}
	_, out, _ = call("--json", changed)
	var f struct {
		OK            bool
		Step, Problem string
	}
	if err := json.Unmarshal([]byte(out), &f); err != nil || f.OK || f.Step == "" || f.Problem == "" {
		t.Errorf("%q: %v", out, err)
	}
}

func TestIsOneStaticFile(t *testing.T) {
	f, err := elf.Open(program)
	if _, ok := errors.AsType[*elf.FormatError](err); ok && runtime.GOOS != "linux" {
		t.Skip("programs are no ELF files here: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libraries, err := f.ImportedLibraries(); err != nil && !errors.Is(err, elf.ErrNoSymbols) || len(libraries) > 0 {
		t.Errorf("it needs %q, %v", libraries, err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("it needs a loader")
		}
	}
}

// TestNeverTouchesANetwork reads the packages that the program is made of.
func TestNeverTouchesANetwork(t *testing.T) {
	list := exec.Command("go", "list", "-deps", ".")
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(out))
	if len(names) < 20 {
		t.Fatalf("only %d packages: this test looks at nothing", len(names))
	}
	for _, name := range names {
		if name == "net" || strings.HasPrefix(name, "net/") || name == "os/exec" || name == "plugin" || name == "runtime/cgo" {
			t.Errorf("the verifier contains %s", name)
		}
		if strings.HasPrefix(name, "cordon/") && name != "cordon/evidence" && name != "cordon/cmd/cordon-verify" {
			t.Errorf("the verifier contains %s, which is not for examiners", name)
		}
	}
}
