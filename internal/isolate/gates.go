package isolate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"cordon/internal/exposure"
)

// Known is a vendor as Load needs it: its routes, and the last state that the
// ledger remembers for it ("") and for its routes. A name that is missing from
// Last was never changed.
type Known struct {
	Vendor exposure.VendorID
	Routes []string
	Last   map[string]State
}

// Report is something that Load or the watch found wrong. The more closed
// state is in force.
type Report struct {
	Vendor  exposure.VendorID
	Route   string
	Problem string // one sentence
	Next    string // what to do about it
	InForce State
}

// Gates are all gates of a data directory.
type Gates struct {
	dir     string
	mu      sync.RWMutex
	gates   map[exposure.VendorID]*Gate // guarded by mu
	reports []Report                    // guarded by mu
	stop    chan struct{}
	done    chan struct{}
}

// watchEvery bounds how long connections stay open after another process
// closed the gate. (Nothing is written on them meanwhile.)
const watchEvery = 50 * time.Millisecond

// Load opens the gates of a data directory before any listener opens. A vendor without a file gets
// one: open when the ledger never heard of a change, and otherwise as the
// ledger remembers it, so that a lost file does not reopen a vendor. Where file
// and ledger disagree the more closed one is put into force and reported.
func Load(dir string, vendors []Known) (*Gates, error) {
	g := &Gates{dir: dir, gates: map[exposure.VendorID]*Gate{}, stop: make(chan struct{}), done: make(chan struct{})}
	for _, v := range vendors {
		if _, err := g.Add(v); err != nil {
			for _, gate := range g.gates {
				gate.page.Load().close()
			}
			return nil, err
		}
	}
	go g.watch()
	return g, nil
}

// Add opens the gate of one more vendor; the same vendor again is an error.
func (g *Gates) Add(v Known) (*Gate, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gates[v.Vendor] != nil {
		return nil, fmt.Errorf("vendor %s has a gate already", v.Vendor)
	}
	p, err := g.openPage(v)
	if err != nil {
		return nil, err
	}
	gate := &Gate{
		vendor: v.Vendor, seed: slotSeed(v.Vendor, vendorKey),
		live: map[*Passage]struct{}{}, conns: map[*Conn]struct{}{},
	}
	if bad := p.damage(); len(bad) > 0 {
		gate.damaged.Store(true)
		g.report(v.Vendor, "", Cut, fmt.Sprintf("%s is damaged in slots %v and reads as cut", p.path, bad))
	} else if err := g.align(p, v); err != nil {
		p.close()
		return nil, err
	}
	p.index(v.Routes)
	gate.page.Store(p)
	g.gates[v.Vendor] = gate
	return gate, nil
}

