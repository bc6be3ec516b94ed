package api

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/gateway"
	"cordon/internal/scope"
)

// Scope answers who was exposed, in figures.
func (d *Desk) Scope(ctx context.Context, q ScopeQuery) (*scope.Answer, error) {
	if _, err := may(ctx, SeeFigures); err != nil {
		return nil, err
	}
	if err := d.needLedger(); err != nil {
		return nil, err
	}
	query, err := d.query(ctx, q)
	if err != nil {
		return nil, err
	}
	query.Checkpoint = d.Ledger.Status().Checkpoint
	answer, err := d.Index.Query(ctx, query)
	if err != nil {
		return nil, unavailable("answering from the index", err)
	}
	return answer, nil
}

// ExportScope writes the people themselves, by directory id, as CSV. It is a
// read about people: gated, recorded before the first line, and expensive in
// the reader's allowance.
func (d *Desk) ExportScope(ctx context.Context, q ScopeQuery, w io.Writer) error {
	actor, err := may(ctx, ReadPeople)
	if err != nil {
		return err
	}
	if err := d.needLedger(); err != nil {
		return err
	}
	query, err := d.query(ctx, q)
	if err != nil {
		return err
	}
	if err := d.limit().take(actor, 10, d.Now()); err != nil {
		return err
	}
	fields := map[string]any{"what": "export", "route": query.Route, "app": query.App, "basis": query.Basis.String()}
	if !query.Since.IsZero() {
		fields["since"] = query.Since.UTC().Format(time.RFC3339Nano)
	}
	if !query.Until.IsZero() {
		fields["until"] = query.Until.UTC().Format(time.RFC3339Nano)
	}
	if err := d.record(ctx, actor, query.Vendor, fields); err != nil {
		return err
	}
	_, err = d.Index.Export(ctx, query, w, d.Ledger.DirectoryID)
	return err
}

// futureSkew is how far the clocks of whoever asks may be ahead of ours.
const futureSkew = time.Hour

// query checks a question. A name that neither the configuration nor the
// ledger knows is refused: "nobody" would be the answer to a typing mistake, and
// somebody could be told so. What only the ledger knows is answered for: a
// vendor, a route or an app is asked about long after its manifest is gone.
func (d *Desk) query(ctx context.Context, q ScopeQuery) (scope.Query, error) {
	basis, ok := scope.ParseBasis(q.Basis)
	if !ok {
		return scope.Query{}, problem(http.StatusUnprocessableEntity, "basis-unknown", "use held or sent", "there is no basis %q", q.Basis)
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return scope.Query{}, problem(http.StatusUnprocessableEntity, "window-empty", "give --since before --until", "the window ends before it begins")
	}
	if now := d.Now(); q.Since.After(now.Add(futureSkew)) {
		return scope.Query{}, problem(http.StatusUnprocessableEntity, "window-not-begun", "give --since as an instant that has been, such as "+now.UTC().Format(time.DateOnly),
			"the window begins on %s, which is yet to come: nothing can be said of it", q.Since.UTC().Format(time.DateOnly))
	}
	used, err := d.Index.Pathways(ctx, exposure.VendorID(q.Vendor))
	if err != nil {
		return scope.Query{}, unavailable("answering from the index", err)
	}
	// What a vendor without a manifest gathers by itself nobody says: then it
	// may be anything, and nothing is claimed.
	collects := exposure.Categories()
	apps, credentials := []string{gateway.Anonymous}, []string{}
	spec, err := d.spec(q.Vendor)
	switch {
	case err == nil:
		collects = spec.Collects
		if spec.Credential != nil {
			credentials = append(credentials, spec.Credential.Secret)
		}
	case len(used) == 0:
		return scope.Query{}, err
	}
	for _, a := range d.Config.Apps {
		apps = append(apps, a.App)
	}
	routes := make([]string, 0, len(used))
	for _, p := range used {
		if p.Route == exposure.DeclaredRoute {
			continue // by no way that a question could name
		}
		routes, apps, credentials = append(routes, p.Route), append(apps, p.App), append(credentials, p.Credential)
	}
	if !slices.Contains(routes, q.Route) && spec != nil {
		if _, err := routeOf(spec, q.Route); err != nil {
			return scope.Query{}, err
		}
	} else if err := known("route", q.Route, routes); err != nil {
		return scope.Query{}, err
	}
	if err := known("app", q.App, apps); err != nil {
		return scope.Query{}, err
	}
	if err := known("credential", q.Credential, credentials); err != nil {
		return scope.Query{}, err
	}
	if q.Incident != "" {
		switch k, ok := d.Fold.Cases.Get(q.Incident); {
		case !ok:
			return scope.Query{}, problem(http.StatusNotFound, "unknown-incident", "see `cordon incident list`", "there is no incident %q", q.Incident)
		case string(k.Vendor) != q.Vendor: // its answer would be cited as the incident's
			return scope.Query{}, problem(http.StatusUnprocessableEntity, "incident-of-another-vendor", "see `cordon incident list`",
				"%s is about %s, not about %s", k.ID, k.Vendor, q.Vendor)
		}
	}
	var unfinished []uint64
	if slices.ContainsFunc(used, func(p exposure.Pathway) bool { return p.Route == exposure.DeclaredRoute }) {
		if unfinished, err = d.unfinished(exposure.VendorID(q.Vendor)); err != nil {
			return scope.Query{}, unavailable("reading what was declared", err)
		}
	}
	return scope.Query{
		Unfinished: unfinished,
		Vendor:     exposure.VendorID(q.Vendor), Route: q.Route, App: q.App, Credential: q.Credential,
		Since: q.Since, Until: q.Until, Basis: basis, Collects: collects, Incident: q.Incident,
	}, nil
}

