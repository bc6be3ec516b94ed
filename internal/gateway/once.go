package gateway

import "sync"

// once remembers what was said already. It is fed by strangers, so it is
// bounded; when full, nothing is new.
type once struct {
	mu   sync.Mutex
	seen map[string]bool // guarded by mu
}

const maxOnce = 4096

func (o *once) first(key string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen[key] || len(o.seen) >= maxOnce {
		return false
	}
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	o.seen[key] = true
	return true
}
