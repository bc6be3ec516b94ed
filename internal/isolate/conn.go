package isolate

import (
	"net"
	"sync"
	"sync/atomic"
)

// Conn is a connection to a vendor, beneath TLS. Everything the process ever
// hands to that vendor passes through its Write.
type Conn struct {
	net.Conn
	gate    *Gate
	severed atomic.Bool
	total   atomic.Int64
	// passage is whose bytes go out; nil: the connection's own (TLS handshake).
	passage atomic.Pointer[Passage]

	// mu is held for as long as a write is inside the socket. Whoever closes
	// the socket and then takes mu knows that no writer is inside and that none
	// will hand over a byte again.
	mu sync.Mutex
}

// Carry says whose bytes go out from now on; nil ends it. It fails when the
// gate closed in the meantime.
func (c *Conn) Carry(p *Passage) error {
	c.passage.Store(p)
	if p == nil {
		return nil
	}
	return c.admit(p)
}

func (c *Conn) admit(p *Passage) error {
	route := ""
	if p != nil {
		route = p.Route
	}
	if r := c.gate.check(route); r != nil {
		return r
	}
	if c.severed.Load() {
		return net.ErrClosed
	}
	return nil
}

// Read reads from the vendor. A cut lets go of whoever waits here when it is
// over, see hush.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && c.severed.Load() {
		c.gate.awaitHush()
	}
	return n, err
}

// Write hands b to the socket if the gate is open, and counts what was taken.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.write(b)
	if err != nil && c.severed.Load() {
		c.gate.awaitHush()
	}
	return n, err
}

func (c *Conn) write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.passage.Load()
	if err := c.admit(p); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	c.total.Add(int64(n))
	if p != nil {
		p.handed.Add(int64(n))
	}
	return n, err
}

// Handed is how many bytes this connection took in its life.
func (c *Conn) Handed() int64 { return c.total.Load() }

// Close ends the connection in the ordinary way and takes it out of the
// register.
func (c *Conn) Close() error {
	c.severed.Store(true)
	err := c.Conn.Close()
	c.gate.mu.Lock()
	delete(c.gate.conns, c)
	c.gate.mu.Unlock()
	return err
}

// sever closes the socket so that the kernel drops what it has not sent yet
// and answers the vendor with a reset. It does not wait for a writer: closing
// is what makes a blocked writer return.
func (c *Conn) sever() {
	c.severed.Store(true)
	if t, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		t.SetLinger(0) // an error means the socket is gone already
	}
	c.Conn.Close()
}

// quiesce returns when no writer is inside.
func (c *Conn) quiesce() {
	c.mu.Lock()
	defer c.mu.Unlock()
}

// carries reports whether the connection works for the route now; every
// connection does for the empty route. One that takes up the route a moment later is turned
// away by Carry, because the state was set before anyone looks here.
func (c *Conn) carries(route string) bool {
	if route == "" {
		return true
	}
	p := c.passage.Load()
	return p != nil && (p.Route == route || p.Anywhere)
}
