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

// LoadDir reads every manifest of a folder, *.yaml, in the order of their
// names. With problems the specs are incomplete and must not be run.
func LoadDir(dir string) ([]*Spec, []strict.Problem) {
	files, err := os.ReadDir(dir)
	if err != nil {
		fix := "make it readable"
		if errors.Is(err, fs.ErrNotExist) {
			fix = "create it, or name another with the key vendors"
		}
		return nil, []strict.Problem{{File: dir, Problem: "the folder of manifests cannot be read: " + cause(err), Fix: fix}}
	}
	var specs []*Spec
	var problems []strict.Problem
	var claims []claim
	for _, f := range files {
		file := filepath.Join(dir, f.Name())
		switch {
		case f.IsDir() || strings.HasPrefix(f.Name(), "."):
			continue
		case filepath.Ext(f.Name()) == ".yml":
			problems = append(problems, strict.Problem{File: file, Problem: "a manifest that is not read", Fix: "rename it to end in .yaml"})
			continue
		case filepath.Ext(f.Name()) != ".yaml":
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			problems = append(problems, strict.Problem{File: file, Problem: "the manifest cannot be read: " + cause(err), Fix: "make it readable or remove it"})
			continue
		}
		s, r := parse(file, data)
		if want := s.Manifest.Vendor + ".yaml"; want != ".yaml" && f.Name() != want {
			r.Add("vendor", fmt.Sprintf("the vendor is called %q, its file %q", s.Manifest.Vendor, f.Name()), "rename the file to "+want+", or the vendor")
		}
		problems = append(problems, r.Problems()...)
		for _, host := range s.Hosts {
			claims = append(claims, claim{s, r, host, slices.Index(s.Manifest.Hosts, host)})
		}
		specs = append(specs, s)
	}
	problems = append(problems, settleHosts(claims)...)
	return specs, append(problems, checkFailover(specs)...)
}

// claim is one vendor's claim to a host; written is the place in the
// manifest's own list, -1 when upstream or the catalogue imply it.
type claim struct {
	spec    *Spec
	report  *strict.Report
	host    string
	written int
}

// settleHosts gives each host to one vendor. A host that a manifest lists beats
// one that is only implied. Two that list it are a problem; where two only
// imply it (two accounts at one vendor) neither gets it: the proxy could not
// tell them apart, and an unknown host is refused. Names with a star are one
// host where they overlap.
func settleHosts(claims []claim) []strict.Problem {
	rivals := map[string][]claim{} // those of one group may be the same host
	for _, c := range claims {
		group := c.host
		if _, parent, wild := cutWildcard(c.host); wild {
			group = "*." + parent
		}
		rivals[group] = append(rivals[group], c)
	}
	var problems []strict.Problem
	for _, group := range rivals {
		for i, c := range group {
			lost := false
			for j, other := range group {
				if other.spec == c.spec || !hostsOverlap(c.host, other.host) {
					continue
				}
				if lost = lost || c.written < 0; c.written >= 0 && other.written >= 0 && j < i {
					problems = append(problems, taken(c, other))
					break
				}
			}
			if lost {
				c.spec.Hosts = slices.DeleteFunc(c.spec.Hosts, func(h string) bool { return h == c.host })
			}
		}
	}
	slices.SortFunc(problems, func(a, b strict.Problem) int { return strings.Compare(a.File+a.Problem, b.File+b.Problem) })
	return problems
}

// taken says that what c lists is another vendor's.
func taken(c, other claim) strict.Problem {
	p := strict.Problem{
		File: c.report.File(), Line: c.report.Line(fmt.Sprintf("hosts[%d]", c.written)),
		Problem: fmt.Sprintf("host %q belongs to vendor %q already", c.host, other.spec.ID),
		Fix:     "leave it to one of the two; both can be reached by their own routes",
	}
	if c.host != other.host {
		p.Problem = fmt.Sprintf("hosts %q overlap with %q of vendor %q", c.host, other.host, other.spec.ID)
	}
	return p
}

func checkFailover(specs []*Spec) []strict.Problem {
	var problems []strict.Problem
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = string(s.ID)
	}
	for _, s := range specs {
		if other, ok := strings.CutPrefix(s.WhenCut, "failover:"); ok && !slices.Contains(names, other) {
			file, line := s.Where("when_cut")
			problems = append(problems, strict.Problem{
				File: file, Line: line,
				Problem: fmt.Sprintf("when_cut fails over to %q, which no manifest describes", other), Fix: strict.Suggest(other, names),
			})
		}
	}
	return problems
}

// Parse reads one manifest by itself. File is named in problems only. With
// problems the Spec is incomplete.
func Parse(file string, data []byte) (*Spec, []strict.Problem) {
	s, r := parse(file, data)
	return s, r.Problems()
}

func parse(file string, data []byte) (*Spec, *strict.Report) {
	m := &Manifest{}
	r := strict.Decode(file, data, m, Kinds)
	var e *CatalogueEntry
	if m.Catalogue != "" {
		if e = lookupEntry(m.Catalogue); e == nil {
			r.Add("catalogue", fmt.Sprintf("the catalogue has no vendor %q", m.Catalogue), strict.Suggest(m.Catalogue, catalogueNames()))
		}
	}
	s := build(r, m, e)
	s.text = data
	return s, r
}

// cause is an error's innermost text, without the path that is named already.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
