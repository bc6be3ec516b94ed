package api

import (
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

// Access says who a request comes from, for the API and the console alike.
type Access struct {
	users *Users
	now   func() time.Time
	// hosts are the names under which the console may be called, besides IP
	// literals and localhost.
	hosts map[string]bool

	mu       sync.Mutex // guards the two below
	codes    map[[32]byte]time.Time
	sessions map[[32]byte]session
}

type session struct {
	actor Actor
	until time.Time
}

// SessionCookie is the name of the console's cookie.
const SessionCookie = "cordon_session"

const (
	sessionLasts = 12 * time.Hour
	codeLasts    = 15 * time.Minute
)

// NewAccess makes the door. Names are the host names, besides localhost and
// the machine's own, under which people reach the console.
func NewAccess(users *Users, now func() time.Time, names ...string) *Access {
	a := &Access{
		users: users, now: now, hosts: map[string]bool{"localhost": true},
		codes: map[[32]byte]time.Time{}, sessions: map[[32]byte]session{},
	}
	if own, err := os.Hostname(); err == nil {
		names = append(names, own)
	}
	for _, name := range names {
		if name != "" {
			a.hosts[strings.ToLower(name)] = true
		}
	}
	return a
}

// OneTimeCode makes a code that opens one session as the socket's owner. It is
// printed to whoever started the server, and to nobody else.
func (a *Access) OneTimeCode() string {
	code := secretText()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.codes[sha256.Sum256([]byte(code))] = a.now().Add(codeLasts)
	return code
}

// RedeemCode opens a session for a one-time code, and uses the code up.
func (a *Access) RedeemCode(code string) (secret string, ok bool) {
	key := sha256.Sum256([]byte(code))
	a.mu.Lock()
	until, known := a.codes[key]
	delete(a.codes, key)
	a.mu.Unlock()
	if !known || a.now().After(until) {
		return "", false
	}
	return a.open(LocalActor), true
}

// RedeemToken opens a session for a user's token.
func (a *Access) RedeemToken(token string) (secret string, ok bool) {
	actor, ok := a.users.Who(strings.TrimSpace(token))
	if !ok {
		return "", false
	}
	return a.open(actor), true
}

func (a *Access) open(actor Actor) string {
	secret := secretText()
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, s := range a.sessions { // few; this is the only place that grows them
		if now.After(s.until) {
			delete(a.sessions, key)
		}
	}
	a.sessions[sha256.Sum256([]byte(secret))] = session{actor, now.Add(sessionLasts)}
	return secret
}

// End closes a session.
func (a *Access) End(r *http.Request) {
	if c, err := r.Cookie(SessionCookie); err == nil {
		a.mu.Lock()
		delete(a.sessions, sha256.Sum256([]byte(c.Value)))
		a.mu.Unlock()
	}
}

// Cookie wraps a session's secret. SameSite=Strict keeps other sites from
// using it, HttpOnly keeps scripts from reading it.
func Cookie(secret string) *http.Cookie {
	return &http.Cookie{
		Name: SessionCookie, Value: secret, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode, MaxAge: int(sessionLasts.Seconds()),
	}
}

// Who is the actor of a request: the bearer of a token, or of a session. A
// token that is wrong is nobody, also when a good cookie lies beside it. Second
// return: whether anything was shown at all.
func (a *Access) Who(r *http.Request) (actor Actor, shown bool) {
	if header := r.Header.Get("Authorization"); header != "" {
		token, bearer := strings.CutPrefix(header, "Bearer ")
		if !bearer {
			return Actor{}, true
		}
		actor, _ = a.users.Who(strings.TrimSpace(token))
		return actor, true
	}
	c, err := r.Cookie(SessionCookie)
	if err != nil {
		return Actor{}, false
	}
	a.mu.Lock()
	s, ok := a.sessions[sha256.Sum256([]byte(c.Value))]
	a.mu.Unlock()
	if !ok || a.now().After(s.until) {
		return Actor{}, true
	}
	actor, _ = a.users.current(s.actor)
	return actor, true
}

// HostAllowed refuses the names that an attacker's DNS could point at us: a
// page of evil.example that resolves to 127.0.0.1 still sends Host:
// evil.example. An address cannot be rebound, so IP literals are allowed.
func (a *Access) HostAllowed(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(strings.ToLower(name), "[]")
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return a.hosts[name]
}

// Guard is the outermost handler on the console's address.
func (a *Access) Guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, problem(http.StatusForbidden, "cross-origin", "use the console's own pages, or a token", "this request came from another site"))
	}))
	inner := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.HostAllowed(r.Host) {
			writeProblem(w, problem(http.StatusMisdirectedRequest, "host-not-allowed",
				"use localhost, the address itself, or the name in listen.console", "this server is not called by that name"))
			return
		}
		inner.ServeHTTP(w, r)
	})
}

func writeProblem(w http.ResponseWriter, p *Error) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = Encode(w, p, false)
}

func secretText() string { return base64.RawURLEncoding.EncodeToString(random(32)) }
