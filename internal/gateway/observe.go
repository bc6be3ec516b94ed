package gateway

import (
	"slices"
	"sync"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// Observed is a host that no manifest names and that somebody wanted.
type Observed struct {
	Host        string
	First, Last time.Time
	Count       uint64
	Tunnelled   bool // false: refused
}

// maxSightings bounds the list: hosts are named by whoever asks for them.
const maxSightings = 1000

type sightings struct {
	mu    sync.Mutex
	hosts map[string]*Observed // guarded by mu
}

func (s *sightings) add(host string, at time.Time, tunnelled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.hosts[host]
	if o == nil {
		if len(s.hosts) >= maxSightings {
			return
		}
		if s.hosts == nil {
			s.hosts = map[string]*Observed{}
		}
		o = &Observed{Host: host, First: at}
		s.hosts[host] = o
	}
	o.Last, o.Tunnelled = at, tunnelled
	o.Count++
}

// Observed lists the hosts for adoption, the busiest first. They are kept in
// memory only: a host name may name a customer.
func (g *Gateway) Observed() []Observed {
	g.seen.mu.Lock()
	defer g.seen.mu.Unlock()
	out := make([]Observed, 0, len(g.seen.hosts))
	for _, o := range g.seen.hosts {
		out = append(out, *o)
	}
	slices.SortFunc(out, func(a, b Observed) int {
		if a.Count != b.Count {
			return int(b.Count) - int(a.Count)
		}
		return int(a.First.Compare(b.First))
	})
	return out
}

// Sighted remembers a host that no manifest names.
func (g *Gateway) Sighted(host string, tunnelled bool) { g.seen.add(host, g.o.Now(), tunnelled) }

// Observes reports whether such hosts are tunnelled instead of refused.
func (g *Gateway) Observes() bool { return g.observing != nil }

// observedSpec is the pseudo vendor: it has no upstream, maps nothing and lets
// pass what cannot be read, because that is what observing means.
func observedSpec() *vendor.Spec {
	return &vendor.Spec{ID: ObservedVendor, Manifest: &vendor.Manifest{Vendor: string(ObservedVendor), Name: "hosts that no manifest names"},
		Mode: vendor.Shadow, Default: vendor.Allow, Unclassified: exposure.Pass}
}
