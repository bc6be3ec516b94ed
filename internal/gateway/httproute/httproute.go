// Package httproute is the front end of reverse routes: a request to
// http://…/VENDOR/PATH goes to PATH of the vendor.
//
// It is for clients that can be pointed at another base address. Those that
// cannot use package proxy.
package httproute

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/gateway"
)

// TokenHeader carries the app's token. It never reaches a vendor.
const TokenHeader = "Cordon-App"

// Server serves reverse routes.
type Server struct {
	g      *gateway.Gateway
	http   *http.Server
	limits gateway.Limits
}

// New makes a server that listens nowhere yet.
func New(g *gateway.Gateway, l gateway.Limits) *Server {
	s := &Server{g: g, limits: l}
	s.http = g.Server(l, s.handle)
	return s
}

// Serve accepts clients until Shutdown; it then returns http.ErrServerClosed.
func (s *Server) Serve(ln net.Listener) error { return s.http.Serve(gateway.Listener(ln, s.limits)) }

// Shutdown stops accepting and waits for what is under way until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return shutdown(ctx, s.http) }

func shutdown(ctx context.Context, h *http.Server) error {
	err := h.Shutdown(ctx)
	if err != nil {
		h.Close() // what did not end by itself is broken off
	}
	return err
}

func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	x := &gateway.Exchange{Answer: w}
	if fromPage(r) {
		s.g.Refuse(x, gateway.Malformed(http.StatusForbidden, "a page of another origin sent this"))
		return
	}
	sender, p := s.g.Sender(r.RemoteAddr, "", r.Header.Get(TokenHeader))
	if p != nil {
		s.g.Refuse(x, p)
		return
	}
	x.Sender = sender
	if sender.App == gateway.Anonymous && !s.calledByName(r.Host) {
		s.g.Refuse(x, gateway.Malformed(http.StatusMisdirectedRequest, "the Host is no name of this machine"))
		return
	}
	path, query := gateway.SplitTarget(r.RequestURI)
	name, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	v := s.g.Vendor(exposure.VendorID(name))
	if v == nil {
		s.g.Refuse(x, gateway.UnknownVendor())
		return
	}
	s.g.Handle(r.Context(), w, r, v, sender, "", "/"+rest, query)
}

// fromPage reports whether a browser sends this on behalf of some page. Without
// apps every process of this machine may send, and a browser is one; a page from
// elsewhere must not send in its name (Fetch Metadata, W3C). Browsers leave the
// metadata out towards origins that are not secure, but not the Origin.
func fromPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host)
}

// calledByName reports whether the client meant this machine. A page whose name
// was made to resolve to us (DNS rebinding) is of our own origin to the browser,
// but still asks for that name; addresses, localhost and the vendors' own hosts
// cannot be taken over that way.
func (s *Server) calledByName(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	// A name without a dot is nobody's to register.
	return !strings.Contains(name, ".") || strings.HasSuffix(name, ".localhost") || s.g.Host(name) != nil
}
