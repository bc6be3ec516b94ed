package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cordon/internal/strict"
	"cordon/internal/vendor"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the problems found into testdata; read the difference before committing it")

// folder makes an installation: files by name, vendors/ included.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "vendors"), 0o755)
	for name, text := range files {
		path := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(path), 0o700)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func lines(problems []strict.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%d | %s | %s\n", p.Line, p.Problem, p.Fix)
	}
	return b.String()
}

// TestBrokenConfigurations runs testdata/problems/*.txt: one cordon.yaml with
// mistakes and everything that must be said about it.
func TestBrokenConfigurations(t *testing.T) {
	files, _ := filepath.Glob("testdata/problems/*.txt")
	if len(files) < 15 {
		t.Fatalf("%d cases", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := folder(t, map[string]string{
				"cordon.yaml": string(a.Files[0].Data), "vendors/acme-mail.yaml": "vendor: acme-mail\nupstream: https://api.acme.example\n",
			})
			_, _, problems := Load(filepath.Join(dir, "cordon.yaml"), Overrides{})
			got := lines(problems)
			if got == "" {
				t.Fatal("no problem found")
			}
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(a.Files[1].Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			for _, p := range problems {
				if p.Fix == "" || p.Line == 0 || p.File != filepath.Join(dir, "cordon.yaml") {
					t.Errorf("no fix, line or file: %+v", p)
				}
				if strings.Contains(got, "s3cr3t") || strings.Contains(got, "correct horse") {
					t.Error("a secret is repeated")
				}
			}
		})
	}
}

