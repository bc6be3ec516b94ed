package vendor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cordon/internal/strict"
)

const entryText = `
vendor: parcel
name: Parcel
upstream: https://api.parcel.example
hosts: [api.parcel.example]
credential: {in: header, name: Authorization, value: "Bearer {secret}"}
countries: [DE]
mapping:
  - {on: 'POST /send/{id}', fields: {to: user.contact.email}}
verified: ["not verified: all of it"]
examples:
  - name: one parcel
    request: {path: /send/1, body: '{"to":"ada@example.org"}'}
    subjects:
      - identifiers: {email: ada@example.org}
        fields: [{category: user.contact.email, value: ada@example.org}]
  - name: raw
    request: |
      POST /send/1 HTTP/1.1
      Host: api.parcel.example

      {}
`

func manifest(t *testing.T, text string) (*Manifest, *strict.Report) {
	t.Helper()
	m := &Manifest{}
	r := strict.Decode("p.yaml", []byte(text), m, Kinds)
	if len(r.Problems()) > 0 {
		t.Fatal(r.Problems())
	}
	return m, r
}

func TestEmbeddedCatalogueHasNoProblems(t *testing.T) {
	entries, problems := Catalogue()
	if len(problems) > 0 {
		t.Error(problems)
	}
	for _, e := range entries {
		if _, problems := CatalogueSpec(e, nil); len(problems) > 0 {
			t.Errorf("%s: %v", e.Vendor, problems)
		}
	}
}

func TestExamplesAreReadInBothForms(t *testing.T) {
	e, problems := parseEntry("parcel.yaml", []byte(entryText))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if a, b := e.Examples[0], e.Examples[1]; a.Request.Method != "POST" || a.Subjects[0].Identifiers["email"][0] != "ada@example.org" || !strings.HasPrefix(b.Request.Raw, "POST /send/1 HTTP/1.1\nHost:") {
		t.Errorf("%+v", e.Examples)
	}
}

func TestManifestCompletesAndOverridesItsCatalogueEntry(t *testing.T) {
	e, _ := parseEntry("parcel.yaml", []byte(entryText))
	m, r := manifest(t, "vendor: p\ncatalogue: parcel\ncredential: {secret: file:p.secret}\nmapping: [{on: 'POST /send/{id}', fields: {name: user.name}}]\n")
	s := build(r, m, e)
	if len(r.Problems()) > 0 {
		t.Fatal(r.Problems())
	}
	if c := s.Credential; c.In != "header" || c.Name != "Authorization" || c.Value != "Bearer {secret}" || c.Secret != "file:p.secret" {
		t.Errorf("%+v", s.Credential)
	}
	if s.Upstream.Host != "api.parcel.example" || len(s.Routes) != 2 || len(s.Routes[0].Mappings) != 2 || s.Routes[0].Mappings[0].Fields["name"] == "" {
		t.Errorf("the manifest's mapping is not first: %+v", s)
	}

	m, r = manifest(t, "vendor: p\ncatalogue: parcel\nupstream: http://127.0.0.1:9000\nhosts: []\nmapping: [{on: 'POST /send/{parcel}', fields: {}}]\n")
	s = build(r, m, e)
	if len(s.Hosts) != 0 || s.Upstream.Port() != "9000" || s.Credential != nil {
		t.Errorf("%+v", s)
	}
	if p := only(t, r.Problems(), "is the catalogue's route"); p.Line != 5 || p.Fix != `write "POST /send/{id}"` {
		t.Errorf("%+v", p)
	}
}

func TestCatalogueRefusesSecretsAndDeliveries(t *testing.T) {
	for old, want := range map[string]string{
		`value: "Bearer {secret}"}`: "no secrets", "countries: [DE]": "only the scheme",
	} {
		text := strings.Replace(entryText, old, map[string]string{
			`value: "Bearer {secret}"}`: `value: "Bearer {secret}", secret: file:x}`, "countries: [DE]": `webhook: {scheme: stripe, deliver_to: "http://127.0.0.1"}`,
		}[old], 1)
		_, problems := parseEntry("parcel.yaml", []byte(text))
		only(t, problems, want)
	}
}

func TestAddWritesManifestThatLoads(t *testing.T) {
	entries, _ := Catalogue()
	if len(entries) == 0 {
		t.Fatal("the catalogue is empty")
	}
	for _, e := range entries {
		dir := filepath.Join(t.TempDir(), "vendors")
		file, err := Add(dir, "acme", e.Vendor)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := os.ReadFile(file)
		if strings.Contains(e.Upstream, "{") {
			_, problems := LoadDir(dir)
			if len(problems) != 2 || !strings.Contains(problems[0].Problem, "the upstream has the placeholder") {
				t.Errorf("%s: %v", e.Vendor, problems)
			}
			text = []byte(fillPlaceholders(string(text)))
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		specs, problems := LoadDir(dir)
		if len(problems) > 0 || len(specs) != 1 || len(specs[0].Routes) == 0 || specs[0].Catalogue.Vendor != e.Vendor {
			t.Errorf("%v %v", specs, problems)
		}
		// With the credential's comment signs removed it loads as well.
		if s, problems := Parse(file, []byte(strings.NewReplacer("#credential", "credential", "#  in", "  in", "#  secret", "  secret").Replace(string(text)))); len(problems) > 0 {
			t.Log("the catalogue's credential cannot be put in by this build: ", problems)
		} else if e.Credential != nil && s.Credential == nil {
			t.Error("no credential")
		}
		if _, err := Add(dir, "acme", e.Vendor); err == nil || !strings.Contains(err.Error(), "exists already") {
			t.Errorf("a manifest was replaced: %v", err)
		}
	}
}

func TestAddRefusesUnknownNames(t *testing.T) {
	if _, err := Add(t.TempDir(), "../x", "sendgrid"); err == nil {
		t.Error("a name that leaves the folder was accepted")
	}
	if _, err := Add(t.TempDir(), "acme", "no-such-vendor"); err == nil || !strings.Contains(err.Error(), "no vendor") {
		t.Errorf("%v", err)
	}
}
