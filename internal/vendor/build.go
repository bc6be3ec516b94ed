package vendor

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/strict"
)

// build merges a manifest with its catalogue entry (nil: none) into a Spec.
// What the manifest says comes first or replaces; problems go to r. It also
// takes manifests with problems, to find those that only the merged Spec shows,
// and stays silent about what follows from one that is reported.
func build(r *strict.Report, m *Manifest, e *CatalogueEntry) *Spec {
	s := &Spec{
		ID: exposure.VendorID(m.Vendor), Manifest: m, Catalogue: e, Mode: m.Mode, report: r,
		Unclassified: verdicts[m.Unclassified], WhenCut: m.WhenCut,
		Credential: mergeCredential(r, m, e),
	}
	upstream, collects := m.Upstream, slices.Clone(m.Collects)
	var mapping []Mapping
	var queueable []string
	if e != nil {
		if upstream == "" {
			upstream = e.Upstream
			if p := placeholder.FindString(upstream); p != "" && !r.Has("upstream") {
				r.Add("catalogue", fmt.Sprintf("the catalogue's upstream %s leaves %s to you", upstream, p), "add upstream: "+placeholder.ReplaceAllString(upstream, "acme")+", your own address there")
			}
			upstream = fillPlaceholders(upstream)
		}
		collects, mapping, queueable = append(collects, e.Collects...), e.Mapping, e.Queueable
	}
	if upstream == "" && !r.Has("upstream") && (e != nil || m.Catalogue == "") {
		r.Add("", "the manifest has no upstream", "add upstream: https://… or name a catalogue entry")
	}
	s.Upstream, _ = url.Parse(upstream) // its form was checked when it was read
	s.Hosts = hostsOf(r, m, e, s.Upstream)
	for _, key := range collects {
		if c, ok := exposure.LookupCategory(key); ok && !slices.Contains(s.Collects, c) {
			s.Collects = append(s.Collects, c)
		}
	}
	s.Policy, s.Default = expand(m.Minimize)
	if len(m.Queueable) > 0 {
		queueable = m.Queueable // replaces: what may wait is the organisation's decision
	}
	reveal := m.Reveal
	if m.Catalogue != "" && e == nil { // they may name routes of the entry that was meant
		queueable, reveal = nil, nil
	}
	s.Routes = routesOf(r, m.Mapping, mapping, queueable, reveal)
	s.routes = compileRoutes(s.Routes)
	return s
}