// describe adds what the manifests say of the vendors: an answer to a person
// names who holds their data and what for (GDPR article 15).
func (d *Desk) describe(p *scope.Person) {
	for i := range p.Vendors {
		v := &p.Vendors[i]
		if spec, err := d.spec(string(v.Vendor)); err == nil {
			m := spec.Manifest
			v.Name, v.Role, v.Country, v.Purposes = m.Name, m.Role, m.Country, m.Purposes
		}
	}
}

// known refuses a name that is not in the list; none at all is no mistake.
func known(what, name string, list []string) error {
	return knownOr(what, name, list, "leave --"+what+" out to see everything")
}

// knownOr is known for verbs that would do too much without the name.
func knownOr(what, name string, list []string, next string) error {
	if name == "" || slices.Contains(list, name) {
		return nil
	}
	if near := nearest(name, list); near != "" {
		next = "did you mean " + near + "?"
	}
	return problem(http.StatusNotFound, "unknown-"+what, next, "nothing was ever sent by the %s %q, and nothing is configured under that name", what, name)
}

// Subject tells what every vendor got about the person behind an identifier.
func (d *Desk) Subject(ctx context.Context, q SubjectQuery) (*scope.Person, error) {
	actor, err := may(ctx, ReadPeople)
	if err != nil {
		return nil, err
	}
	if err := d.needLedger(); err != nil {
		return nil, err
	}
	candidates, err := candidates(q)
	if err != nil {
		return nil, err
	}
	if err := d.limit().take(actor, 1, d.Now()); err != nil {
		return nil, err
	}
	// The kind is recorded and never the value. Recorded also when nobody is
	// found: asking is the read.
	kinds := make([]string, 0, len(candidates))
	for _, c := range candidates {
		kinds = append(kinds, c.Kind.String())
	}
	if err := d.record(ctx, actor, "", map[string]any{"what": "subject", "kinds": strings.Join(kinds, " ")}); err != nil {
		return nil, err
	}
	for _, id := range candidates {
		who, found, err := d.Ledger.Lookup(id)
		if err != nil {
			return nil, unavailable("looking the identifier up", err)
		}
		if !found {
			continue
		}
		person, err := d.Index.Subject(ctx, who)
		if err != nil {
			return nil, unavailable("answering from the index", err)
		}
		d.describe(person)
		if name, known, err := d.Ledger.DirectoryID(who); err != nil {
			return nil, unavailable("opening the directory id", err)
		} else if known {
			person.Subject = &name
		}
		return person, nil
	}
	return scope.Nothing(), nil
}

// candidates are the identifiers that a text may be, the likeliest first.
func candidates(q SubjectQuery) ([]exposure.Identifier, error) {
	kinds := []exposure.Kind{exposure.KindEmail, exposure.KindUserID, exposure.KindUsername, exposure.KindPhone,
		exposure.KindEmailSHA256, exposure.KindPhoneSHA256, exposure.KindEmailMD5}
	if q.Vendor != "" {
		kinds = append(kinds, exposure.KindPseudonym)
	}
	if q.Kind != "" {
		k, ok := exposure.LookupKind(q.Kind)
		if !ok {
			return nil, problem(http.StatusUnprocessableEntity, "kind-unknown", "use email, phone, user_id, username, pseudonym, email_sha256, email_md5 or phone_sha256", "there is no kind of identifier %q", q.Kind)
		}
		if k == exposure.KindPseudonym && q.Vendor == "" {
			return nil, problem(http.StatusUnprocessableEntity, "vendor-missing", "give --vendor: a pseudonym is known to one vendor only", "a pseudonym needs its vendor")
		}
		kinds = []exposure.Kind{k}
	}
	var out []exposure.Identifier
	for _, k := range kinds {
		id, err := exposure.Canonical(k, q.Identifier)
		if err != nil {
			continue
		}
		if k == exposure.KindPseudonym {
			id.Vendor = exposure.VendorID(q.Vendor)
		}
		out = append(out, id)
	}
	if len(out) == 0 {
		return nil, problem(http.StatusUnprocessableEntity, "identifier-invalid", "give an address, a number, an id or a user name", "that is no identifier")
	}
	return out, nil
}
