package isolate

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"cordon/internal/exposure"
)

// Gate is the switch of one vendor and its routes, and the register of what is
// on its way to it.
type Gate struct {
	vendor exposure.VendorID
	page   atomic.Pointer[page]
	seed   uint32
	// damaged is set when a slot was found broken that no route can be blamed
	// for: the whole vendor then reads as cut until somebody sets it anew.
	damaged atomic.Bool
	// closing is a change that is in force although the page does not say it yet.
	closing atomic.Pointer[Refusal]

	// closings counts the orders to close, also those that found it closed.
	closings atomic.Uint64

	// changes is held for as long as a change, or a new page, is on its way. It is
	// taken before mu.
	changes sync.Mutex

	hush atomic.Pointer[hush] // nil: nobody is interrupted at the moment

	// mu orders entering against a change: who enters looks at the state and is
	// written into the register under one lock, so that a cut finds everything
	// that a look before the cut let in.
	mu       sync.Mutex
	live     map[*Passage]struct{} // guarded by mu
	conns    map[*Conn]struct{}    // guarded by mu
	clients  int                   // guarded by mu: client-side connections
	attempts attempts              // guarded by mu
}

type routeSlot struct {
	slot int
	key  uint64
	seed uint32
}

// Vendor is whose gate it is.
func (g *Gate) Vendor() exposure.VendorID { return g.vendor }

// Closings is how often the vendor or a route was told to close since the start.
// Whoever decides to open it reads it before, and gives it to Open.
func (g *Gate) Closings() uint64 { return g.closings.Load() }

// State answers for a route, or for the vendor alone when route is empty. The
// more closed of the two counts. The epoch is that of the gate that decided; it
// grows with each change. No lock is taken and nothing is allocated.
func (g *Gate) State(route string) (State, uint32) {
	s, epoch, _, _ := g.decide(route)
	return s, epoch
}

func (g *Gate) decide(route string) (s State, epoch uint32, byRoute, damaged bool) {
	s, epoch, byRoute, damaged = g.written(route)
	if c := g.closing.Load(); c != nil && c.State < s && (c.Route == "" || c.Route == route) {
		return c.State, c.Epoch, c.Route != "", false
	}
	return s, epoch, byRoute, damaged
}

// written is what the page says.
func (g *Gate) written(route string) (s State, epoch uint32, byRoute, damaged bool) {
	p := g.page.Load()
	if p == nil {
		return Cut, 0, false, true
	}
	var slot routeSlot // slot 0: the vendor's own
	if route != "" {
		var known bool
		if slot, known = p.routes[route]; !known {
			slot = p.search(g.vendor, route)
		}
	}
	key, w, rw, ok := p.loadWith(slot.slot)
	s, epoch, holds := w.read(g.seed)
	if !ok || !holds || key != vendorKey || g.damaged.Load() {
		return Cut, epoch, false, true
	}
	if s == Cut || slot.slot == 0 {
		return s, epoch, false, false
	}
	rs, repoch, holds := rw.read(slot.seed)
	if !holds {
		return Cut, repoch, true, true
	}
	if rs < s {
		return rs, repoch, true, false
	}
	return s, epoch, false, false
}

// check is nil while the gate is open for the route.
func (g *Gate) check(route string) *Refusal {
	s, epoch, byRoute, damaged := g.decide(route)
	if s == Open {
		return nil
	}
	r := &Refusal{State: s, Epoch: epoch, Damaged: damaged}
	if byRoute {
		r.Route = route
	}
	return r
}

// anyRoute is nil while every route of the vendor is open.
func (g *Gate) anyRoute() *Refusal {
	p := g.page.Load()
	for slot := 1; p != nil && slot < slots; slot++ {
		key, w, ok := p.load(slot)
		if ok && key == 0 {
			break
		}
		if s, epoch, holds := w.read(slotSeed(g.vendor, key)); !ok || !holds || s != Open {
			return &Refusal{State: s, Epoch: epoch, Damaged: !ok || !holds}
		}
	}
	return nil
}

