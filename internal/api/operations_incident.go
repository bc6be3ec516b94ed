package api

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"
)

type (
	inIncidents struct {
		Vendor string `query:"vendor"`
	}
	inIncident struct {
		Incident string `path:"incident"`
	}
	inIncidentBody[T any] struct {
		Incident string `path:"incident"`
		Body     T
	}
)

func registerIncidents(a huma.API, d *Desk) {
	answer(a, http.MethodGet, "/incidents", "incidents", "All incidents, the newest first",
		func(ctx context.Context, in *inIncidents) (IncidentList, error) { return d.Incidents(ctx, in.Vendor) })
	answer(a, http.MethodPost, "/incidents", "incident-open", "Open an incident about a vendor, and freeze who was exposed",
		func(ctx context.Context, in *body[IncidentOpen]) (Incident, error) {
			return d.OpenIncident(ctx, in.Body)
		})
	answer(a, http.MethodGet, "/incidents/{incident}", "incident", "One incident: facts, scope, steps, timeline",
		func(ctx context.Context, in *inIncident) (Incident, error) { return d.Incident(ctx, in.Incident) })
	answer(a, http.MethodPost, "/incidents/{incident}/facts", "incident-fact", "State or correct facts",
		func(ctx context.Context, in *inIncidentBody[IncidentFacts]) (Incident, error) {
			return d.SetFacts(ctx, in.Incident, in.Body)
		})
	answer(a, http.MethodPost, "/incidents/{incident}/notes", "incident-note", "Add a free text; it is sealed beside the ledger",
		func(ctx context.Context, in *inIncidentBody[IncidentText]) (Incident, error) {
			return d.AddNote(ctx, in.Incident, in.Body)
		})
	answer(a, http.MethodPost, "/incidents/{incident}/scope", "incident-scope", "Freeze a new scope; narrowing one takes approvals",
		func(ctx context.Context, in *inIncidentBody[IncidentWindow]) (Incident, error) {
			return d.FreezeIncident(ctx, in.Incident, in.Body)
		})
	answer(a, http.MethodPost, "/incidents/{incident}/approve", "incident-approve", "Approve a step, as one of two users in different roles",
		func(ctx context.Context, in *inIncidentBody[IncidentApproval]) (Incident, error) {
			return d.ApproveStep(ctx, in.Incident, in.Body)
		})
	answer(a, http.MethodPost, "/incidents/{incident}/close", "incident-close", "Close an incident",
		func(ctx context.Context, in *inIncidentBody[IncidentText]) (Incident, error) {
			return d.CloseIncident(ctx, in.Incident, in.Body)
		})
	answer(a, http.MethodPost, "/incidents/{incident}/reopen", "incident-reopen", "Take a closing back",
		func(ctx context.Context, in *inIncidentBody[IncidentText]) (Incident, error) {
			return d.ReopenIncident(ctx, in.Incident, in.Body)
		})
}

// Incidents lists cases, all or one vendor's.
func (c *Client) Incidents(ctx context.Context, vendor string) (l IncidentList, err error) {
	v := url.Values{}
	setQuery(v, "vendor", vendor)
	return l, c.call(ctx, http.MethodGet, "/incidents?"+v.Encode(), nil, &l)
}

func (c *Client) Incident(ctx context.Context, id string) (i Incident, err error) {
	return i, c.call(ctx, http.MethodGet, "/incidents/"+url.PathEscape(id), nil, &i)
}

func (c *Client) OpenIncident(ctx context.Context, r IncidentOpen) (i Incident, err error) {
	return i, c.call(ctx, http.MethodPost, "/incidents", r, &i)
}

func (c *Client) SetFacts(ctx context.Context, id string, r IncidentFacts) (Incident, error) {
	return c.changeIncident(ctx, id, "facts", r)
}

func (c *Client) AddNote(ctx context.Context, id string, r IncidentText) (Incident, error) {
	return c.changeIncident(ctx, id, "notes", r)
}

func (c *Client) FreezeIncident(ctx context.Context, id string, w IncidentWindow) (Incident, error) {
	return c.changeIncident(ctx, id, "scope", w)
}

// IncidentAccessed sends a list of what was accessed.
func (c *Client) IncidentAccessed(ctx context.Context, id, kind string, r io.Reader) (a IncidentAccessed, err error) {
	v := url.Values{}
	setQuery(v, "kind", kind)
	response, err := c.do(ctx, http.MethodPost, "/incidents/"+url.PathEscape(id)+"/accessed?"+v.Encode(), "application/octet-stream", r)
	if err != nil {
		return a, err
	}
	return a, decode(response, &a)
}

func (c *Client) ApproveStep(ctx context.Context, id string, r IncidentApproval) (Incident, error) {
	return c.changeIncident(ctx, id, "approve", r)
}

func (c *Client) CloseIncident(ctx context.Context, id string, r IncidentText) (Incident, error) {
	return c.changeIncident(ctx, id, "close", r)
}

func (c *Client) ReopenIncident(ctx context.Context, id string, r IncidentText) (Incident, error) {
	return c.changeIncident(ctx, id, "reopen", r)
}

func (c *Client) changeIncident(ctx context.Context, id, what string, request any) (i Incident, err error) {
	return i, c.call(ctx, http.MethodPost, "/incidents/"+url.PathEscape(id)+"/"+what, request, &i)
}
