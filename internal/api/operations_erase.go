package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"
)

type (
	inErase  struct{ Body EraseRequest }
	inHold   struct{ Body LegalHoldRequest }
	inPassed struct {
		Vendor string `path:"vendor"`
	}
	inLift struct {
		Hold string `path:"hold" maxLength:"64"`
		Body LegalHoldRequest
	}
	inExpire struct {
		DryRun bool `query:"dry_run"`
	}
)

func registerErase(a huma.API, d *Desk) {
	answer(a, http.MethodPost, "/erasures", "erase", "Erase people, or say what would go",
		func(ctx context.Context, in *inErase) (EraseAnswer, error) { return d.Erase(ctx, in.Body) })
	answer(a, http.MethodGet, "/erasures", "erase-list", "What was erased, and to whom it must still be passed on",
		func(ctx context.Context, _ *struct{}) (EraseList, error) { return d.Erasures(ctx) })
	answer(a, http.MethodPost, "/vendors/{vendor}/erasures-passed-on", "erase-passed-on", "Record that a vendor was told of all erasures so far",
		func(ctx context.Context, in *inPassed) (ErasePassedOn, error) {
			return d.PassErasuresOn(ctx, in.Vendor)
		})
	answer(a, http.MethodGet, "/legal-holds", "legal-hold-list", "The legal holds that stand",
		func(ctx context.Context, _ *struct{}) (LegalHolds, error) { return d.LegalHolds(ctx) })
	answer(a, http.MethodPost, "/legal-holds", "legal-hold-set", "Suspend erasure and expiry",
		func(ctx context.Context, in *inHold) (LegalHold, error) { return d.SetLegalHold(ctx, in.Body) })
	answer(a, http.MethodPost, "/legal-holds/{hold}/lift", "legal-hold-lift", "Lift a legal hold",
		func(ctx context.Context, in *inLift) (LegalHold, error) {
			return d.LiftLegalHold(ctx, in.Hold, in.Body)
		})
	answer(a, http.MethodPost, "/ledger/expire", "ledger-expire", "Erase the days that are older than the policy keeps them, or list them",
		func(ctx context.Context, in *inExpire) (Expiry, error) { return d.Expire(ctx, in.DryRun) })
}

func (c *Client) Erase(ctx context.Context, r EraseRequest) (a EraseAnswer, err error) {
	return a, c.call(ctx, http.MethodPost, "/erasures", r, &a)
}

func (c *Client) Erasures(ctx context.Context) (a EraseList, err error) {
	return a, c.call(ctx, http.MethodGet, "/erasures", nil, &a)
}

func (c *Client) PassErasuresOn(ctx context.Context, vendor string) (a ErasePassedOn, err error) {
	return a, c.call(ctx, http.MethodPost, "/vendors/"+url.PathEscape(vendor)+"/erasures-passed-on", nil, &a)
}

func (c *Client) LegalHolds(ctx context.Context) (a LegalHolds, err error) {
	return a, c.call(ctx, http.MethodGet, "/legal-holds", nil, &a)
}

func (c *Client) SetLegalHold(ctx context.Context, r LegalHoldRequest) (a LegalHold, err error) {
	return a, c.call(ctx, http.MethodPost, "/legal-holds", r, &a)
}

func (c *Client) LiftLegalHold(ctx context.Context, hold string, r LegalHoldRequest) (a LegalHold, err error) {
	return a, c.call(ctx, http.MethodPost, "/legal-holds/"+url.PathEscape(hold)+"/lift", r, &a)
}

func (c *Client) Expire(ctx context.Context, dryRun bool) (a Expiry, err error) {
	path := "/ledger/expire"
	if dryRun {
		path += "?dry_run=true"
	}
	return a, c.call(ctx, http.MethodPost, path, nil, &a)
}
