package vendor

import (
	"crypto/sha256"
	"fmt"
	"net/url"

	"cordon/internal/exposure"
	"cordon/internal/strict"
)

// Spec is a manifest merged with its catalogue entry, checked, and compiled
// enough to route by. It never changes once loaded.
type Spec struct {
	ID        exposure.VendorID
	Manifest  *Manifest
	Catalogue *CatalogueEntry // nil when the manifest names none
	Upstream  *url.URL
	Hosts     []string // lower case, without port; the upstream's host included
	Mode      Mode
	Routes    []RouteSpec // the manifest's mappings first, then the catalogue's
	// Policy holds every category that a key of `minimize` covers, itself or by
	// a parent; the nearest key wins. Default is for all others.
	Policy       map[exposure.Category]Action
	Default      Action
	Unclassified exposure.Verdict
	WhenCut      string
	Collects     []exposure.Category
	// Credential is the manifest's completed by the catalogue's; nil when the
	// app's own credential passes through.
	Credential *Credential

	routes matcher
	report *strict.Report // knows the lines of the file
	text   []byte
}

// Text is the manifest's file as it was read, and Digest its SHA-256 in hex: what
// the ledger records as being in force.
func (s *Spec) Text() []byte { return s.text }

func (s *Spec) Digest() string { return fmt.Sprintf("%x", sha256.Sum256(s.text)) }

// RouteSpec is one route of a vendor with everything mapped on it.
type RouteSpec struct {
	// Name is the route's name everywhere: "POST /v3/mail/send".
	Name      string
	Method    string
	Path      string // the template: {name} or * is one segment, ** the rest
	Mappings  []Mapping
	Queueable bool
	Reveal    bool
}

// Where names the manifest's file and the line of a key, for problems that are
// found when the whole configuration is known.
func (s *Spec) Where(key string) (file string, line int) {
	return s.report.File(), s.report.Line(key)
}

// Action is what the manifest says of a category.
func (s *Spec) Action(c exposure.Category) Action {
	if a, ok := s.Policy[c]; ok {
		return a
	}
	return s.Default
}

// Route is the route that one request takes.
type Route struct {
	Name string
	Spec *Spec
	// Index is the place in Spec.Routes, -1 when nothing is mapped.
	Index  int
	Params []Param
	// Ambiguous says that the vendor may read the path as another route than
	// it looks like here (encoded slashes, dot segments, case ...). Such a
	// message is not mapped and must be recorded as incomplete.
	Ambiguous bool
}

// Mapped reports whether the manifest or the catalogue names this route.
func (r Route) Mapped() bool { return r.Index >= 0 }

// Mappings are the mappings of the route; nil when it is not mapped.
func (r Route) Mappings() []Mapping {
	if r.Index < 0 {
		return nil
	}
	return r.Spec.Routes[r.Index].Mappings
}

// Param is what stood in the place of a template's {name}.
type Param struct {
	Name string
	// Value is still percent-encoded; it is path[Start:End].
	Value      string
	Start, End int
}
