package incident

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
)

// Journal is what cases need of the ledger.
type Journal interface {
	// Events yields the durable events that state is folded from, from an entry on.
	Events(from uint64) iter.Seq2[ledger.Entry, error]
	// Append makes an event durable. AppendSealed does, and seals a text beside it
	// in the same stroke; group is whose key seals it.
	Append(ctx context.Context, e ledger.Event) (uint64, error)
	AppendSealed(ctx context.Context, e ledger.Event, group, text string) (uint64, error)
}

// Cases is the fold over the ledger's entries about incidents. All methods may
// be called concurrently. Whoever asks gets what the ledger holds by then, also
// when another part of the program has written it.
type Cases struct {
	journal Journal
	now     func() time.Time

	// deciding is held from looking at a case until the entry that follows from
	// it is durable, so that no decision is made on a state that is gone.
	deciding sync.Mutex

	mu    sync.Mutex // guards state
	state state
}

// NewCases starts with none; Fold, or the first question, brings in what the
// ledger holds.
func NewCases(journal Journal, now func() time.Time) *Cases {
	return &Cases{journal: journal, now: now, state: newState()}
}

// Fold takes one entry of the ledger, in order. Entries that came before and
// other kinds are ignored.
func (c *Cases) Fold(e ledger.Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.fold(e)
}

// Follow brings in what the ledger got since. The other methods do it too; here
// the caller learns when the ledger cannot be read.
func (c *Cases) Follow() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.follow()
}

// follow needs mu.
func (c *Cases) follow() error {
	for e, err := range c.journal.Events(c.state.next) {
		if err != nil {
			return fmt.Errorf("reading the ledger for incidents: %w", err)
		}
		c.state.fold(e)
	}
	return nil
}

// Get gives a case by its id.
func (c *Cases) Get(id string) (Case, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.follow() // a sick ledger: what was known is better than nothing
	k := c.state.byID[id]
	if k == nil {
		return Case{}, false
	}
	return c.state.copy(k), true
}

// List gives all cases, the newest first.
func (c *Cases) List() []Case {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.follow()
	list := make([]Case, 0, len(c.state.order))
	for i := len(c.state.order) - 1; i >= 0; i-- {
		list = append(list, c.state.copy(c.state.byID[c.state.order[i]]))
	}
	return list
}

// OpenFor gives the open cases about a vendor, the oldest first.
func (c *Cases) OpenFor(v exposure.VendorID) []Case {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.follow()
	var list []Case
	for _, id := range c.state.order {
		if k := c.state.byID[id]; k.Vendor == v && k.State == Open {
			list = append(list, c.state.copy(k))
		}
	}
	return list
}

// must is a case by its id, as of now.
func (c *Cases) must(id string) (Case, error) {
	if err := c.Follow(); err != nil {
		return Case{}, err
	}
	k, ok := c.Get(id)
	if !ok {
		return k, unknown(id)
	}
	return k, nil
}
