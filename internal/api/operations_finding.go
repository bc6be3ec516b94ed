package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

type (
	inFindings struct {
		Vendor string    `query:"vendor"`
		Kind   string    `query:"kind"`
		Since  time.Time `query:"since"`
		All    bool      `query:"all"`
	}
	inFinding struct {
		Finding string `path:"finding"`
	}
	inFindingClose struct {
		Finding string `path:"finding"`
		Body    FindingClose
	}
	inDrift struct {
		Vendor string    `query:"vendor"`
		Route  string    `query:"route"`
		Since  time.Time `query:"since"`
	}
)

func registerFindings(a huma.API, d *Desk) {
	answer(a, http.MethodGet, "/findings", "findings", "What a person should look at",
		func(ctx context.Context, in *inFindings) (FindingList, error) {
			return d.Findings(ctx, FindingQuery(*in))
		})
	answer(a, http.MethodGet, "/findings/{finding}", "finding", "One finding",
		func(ctx context.Context, in *inFinding) (Finding, error) { return d.Finding(ctx, in.Finding) })
	answer(a, http.MethodPost, "/findings/{finding}/close", "finding-close", "Record what was decided about a finding",
		func(ctx context.Context, in *inFindingClose) (Finding, error) {
			return d.CloseFinding(ctx, in.Finding, in.Body)
		})
	answer(a, http.MethodGet, "/drift", "drift", "Leaves that no mapping names, with the day they first appeared",
		func(ctx context.Context, in *inDrift) (Drift, error) { return d.Drift(ctx, DriftQuery(*in)) })
}

func (c *Client) Findings(ctx context.Context, q FindingQuery) (l FindingList, err error) {
	v := url.Values{"all": {strconv.FormatBool(q.All)}}
	setQuery(v, "vendor", q.Vendor)
	setQuery(v, "kind", q.Kind)
	setSince(v, q.Since)
	return l, c.call(ctx, http.MethodGet, "/findings?"+v.Encode(), nil, &l)
}

func (c *Client) Finding(ctx context.Context, id string) (f Finding, err error) {
	return f, c.call(ctx, http.MethodGet, "/findings/"+url.PathEscape(id), nil, &f)
}

func (c *Client) CloseFinding(ctx context.Context, id string, close FindingClose) (f Finding, err error) {
	return f, c.call(ctx, http.MethodPost, "/findings/"+url.PathEscape(id)+"/close", close, &f)
}

func (c *Client) Drift(ctx context.Context, q DriftQuery) (d Drift, err error) {
	v := url.Values{}
	setQuery(v, "vendor", q.Vendor)
	setQuery(v, "route", q.Route)
	setSince(v, q.Since)
	return d, c.call(ctx, http.MethodGet, "/drift?"+v.Encode(), nil, &d)
}

func setQuery(v url.Values, name, value string) {
	if value != "" {
		v.Set(name, value)
	}
}

func setSince(v url.Values, t time.Time) {
	if !t.IsZero() {
		v.Set("since", t.UTC().Format(time.RFC3339Nano))
	}
}
