package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"cordon/internal/scope"
)

type (
	inAttest struct {
		Vendor string `path:"vendor"`
		Body   Attest
	}
	inFrozen struct {
		Scope string `path:"scope" maxLength:"64"`
	}
)

func registerHoldings(mux *http.ServeMux, a huma.API, d *Desk) {
	answer(a, http.MethodPost, "/vendors/{vendor}/attestations", "vendor-attest", "Take in a vendor's letter about what it deleted",
		func(ctx context.Context, in *inAttest) (Attestation, error) {
			return d.AttestDeletion(ctx, in.Vendor, in.Body)
		})
	answer(a, http.MethodPost, "/vendors/{vendor}/scope/freeze", "scope-freeze", "Answer who was exposed, and keep the answer",
		func(ctx context.Context, in *inScope) (*scope.Answer, error) { return d.FreezeScope(ctx, in.query()) })
	answer(a, http.MethodGet, "/scopes/{scope}", "scope-frozen", "A frozen answer as it was, checked against the ledger",
		func(ctx context.Context, in *inFrozen) (*scope.Answer, error) { return d.FrozenScope(ctx, in.Scope) })

	stream(mux, a, &huma.Operation{
		OperationID: "scope-frozen-export", Method: http.MethodGet, Path: "/scopes/{scope}/export",
		Summary:   "The people of a frozen scope by directory id, as CSV; recorded and limited",
		Responses: streamed("text/csv", "id,cohort,categories,protected,country,language"),
	}, func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		return d.ExportFrozen(ctx, r.PathValue("scope"), w)
	})
	stream(mux, a, &huma.Operation{
		OperationID: "ledger-backfill", Method: http.MethodPost, Path: "/vendors/{vendor}/backfill",
		Summary: "Declare what a vendor held before Cordon: CSV or JSON lines of people",
		Parameters: []*huma.Param{
			query("categories", "what was held of everybody whose row does not say"), query("dry_run", "true: count and write nothing"),
		},
		RequestBody: listBody,
		Responses:   streamed("application/json", "people, new, rejected, file_sha256, entry"),
	}, func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
		v := r.URL.Query()
		q := BackfillQuery{Vendor: r.PathValue("vendor"), Categories: v.Get("categories"), DryRun: v.Get("dry_run") == "true"}
		answer, err := d.Backfill(ctx, q, r.Body)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		return Encode(w, answer, false)
	})
}

// listBody is a list of people; what it is in is found out by looking.
var listBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{listType: {}, "application/x-ndjson": {}}}

// listType is how clients send a list whatever it is in: no form of another
// site can send it.
const listType = "text/csv"

// Backfill sends a file.
func (c *Client) Backfill(ctx context.Context, q BackfillQuery, r io.Reader) (a Backfilled, err error) {
	v := url.Values{}
	if q.Categories != "" {
		v.Set("categories", q.Categories)
	}
	if q.DryRun {
		v.Set("dry_run", "true")
	}
	response, err := c.do(ctx, http.MethodPost, "/vendors/"+url.PathEscape(q.Vendor)+"/backfill?"+v.Encode(), listType, r)
	if _, told := errors.AsType[*Error](err); err != nil && !told && ctx.Err() == nil {
		// The server went away in the middle: a broken pipe says nothing of the people.
		return a, problem(http.StatusServiceUnavailable, "connection-lost",
			"start the server if it does not run, and run the same command again: declaring the same twice changes no answer",
			"the connection to the server broke: what was declared until then stays, the rest is missing (%v)", err)
	}
	if err != nil {
		return a, err
	}
	return a, decode(response, &a)
}

func (c *Client) AttestDeletion(ctx context.Context, vendor string, r Attest) (a Attestation, err error) {
	return a, c.call(ctx, http.MethodPost, "/vendors/"+url.PathEscape(vendor)+"/attestations", r, &a)
}

func (c *Client) FreezeScope(ctx context.Context, q ScopeQuery) (a scope.Answer, err error) {
	return a, c.call(ctx, http.MethodPost, scopePath(q, "/freeze"), nil, &a)
}

func (c *Client) FrozenScope(ctx context.Context, id string) (a scope.Answer, err error) {
	return a, c.call(ctx, http.MethodGet, "/scopes/"+url.PathEscape(id), nil, &a)
}

// ExportFrozen copies the CSV to w.
func (c *Client) ExportFrozen(ctx context.Context, id string, w io.Writer) error {
	response, err := c.do(ctx, http.MethodGet, "/scopes/"+url.PathEscape(id)+"/export", "", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(w, response.Body)
	return err
}
