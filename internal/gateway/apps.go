package gateway

import (
	"crypto/sha256"
	"net/netip"
	"slices"

	"cordon/internal/exposure"
	"cordon/internal/vault"
)

// App is one sender. Without any, loopback peers are served as "anonymous".
type App struct {
	Name    string
	Token   vault.Secret
	Vendors []exposure.VendorID // nil: all
}

// Anonymous is the app of a loopback peer when no apps are configured.
const Anonymous = "anonymous"

// Sender is who sends, once that was established. Its zero value may send
// nothing.
type Sender struct {
	App    string
	Token  string // keyed digest of the token it showed; empty for anonymous
	any    bool
	allows []exposure.VendorID
}

func (s Sender) may(v exposure.VendorID) bool { return s.any || slices.Contains(s.allows, v) }

// apps finds an app by the hash of its token, so that the time it takes tells
// nothing about the tokens themselves.
type apps map[[sha256.Size]byte]Sender

func newApps(list []App, secrets Secrets) apps {
	if len(list) == 0 {
		return nil
	}
	a := apps{}
	for _, app := range list {
		if app.Token.IsZero() {
			continue // an empty token would let everyone in
		}
		token := app.Token.Reveal()
		a[sha256.Sum256([]byte(token))] = Sender{App: app.Name, Token: secrets.Digest(token), any: app.Vendors == nil, allows: app.Vendors}
	}
	return a
}

// Sender establishes who speaks. peer is the other end's address; token is
// what it showed, app the name it claims beside the token (empty: none).
func (g *Gateway) Sender(peer, app, token string) (Sender, *Problem) {
	if g.apps == nil {
		if a, err := netip.ParseAddrPort(peer); err == nil && a.Addr().Unmap().IsLoopback() {
			return Sender{App: Anonymous, any: true}, nil
		}
		return Sender{}, problem(401, exposure.ReasonUnknownApp, "no apps are configured, and without apps only this machine may send", "configure apps: in cordon.yaml and send the app's token")
	}
	if s, ok := g.apps[sha256.Sum256([]byte(token))]; ok && token != "" && (app == "" || app == s.App) {
		return s, nil
	}
	return Sender{}, problem(401, exposure.ReasonUnknownApp, "the app's token is missing or unknown", "send the token that cordon.yaml names for the app: in the header Cordon-App, or as proxy password")
}
