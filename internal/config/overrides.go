package config

import (
	"path/filepath"

	"cordon/internal/strict"
)

// Overrides are the flags that were given; nil leaves the file's value. Paths
// are relative to the working directory, as everywhere on a command line.
type Overrides struct {
	Data, Keys, Mirror, Vendors                                      *string
	ListenHTTP, ListenProxy, ListenSMTP, ListenConsole, ListenPublic *string
	Directory, UnknownHosts                                          *string
}

// apply puts the flags in the place of the file's values.
func (o Overrides) apply(c *Config) []strict.Problem {
	var problems []strict.Problem
	for _, f := range []struct {
		flag, kind    string
		given, target *string
	}{
		{"--data", "folder", o.Data, &c.Data},
		{"--mirror", "folder", o.Mirror, &c.Mirror},
		{"--vendors", "folder", o.Vendors, &c.Vendors},
		{"--directory", "file", o.Directory, &c.Directory.File},
		{"--listen-http", "listen", o.ListenHTTP, &c.Listen.HTTP},
		{"--listen-proxy", "listen", o.ListenProxy, &c.Listen.Proxy},
		{"--listen-smtp", "listen", o.ListenSMTP, &c.Listen.SMTP},
		{"--listen-console", "listen", o.ListenConsole, &c.Listen.Console},
		{"--listen-public", "listen", o.ListenPublic, &c.Listen.Public},
		{"--unknown-hosts", "", o.UnknownHosts, &c.Proxy.UnknownHosts},
	} {
		if f.given == nil {
			continue
		}
		value := *f.given
		if f.kind != "" && value != "" {
			if problem, fix := kinds.Get(f.kind).Problem(value); problem != "" {
				problems = append(problems, strict.Problem{File: f.flag, Problem: problem, Fix: fix})
				continue
			}
		}
		if f.flag == "--unknown-hosts" && value != "refuse" && value != "observe" {
			problems = append(problems, strict.Problem{File: f.flag, Problem: "unknown answer for unknown hosts", Fix: "write refuse or observe"})
			continue
		}
		if f.kind == "folder" || f.kind == "file" && !isURL(value) {
			value = absolute(".", value)
		}
		*f.target = value
	}
	if o.Keys != nil {
		c.Keys = Keys{Dir: absolute(".", *o.Keys)}
	}
	return problems
}

// absolute makes a path absolute against a folder; nothing stays nothing.
func absolute(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	full, err := filepath.Abs(filepath.Join(dir, path))
	if err != nil { // the working directory is gone; the first use will say so
		return path
	}
	return full
}