// Live says what a message is, as far as may be told without personal data.
type Live struct {
	Route, App, Credential string
	// Anywhere says that a vendor may read the message's path as any of its
	// routes: it goes only while all of them are open, and a cut of any stops it.
	Anywhere bool
	// Token is a keyed digest of the token the app came with; empty without.
	Token string
}

// Passage is one message that was let in. It is registered until Leave.
type Passage struct {
	Live
	gate   *Gate
	cancel context.CancelCauseFunc
	handed atomic.Int64
	Since  time.Time
}

// Enter registers a message, or returns a *Refusal when the gate is not open
// and counts the attempt. A change cancels the message through cancel, with the
// *Refusal as cause.
func (g *Gate) Enter(cancel context.CancelCauseFunc, info Live) (*Passage, error) {
	p := &Passage{Live: info, gate: g, cancel: cancel, Since: time.Now()}
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.check(info.Route)
	if r == nil && info.Anywhere {
		r = g.anyRoute()
	}
	if r != nil {
		g.attempts.count(info)
		return nil, r
	}
	g.live[p] = struct{}{}
	return p, nil
}

// Check asks the gate again: before a dial, before the first byte, before a
// chunk. The answer is nil or a *Refusal.
func (p *Passage) Check() error {
	if r := p.gate.check(p.Route); r != nil {
		return r
	}
	return nil
}

// Handed is how many bytes of this message the vendor's sockets took, counted
// beneath TLS.
func (p *Passage) Handed() int64 { return p.handed.Load() }

// Leave takes the message out of the register.
func (p *Passage) Leave() {
	p.gate.mu.Lock()
	delete(p.gate.live, p)
	p.gate.mu.Unlock()
}

// Register wraps a fresh connection to the vendor. When the gate is not open
// the connection is closed and a *Refusal returned: a dial that was under way
// while the gate closed does not slip past.
func (g *Gate) Register(raw net.Conn) (*Conn, error) {
	c := &Conn{Conn: raw, gate: g}
	g.mu.Lock()
	r := g.check("")
	if r == nil {
		g.conns[c] = struct{}{}
	}
	g.mu.Unlock()
	if r != nil {
		c.sever()
		return nil, r
	}
	return c, nil
}

// RegisterClient counts a client's connection that speaks to this vendor alone
// (an intercepted tunnel). It is not closed by a cut, so that the refusal and
// its reason can be answered on it; the messages on it are cancelled. Call the
// result when the connection ends.
func (g *Gate) RegisterClient() (done func()) {
	g.mu.Lock()
	g.clients++
	g.mu.Unlock()
	return sync.OnceFunc(func() {
		g.mu.Lock()
		g.clients--
		g.mu.Unlock()
	})
}

// Status is what stands in the register now.
type Status struct {
	Vendor   exposure.VendorID
	State    State
	Epoch    uint32
	Routes   map[string]State // routes that are more closed than open, by name
	Conns    int              // connections to the vendor
	Clients  int              // clients' connections that speak to this vendor alone
	Live     []Live           // messages on their way
	Attempts []Attempt        // tried while the gate was not open, since it closed
	Damage   []string         // sentences; empty when the file holds
}

// Status describes the gate for people. It is not for the hot path.
func (g *Gate) Status() Status {
	st := Status{Vendor: g.vendor, Routes: map[string]State{}, Damage: g.problems()}
	st.State, st.Epoch = g.State("")
	if p := g.page.Load(); p != nil {
		for name, slot := range p.routes {
			_, w, _ := p.load(slot.slot)
			if s, _, _ := w.read(slot.seed); s != Open {
				st.Routes[name] = s
			}
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	st.Conns, st.Clients = len(g.conns), g.clients
	for p := range g.live {
		st.Live = append(st.Live, p.Live)
	}
	st.Attempts = g.attempts.list()
	return st
}