// openPage maps the vendor's file, makes a missing one, and replaces one that
// is not a gate file by a closed one.
func (g *Gates) openPage(v Known) (*page, error) {
	p, err := mapPage(g.dir, v.Vendor)
	switch {
	case err == nil:
		return p, nil
	case errors.Is(err, os.ErrNotExist):
		if s, changed := v.Last[""]; changed && s != Open {
			g.report(v.Vendor, "", s, fmt.Sprintf("%s is missing; the ledger says %s", gatePath(g.dir, v.Vendor), s))
		}
		// Made open: align then closes what the ledger says is closed, before
		// anyone can ask.
		if err := createPage(g.dir, v.Vendor, Open); err != nil {
			return nil, err
		}
	case errors.Is(err, errWrongSize):
		g.report(v.Vendor, "", Cut, err.Error()+"; it was set aside and the vendor reads as cut")
		if err := setAside(g.dir, v.Vendor); err != nil {
			return nil, err
		}
		if err := createPage(g.dir, v.Vendor, Cut); err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	return mapPage(g.dir, v.Vendor)
}

// kept is how many slots open routes leave to those that are closed by name.
// Vendors with more routes than slots exist: Plaid has 329.
const kept = 64

// align brings file and ledger together, the more closed state winning, and
// gives each known route its slot, as long as there are enough, so that the hot
// path need not search.
func (g *Gates) align(p *page, v Known) error {
	names := append([]string{""}, v.Routes...)
	for name := range v.Last {
		if name != "" {
			names = append(names, name)
		}
	}
	for _, name := range names {
		key := routeKey(name)
		slot, found := p.find(key)
		file := Open
		if found {
			_, w, _ := p.load(slot)
			file, _, _ = w.read(slotSeed(v.Vendor, key))
		}
		last, remembered := v.Last[name]
		if !remembered {
			last = Open
		}
		if found && file == last {
			continue
		}
		inForce := min(file, last)
		if name != "" && !found && inForce == Open && slot >= slots-kept {
			continue // open without a slot; closed by name, it gets one of those kept
		}
		if file != last {
			g.report(v.Vendor, name, inForce, fmt.Sprintf("%s says %s, the ledger says %s", p.path, file, last))
		}
		if _, _, err := p.set(key, inForce); err != nil {
			return fmt.Errorf("setting the gate of %s %s: %w", v.Vendor, name, err)
		}
	}
	return p.sync()
}

func (g *Gates) report(v exposure.VendorID, route string, s State, problem string) {
	g.reports = append(g.reports, Report{
		Vendor: v, Route: route, Problem: problem, InForce: s,
		Next: fmt.Sprintf("look into it, then `cordon restore %s` or `cordon cut %s` to set it anew", v, v),
	})
}

// Reports are what was found wrong so far.
func (g *Gates) Reports() []Report {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return append([]Report(nil), g.reports...)
}

// Gate is the vendor's gate, nil for a vendor that was not given to Load or Add.
func (g *Gates) Gate(v exposure.VendorID) *Gate {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.gates[v]
}

// All lists the gates.
func (g *Gates) All() []*Gate {
	g.mu.RLock()
	defer g.mu.RUnlock()
	out := make([]*Gate, 0, len(g.gates))
	for _, gate := range g.gates {
		out = append(out, gate)
	}
	return out
}

// Close stops the watch and unmaps the files. A gate reads as cut afterwards.
func (g *Gates) Close() error {
	close(g.stop)
	<-g.done
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, gate := range g.gates {
		gate.changes.Lock() // a change that is on its way ends first
		gate.mu.Lock()
		errs = append(errs, gate.page.Swap(nil).close())
		gate.mu.Unlock()
		gate.changes.Unlock()
	}
	return errors.Join(errs...)
}

// watch severs what another process closed, and notices a gate file that was
// removed or replaced under us.
func (g *Gates) watch() {
	defer close(g.done)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-g.stop:
			return
		case <-tick.C:
		}
		for _, gate := range g.All() {
			gate.follow()
			if n%20 == 0 {
				g.recheck(gate)
			}
		}
	}
}

// follow closes what is open although the gate is not: another process closed
// it.
func (g *Gate) follow() {
	g.mu.Lock()
	r := g.check("")
	for p := range g.live {
		if r != nil {
			break
		}
		r = g.check(p.Route)
	}
	if r == nil {
		g.mu.Unlock()
		return
	}
	conns, live := g.affected(r.Route)
	g.mu.Unlock()
	if len(conns)+len(live) > 0 {
		g.interrupt(conns, live, r)
	}
}

// recheck takes a file that was replaced (restored from a backup, say) into
// use, without ever becoming more open by it.
func (g *Gates) recheck(gate *Gate) {
	old := gate.page.Load()
	if old == nil {
		return
	}
	var st unix.Stat_t
	err := unix.Stat(old.path, &st)
	if err == nil && st.Ino == old.ino && st.Size == pageSize {
		return
	}
	// No change may fall between reading the state and the new page, or it would
	// be made in the old one alone.
	gate.changes.Lock()
	defer gate.changes.Unlock()
	now := Known{Vendor: gate.vendor, Last: map[string]State{}}
	now.Last[""], _ = gate.State("")
	for name := range old.routes {
		now.Routes = append(now.Routes, name)
		now.Last[name], _ = gate.State(name)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	gate.mu.Lock()
	defer gate.mu.Unlock()
	g.report(gate.vendor, "", now.Last[""], fmt.Sprintf("%s was removed or replaced while Cordon ran", filepath.Base(old.path)))
	p, err := g.openPage(now)
	if err == nil && len(p.damage()) == 0 {
		err = g.align(p, now)
	}
	if err != nil || len(p.damage()) > 0 {
		gate.damaged.Store(true) // reads as cut until a person sets it
		return
	}
	p.index(now.Routes)
	// The old page stays mapped: somebody may be reading it this instant.
	gate.page.Store(p)
}

// problems are the gate's damages, as sentences.
func (g *Gate) problems() []string {
	p := g.page.Load()
	if p == nil {
		return []string{fmt.Sprintf("the gate of %s has no file", g.vendor)}
	}
	var out []string
	if bad := p.damage(); len(bad) > 0 {
		out = append(out, fmt.Sprintf("%s is damaged in slots %v: set the vendor's gate anew", p.path, bad))
	}
	if g.damaged.Load() && len(out) == 0 {
		out = append(out, fmt.Sprintf("%s could not be used: set the vendor's gate anew", p.path))
	}
	return out
}
