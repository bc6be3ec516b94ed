package console

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"cordon/internal/api"
)

var verbs = map[string]bool{"cut": true, "hold": true, "restore": true}

// maxForm bounds a form in bytes; the longest field is the reason.
const maxForm = 16 << 10

// ask is the page before a change: what would happen, and a field for the
// vendor's name. Nothing changes by opening it.
func (c *Console) ask(w http.ResponseWriter, r *http.Request) error {
	return c.askAgain(w, r, "")
}

// askAgain draws the form, with what was wrong with the last try. It is no
// error of HTTP: browsers would write one into their console.
func (c *Console) askAgain(w http.ResponseWriter, r *http.Request, why string) error {
	name, verb := r.PathValue("vendor"), r.PathValue("verb")
	if !verbs[verb] {
		c.problem(w, r, http.StatusNotFound, "There is no such page.", "")
		return nil
	}
	s, err := c.office.Status(r.Context())
	if err != nil {
		return err
	}
	preview, err := c.office.ChangeGate(r.Context(), verb, name, api.GateRequest{DryRun: true})
	if err != nil {
		return err
	}
	c.draw(w, http.StatusOK, "ask.html", askPage{
		frame: c.frame(r, titleOf(verb, name), s), Verb: verb, Vendor: vendorOf(s, name), Preview: preview,
		Reason: r.PostFormValue("reason"), Problem: why,
	})
	return nil
}

// act makes the change once the name was typed. The answer is a redirect, so
// that a reload does not do it again.
func (c *Console) act(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		c.problem(w, r, http.StatusBadRequest, "The form could not be read.", "Go back and try again.")
		return nil
	}
	name, verb := r.PathValue("vendor"), r.PathValue("verb")
	if strings.TrimSpace(r.PostFormValue("name")) != name {
		return c.askAgain(w, r, fmt.Sprintf("Type %s to %s it. Nothing was changed.", name, verb))
	}
	change, err := c.office.ChangeGate(r.Context(), verb, name, api.GateRequest{Reason: r.PostFormValue("reason")})
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.changed[name] = change
	c.mu.Unlock()
	http.Redirect(w, r, "/vendors/"+name+"/changed", http.StatusSeeOther)
	return nil
}

// result says what the last change did, and who may be affected.
func (c *Console) result(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("vendor")
	c.mu.Lock()
	change, known := c.changed[name]
	c.mu.Unlock()
	if !known { // made elsewhere, or before a restart
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	s, err := c.office.Status(r.Context())
	if err != nil {
		return err
	}
	verb := map[string]string{"cut": "cut", "hold": "hold", "open": "restore"}[change.Gate]
	page := resultPage{frame: c.frame(r, titleOf(verb, name), s), Verb: verb, Vendor: vendorOf(s, name), Change: change}
	for _, l := range change.Live {
		page.Handed += l.Bytes
	}
	if page.Scope, err = c.office.Scope(r.Context(), api.ScopeQuery{Vendor: name}); err != nil {
		page.Scope, page.ScopeProblem = nil, "The index could not be asked."
		if p, ok := errors.AsType[*api.Error](err); ok {
			page.ScopeProblem = sentence(p.Detail)
		}
	}
	c.draw(w, http.StatusOK, "result.html", page)
	return nil
}

func titleOf(verb, vendor string) string {
	return map[string]string{"cut": "Cut ", "hold": "Hold ", "restore": "Restore "}[verb] + vendor
}

func vendorOf(s api.Status, name string) api.VendorStatus {
	for _, v := range s.Vendors {
		if v.Vendor == name {
			return v
		}
	}
	return api.VendorStatus{Vendor: name, Name: name}
}
