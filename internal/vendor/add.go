package vendor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cordon/internal/strict"
)

// Add writes a commented manifest for a vendor of the catalogue into dir and
// returns the file's path. It never replaces a manifest.
func Add(dir, name, catalogueEntry string) (string, error) {
	if problem, fix := checkName(name); problem != "" {
		return "", fmt.Errorf("%s: %s", problem, fix)
	}
	e := lookupEntry(catalogueEntry)
	if e == nil {
		return "", fmt.Errorf("the catalogue has no vendor %q: %s", catalogueEntry, strict.Suggest(catalogueEntry, catalogueNames()))
	}
	file := filepath.Join(dir, name+".yaml")
	text := template(name, e)
	// What the catalogue leaves to each customer is for a person to fill in.
	if _, problems := Parse(file, []byte(fillPlaceholders(string(text)))); len(problems) > 0 {
		return "", fmt.Errorf("writing a manifest for %q: %s", name, problems[0].Problem)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("creating the folder of manifests: %w", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s exists already: remove it first, or choose another name", file)
	}
	if err != nil {
		return "", fmt.Errorf("writing the manifest: %w", err)
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(file) // half a manifest would stop the next start
		return "", fmt.Errorf("writing the manifest: %w", err)
	}
	return file, nil
}

func template(name string, e *CatalogueEntry) []byte {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	w("# %s. Every key: docs/schema/vendor.schema.json. Check with: cordon check", e.Name)
	w("vendor: %s", name)
	w("name: %q                # the legal name, as notices print it", e.Name)
	w("catalogue: %s", e.Vendor)
	hosts := slices.DeleteFunc(slices.Clone(e.Hosts), func(h string) bool {
		return strings.Contains(h, "*") // other customers' too
	})
	if p := placeholder.FindString(e.Upstream); p != "" {
		w("# Write what is yours for %s, twice.", p)
		_, host, _ := strings.Cut(e.Upstream, "://")
		host, _, _ = strings.Cut(host, "/")
		hosts = append(hosts, fmt.Sprintf("%q", host))
	}
	w("upstream: %s", e.Upstream)
	w("hosts: [%s]             # its names, for the proxy", strings.Join(hosts, ", "))
	w("mode: enforce           # or shadow: record and classify, change and refuse nothing")
	if len(e.Countries) > 0 {
		w("country: %s", e.Countries[0])
	}
	w("role: processor         # or controller")
	if c := e.Credential; c != nil {
		w("# The app's own credential passes through. To let Cordon put one in, write it to")
		w("# keys/%s.secret (mode 0600) and remove the three comment signs:", name)
		w("#credential:")
		w("#  in: %s", c.In)
		w("#  secret: file:%s.secret", name)
	}
	w("minimize:               # per category: allow, mask, drop, hash, generalize, token or alias")
	w("  default: allow")
	w("unclassified: hold      # pass, hold or refuse what could not be fully classified")
	w("when_cut: refuse        # refuse, hold, or failover:VENDOR")
	w("#contract: {notice_hours: 24, retention_days: 30, countries: [US]}")
	return []byte(b.String())
}
