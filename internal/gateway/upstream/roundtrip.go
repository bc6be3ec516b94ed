package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync"
	"time"

	"cordon/internal/isolate"
)

// Request is a message as it leaves. Header holds no hop-by-hop and no framing
// fields; those are written here.
type Request struct {
	Method string
	Target string // path and query, escaped
	Host   string
	Header http.Header
	Body   []byte
	// Rest follows Body when the message is longer than what was read of it.
	// RestLength is its length, -1 when only its end will tell.
	Rest       io.Reader
	RestLength int64
}

// inOnePiece is how much is written before reading: more than that could wait
// for a vendor that waits for us to read its answer.
const inOnePiece = 64 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}

// RoundTrip sends a message and returns when the final head of the answer is
// there. The connection is given up on error, and otherwise belongs to the
// answer's body, which must be read to its end or closed.
//
// Cancelling ctx ends the connection at any time, also while the body is read.
// How much of the message was handed over, p says.
func (c *Conn) RoundTrip(ctx context.Context, p *isolate.Passage, req *Request) (*http.Response, error) {
	if err := c.tracked.Carry(p); err != nil {
		c.Close()
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.tracked.Close() })
	resp, written, err := c.exchange(p, req)
	if err != nil {
		stop()
		c.Close()
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, err
	}
	reusable := !resp.Close && resp.StatusCode != http.StatusSwitchingProtocols
	resp.Body = &body{ReadCloser: resp.Body, c: c, stop: stop, reusable: reusable, written: written}
	return resp, nil
}

// exchange writes the message and reads heads until the final one. What comes out
// of written is how writing the message ended; nothing while it goes on.
func (c *Conn) exchange(p *isolate.Passage, req *Request) (resp *http.Response, written chan error, err error) {
	buf := buffers.Get().(*[]byte)
	b, err := appendHead((*buf)[:0], req)
	if err != nil {
		return nil, nil, err
	}
	b = appendBody(b, req)
	c.conn.SetDeadline(time.Now().Add(c.client.o.HeaderTimeout))
	if len(b) <= inOnePiece && req.Rest == nil {
		resp, err = c.inOne(p, req.Method, b)
		recycle(buf, b)
		return resp, nil, err
	}

	wait := &answerWait{c: c}
	written = make(chan error, 1)
	if req.Rest != nil {
		c.conn.SetReadDeadline(time.Time{}) // as long as the upload takes
	}
	go func() {
		_, err := c.conn.Write(b)
		recycle(buf, b)
		if err == nil && req.Rest != nil {
			err = c.writeRest(req)
		}
		if err != nil {
			wait.atMost(lastWord)
		} else {
			wait.atMost(c.client.o.HeaderTimeout)
		}
		written <- err
	}()
	resp, err = c.readHeads(req.Method)
	wait.over()
	if err != nil {
		c.Close() // so that the writer leaves, unless it waits for the client
		select {
		case werr := <-written:
			err = errors.Join(werr, err)
		default:
		}
		return nil, nil, fmt.Errorf("no answer from %s: %w", c.target.Host, err)
	}
	return resp, written, nil
}

// inOne is the exchange of a message that one write can take: first written, then
// answered, by one goroutine.
func (c *Conn) inOne(p *isolate.Passage, method string, message []byte) (*http.Response, error) {
	before := p.Handed()
	_, werr := c.conn.Write(message)
	if werr != nil {
		if p.Handed() == before {
			return nil, fmt.Errorf("sending to %s: %w", c.target.Host, werr)
		}
		c.conn.SetReadDeadline(time.Now().Add(lastWord))
	}
	resp, err := c.readHeads(method)
	if err != nil {
		return nil, fmt.Errorf("no answer from %s: %w", c.target.Host, errors.Join(werr, err))
	}
	if werr != nil {
		resp.Close = true // half a message went over it
	}
	// The body may take as long as it likes. One that is here already needs no
	// other deadline; the next message sets its own.
	if resp.ContentLength < 0 || resp.ContentLength > int64(c.br.Buffered()) {
		c.conn.SetReadDeadline(time.Time{})
	}
	return resp, nil
}

// lastWord is how long we listen to a vendor that stopped taking our message:
// there may be an answer already, and it may say why ("413").
const lastWord = time.Second

// answerWait sets how long the reader of the head waits. The writer may only do
// so while there is no answer: the body may take as long as it likes.
type answerWait struct {
	c        *Conn
	mu       sync.Mutex
	answered bool // guarded by mu
}

func (w *answerWait) atMost(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.answered {
		w.c.conn.SetReadDeadline(time.Now().Add(d))
	}
}

func (w *answerWait) over() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answered = true
	w.c.conn.SetReadDeadline(time.Time{})
}

// readHeads skips interim answers (RFC 9110, section 15.2).
func (c *Conn) readHeads(method string) (*http.Response, error) {
	for range 8 {
		c.headLeft = maxHead
		resp, err := http.ReadResponse(c.br, &http.Request{Method: method})
		c.headLeft = math.MaxInt64
		if err != nil {
			return nil, err
		}
		switch {
		case resp.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("the vendor switched protocols unasked")
		case resp.StatusCode >= 200:
			return resp, nil
		}
	}
	return nil, errors.New("the vendor sends interim answers only")
}

// writeRest streams what follows Body.
func (c *Conn) writeRest(req *Request) error {
	left, buf := req.RestLength, make([]byte, 32<<10)
	for {
		n, rerr := req.Rest.Read(buf)
		if n > 0 {
			out := buf[:n]
			if req.RestLength < 0 {
				out = appendChunk(nil, out)
			}
			c.conn.SetWriteDeadline(time.Now().Add(c.client.o.HeaderTimeout))
			if _, err := c.conn.Write(out); err != nil {
				return err
			}
			left -= int64(n)
		}
		if rerr == io.EOF {
			break
		}
		if rerr != nil {
			return fmt.Errorf("reading the rest of the message: %w", rerr)
		}
	}
	if req.RestLength < 0 {
		_, err := io.WriteString(c.conn, "0\r\n\r\n")
		return err
	}
	if left != 0 {
		return fmt.Errorf("reading the rest of the message: %w", io.ErrUnexpectedEOF)
	}
	return nil
}

func recycle(buf *[]byte, b []byte) {
	if cap(b) <= inOnePiece {
		*buf = b[:0]
		buffers.Put(buf)
	}
}
