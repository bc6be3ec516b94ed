package vendor

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cordon/internal/strict"
)

// Hosts finds the vendor that a host name belongs to.
type Hosts struct {
	exact map[string]*Spec
	wild  map[string][]wildcard // by what stands behind the first label
}

type wildcard struct {
	before, after string // of the star, in the first label
	spec          *Spec
}

// IndexHosts indexes the hosts of specs. Each host must belong to one of them;
// specs that LoadDir gave without problems keep to that.
func IndexHosts(specs []*Spec) (*Hosts, error) {
	h := &Hosts{map[string]*Spec{}, map[string][]wildcard{}}
	for _, s := range specs {
		for _, name := range s.Hosts {
			if err := h.add(name, s); err != nil {
				return nil, err
			}
		}
	}
	return h, nil
}

func (h *Hosts) add(name string, s *Spec) error {
	w, parent, ok := cutWildcard(name)
	if !ok {
		if other := h.exact[name]; other != nil && other != s {
			return fmt.Errorf("vendor %s: host %s belongs to vendor %s already", s.ID, name, other.ID)
		}
		h.exact[name] = s
		return nil
	}
	for _, other := range h.wild[parent] {
		if other.spec != s && w.overlaps(other) {
			return fmt.Errorf("vendor %s: hosts %s overlap with those of vendor %s", s.ID, name, other.spec.ID)
		}
	}
	w.spec = s
	h.wild[parent] = append(h.wild[parent], w)
	return nil
}

// Find is the vendor of a host name, lower case and without port; nil when no
// manifest names it. An exact name beats one with a star.
func (h *Hosts) Find(name string) *Spec {
	if s := h.exact[name]; s != nil || len(h.wild) == 0 {
		return s
	}
	label, parent, _ := strings.Cut(name, ".")
	for _, w := range h.wild[parent] {
		if w.takes(label) {
			return w.spec
		}
	}
	return nil
}

// HasHost reports whether a host name, lower case and without port, is one of
// the vendor's. Where several vendors are known, Hosts.Find decides whose it is.
func (s *Spec) HasHost(name string) bool {
	label, parent, _ := strings.Cut(name, ".")
	return slices.ContainsFunc(s.Hosts, func(host string) bool {
		w, p, ok := cutWildcard(host)
		return host == name || ok && p == parent && w.takes(label)
	})
}

// cutWildcard takes a name such as *-live.acme.example apart. The star stands
// for one letter or more of the first label, never for a dot.
func cutWildcard(name string) (w wildcard, parent string, ok bool) {
	label, parent, _ := strings.Cut(name, ".")
	before, after, ok := strings.Cut(label, "*")
	return wildcard{before: before, after: after}, parent, ok
}

func (w wildcard) takes(label string) bool {
	return len(label) > len(w.before)+len(w.after) && strings.HasPrefix(label, w.before) && strings.HasSuffix(label, w.after)
}

// overlaps reports whether some label is taken by both.
func (w wildcard) overlaps(o wildcard) bool {
	either := func(whole func(s, part string) bool, a, b string) bool { return whole(a, b) || whole(b, a) }
	return either(strings.HasPrefix, w.before, o.before) && either(strings.HasSuffix, w.after, o.after)
}

// hostsOverlap is overlaps for two names of hosts. An exact name and one with
// a star do not: the exact one wins.
func hostsOverlap(a, b string) bool {
	v, under, isWild := cutWildcard(a)
	w, other, alsoWild := cutWildcard(b)
	return a == b || isWild && alsoWild && under == other && v.overlaps(w)
}

var wildHost = regexp.MustCompile(`^[a-z0-9_-]*\*[a-z0-9_-]*(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?){2,}$`)

// checkHostPattern takes host names, and those with one star in their first
// label. Two labels must follow it: *.com would be the internet.
func checkHostPattern(v string) (string, string) {
	if p := placeholder.FindString(v); p != "" {
		return fmt.Sprintf("the host has the placeholder %s", p), "write your own name there"
	}
	if !strings.Contains(v, "*") {
		return strict.Common.Get("host").Problem(v)
	}
	if lower := strings.ToLower(v); lower != v {
		return fmt.Sprintf("host %q has capital letters", v), fmt.Sprintf("write %q", lower)
	}
	if len(v) > 253 || !wildHost.MatchString(v) {
		return fmt.Sprintf("%q is not a host name", v), `let one * stand in the first label, with two labels behind it, such as "*.myshopify.com"`
	}
	return "", ""
}

// placeholder is what a catalogue's upstream leaves for the manifest to say.
var placeholder = regexp.MustCompile(`\{[a-z][a-z0-9_]*\}`)

// checkBase takes the upstream of a catalogue, which may have placeholders.
func checkBase(v string) (string, string) {
	return strict.Common.Get("url").Problem(fillPlaceholders(v))
}

// checkUpstream takes the upstream of a manifest, which may not.
func checkUpstream(v string) (string, string) {
	if p := placeholder.FindString(v); p != "" {
		return fmt.Sprintf("the upstream has the placeholder %s", p), fmt.Sprintf("write your own address, such as %s", placeholder.ReplaceAllString(v, "acme"))
	}
	return strict.Common.Get("url").Problem(v)
}

// fillPlaceholders makes an address that can be read out of one with
// placeholders: each stands for its own name.
func fillPlaceholders(v string) string {
	return placeholder.ReplaceAllStringFunc(v, func(p string) string { return p[1 : len(p)-1] })
}
