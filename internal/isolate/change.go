package isolate

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
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

// closers is how many goroutines sever connections. Closing is work of the kernel
// and never waits, so more than there are cores would only stand in line.
var closers = runtime.GOMAXPROCS(0)

// Change sets the gate of the vendor, or of a route of it, and returns once it
// holds: when it is not Open, no byte is handed to a socket of the vendor (of
// the route) after Change returned, by this process.
//
// An error says that the state could not be made durable or could not be
// written at all. In the first case it holds in memory, everything was closed,
// and a restart may undo it; Change is filled in both.
func (g *Gate) Change(to State, route string) (Change, error) {
	return g.change(to, route, nil)
}

// ErrClosedMeanwhile says that somebody closed a gate while another decided to
// open it: nothing was changed.
var ErrClosedMeanwhile = errors.New("it was closed while its opening was decided")

// Open opens the gate of the vendor, or of a route of it, unless it was told to
// close since Closings said so many: whoever closed it knew something that
// whoever decided to open it did not.
func (g *Gate) Open(route string, closings uint64) (Change, error) {
	return g.change(Open, route, &closings)
}

func (g *Gate) change(to State, route string, closings *uint64) (Change, error) {
	start := time.Now()
	c := Change{Vendor: g.vendor, Route: route, To: to}
	g.changes.Lock() // one change at a time; nobody else waits for this lock
	defer g.changes.Unlock()

	g.mu.Lock()
	if to != Open {
		g.closings.Add(1)
	}
	p := g.page.Load()
	if p == nil {
		g.mu.Unlock()
		return c, fmt.Errorf("the gate of %s has no file", g.vendor)
	}
	if to == Open {
		defer g.mu.Unlock()
		if closings != nil && g.closings.Load() != *closings {
			return c, fmt.Errorf("the gate of %s: %w", g.vendor, ErrClosedMeanwhile)
		}
		err := g.write(p, &c)
		if err == nil {
			c.Attempts, g.attempts = g.attempts.list(), nil
			err = p.sync()
		}
		c.Took = time.Since(start)
		return c, err
	}

	// 1. The state, in memory first: every writer asks before it hands over, so from
	// here on no new write begins; entering waits for the lock and then sees it.
	// The file follows beside the closing, because storing to a mapped page can
	// wait for the file system's journal. A crash before the sync may undo the
	// change: nobody was told yet.
	_, next, err := p.plan(routeKey(route), to)
	if err != nil && g.check(route) == nil { // nothing can be changed
		g.mu.Unlock()
		c.From, c.Took = Open, time.Since(start)
		return c, err
	}
	cause := &Refusal{State: to, Route: route, Epoch: next.epoch}
	g.closing.Store(cause)
	defer g.closing.Store(nil) // the file says it by then, or is unreadable, which is Cut
	conns, live := g.affected(route)
	g.beginHush()
	g.mu.Unlock()

	// 2 to 5. The file goes on beside the closing; both are over before we return.
	written := make(chan error, 1)
	go func() {
		werr := g.write(p, &c)
		written <- errors.Join(werr, p.sync())
	}()
	g.interrupt(conns, live, cause)
	err = <-written
	c.ConnectionsClosed = len(conns)
	c.Interrupted = make([]Interrupted, 0, len(live))
	for _, l := range live {
		c.Interrupted = append(c.Interrupted, Interrupted{l.Live, l.Handed()})
	}
	c.Took = time.Since(start)
	return c, err
}

// write puts a change into the page, for every process that has it mapped. It is
// called with changes held.
func (g *Gate) write(p *page, c *Change) (err error) {
	c.From, c.Epoch, err = p.set(routeKey(c.Route), c.To)
	if err == nil && c.Route == "" {
		g.heal(p)
	}
	return err
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
		if route == "" || p.Route == route || p.Anywhere {
			live = append(live, p)
		}
	}
	return conns, live
}

// interrupt is steps 2 to 4 of the package comment.
func (g *Gate) interrupt(conns []*Conn, live []*Passage, cause *Refusal) {
	severAll(conns)
	for _, p := range live {
		if p.cancel != nil {
			p.cancel(cause)
		}
	}
	for _, c := range conns {
		c.quiesce()
	}
}

// severAll closes sockets on every core. Each one closed wakes a goroutine that
// waited on it, and a thousand of those stand before a closer that has not begun.
// So the caller closes too, whoever runs takes the next connection, and a closer
// that comes late is not waited for.
func severAll(conns []*Conn) {
	if len(conns) == 0 {
		return
	}
	var next, done atomic.Int64
	all := make(chan struct{})
	work := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(conns) {
				return
			}
			conns[i].sever()
			if int(done.Add(1)) == len(conns) {
				close(all)
			}
		}
	}
	for range min(closers, len(conns)) - 1 {
		go work()
	}
	work()
	<-all
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