func TestContractExample(t *testing.T) {
	text, err := os.ReadFile("testdata/contract-example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t, map[string]string{"cordon.yaml": string(text), "vendors/acme-mail.yaml": "vendor: acme-mail\nupstream: https://api.acme.example\n"})
	c, specs, problems := Load(filepath.Join(dir, "cordon.yaml"), Overrides{})
	if len(problems) > 0 || len(specs) != 1 {
		t.Fatal(problems)
	}
	if c.Organization.Name != "Example Photos" || c.Organization.Establishments[0] != "US-CA" || c.Listen.Public != "127.0.0.1:8481" ||
		c.Apps[0].Vendors[0] != "acme-mail" || c.Notices.DKIM[0].Selector != "s1" || c.Notices.SMTP.TLS != "none" || c.Witness.URL != "" {
		t.Errorf("%+v", c)
	}
	for got, want := range map[string]string{
		c.Data: "data", c.Keys.Dir: "keys", c.Mirror: "mirror", c.Vendors: "vendors", c.Directory.File: "people.csv", c.File: "cordon.yaml",
	} {
		if got != filepath.Join(dir, want) {
			t.Errorf("%s is not resolved against the file's folder", got)
		}
	}
}

func TestEmptyFileIsAllDefaults(t *testing.T) {
	dir := folder(t, map[string]string{"cordon.yaml": ""})
	c, _, problems := Load(filepath.Join(dir, "cordon.yaml"), Overrides{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if c.Listen.HTTP != "127.0.0.1:8400" || c.Listen.Console != "127.0.0.1:8480" || c.Limits.Body != 1<<20 || c.Limits.Decompressed != 64<<20 || c.Limits.Ratio != 100 ||
		c.Limits.Depth != 64 || time.Duration(c.Limits.HeaderTimeout) != 10*time.Second || c.Proxy.UnknownHosts != "refuse" || c.Keys.Dir != filepath.Join(dir, "keys") || c.Origin() != "example.org/cordon" {
		t.Errorf("%+v", c)
	}
}

// The file that a first start writes shows the defaults: it must be them.
func TestDefaultFileSaysWhatHoldsWithoutIt(t *testing.T) {
	dir := folder(t, nil)
	path := filepath.Join(dir, "cordon.yaml")
	written, problems := parse(path, Default, Overrides{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	empty, problems := parse(path, nil, Overrides{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	written.report, empty.report, written.Organization, empty.Organization = nil, nil, Organization{}, Organization{}
	a, _ := json.Marshal(written)
	b, _ := json.Marshal(empty)
	if !bytes.Equal(a, b) {
		t.Errorf("the default file differs from the defaults:\n%s\n%s", a, b)
	}
	// Its commented parts are right as well.
	uncommented := strings.NewReplacer("#apps", "apps", "#  - {app", "  - {app", "#directory", "directory", "#  file", "  file").Replace(string(Default))
	c, problems := parse(path, []byte(uncommented), Overrides{})
	if len(problems) > 0 || len(c.Apps) != 1 || c.Directory.File == "" {
		t.Error(problems)
	}
}

func TestFlagsOverrideKeys(t *testing.T) {
	dir := folder(t, map[string]string{"cordon.yaml": "data: ./data\nlisten: {http: 127.0.0.1:1}\n"})
	data, listen, keys := filepath.Join(dir, "elsewhere"), "127.0.0.1:0", "k"
	c, _, problems := Load(filepath.Join(dir, "cordon.yaml"), Overrides{Data: &data, ListenHTTP: &listen, Keys: &keys})
	here, _ := os.Getwd()
	if len(problems) > 0 || c.Data != data || c.Listen.HTTP != listen || c.Keys.Dir != filepath.Join(here, "k") {
		t.Errorf("%v %+v", problems, c)
	}
	bad, inside := "nonsense", filepath.Join(data, "keys")
	_, _, problems = Load(filepath.Join(dir, "cordon.yaml"), Overrides{ListenHTTP: &bad, UnknownHosts: &bad})
	if len(problems) != 2 || problems[0].File != "--listen-http" || problems[1].File != "--unknown-hosts" {
		t.Errorf("%v", problems)
	}
	_, _, problems = Load(filepath.Join(dir, "cordon.yaml"), Overrides{Data: &data, Keys: &inside})
	if len(problems) != 1 || !strings.Contains(problems[0].Problem, "data directory") {
		t.Errorf("%v", problems)
	}
}

func TestKeysInsideDataByALinkAreRefused(t *testing.T) {
	dir := folder(t, map[string]string{"cordon.yaml": "keys: ./link/keys\n", "data/x": ""})
	os.Symlink(filepath.Join(dir, "data"), filepath.Join(dir, "link"))
	_, _, problems := Load(filepath.Join(dir, "cordon.yaml"), Overrides{})
	if len(problems) != 1 || !strings.Contains(problems[0].Problem, "data directory") {
		t.Errorf("%v", problems)
	}
}

func TestEmptyFolderGetsEverythingToStart(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "cordon.yaml")
	c, specs, created, problems := LoadOrCreate(path, Overrides{})
	if len(problems) > 0 || len(specs) != 0 || len(created) != 3 || c.Organization.Name != "Example Photos" {
		t.Fatalf("%v %v", problems, created)
	}
	if text, _ := os.ReadFile(path); !bytes.Equal(text, Default) {
		t.Error("not the default file")
	}
	if problems := Check(path, Overrides{}); len(problems) > 0 {
		t.Errorf("what was written has problems: %v", problems)
	}
	if _, _, created, problems = LoadOrCreate(path, Overrides{}); len(created)+len(problems) > 0 {
		t.Errorf("the second start: %v %v", created, problems)
	}
}

func TestLostConfigurationIsNotReplacedByDefaults(t *testing.T) {
	for _, left := range []string{"data", "keys", "vendors"} {
		dir := t.TempDir()
		os.Mkdir(filepath.Join(dir, left), 0o700)
		_, _, created, problems := LoadOrCreate(filepath.Join(dir, "cordon.yaml"), Overrides{})
		if len(created) != 0 || len(problems) != 1 || !strings.Contains(problems[0].Problem, left) {
			t.Errorf("%v %v", created, problems)
		}
	}
}

func TestShippedExamplesLoad(t *testing.T) {
	files, _ := filepath.Glob("../../examples/*/cordon.yaml")
	if len(files) == 0 {
		t.Fatal("no examples in this tree")
	}
	for _, file := range files {
		if _, specs, problems := Load(file, Overrides{}); len(problems) > 0 || len(specs) == 0 {
			t.Errorf("%s: %v", file, problems)
		}
	}
}

// Schemas are checked in, so that editors find them; run go generate in this
// folder after changing a key.
func TestCheckedInSchemasAreCurrent(t *testing.T) {
	for name, want := range map[string][]byte{
		"cordon.schema.json": Schema(), "vendor.schema.json": vendor.Schema(), "catalogue.schema.json": vendor.CatalogueSchema(),
	} {
		got, err := os.ReadFile(filepath.Join("../../docs/schema", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/schema/%s is not what the structs say; run: go generate ./internal/config", name)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add(Default)
	if example, err := os.ReadFile("testdata/contract-example.yaml"); err == nil {
		f.Add(example)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		c, problems := parse(filepath.Join(dir, "cordon.yaml"), data, Overrides{})
		for _, p := range problems {
			if p.Problem == "" || p.Fix == "" {
				t.Errorf("%+v", p)
			}
		}
		if len(problems) == 0 && (c.Data == "" || c.Vendors == "" || c.Limits.Body <= 0) {
			t.Errorf("accepted without what is needed: %+v", c)
		}
	})
}
