// Package proxy is the front end for clients that cannot be pointed elsewhere:
// a forward proxy (HTTPS_PROXY) that opens TLS with our own CA.
//
// A CONNECT to a host that a manifest names is answered by us in the vendor's
// place; what is inside is served like any other message. Any other host is
// refused, or in observe mode tunnelled uninspected and recorded as such.
//
// Three names must agree, or the connection would carry one vendor's messages
// under another's name: the CONNECT's host, the TLS server name, and each
// request's Host.
package proxy

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strings"

	"cordon/internal/gateway"
	"cordon/internal/gateway/ca"
)

// Server is the forward proxy.
type Server struct {
	g      *gateway.Gateway
	ca     *ca.Authority
	limits gateway.Limits
	outer  *http.Server // what clients connect to
	inner  *http.Server // what is inside their tunnels
	queue  *queue       // from outer to inner
	ctx    context.Context
	cancel context.CancelFunc
	work   tunnels
}

// New makes a proxy that listens nowhere yet.
func New(g *gateway.Gateway, authority *ca.Authority, l gateway.Limits) *Server {
	s := &Server{g: g, ca: authority, limits: l.WithDefaults(), queue: newQueue()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.outer = g.Server(l, s.handle)
	s.inner = g.Server(l, s.handleInside)
	guarded := s.inner.ConnContext
	s.inner.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return s.queue.context(guarded(ctx, c), c)
	}
	s.inner.ConnState = s.queue.state
	return s
}

// Serve accepts clients until Shutdown; it then returns http.ErrServerClosed.
func (s *Server) Serve(ln net.Listener) error {
	go s.inner.Serve(s.queue)
	return s.outer.Serve(gateway.Listener(ln, s.limits))
}

// Shutdown stops accepting, waits for what is under way until ctx ends, and
// breaks off the rest; uninspected tunnels are broken off at once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.cancel()
	err := errors.Join(s.outer.Shutdown(ctx), s.inner.Shutdown(ctx))
	s.outer.Close()
	s.inner.Close()
	s.queue.Close()
	s.work.wait()
	return err
}

// handle takes a CONNECT, or a plain request in absolute form.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	x := &gateway.Exchange{Answer: w}
	app, token := credentials(r.Header.Get("Proxy-Authorization"))
	sender, p := s.g.Sender(r.RemoteAddr, app, token)
	if p != nil {
		p.Status, p.Title = http.StatusProxyAuthRequired, http.StatusText(http.StatusProxyAuthRequired)
		s.refuse(x, p)
		return
	}
	x.Sender = sender
	if r.Method == http.MethodConnect {
		s.connect(w, r, sender)
		return
	}
	if !r.URL.IsAbs() {
		s.refuse(x, gateway.Malformed(http.StatusBadRequest, "this is a proxy: the target must be a whole URI"))
		return
	}
	host := gateway.HostName(r.Host)
	v := s.g.Host(host)
	if v == nil {
		s.g.Sighted(host, false)
		s.refuse(x, gateway.UnknownHost())
		return
	}
	path, query := gateway.SplitTarget(r.RequestURI)
	s.g.Handle(r.Context(), w, r, v, sender, host, path, query)
}

// refuse ends the connection too: after a refused CONNECT the client's next
// bytes may be TLS, or somebody else's request.
func (s *Server) refuse(x *gateway.Exchange, p *gateway.Problem) {
	x.Answer.Header().Set("Connection", "close")
	s.g.Refuse(x, p)
}

// handleInside serves what came through an intercepted tunnel.
func (s *Server) handleInside(w http.ResponseWriter, r *http.Request) {
	in := insideOf(r.Context())
	x := &gateway.Exchange{Answer: w}
	if in == nil || r.Method == http.MethodConnect {
		s.refuse(x, gateway.NotSupported("no tunnel inside a tunnel"))
		return
	}
	x.Sender = in.sender
	host := gateway.HostName(r.Host)
	if s.g.Host(host) != in.vendor {
		// The client may have joined two hosts on one HTTP/2 connection, and 421
		// makes it open another; or it names one vendor to reach another.
		x.Vendor = in.vendor
		s.g.Refuse(x, gateway.Malformed(http.StatusMisdirectedRequest, "host of another vendor than the tunnel's"))
		return
	}
	path, query := gateway.SplitTarget(r.RequestURI)
	s.g.Handle(r.Context(), w, r, in.vendor, in.sender, host, path, query)
}

// credentials reads Proxy-Authorization: Basic app:token, or Bearer token.
func credentials(h string) (app, token string) {
	scheme, value, _ := strings.Cut(h, " ")
	value = strings.TrimSpace(value)
	switch strings.ToLower(scheme) {
	case "bearer":
		return "", value
	case "basic":
		b, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return "", ""
		}
		app, token, _ = strings.Cut(string(b), ":")
		return app, token
	default:
		return "", ""
	}
}
