package scope

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
	"cordon/internal/store"
)

// The kinds of names, as stored.
const (
	nameVendor  byte = 1
	namePathway byte = 2
	nameSet     byte = 3
)

// names gives vendors, pathways and category sets the small numbers that keys
// hold. Numbers are handed out in the order in which the journal first shows a
// name, so that a rebuilt index has the same ones.
type names struct {
	vendors  []exposure.VendorID
	pathways []pathway
	sets     [][]exposure.Set // by vendor and number
	ways     [][]pathwayID    // by vendor and number among its pathways

	vendorOf  map[exposure.VendorID]vendorID
	pathwayOf map[exposure.Pathway]pathwayID
	setOf     []map[exposure.Set]setID // by vendor

	// unsaved are the names that no batch holds yet.
	unsaved []name
}

type pathway struct {
	exposure.Pathway
	vendor vendorID
	local  wayID
}

// Whoever sends free-form messages, or a new credential with each, could make
// up category sets and pathways without end. Past these numbers a vendor's
// further sets are taken apart into their single categories: who was exposed to
// which categories stays exact, and so do cohorts, which are unions; only what is
// counted by set in messages about nobody known is counted by category then.
// Further pathways are one, which every question about the vendor takes, however
// narrow. Answers say so (approximate_cohorts).
// Each declaration is a pathway too; past maxDeclared further ones are one, which no
// letter covers, since nobody knows any more which of them came before it.
var ( // variables for tests
	maxSets     = 1024
	maxWays     = 4096
	maxDeclared = 1<<factWayBits - 2 // so that both others find room
)

// otherWays is the route of the pathways past maxWays.
const otherWays = "(other ways)"

// otherWay is the pathway that p belongs to when it finds no number.
func otherWay(p exposure.Pathway) exposure.Pathway {
	if p.Route == exposure.DeclaredRoute {
		return exposure.Pathway{Vendor: p.Vendor, Route: p.Route, Credential: "backfill:others"}
	}
	return exposure.Pathway{Vendor: p.Vendor, Route: otherWays}
}

// other reports whether the pathway stands for all that found no number.
func (p pathway) other() bool { return p.Route == otherWays }

type name struct {
	kind   byte
	vendor vendorID // of a set
	id     uint32
	text   []byte
}

func newNames() *names {
	return &names{
		vendorOf:  map[exposure.VendorID]vendorID{},
		pathwayOf: map[exposure.Pathway]pathwayID{},
	}
}

func (n *names) vendor(v exposure.VendorID) (vendorID, error) {
	id, ok := n.vendorOf[v]
	if !ok {
		if len(n.vendors) >= math.MaxUint16 {
			return 0, fmt.Errorf("more than %d vendors in the journal", math.MaxUint16)
		}
		id = n.addVendor(v)
		n.unsaved = append(n.unsaved, name{nameVendor, 0, uint32(id), []byte(v)})
	}
	return id, nil
}

func (n *names) addVendor(v exposure.VendorID) vendorID {
	id := vendorID(len(n.vendors))
	n.vendors = append(n.vendors, v)
	n.sets = append(n.sets, nil)
	n.ways = append(n.ways, nil)
	n.setOf = append(n.setOf, map[exposure.Set]setID{})
	n.vendorOf[v] = id
	return id
}

func (n *names) pathway(p exposure.Pathway) (pathwayID, error) {
	id, ok := n.pathwayOf[p]
	if !ok {
		v, err := n.vendor(p.Vendor)
		if err != nil {
			return 0, err
		}
		full, other := len(n.ways[v]), otherWay(p)
		most := maxWays
		if p.Route == exposure.DeclaredRoute {
			most = maxDeclared
		}
		if full >= most && p != other {
			return n.pathway(other)
		}
		text, err := json.Marshal(p)
		if err != nil {
			return 0, err
		}
		id = n.addPathway(p, v)
		n.unsaved = append(n.unsaved, name{namePathway, 0, uint32(id), text})
	}
	return id, nil
}

func (n *names) addPathway(p exposure.Pathway, v vendorID) pathwayID {
	id := pathwayID(len(n.pathways))
	n.pathways = append(n.pathways, pathway{p, v, wayID(len(n.ways[v]))})
	n.ways[v] = append(n.ways[v], id)
	n.pathwayOf[p] = id
	return id
}

