package isolate

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"cordon/internal/exposure"
)

// Change is what a change of a gate did. It holds no personal data and goes
// into the ledger as it is.
type Change struct {
	Vendor exposure.VendorID
	// Route is empty when the vendor's gate was changed.
	Route    string
	From, To State
	Epoch    uint32
	// ConnectionsClosed counts the connections to the vendor that were severed.
	ConnectionsClosed int
	// Interrupted lists the messages that were on their way.
	Interrupted []Interrupted
	// Attempts is what was tried while the gate was closed; filled when it opens.
	Attempts []Attempt
	Took     time.Duration
}

// Interrupted is one message that a change stopped.
type Interrupted struct {
	Live
	// Handed counts the bytes the socket had taken. What the kernel had sent
	// cannot be called back; what it had not sent was dropped.
	Handed int64
}

// closers bounds the goroutines that sever connections: one needs 40 ms for a
// thousand on two cores.
var closers = min(8, 2*runtime.GOMAXPROCS(0))

// Change sets the gate of the vendor, or of a route of it, and returns once it
// holds: when it is not Open, no byte is handed to a socket of the vendor (of
// the route) after Change returned, by this process.
//
// An error says that the state could not be made durable or could not be
// written at all. In the first case it holds in memory, everything was closed,
// and a restart may undo it; Change is filled in both.
func (g *Gate) Change(to State, route string) (Change, error) {
	start := time.Now()
	c := Change{Vendor: g.vendor, Route: route, To: to}

	// 1. The state. Every writer asks before it hands over, so from the store on
	// no new write begins; entering waits for the lock and then sees it.
	// A crash before the sync may undo it: nobody was told yet.
	g.mu.Lock()
	p := g.page.Load()
	if p == nil {
		g.mu.Unlock()
		return c, fmt.Errorf("the gate of %s has no file", g.vendor)
	}
	var err error
	c.From, c.Epoch, err = p.set(routeKey(route), to)
	if err == nil && route == "" {
		g.heal(p)
	}
	if to == Open || g.check(route) == nil { // opened; or nothing could be changed
		if err == nil {
			c.Attempts, g.attempts = g.attempts.list(), nil
			err = p.sync()
		}
		g.mu.Unlock()
		c.Took = time.Since(start)
		return c, err
	}
	conns, live := g.affected(route)
	g.mu.Unlock()

	// 2 to 5. The sync goes on beside the closing; both are over before we return.
	synced := make(chan error, 1)
	go func() { synced <- p.sync() }()
	g.interrupt(conns, live, &Refusal{State: to, Route: route, Epoch: c.Epoch})
	c.ConnectionsClosed = len(conns)
	for _, l := range live {
		c.Interrupted = append(c.Interrupted, Interrupted{l.Live, l.Handed()})
	}
	err = errors.Join(err, <-synced)
	c.Took = time.Since(start)
	return c, err
}

// affected lists what a change of the route closes. It is called with mu held.
func (g *Gate) affected(route string) (conns []*Conn, live []*Passage) {
	for conn := range g.conns {
		if conn.carries(route) {
			conns = append(conns, conn)
			delete(g.conns, conn)
		}
	}
	for p := range g.live {
		if route == "" || p.Route == route {
			live = append(live, p)
		}
	}
	return conns, live
}

// interrupt is steps 2 to 4 of the package comment.
func (g *Gate) interrupt(conns []*Conn, live []*Passage, cause *Refusal) {
	var wg sync.WaitGroup
	for w := range closers {
		wg.Go(func() {
			for i := w; i < len(conns); i += closers {
				conns[i].sever()
			}
		})
	}
	wg.Wait()
	for _, p := range live {
		if p.cancel != nil {
			p.cancel(cause)
		}
	}
	for _, c := range conns {
		c.quiesce()
	}
}

// heal makes a page whole again after a person set the vendor's gate. Slots
// that do not hold have lost the route's name; they become nobody's.
func (g *Gate) heal(p *page) {
	for _, slot := range p.damage() {
		key, _, _ := p.load(slot)
		p.store(slot, key|1, makeWord(slotSeed(g.vendor, key|1), 1, Open))
	}
	g.damaged.Store(false)
}

// WriteGate changes a gate of a data directory without a server, or past one that hangs. A server
// that runs sees it with its next look and severs what is open within moments;
// a write that it was in the middle of may still end. Without a gate file one is
// made in the state asked for.
func WriteGate(dir string, vendor exposure.VendorID, route string, to State) (Change, error) {
	start := time.Now()
	c := Change{Vendor: vendor, Route: route, From: Open, To: to, Epoch: 1}
	p, err := mapPage(dir, vendor)
	if errors.Is(err, errWrongSize) {
		if err = setAside(dir, vendor); err == nil {
			err = os.ErrNotExist
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		first := to
		if route != "" {
			first = Open
		}
		if err := createPage(dir, vendor, first); err != nil {
			return c, err
		}
		p, err = mapPage(dir, vendor)
	}
	if err != nil {
		return c, err
	}
	defer p.close()
	if c.From, c.Epoch, err = p.set(routeKey(route), to); err == nil {
		err = p.sync()
	}
	c.Took = time.Since(start)
	return c, err
}

// setAside keeps a gate file that cannot be used, for whoever wants to know.
func setAside(dir string, vendor exposure.VendorID) error {
	path := gatePath(dir, vendor)
	if err := os.Rename(path, path+".damaged"); err != nil {
		return fmt.Errorf("setting %s aside: %w", path, err)
	}
	return nil
}
