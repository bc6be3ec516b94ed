package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"

	"cordon/internal/gateway/guard"
)

// Server is an HTTP server behind the guard. Both front ends use it.
func (g *Gateway) Server(l Limits, h http.HandlerFunc) *http.Server {
	l = l.WithDefaults()
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if shape, bad := guard.Refused(r); bad {
				status := http.StatusBadRequest
				if shape.TooLarge() {
					status = http.StatusRequestHeaderFieldsTooLarge
				}
				g.Refuse(&Exchange{Answer: w}, Malformed(status, string(shape)))
				return
			}
			h(w, r)
		}),
		ConnContext:       guard.Context,
		ReadHeaderTimeout: l.HeadTimeout, // the guard's own holds for HTTP/1.1; this one for HTTP/2
		IdleTimeout:       l.IdleTimeout,
		MaxHeaderBytes:    l.Head,
		ErrorLog:          slog.NewLogLogger(g.o.Log.Handler(), slog.LevelDebug),
	}
}

// Listener lets at most l.Connections clients in at once, each behind a guard.
func Listener(ln net.Listener, l Limits) net.Listener {
	l = l.WithDefaults()
	return &listener{Listener: ln, l: l, slots: make(chan struct{}, l.Connections)}
}

type listener struct {
	net.Listener
	l     Limits
	slots chan struct{}
}

func (ln *listener) Accept() (net.Conn, error) {
	ln.slots <- struct{}{} // further clients wait in the kernel's queue
	c, err := ln.Listener.Accept()
	if err != nil {
		<-ln.slots
		return nil, err
	}
	return Guard(&slotted{Conn: c, free: sync.OnceFunc(func() { <-ln.slots })}, ln.l), nil
}

// Guard puts the guard in front of a connection that carries HTTP/1.1.
func Guard(c net.Conn, l Limits) *guard.Conn {
	return guard.New(c, guard.Limits{Head: l.Head, HeadTimeout: l.HeadTimeout, BodyTimeout: l.BodyTimeout})
}

type slotted struct {
	net.Conn
	free func()
}

func (s *slotted) Close() error {
	defer s.free()
	return s.Conn.Close()
}

// SplitTarget takes a request target apart without changing a byte of it: net/url
// would decode the path, and two spellings of one path may be two to a vendor.
func SplitTarget(target string) (path, query string) {
	if !strings.HasPrefix(target, "/") {
		if _, rest, ok := strings.Cut(target, "://"); ok { // absolute form
			if i := strings.IndexAny(rest, "/?"); i >= 0 {
				target = rest[i:]
			} else {
				target = ""
			}
			if !strings.HasPrefix(target, "/") {
				target = "/" + target
			}
		}
	}
	path, query, _ = strings.Cut(target, "?")
	return path, query
}

// HostName is a Host header without its port, in lower case.
func HostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// Handle makes the exchange of an HTTP request and serves it.
func (g *Gateway) Handle(ctx context.Context, w http.ResponseWriter, r *http.Request, v *Vendor, s Sender, host, path, query string) {
	g.Serve(ctx, &Exchange{
		Vendor: v, Sender: s, Host: host, Method: r.Method, Path: path, Query: query,
		Header: r.Header, Body: r.Body, Length: r.ContentLength, Answer: w,
	})
}
