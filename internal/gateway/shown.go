package gateway

import "sync"

// shown bounds the credentials of apps' own that become part of a pathway. A
// pathway is kept for ever, and tokens that are minted hourly would make a new
// one each time: from the 65th of an app on they are told apart no more.
type shown struct {
	mu   sync.Mutex
	apps map[string]map[string]bool // guarded by mu
}

const maxShown = 64

func (s *shown) name(app, digest string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.apps == nil {
		s.apps = map[string]map[string]bool{}
	}
	seen := s.apps[app]
	if seen == nil {
		seen = map[string]bool{}
		s.apps[app] = seen
	}
	if !seen[digest] && len(seen) >= maxShown {
		return "other"
	}
	seen[digest] = true
	return digest
}
