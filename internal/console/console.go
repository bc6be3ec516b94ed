package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"cordon/internal/api"
	"cordon/internal/scope"
)

// Office is what the pages ask; *api.Desk is one. Rights are checked there, by
// the actor in the context.
type Office interface {
	Status(ctx context.Context) (api.Status, error)
	ChangeGate(ctx context.Context, verb, vendor string, r api.GateRequest) (api.GateChange, error)
	Scope(ctx context.Context, q api.ScopeQuery) (*scope.Answer, error)
	// Counts are the messages recorded per vendor since the server started.
	Counts() map[string]uint64
}

// Console serves the pages.
type Console struct {
	office Office
	access *api.Access
	log    *slog.Logger
	now    func() time.Time
	flow   *flow
	mux    *http.ServeMux

	mu sync.Mutex
	// changed holds the last change of each vendor's gate that was made here,
	// so that the answer to a form can be a redirect and reloading it does no
	// harm. Guarded by mu.
	changed map[string]api.GateChange
}

// New makes the console. It samples the flow until ctx ends.
func New(ctx context.Context, office Office, access *api.Access, log *slog.Logger, now func() time.Time) *Console {
	c := &Console{
		office: office, access: access, log: log, now: now, flow: newFlow(), mux: http.NewServeMux(),
		changed: map[string]api.GateChange{},
	}
	c.mux.HandleFunc("GET /{$}", c.page(c.overview))
	c.mux.HandleFunc("GET /vendors/{vendor}/{verb}", c.page(c.ask))
	c.mux.HandleFunc("POST /vendors/{vendor}/{verb}", c.page(c.act))
	c.mux.HandleFunc("GET /vendors/{vendor}/changed", c.page(c.result))
	c.mux.HandleFunc("GET /login", c.login)
	c.mux.HandleFunc("POST /login", c.login)
	c.mux.HandleFunc("POST /logout", c.logout)
	c.mux.HandleFunc("GET /assets/{name...}", serveAsset)
	c.mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) {
		r.SetPathValue("name", "favicon.svg")
		serveAsset(w, r)
	})
	c.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c.problem(w, r, http.StatusNotFound, "There is no such page.", "")
	})
	go c.flow.sample(ctx, office, now)
	return c
}

// policy allows what the pages are made of and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	// Same origin, not none: without a Referer's origin some browsers send
	// "Origin: null" with a form, and the cross-origin check would refuse it.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	c.mux.ServeHTTP(w, r)
}

// page lets in who has a session and turns errors into pages.
func (c *Console) page(draw func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		actor, _ := c.access.Who(r)
		if actor.Name == "" {
			if r.Header.Get("HX-Request") != "" { // the session ended under an open page
				w.Header().Set("HX-Redirect", "/login")
				w.WriteHeader(http.StatusOK)
				return
			}
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		r = r.WithContext(api.WithActor(r.Context(), actor))
		if err := draw(w, r); err != nil {
			if p, ok := errors.AsType[*api.Error](err); ok {
				c.problem(w, r, p.Status, sentence(p.Detail), sentence(p.Next))
				return
			}
			c.log.Error("console", "path", r.Pattern, "error", err)
			c.problem(w, r, http.StatusInternalServerError, "The page could not be drawn.", "The server's log says why.")
		}
	}
}

func (c *Console) problem(w http.ResponseWriter, r *http.Request, status int, what, next string) {
	actor := api.ActorOf(r.Context())
	c.draw(w, status, "problem.html", problemPage{
		frame: frame{Title: http.StatusText(status), Actor: actor.Name, Role: string(actor.Role)},
		What:  what, Next: next,
	})
}
