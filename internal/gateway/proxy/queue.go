package proxy

import (
	"context"
	"net"
	"net/http"
	"sync"

	"cordon/internal/gateway"
)

// inside is what is known of an intercepted tunnel.
type inside struct {
	vendor *gateway.Vendor
	sender gateway.Sender
	host   string
	done   func() // takes it out of the vendor's register
}

type insideKey struct{}

func insideOf(ctx context.Context) *inside {
	in, _ := ctx.Value(insideKey{}).(*inside)
	return in
}

// queue is the inner server's listener: it accepts what the outer one opened.
type queue struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	info map[net.Conn]*inside // guarded by mu; from put to close
}

func newQueue() *queue {
	return &queue{conns: make(chan net.Conn), closed: make(chan struct{}), info: map[net.Conn]*inside{}}
}

func (q *queue) put(c net.Conn, in *inside) {
	in.done = in.vendor.Gate().RegisterClient()
	q.mu.Lock()
	q.info[c] = in
	q.mu.Unlock()
	select {
	case q.conns <- c:
	case <-q.closed:
		q.state(c, http.StateClosed)
		c.Close()
	}
}

func (q *queue) context(ctx context.Context, c net.Conn) context.Context {
	q.mu.Lock()
	defer q.mu.Unlock()
	return context.WithValue(ctx, insideKey{}, q.info[c])
}

// state is for http.Server.ConnState.
func (q *queue) state(c net.Conn, s http.ConnState) {
	if s != http.StateClosed && s != http.StateHijacked {
		return
	}
	q.mu.Lock()
	in := q.info[c]
	delete(q.info, c)
	q.mu.Unlock()
	if in != nil {
		in.done()
	}
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}

func (q *queue) Close() error {
	q.once.Do(func() { close(q.closed) })
	return nil
}

// Addr is only there because a listener has one.
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }
