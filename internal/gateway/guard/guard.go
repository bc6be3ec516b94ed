// Package guard stands between a client's socket and net/http's server and
// lets nothing through that two HTTP/1.1 parsers could read differently.
//
// Request smuggling needs two readers of one connection that disagree about
// where a request ends. The guard follows the framing of RFC 9112 itself, in its
// strictest reading, and hands on only what has exactly one. What has not is
// replaced by one harmless request that net/http answers in its turn, after
// the answers to whatever was pipelined before; then the connection ends. So a
// bad shape gets a proper refusal, is noted once, and not one byte of it, or
// of what follows it, is ever interpreted.
//
// Stricter than net/http on purpose: bare LF line ends, equal repeated
// Content-Length, chunk extensions, and names that differ from a framing header
// only by an underscore are refused.
package guard

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits bound what one connection may cost.
type Limits struct {
	Head        int           // bytes of a request head, or of a trailer section
	HeadTimeout time.Duration // from a head's first byte to its last
	BodyTimeout time.Duration // for the next piece of a body to come
}

// Shape is why a request was refused: a short phrase without any byte of it.
type Shape string

// Error makes a Shape the error of a body that stopped making sense midway.
func (s Shape) Error() string { return "malformed request: " + string(s) }

type phase uint8

const (
	inHead phase = iota
	inBody       // remaining bytes of a Content-Length body, or of a chunk
	inChunkSize
	inChunkEnd // the CRLF after a chunk's data
	inTrailer
	inTunnel   // after CONNECT: nothing is HTTP any more
	afterShape // the substitute, then EOF
)

// Conn is a guarded connection. Like net/http's server, it expects one reader
// at a time.
type Conn struct {
	net.Conn
	limits Limits
	marker string // target of the substitute; nobody outside can know it

	phase     phase
	next      phase // after inBody
	remaining int64 // of inBody
	ready     int   // bytes at the front of buf that may be handed on as they are
	buf       []byte
	base      []byte // what buf is cut from, to be used again
	scanned   int    // inHead: bytes of buf that hold whole lines already looked at
	trailers  int    // bytes of trailer lines so far
	shape     Shape
	midBody   bool // the shape stood inside a body: the reader gets it as error
	tunnel    bool

	// mu guards the deadlines: net/http sets one from another goroutine to get
	// its reader back, and the piece's own must not undo that.
	mu       sync.Mutex
	deadline time.Time // as net/http wants it
	pieceBy  time.Time // when the head that has begun, or more of a body, must be there; zero: no matter
}

// New guards a freshly accepted connection.
func New(raw net.Conn, limits Limits) *Conn {
	if limits.Head == 0 {
		limits.Head = 64 << 10
	}
	if limits.HeadTimeout == 0 {
		limits.HeadTimeout = 10 * time.Second
	}
	if limits.BodyTimeout == 0 {
		limits.BodyTimeout = time.Minute
	}
	return &Conn{Conn: raw, limits: limits, marker: "/" + rand.Text()}
}

type contextKey struct{}

// Context is for http.Server.ConnContext.
func Context(ctx context.Context, c net.Conn) context.Context {
	if g, ok := c.(*Conn); ok {
		return context.WithValue(ctx, contextKey{}, g)
	}
	return ctx
}

// From is the guarded connection that a request came in on, nil when there is
// none (HTTP/2, which frames requests unambiguously).
func From(r *http.Request) *Conn {
	c, _ := r.Context().Value(contextKey{}).(*Conn)
	return c
}

// Refused reports whether r is the substitute for a request that was not let
// through, and why it was not.
func Refused(r *http.Request) (Shape, bool) {
	c := From(r)
	if c == nil || r.Method != substituteMethod || r.URL.Path != c.marker {
		return "", false
	}
	return c.shape, true
}

// Broken reports whether the body of r stopped making sense midway, and why. It
// is asked after reading the body failed.
func Broken(r *http.Request) (Shape, bool) {
	c := From(r)
	if c == nil || !c.midBody {
		return "", false
	}
	return c.shape, true
}

const substituteMethod = "GET"

// Tunnel lets the bytes after a CONNECT through. Call it after Hijack; until
// then a reader sees the end of the connection there.
func (c *Conn) Tunnel() { c.tunnel = true }

// Read hands on what was looked at and found unambiguous.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		if c.ready > 0 {
			n := copy(p, c.buf[:c.ready])
			c.take(n)
			return n, nil
		}
		switch c.phase {
		case inBody:
			if len(c.buf) > 0 {
				c.ready = int(min(int64(len(c.buf)), c.remaining))
				c.consume(int64(c.ready))
				continue
			}
			c.setPieceBy(time.Now().Add(c.limits.BodyTimeout))
			n, err := c.Conn.Read(p[:min(int64(len(p)), c.remaining)])
			c.setPieceBy(time.Time{})
			c.consume(int64(n))
			if n == 0 && err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		case inTunnel:
			if !c.tunnel {
				return 0, io.EOF
			}
			if len(c.buf) > 0 {
				c.ready = len(c.buf)
				continue
			}
			return c.Conn.Read(p)
		case afterShape:
			if c.midBody {
				return 0, c.shape
			}
			return 0, io.EOF
		}
		advanced, err := c.advance()
		if err != nil {
			return 0, err
		}
		if !advanced {
			if err := c.fill(); err != nil {
				return 0, err
			}
		}
	}
}

