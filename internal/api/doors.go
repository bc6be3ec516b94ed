package api

import (
	"net/http"
	"strings"
)

// Console lets the API out on the console's address: everything but the public
// paths wants a session or a token, and only bodies that another site's form
// cannot send are taken.
func (a *Access) Console(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if Public(r.URL.Path) {
			handler.ServeHTTP(w, r)
			return
		}
		actor, shown := a.Who(r)
		if actor.Name == "" {
			if p := a.notYet(r); p != nil {
				writeProblem(w, p)
				return
			}
			detail := "nobody is logged in"
			if shown {
				detail = "this token or session is not valid (any more)"
			}
			w.Header().Set("WWW-Authenticate", `Bearer realm="cordon"`)
			writeProblem(w, problem(http.StatusUnauthorized, "not-authenticated",
				"send `Authorization: Bearer TOKEN`; `cordon user add` makes tokens", "%s", detail))
			return
		}
		if !scriptOnly(r) {
			writeProblem(w, problem(http.StatusUnsupportedMediaType, "media-type", "send application/json", "this type of body is not taken"))
			return
		}
		handler.ServeHTTP(w, r.WithContext(WithActor(r.Context(), actor)))
	})
}

// Socket lets the API out on the Unix socket: whoever may open the file is its
// owner and acts as local, unless a token says otherwise.
func (a *Access) Socket(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor := LocalActor
		if r.Header.Get("Authorization") != "" {
			actor, _ = a.Who(r)
			if actor.Name == "" {
				if p := a.notYet(r); p != nil {
					writeProblem(w, p)
					return
				}
				writeProblem(w, problem(http.StatusUnauthorized, "not-authenticated",
					"see `cordon user list`; a waiting user cannot act yet", "this token is not valid"))
				return
			}
		}
		handler.ServeHTTP(w, r.WithContext(WithActor(r.Context(), actor)))
	})
}

// notYet refuses the token of a user whom nobody has approved yet; nil for others.
// Whoever holds the token may know whose it is.
func (a *Access) notYet(r *http.Request) *Error {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		return nil
	}
	name := a.users.waiting(strings.TrimSpace(token))
	if name == "" {
		return nil
	}
	return problem(http.StatusUnauthorized, "waits-for-approval", "let another user run `cordon user approve "+name+" --token-file FILE`",
		"the user %s waits for a second user's approval and cannot act until then", name)
}

// scriptOnly refuses the three content types that an HTML form can send.
func scriptOnly(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.ContentLength == 0 {
		return true
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch strings.TrimSpace(strings.ToLower(kind)) {
	case "application/json", "text/csv", "application/x-ndjson":
		return true
	}
	return false
}
