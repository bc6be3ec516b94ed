package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"cordon/internal/strict"
	"cordon/internal/vault"
	"cordon/internal/vendor"
)

// kinds are those of manifests and two of our own.
var kinds = vendor.Kinds.With(strict.Kinds{
	"passphrase": {Noun: "place of a passphrase", Check: checkPassphrase},
	"selector":   {Noun: "selector", Check: checkSelector, Pattern: selector.String()},
})

var selector = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$`)

func checkSelector(v string) (string, string) {
	if selector.MatchString(v) {
		return "", ""
	}
	return fmt.Sprintf("%q is not a DKIM selector", v), "write letters, digits, dots and hyphens, such as s1"
}

func checkPassphrase(v string) (string, string) {
	if strings.ContainsAny(v, " \t\r\n\x00") { // not repeated: it may be the passphrase itself
		return "this does not say where the passphrase is", "write env:NAME or the name of a file"
	}
	return "", ""
}

// Load reads the file at path and the manifests of its vendors folder. With
// problems the results are incomplete and must not be run.
func Load(path string, o Overrides) (*Config, []*vendor.Spec, []strict.Problem) {
	data, err := os.ReadFile(path)
	if err != nil {
		fix := "make it readable"
		if errors.Is(err, fs.ErrNotExist) {
			fix = "name another with --config, or let cordon serve write one"
		}
		return nil, nil, []strict.Problem{{File: path, Problem: "the configuration cannot be read: " + cause(err), Fix: fix}}
	}
	c, problems := parse(path, data, o)
	specs, more := vendor.LoadDir(c.Vendors)
	problems = append(problems, more...)
	return c, specs, append(problems, c.checkNames(specs)...)
}

// parse reads the text of the file alone.
func parse(path string, data []byte, o Overrides) (*Config, []strict.Problem) {
	c := &Config{}
	c.report = strict.Decode(path, data, c, kinds)
	if len(c.report.Problems()) > 0 && c.Vendors == "" { // the text is no mapping at all
		strict.Defaults(c)
	}
	c.File = absolute(".", path)
	c.Dir = filepath.Dir(c.File)
	for _, p := range []*string{&c.Data, &c.Mirror, &c.Failover, &c.Vendors, &c.Keys.Dir, &c.Keys.Age, &c.Keys.Identity} {
		*p = absolute(c.Dir, *p)
	}
	if !strings.HasPrefix(c.Keys.Passphrase, "env:") {
		c.Keys.Passphrase = absolute(c.Dir, c.Keys.Passphrase)
	}
	if len(c.Keys.Command) > 0 && strings.ContainsRune(c.Keys.Command[0], filepath.Separator) {
		c.Keys.Command[0] = absolute(c.Dir, c.Keys.Command[0])
	}
	if !isURL(c.Directory.File) {
		c.Directory.File = absolute(c.Dir, c.Directory.File)
	}
	problems := o.apply(c)
	c.checkPlaces()
	c.checkListeners()
	return c, append(c.report.Problems(), problems...)
}

// checkPlaces holds folders apart that must not lie in one another.
func (c *Config) checkPlaces() {
	for _, k := range []struct{ key, path string }{{"keys", c.Keys.Dir}, {"keys.age", c.Keys.Age}, {"keys.identity", c.Keys.Identity}} {
		if inside, err := vault.Within(k.path, c.Data); k.path != "" && (inside || err != nil) {
			c.report.Add(k.key, "the keys lie in the data directory: who steals it would have both", "keep keys elsewhere, such as ./keys beside ./data")
		}
	}
	if inside, err := vault.Within(c.Mirror, c.Data); c.Mirror != "" && (inside || err != nil) {
		c.report.Add("mirror", "the mirror lies in the data directory: it would be lost with it", "keep it elsewhere, better on another disk")
	}
	if inside, err := vault.Within(c.Failover, c.Data); c.Failover != "" && (inside || err != nil) {
		c.report.Add("failover", "the failover folder lies in the data directory: it would stall with it", "keep it elsewhere, better on another disk")
	}
	for _, k := range []struct{ key, path string }{{"data", c.Data}, {"vendors", c.Vendors}} {
		if k.path == "" {
			c.report.Add(k.key, fmt.Sprintf("%q is empty", k.key), "write the path of a folder, or remove the key")
		}
	}
}

// checkNames holds the names in cordon.yaml against the manifests.
func (c *Config) checkNames(specs []*vendor.Spec) []strict.Problem {
	names := make([]string, len(specs))
	known := map[string]*vendor.Spec{}
	for i, s := range specs {
		names[i], known[string(s.ID)] = string(s.ID), s
	}
	r := strict.NewReport(c.report.File())
	add := func(path, problem, fix string) { r.AddAt(c.report.Line(path), problem, fix) }
	for i, app := range c.Apps {
		for j, v := range app.Vendors {
			if v != "" && known[v] == nil {
				add(fmt.Sprintf("apps[%d].vendors[%d]", i, j), fmt.Sprintf("no manifest describes the vendor %q", v), strict.Suggest(v, names))
			}
		}
	}
	if n := c.Notices; n != nil && n.SMTP.Vendor != "" {
		switch s := known[n.SMTP.Vendor]; {
		case s == nil:
			add("notices.smtp.vendor", fmt.Sprintf("no manifest describes the vendor %q", n.SMTP.Vendor), strict.Suggest(n.SMTP.Vendor, names))
		case s.Manifest.SMTP == nil:
			add("notices.smtp.vendor", fmt.Sprintf("the vendor %q has no mail server", n.SMTP.Vendor), "add smtp to its manifest")
		}
	}
	return r.Problems()
}

func isURL(s string) bool { return strings.Contains(s, "://") }

func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
