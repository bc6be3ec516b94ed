package config

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"cordon/internal/strict"
	"cordon/internal/vendor"
)

// Default is the file that LoadOrCreate writes: the example organisation, and
// every key with its default.
//
//go:embed default.yaml
var Default []byte

const vendorsReadme = `# Manifests

One file per vendor, named after it. Begin with one from the catalogue:

    cordon vendor add acme-mail --catalogue sendgrid
    cordon check

All keys: docs/schema/vendor.schema.json.
`

const keysReadme = `The keys of this ledger and the secrets that manifests name (file:NAME is keys/NAME).
Private files are mode 0600 and refused otherwise. Never put this folder into the
data directory or its backups; cordon keys backup writes a backup of its own.

ca.pem          the proxy's certificate, for clients to trust
checkpoint.pub  verifies the ledger's signed heads
contacts.pub    what contacts of strangers are sealed to
contacts.key    opens them: move it off this machine
`

// LoadOrCreate is Load, after writing cordon.yaml, vendors/ and keys/ with
// comments where path does not exist. Created names what was written. It writes
// nothing beside the folders of an installation whose file is merely missing:
// starting that one on defaults would be another organisation's gateway.
func LoadOrCreate(path string, o Overrides) (c *Config, specs []*vendor.Spec, created []string, problems []strict.Problem) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if created, problems = create(path); len(problems) > 0 {
			return nil, nil, created, problems
		}
	}
	c, specs, problems = Load(path, o)
	return c, specs, created, problems
}

func create(path string) (created []string, problems []strict.Problem) {
	dir := filepath.Dir(path)
	for _, name := range []string{"data", "keys", "vendors", "mirror"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return nil, []strict.Problem{{
				File: path, Problem: fmt.Sprintf("there is no configuration, but a folder %s beside it", name),
				Fix: "name the configuration with --config, or start in an empty folder",
			}}
		}
	}
	// cordon.yaml comes last: if this is cut short, the next start says which
	// folder is left over instead of running on half of it.
	for _, f := range []struct {
		name string
		text []byte
		dir  os.FileMode
		mode os.FileMode
	}{
		{filepath.Join(dir, "vendors", "README.md"), []byte(vendorsReadme), 0o755, 0o644},
		{filepath.Join(dir, "keys", "README"), []byte(keysReadme), 0o700, 0o600},
		{path, Default, 0o755, 0o644},
	} {
		err := os.MkdirAll(filepath.Dir(f.name), f.dir)
		if err == nil {
			err = os.WriteFile(f.name, f.text, f.mode)
		}
		if err != nil {
			return created, []strict.Problem{{File: f.name, Problem: "it cannot be written: " + cause(err), Fix: "start in a folder that this user may write, or write the configuration by hand"}}
		}
		created = append(created, f.name)
	}
	return created, nil
}
