package incident

import (
	"sync"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
)

// Cases is the fold over the ledger's entries about incidents. All methods may
// be called concurrently.
type Cases struct {
	mu    sync.Mutex // guards everything below
	byID  map[string]*Case
	order []string
}

// NewCases starts with none; Fold brings in what the ledger holds.
func NewCases() *Cases { return &Cases{byID: map[string]*Case{}} }

// Fold takes one entry of the ledger, in order. Other entries are ignored.
func (c *Cases) Fold(e ledger.Entry) {}

// Get gives a case by its id.
func (c *Cases) Get(id string) (Case, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.byID[id]
	if k == nil {
		return Case{}, false
	}
	return k.clone(), true
}

// List gives all cases, the newest first.
func (c *Cases) List() []Case {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Case, 0, len(c.order))
	for i := len(c.order) - 1; i >= 0; i-- {
		list = append(list, c.byID[c.order[i]].clone())
	}
	return list
}

// OpenFor gives the open cases about a vendor, the oldest first.
func (c *Cases) OpenFor(v exposure.VendorID) []Case {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Case
	for _, id := range c.order {
		if k := c.byID[id]; k.Vendor == v && k.State == Open {
			list = append(list, k.clone())
		}
	}
	return list
}
