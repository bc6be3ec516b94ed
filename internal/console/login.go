package console

import (
	"net/http"

	"cordon/internal/api"
)

// login opens a session: by the one-time link that the server printed, or by a
// user's token pasted into the form.
func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	page := loginPage{frame: frame{Title: "Log in", Now: c.now()}}
	status := http.StatusOK
	switch {
	case r.Method == http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if secret, ok := c.access.RedeemToken(r.PostFormValue("token")); ok {
			enter(w, r, secret)
			return
		}
		status, page.Problem = http.StatusUnauthorized, "This token is not valid, or waits for approval."
	case r.URL.Query().Has("code"):
		if secret, ok := c.access.RedeemCode(r.URL.Query().Get("code")); ok {
			enter(w, r, secret)
			return
		}
		status, page.Problem = http.StatusUnauthorized, "This link was used already, or is older than 15 minutes."
	}
	c.draw(w, status, "login.html", page)
}

// enter redirects, so that the code leaves the address bar and the history.
func enter(w http.ResponseWriter, r *http.Request, secret string) {
	http.SetCookie(w, api.Cookie(secret))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	c.access.End(r)
	gone := api.Cookie("")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
