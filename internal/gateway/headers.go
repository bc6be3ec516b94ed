package gateway

import (
	"net/http"
	"net/textproto"
	"strings"

	"cordon/internal/vendor"
)

// hopByHop are fields about one connection and not about the message (RFC 9110,
// section 7.6.1), and what is between the app and us.
var hopByHop = []string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
	"Proxy-Authentication-Info", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings",
}

// ours never reach a vendor: framing is written anew, a buffered message needs
// no Expect, and the app's token is for us.
var ours = []string{"Expect", "Content-Length", "Host", "Cordon-App"}

// forwarders are where load balancers write the address of the person behind
// an app. A vendor that is meant to have it gets it by a mapping in: header.
var forwarders = []string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port",
	"X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Client-Ip",
}

// strip removes from a request's header what must not go on. It comes before
// a credential is put in, so that `Connection: Authorization` removes the app's
// header and never ours.
func strip(h http.Header, r vendor.Route) {
	removeHops(h)
	for _, name := range ours {
		delete(h, name)
	}
	stripSession(h)
	if r.Spec.Mode == vendor.Shadow {
		return // shadow mode changes nothing that is the vendor's to see
	}
	for _, name := range forwarders {
		if _, there := h[name]; there && !mapped(r, name) {
			delete(h, name)
		}
	}
}

// sessionCookie is the console's. Cookies know no ports: a browser that is logged
// in there sends it here too.
const sessionCookie = "cordon_session"

func stripSession(h http.Header) {
	lines := h["Cookie"]
	if len(lines) == 0 {
		return
	}
	var kept []string
	for _, line := range lines {
		for _, c := range strings.Split(line, ";") {
			if name, _, _ := strings.Cut(strings.TrimSpace(c), "="); name != sessionCookie && name != "" {
				kept = append(kept, strings.TrimSpace(c))
			}
		}
	}
	if delete(h, "Cookie"); len(kept) > 0 {
		h["Cookie"] = []string{strings.Join(kept, "; ")}
	}
}

func mapped(r vendor.Route, header string) bool {
	for _, m := range r.Mappings() {
		if m.In != "header" {
			continue
		}
		for name := range m.Fields {
			if strings.EqualFold(name, header) {
				return true
			}
		}
	}
	return false
}

func removeHops(h http.Header) {
	for _, list := range h["Connection"] {
		for _, name := range strings.Split(list, ",") {
			delete(h, textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)))
		}
	}
	for _, name := range hopByHop {
		delete(h, name)
	}
}
