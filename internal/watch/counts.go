package watch

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/axiomhq/hyperloglog"
	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
	"cordon/internal/store"
)

// Count is how often a path was seen.
type Count struct {
	Key
	First, Last time.Time
	Messages    uint64
	// People is how many different persons it concerned: exact for few, within
	// about one percent for many.
	People uint64
}

// Bounds, so that a route which sends data as keys does not fill the memory:
// past them paths are counted together, as "*".
const (
	maxPaths = 500 // of one vendor's route
	maxRows  = 20_000
)

const restOfPaths = "*"

type counts struct {
	mu      sync.Mutex // guards everything below
	rows    map[Key]*row
	routes  map[routeKey]*routeRow
	changed map[*row]bool
	begun   []routeKey // routes not yet written down
}

type routeKey struct {
	vendor exposure.VendorID
	route  string
}

type routeRow struct {
	First time.Time
	paths int
}

// row is kept as JSON: 'w' 'c' digest of the key -> row.
type row struct {
	key      Key
	Kind     Kind              `json:"kind"`
	Vendor   exposure.VendorID `json:"vendor"`
	Route    string            `json:"route"`
	Path     string            `json:"path"`
	Category string            `json:"category"`
	First    time.Time         `json:"first"`
	Last     time.Time         `json:"last"`
	Messages uint64            `json:"messages"`
	Sketch   []byte            `json:"people"` // HyperLogLog over ordinals
	people   *hyperloglog.Sketch
}

type keptRoute struct {
	Vendor exposure.VendorID `json:"vendor"`
	Route  string            `json:"route"`
	First  time.Time         `json:"first"`
}

var (
	rowPrefix   = []byte{store.Watch, 'c'}
	routePrefix = []byte{store.Watch, 'r'}
)

func (k Key) storeKey() []byte {
	sum := k.digest()
	return append(slices.Clone(rowPrefix), sum[:16]...)
}

func (k routeKey) storeKey() []byte {
	sum := Key{Vendor: k.vendor, Route: k.route}.digest()
	return append(slices.Clone(routePrefix), sum[:16]...)
}

func readCounts(db *pebble.DB) (*counts, error) {
	c := &counts{rows: map[Key]*row{}, routes: map[routeKey]*routeRow{}, changed: map[*row]bool{}}
	err := each(db, routePrefix, func(value []byte) error {
		var r keptRoute
		if err := json.Unmarshal(value, &r); err != nil {
			return err
		}
		c.routes[routeKey{r.Vendor, r.Route}] = &routeRow{First: r.First}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c, each(db, rowPrefix, func(value []byte) error {
		r := &row{people: hyperloglog.New14()}
		if err := json.Unmarshal(value, r); err != nil {
			return err
		}
		if err := r.people.UnmarshalBinary(r.Sketch); err != nil {
			return err
		}
		r.Sketch = nil
		category, ok := exposure.LookupCategory(r.Category)
		if !ok {
			category = exposure.Unclassified
		}
		r.key = Key{r.Kind, r.Vendor, r.Route, r.Path, category}
		c.rows[r.key] = r
		if at := c.routes[routeKey{r.Vendor, r.Route}]; at != nil {
			at.paths++
		}
		return nil
	})
}

func each(db *pebble.DB, prefix []byte, f func(value []byte) error) error {
	end := slices.Clone(prefix)
	end[len(end)-1]++
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: end})
	if err != nil {
		return fmt.Errorf("reading the counts of the watch: %w", err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		value, err := it.ValueAndErr()
		if err == nil {
			err = f(value)
		}
		if err != nil {
			return fmt.Errorf("reading the counts of the watch: %w", err)
		}
	}
	return it.Error()
}

func (c *counts) knows(v exposure.VendorID, route string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.routes[routeKey{v, route}] != nil
}

// route gives the instant since when a route is watched.
func (c *counts) route(v exposure.VendorID, route string, at time.Time) time.Time {
	k := routeKey{v, route}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.routes[k]
	if r == nil {
		r = &routeRow{First: at}
		c.routes[k] = r
		c.begun = append(c.begun, k)
	}
	return r.First
}

// add counts one message and returns the key under which it was counted.
func (c *counts) add(k Key, at time.Time, who []exposure.Ordinal) Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rows[k]
	if r == nil {
		route := c.routes[routeKey{k.Vendor, k.Route}]
		if route.paths >= maxPaths || len(c.rows) >= maxRows {
			k.Path, k.Category = restOfPaths, exposure.Unclassified
			r = c.rows[k]
		}
		if r == nil {
			r = &row{key: k, Kind: k.Kind, Vendor: k.Vendor, Route: k.Route, Path: k.Path, Category: k.Category.Key(), First: at, people: hyperloglog.New14()}
			c.rows[k] = r
			route.paths++
		}
	}
	r.Messages++
	if at.Before(r.First) {
		r.First = at
	}
	if at.After(r.Last) {
		r.Last = at
	}
	for _, o := range who {
		r.people.Insert([]byte{byte(o >> 24), byte(o >> 16), byte(o >> 8), byte(o)})
	}
	c.changed[r] = true
	return k
}

// messages is how many messages showed a key.
func (c *counts) messages(k Key) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rows[k]; r != nil {
		return r.Messages
	}
	return 0
}

// list gives a copy of every count that fits.
func (c *counts) list(fits func(Key) bool) []Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Count
	for k, r := range c.rows {
		if fits(k) {
			list = append(list, Count{k, r.First, r.Last, r.Messages, r.people.Estimate()})
		}
	}
	return list
}

// flush writes down what changed. It is not synced: these are statistics.
func (c *counts) flush(s *store.Store) error {
	b := s.DB().NewBatch()
	if err := c.write(b); err != nil {
		return err
	}
	if b.Empty() {
		return b.Close()
	}
	return s.ApplyLazy(b)
}

func (c *counts) write(b *pebble.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.begun {
		data, err := json.Marshal(keptRoute{k.vendor, k.route, c.routes[k].First})
		if err == nil {
			err = b.Set(k.storeKey(), data, nil)
		}
		if err != nil {
			return fmt.Errorf("writing the counts of the watch: %w", err)
		}
	}
	c.begun = nil
	for r := range c.changed {
		if r.Messages < proven { // it stays in memory; a crash forgets that it was there
			continue
		}
		sketch, err := r.people.MarshalBinary()
		if err != nil {
			return fmt.Errorf("writing the counts of the watch: %w", err)
		}
		kept := *r
		kept.Sketch = sketch
		data, err := json.Marshal(kept)
		if err == nil {
			err = b.Set(r.key.storeKey(), data, nil)
		}
		if err != nil {
			return fmt.Errorf("writing the counts of the watch: %w", err)
		}
	}
	for r := range c.changed {
		if r.Messages >= proven {
			delete(c.changed, r)
		}
	}
	return nil
}

// ReadCounts reads the counts from the store, for answers without a server.
func ReadCounts(db *pebble.DB) ([]Count, error) {
	c, err := readCounts(db)
	if err != nil {
		return nil, err
	}
	return sorted(c.list(func(Key) bool { return true })), nil
}

// Counts gives every count as of now.
func (w *Watch) Counts() []Count { return sorted(w.counts.list(func(Key) bool { return true })) }

// sorted puts the newest first.
func sorted(list []Count) []Count {
	slices.SortFunc(list, func(a, b Count) int {
		if c := b.First.Compare(a.First); c != 0 {
			return c
		}
		return compareKeys(a.Key, b.Key)
	})
	return list
}

func compareKeys(a, b Key) int {
	x, y := a.digest(), b.digest()
	return slices.Compare(x[:], y[:])
}
