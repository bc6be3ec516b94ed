package vendor

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"cordon/internal/strict"
)

//go:embed catalogue
var catalogueFiles embed.FS

// Catalogue lists the embedded entries by name, with the problems of those
// that are broken, which a released build never has.
func Catalogue() ([]*CatalogueEntry, []strict.Problem) { return loadCatalogue() }

var loadCatalogue = sync.OnceValues(func() (entries []*CatalogueEntry, problems []strict.Problem) {
	files, err := catalogueFiles.ReadDir("catalogue")
	if err != nil {
		panic("vendor: " + err.Error()) // the folder is part of the program
	}
	for _, f := range files {
		name, isYAML := strings.CutSuffix(f.Name(), ".yaml")
		if !isYAML {
			continue
		}
		data, err := catalogueFiles.ReadFile(path.Join("catalogue", f.Name()))
		if err != nil {
			panic("vendor: " + err.Error())
		}
		e, ps := parseEntry("catalogue/"+f.Name(), data)
		if len(ps) == 0 && e.Vendor != name {
			ps = append(ps, strict.Problem{File: "catalogue/" + f.Name(), Line: 1, Problem: fmt.Sprintf("the file is not named after %q", e.Vendor), Fix: "rename it"})
		}
		if problems = append(problems, ps...); len(ps) == 0 {
			entries = append(entries, e)
		}
	}
	return entries, problems
})

// parseEntry reads one file of the catalogue.
func parseEntry(file string, data []byte) (*CatalogueEntry, []strict.Problem) {
	e := &CatalogueEntry{}
	r := strict.Decode(file, data, e, Kinds)
	routesOf(r, e.Mapping, nil, e.Queueable, nil)
	return e, r.Problems()
}

func lookupEntry(name string) *CatalogueEntry {
	entries, _ := Catalogue()
	if i := slices.IndexFunc(entries, func(e *CatalogueEntry) bool { return e.Vendor == name }); i >= 0 {
		return entries[i]
	}
	return nil
}

// catalogueNames are the names that a manifest may write.
func catalogueNames() []string {
	entries, _ := Catalogue()
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Vendor
	}
	return names
}

// CatalogueSpec is the Spec of a catalogue entry alone, as its examples run it:
// the entry's mappings under the given policy; nil allows everything.
func CatalogueSpec(e *CatalogueEntry, minimize map[string]Action) (*Spec, []strict.Problem) {
	m := &Manifest{Minimize: minimize}
	strict.Defaults(m)
	m.Vendor, m.Name, m.Catalogue, m.Upstream = e.Vendor, e.Name, e.Vendor, fillPlaceholders(e.Upstream)
	r := strict.NewReport("catalogue/" + e.Vendor + ".yaml")
	return build(r, m, e), r.Problems()
}

// Check says what an entry may not state: it is shared by all who use it.
func (e *CatalogueEntry) Check(r *strict.Report) {
	if e.Credential != nil && e.Credential.Secret != "" {
		r.Add("credential.secret", "a catalogue holds no secrets", "remove it")
	}
	if e.Credential != nil && e.Credential.In == "" {
		r.Add("credential", "the credential has no place", "add in: header")
	}
	if e.Webhook != nil && e.Webhook.Secret+e.Webhook.DeliverTo != "" {
		r.Add("webhook", "a catalogue knows only the scheme of webhooks", "remove secret and deliver_to")
	}
}

// Check says which actions of an example's policy cannot be applied.
func (x *Example) Check(r *strict.Report) { checkPolicy(r, x.Minimize) }

// Check says which of the two ways to write a request is incomplete.
func (q *ExampleRequest) Check(r *strict.Report) {
	if q.Raw == "" && !strings.HasPrefix(q.Path, "/") {
		r.Add("path", "the request has no path", "add path: /…")
	}
}
