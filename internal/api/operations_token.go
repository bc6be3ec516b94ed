package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"
)

type inTokenRotate struct {
	Vendor string `path:"vendor"`
	Body   TokenRotate
}

func registerTokens(a huma.API, d *Desk) {
	answer(a, http.MethodGet, "/tokens", "tokens", "Every vendor's epochs, and how many tokens it has",
		func(ctx context.Context, _ *nothing) (TokenStatus, error) { return d.TokenStatus(ctx) })
	answer(a, http.MethodPost, "/vendors/{vendor}/tokens/rotate", "token-rotate", "Begin a new epoch of a vendor's tokens",
		func(ctx context.Context, in *inTokenRotate) (TokenRotated, error) {
			return d.RotateTokens(ctx, in.Vendor, in.Body)
		})
	answer(a, http.MethodPost, "/tokens/shred", "token-shred", "Make what a person's tokens stand for unreadable, for good",
		func(ctx context.Context, in *body[TokenShred]) (TokenShredded, error) {
			return d.ShredTokens(ctx, in.Body)
		})
}

func (c *Client) TokenStatus(ctx context.Context) (s TokenStatus, err error) {
	return s, c.call(ctx, http.MethodGet, "/tokens", nil, &s)
}

func (c *Client) RotateTokens(ctx context.Context, vendor string, r TokenRotate) (a TokenRotated, err error) {
	return a, c.call(ctx, http.MethodPost, "/vendors/"+url.PathEscape(vendor)+"/tokens/rotate", r, &a)
}

func (c *Client) ShredTokens(ctx context.Context, r TokenShred) (a TokenShredded, err error) {
	return a, c.call(ctx, http.MethodPost, "/tokens/shred", r, &a)
}
