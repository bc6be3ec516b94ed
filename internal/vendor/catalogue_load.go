package vendor

import (
	"embed"
	"fmt"
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
	for _, name := range catalogueNames() {
		e, ps := loadEntry(name)
		if problems = append(problems, ps...); len(ps) == 0 {
			entries = append(entries, e)
		}
	}
	return entries, problems
})

// loaded keeps the entries that were asked for. Reading all of them takes as long
// as starting takes otherwise, and a folder of manifests names a few.
var loaded sync.Map // name to func() (*CatalogueEntry, []strict.Problem)

// loadEntry reads one entry, once; nil when there is none.
func loadEntry(name string) (*CatalogueEntry, []strict.Problem) {
	load, _ := loaded.LoadOrStore(name, sync.OnceValues(func() (*CatalogueEntry, []strict.Problem) {
		file := "catalogue/" + name + ".yaml"
		data, err := catalogueFiles.ReadFile(file)
		if err != nil { // no such name, or no name at all
			return nil, nil
		}
		e, problems := parseEntry(file, data)
		if len(problems) == 0 && e.Vendor != name {
			problems = []strict.Problem{{File: file, Line: 1, Problem: fmt.Sprintf("the file is not named after %q", e.Vendor), Fix: "rename it"}}
		}
		return e, problems
	}))
	return load.(func() (*CatalogueEntry, []strict.Problem))()
}

// parseEntry reads one file of the catalogue.
func parseEntry(file string, data []byte) (*CatalogueEntry, []strict.Problem) {
	e := &CatalogueEntry{}
	r := strict.Decode(file, data, e, Kinds)
	routesOf(r, e.Mapping, nil, e.Queueable, nil)
	return e, r.Problems()
}

func lookupEntry(name string) *CatalogueEntry {
	if !slices.Contains(catalogueNames(), name) { // kept out of loaded, too
		return nil
	}
	if e, problems := loadEntry(name); len(problems) == 0 {
		return e
	}
	return nil
}

// catalogueNames are the names that a manifest may write, sorted.
func catalogueNames() (names []string) {
	files, err := catalogueFiles.ReadDir("catalogue")
	if err != nil {
		panic("vendor: " + err.Error()) // the folder is part of the program
	}
	for _, f := range files {
		if name, isYAML := strings.CutSuffix(f.Name(), ".yaml"); isYAML {
			names = append(names, name)
		}
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