// take drops n handed-on bytes from the front of the buffer.
func (c *Conn) take(n int) {
	c.ready -= n
	c.buf = c.buf[n:]
	if len(c.buf) == 0 {
		c.buf = c.base[:0]
	}
}

// consume counts body bytes and moves on when there are no more.
func (c *Conn) consume(n int64) {
	if c.remaining -= n; c.remaining == 0 {
		c.phase = c.next
	}
}

// fill reads more of what is not decided yet.
func (c *Conn) fill() error {
	switch {
	case c.phase != inHead:
		c.setPieceBy(time.Now().Add(c.limits.BodyTimeout))
		defer c.setPieceBy(time.Time{})
	case len(c.buf) > 0:
		c.setPieceBy(time.Now().Add(c.limits.HeadTimeout)) // until the head is whole
	}
	if cap(c.buf)-len(c.buf) < 512 {
		if cap(c.base) < len(c.buf)+512 {
			c.base = make([]byte, 0, max(4096, 2*len(c.buf)))
		}
		c.buf = append(c.base[:0], c.buf...) // may overlap: copies forward
	}
	n, err := c.Conn.Read(c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	if n > 0 {
		return nil // an error comes again with the next read
	}
	if err == io.EOF && len(c.buf) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// advance decides the next piece of c.buf, if it is all there.
func (c *Conn) advance() (bool, error) {
	switch c.phase {
	case inHead:
		n, complete, shape := headLength(c.buf, c.scanned, c.limits.Head)
		if shape != "" {
			return true, c.substitute(shape)
		}
		if !complete {
			c.scanned = n
			return false, nil
		}
		c.scanned = 0
		c.setPieceBy(time.Time{})
		head, shape := parseHead(c.buf[:n])
		if shape != "" {
			return true, c.substitute(shape)
		}
		c.ready = n
		switch {
		case head.connect:
			c.phase = inTunnel
		case head.chunked:
			c.phase, c.trailers = inChunkSize, 0
		case head.length > 0:
			c.phase, c.remaining, c.next = inBody, head.length, inHead
		}
		return true, nil
	case inChunkSize:
		line, rest, ok, shape := cutLine(c.buf, 32)
		if shape != "" {
			return true, c.broken(shape)
		}
		if !ok {
			return false, nil
		}
		size, shape := chunkSize(line)
		if shape != "" {
			return true, c.broken(shape)
		}
		c.ready = len(c.buf) - len(rest)
		if size == 0 {
			c.phase = inTrailer
		} else {
			c.phase, c.remaining, c.next = inBody, size, inChunkEnd
		}
		return true, nil
	case inChunkEnd:
		if len(c.buf) < 2 {
			return false, nil
		}
		if c.buf[0] != '\r' || c.buf[1] != '\n' {
			return true, c.broken("chunk longer than its size line says")
		}
		c.ready, c.phase = 2, inChunkSize
		return true, nil
	default: // inTrailer
		line, rest, ok, shape := cutLine(c.buf, c.limits.Head-c.trailers)
		if shape != "" {
			return true, c.broken(shape)
		}
		if !ok {
			return false, nil
		}
		if len(line) == 0 {
			c.phase = inHead
		} else if _, shape := parseField(line); shape != "" {
			return true, c.broken(shape)
		}
		c.ready = len(c.buf) - len(rest)
		c.trailers += c.ready
		return true, nil
	}
}

// substitute ends the connection with one request that only says that the
// client's was refused.
func (c *Conn) substitute(s Shape) error {
	c.setPieceBy(time.Time{})
	c.shape, c.phase = s, afterShape
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: refused.invalid\r\nConnection: close\r\n\r\n", substituteMethod, c.marker)
	c.buf = b.Bytes()
	c.ready = len(c.buf)
	return nil
}

// broken ends the connection in the middle of a body whose head was let
// through: the reader of the body gets the shape as error.
func (c *Conn) broken(s Shape) error {
	c.shape, c.phase, c.midBody, c.buf = s, afterShape, true, nil
	return s
}

// SetDeadline is for net/http, as are the others.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline keeps the piece's own deadline if that is earlier.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	return c.Conn.SetReadDeadline(earlier(c.deadline, c.pieceBy))
}

// setPieceBy starts the clock of a piece, unless it runs, or stops it.
func (c *Conn) setPieceBy(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.IsZero() == c.pieceBy.IsZero() {
		return
	}
	c.pieceBy = t
	c.Conn.SetReadDeadline(earlier(c.deadline, c.pieceBy))
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