// set numbers a category set among those of one vendor. Past maxSets it calls f
// for each of its categories instead.
func (n *names) set(v vendorID, s exposure.Set, f func(setID)) {
	if id, ok := n.setOf[v][s]; ok {
		f(id)
		return
	}
	if len(n.sets[v]) < maxSets {
		f(n.newSet(v, s))
		return
	}
	for _, it := range s.Items() {
		var one exposure.Set
		one.Add(it.Category, it.Form)
		id, ok := n.setOf[v][one]
		if !ok {
			id = n.newSet(v, one)
		}
		f(id)
	}
}

func (n *names) newSet(v vendorID, s exposure.Set) setID {
	id := n.addSet(v, s)
	n.unsaved = append(n.unsaved, name{nameSet, v, uint32(id), []byte(s.String())})
	return id
}

func (n *names) addSet(v vendorID, s exposure.Set) setID {
	id := setID(len(n.sets[v]))
	n.sets[v] = append(n.sets[v], s)
	n.setOf[v][s] = id
	return id
}

// clone has the same numbers. Nothing that it learns is saved.
func (n *names) clone() *names {
	own := newNames()
	for v, name := range n.vendors {
		own.addVendor(name)
		for _, set := range n.sets[v] {
			own.addSet(vendorID(v), set)
		}
	}
	for _, p := range n.pathways {
		own.addPathway(p.Pathway, p.vendor)
	}
	return own
}

// Pathways lists every way by which the vendor was ever sent a disclosure, also
// those that no configuration names any more.
func (x *Index) Pathways(ctx context.Context, v exposure.VendorID) ([]exposure.Pathway, error) {
	if err := x.Sync(ctx); err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil {
		return nil, x.err
	}
	var out []exposure.Pathway
	for _, p := range x.names.pathways {
		if p.Vendor == v {
			out = append(out, p.Pathway)
		}
	}
	return out, nil
}

// save writes the new names into the batch.
func (n *names) save(b *pebble.Batch) error {
	for _, u := range n.unsaved {
		key := []byte{store.Scope, keyName, u.kind}
		if u.kind == nameSet {
			key = binary.BigEndian.AppendUint16(key, uint16(u.vendor))
		}
		key = binary.BigEndian.AppendUint32(key, u.id)
		if err := b.Set(key, u.text, nil); err != nil {
			return err
		}
	}
	return nil
}

// loadNames reads every name. They come by kind and number, so that a missing
// one is noticed.
func loadNames(r pebble.Reader) (*names, error) {
	n := newNames()
	err := scan(r, []byte{store.Scope, keyName}, func(key, value []byte) error {
		if len(key) < 7 || (len(key) == 9) != (key[2] == nameSet) {
			return fmt.Errorf("a name's key has %d bytes", len(key))
		}
		id, next := binary.BigEndian.Uint32(key[len(key)-4:]), 0
		switch key[2] {
		case nameVendor:
			next = int(n.addVendor(exposure.VendorID(value)))
		case namePathway:
			var p exposure.Pathway
			if err := json.Unmarshal(value, &p); err != nil {
				return err
			}
			v, ok := n.vendorOf[p.Vendor]
			if !ok {
				return fmt.Errorf("pathway %d is of a vendor without a number", id)
			}
			next = int(n.addPathway(p, v))
		case nameSet:
			s, err := exposure.ParseSet(string(value))
			if err != nil {
				return err
			}
			v := vendorID(binary.BigEndian.Uint16(key[3:]))
			if int(v) >= len(n.vendors) {
				return fmt.Errorf("set %d is of a vendor without a number", id)
			}
			next = int(n.addSet(v, s))
		default:
			return fmt.Errorf("a name of unknown kind %d", key[2])
		}
		if next != int(id) {
			return fmt.Errorf("name %d of kind %d is missing", next, key[2])
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the names of the scope index: %w", err)
	}
	return n, nil
}

// scan calls fn for every pair whose key begins with prefix, in order. Key and
// value are valid during the call only.
func scan(r pebble.Reader, prefix []byte, fn func(key, value []byte) error) (err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := it.Close(); err == nil {
			err = cerr
		}
	}()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if err := fn(it.Key(), value); err != nil {
			return err
		}
	}
	return it.Error()
}