// hostsOf lists the names by which the proxy knows the vendor. An address is
// no name: several vendors may be simulated on one loopback.
//
// A name with a star in the catalogue covers the vendor's other customers too.
// Whoever lets Cordon put in a credential gets none of those: it would be sent
// to whatever account an app names.
func hostsOf(r *strict.Report, m *Manifest, e *CatalogueEntry, upstream *url.URL) []string {
	hosts := slices.Clone(m.Hosts)
	if e != nil && !r.Has("hosts") {
		hosts = append(hosts, slices.DeleteFunc(slices.Clone(e.Hosts), func(h string) bool {
			return m.Credential != nil && strings.Contains(h, "*")
		})...)
	}
	if host := strings.ToLower(upstream.Hostname()); host != "" && host != "localhost" {
		if _, err := netip.ParseAddr(host); err != nil {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

func mergeCredential(r *strict.Report, m *Manifest, e *CatalogueEntry) *Credential {
	if m.Credential == nil {
		return nil
	}
	c := *m.Credential
	if e != nil && e.Credential != nil && (c.In == "" || c.In == e.Credential.In) {
		known := e.Credential
		c.In = known.In
		for _, f := range []struct{ mine, known *string }{
			{&c.Name, &known.Name}, {&c.Value, &known.Value}, {&c.TokenURL, &known.TokenURL},
			{&c.Region, &known.Region}, {&c.Service, &known.Service},
		} {
			if *f.mine == "" {
				*f.mine = *f.known
			}
		}
		if c.Scopes == nil {
			c.Scopes = known.Scopes
		}
	}
	if c.Value == "" {
		c.Value = "{secret}"
	}
	switch {
	case c.In == "" && r.Has("credential.in"): // said already
	case c.In == "":
		r.Add("credential", "the credential has no place", "add in: header, query, body, path or basic")
	case !slices.Contains(supportedCredentials, c.In):
		r.Add("credential.in", fmt.Sprintf("this build cannot send credentials as %s yet", c.In), "remove credential: the app's own then passes through")
	case c.In == "path" && !strings.HasPrefix(c.Value, "/"):
		r.Add("credential", "the credential stands in the path, and nothing says where", "add value: the path with {secret} in it, such as /services/{secret}")
	case c.Name == "" && c.In == "sigv4":
		r.Add("credential", "the credential has no name", "add name: the access key's id; the secret is the secret access key")
	case c.Name == "" && c.In != "basic" && c.In != "path":
		r.Add("credential", "the credential has no name", "add name: the header, query parameter or body path that carries it")
	}
	return &c
}

// expand gives every category the action of its nearest key in the policy.
func expand(written map[string]Action) (map[exposure.Category]Action, Action) {
	policy, rest := map[exposure.Category]Action{}, Allow
	if a, ok := written["default"]; ok {
		rest = a
	}
	for _, c := range exposure.Categories() {
		for key := c.Key(); key != ""; key = key[:max(0, strings.LastIndexByte(key, '.'))] {
			a, ok := written[key]
			if ok && key != c.Key() && c == exposure.Pseudonym && renames(a) {
				continue // the vendor's own id: it would know nobody by another
			}
			if ok {
				policy[c] = a
				break
			}
		}
	}
	return policy, rest
}

// renames reports whether an action gives the vendor another name for a person.
func renames(a Action) bool { return a == Token || a == Alias || a == Hash }

// routesOf groups mappings by their route, the manifest's own first, and marks
// which may be queued or revealed.
func routesOf(r *strict.Report, own, known []Mapping, queueable, reveal []string) []RouteSpec {
	var routes []RouteSpec
	byShape, incomplete := map[string]int{}, false
	for i, m := range slices.Concat(own, withMail(own, known)) {
		at := ""
		if i < len(own) {
			at = fmt.Sprintf("mapping[%d].on", i)
		}
		if m.On == "" { // said already; lists may well mean it
			incomplete = true
			continue
		}
		method, path := splitOn(m.On)
		n, there := byShape[shape(m.On)]
		switch {
		case !there:
			n = len(routes)
			byShape[shape(m.On)] = n
			routes = append(routes, RouteSpec{Name: m.On, Method: method, Path: path})
		case routes[n].Name != m.On && i < len(own):
			r.Add(at, fmt.Sprintf("%q is the same route as %q", m.On, routes[n].Name), "write both alike")
			continue
		case routes[n].Name != m.On:
			first := slices.IndexFunc(own, func(o Mapping) bool { return o.On == routes[n].Name })
			r.Add(fmt.Sprintf("mapping[%d].on", first), fmt.Sprintf("%q is the catalogue's route %q", routes[n].Name, m.On), fmt.Sprintf("write %q", m.On))
			continue
		}
		routes[n].Mappings = append(routes[n].Mappings, m)
	}
	mark := func(key string, list []string, set func(*RouteSpec)) {
		for i, on := range list {
			if n, ok := byShape[shape(on)]; ok {
				set(&routes[n])
				continue
			}
			if on == "" || incomplete {
				continue
			}
			names := make([]string, len(routes))
			for j := range routes {
				names[j] = routes[j].Name
			}
			r.Add(fmt.Sprintf("%s[%d]", key, i), fmt.Sprintf("no mapping names the route %q", on), strict.Suggest(on, names))
		}
	}
	mark("queueable", queueable, func(s *RouteSpec) { s.Queueable = true })
	mark("reveal", reveal, func(s *RouteSpec) { s.Reveal = true })
	return routes
}
