// Package upstream speaks HTTP/1.1 to one vendor.
//
// It exists beside http.Transport because a disclosure must be recorded as
// exactly what happened to it, and http.Transport neither says whether a byte of
// a request was handed to the socket, nor refrains from sending a request a
// second time by itself (docs/decisions/0002-own-upstream-client.md).
//
// A request is written in one piece on a connection that was got beforehand, so
// that "connected", "recorded" and "sent" are three moments and not one. What a
// failure means is exact: no byte of the message handed over, NotSent; some
// handed over and no final answer, Unknown; an answer, Sent. Nothing is
// ever sent twice.
//
// Every socket is wrapped by package isolate beneath TLS.
package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"cordon/internal/isolate"
)

// Options are what a client is made of.
type Options struct {
	Gate *isolate.Gate
	// Roots are trusted as this vendor; nil: the system's.
	Roots *x509.CertPool
	// Pin is the SHA-256 of a public key (SPKI) that must stand in the verified
	// chain; nil: none.
	Pin []byte
	// Private are hosts (names or addresses, without port) that the manifest
	// itself names and that may be loopback or private.
	Private []string

	DialTimeout   time.Duration // 0: 10 s; also for the TLS handshake
	HeaderTimeout time.Duration // until the answer's head; 0: 1 min
	IdleTimeout   time.Duration // 0: 50 s, below what load balancers use
	MaxIdle       int           // idle connections kept per target; 0: 256
}

// Target is where a connection leads.
type Target struct {
	TLS  bool
	Host string // host:port
}

// TargetOf reads a manifest's upstream URL, or "https://" and a host.
func TargetOf(u *url.URL) Target {
	t := Target{TLS: u.Scheme == "https", Host: u.Host}
	if u.Port() == "" {
		t.Host = net.JoinHostPort(u.Hostname(), map[bool]string{true: "443", false: "80"}[t.TLS])
	}
	return t
}

// Client keeps connections to one vendor.
type Client struct {
	o Options

	mu     sync.Mutex
	idle   map[Target][]*Conn     // guarded by mu; the last one is the freshest
	tls    map[Target]*tls.Config // guarded by mu
	sweep  *time.Timer            // guarded by mu; nil: nothing is idle
	closed bool                   // guarded by mu
}

// New makes a client. It dials nobody.
func New(o Options) *Client {
	for d, def := range map[*time.Duration]time.Duration{&o.DialTimeout: 10 * time.Second, &o.HeaderTimeout: time.Minute, &o.IdleTimeout: 50 * time.Second} {
		if *d == 0 {
			*d = def
		}
	}
	if o.MaxIdle == 0 {
		o.MaxIdle = 256
	}
	c := &Client{o: o, idle: map[Target][]*Conn{}, tls: map[Target]*tls.Config{}}
	return c
}

// Connect gets a connection on which no byte of the message was sent yet: an
// idle one that is still alive, or a fresh one.
func (c *Client) Connect(ctx context.Context, t Target) (*Conn, error) {
	for {
		conn := c.pop(t)
		if conn == nil {
			break
		}
		if conn.alive() {
			conn.Reused = true
			return conn, nil
		}
		conn.Close()
	}
	return c.Fresh(ctx, t)
}

// Fresh dials.
func (c *Client) Fresh(ctx context.Context, t Target) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.DialTimeout)
	defer cancel()
	d := net.Dialer{ControlContext: guardAddresses(c.o.Private, t.Host)}
	raw, err := d.DialContext(ctx, "tcp", t.Host)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", t.Host, err)
	}
	tracked, err := c.o.Gate.Register(raw)
	if err != nil {
		return nil, err
	}
	var conn net.Conn = tracked
	if t.TLS {
		secured := tls.Client(tracked, c.config(t))
		if err := secured.HandshakeContext(ctx); err != nil {
			tracked.Close()
			return nil, fmt.Errorf("securing the connection to %s: %w", t.Host, err)
		}
		conn = secured
	}
	return newConn(c, t, tracked, conn), nil
}

// pop takes the freshest idle connection.
func (c *Client) pop(t Target) *Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.idle[t]
	if len(list) == 0 {
		return nil
	}
	conn := list[len(list)-1]
	list[len(list)-1] = nil
	c.idle[t] = list[:len(list)-1]
	return conn
}

// push keeps a connection for the next message.
func (c *Client) push(conn *Conn) {
	conn.idleSince = time.Now()
	c.mu.Lock()
	keep := !c.closed && len(c.idle[conn.target]) < c.o.MaxIdle
	if keep {
		c.idle[conn.target] = append(c.idle[conn.target], conn)
		if c.sweep == nil {
			c.sweep = time.AfterFunc(c.o.IdleTimeout, c.expire)
		}
	}
	c.mu.Unlock()
	if !keep {
		conn.Close()
	}
}

// expire closes what was idle for too long.
func (c *Client) expire() {
	var old []*Conn
	c.mu.Lock()
	before, left := time.Now().Add(-c.o.IdleTimeout), 0
	for t, list := range c.idle {
		n := 0
		for n < len(list) && list[n].idleSince.Before(before) {
			n++
		}
		old = append(old, list[:n]...)
		c.idle[t] = append([]*Conn(nil), list[n:]...)
		left += len(list) - n
	}
	c.sweep = nil
	if left > 0 && !c.closed {
		c.sweep = time.AfterFunc(c.o.IdleTimeout/2, c.expire)
	}
	c.mu.Unlock()
	for _, conn := range old {
		conn.Close()
	}
}

// Close ends the idle connections; those in use end with their message.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	idle := c.idle
	c.idle = map[Target][]*Conn{}
	if c.sweep != nil {
		c.sweep.Stop()
	}
	c.mu.Unlock()
	for _, list := range idle {
		for _, conn := range list {
			conn.Close()
		}
	}
}
