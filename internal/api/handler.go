package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Prefix is where the API begins on the console's address and on the socket.
const Prefix = "/api/v1"

// maxBody bounds JSON requests. A batch for route test is the largest.
const maxBody = 64 << 20

func init() {
	// huma makes its own validation errors through this variable; they become
	// our problem details. The offending values stay behind: they may be
	// somebody's address.
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		for _, err := range errs {
			var detail huma.ErrorDetailer
			if errors.As(err, &detail) {
				d := detail.ErrorDetail()
				msg += "; " + strings.TrimSpace(d.Location+" "+d.Message)
			}
		}
		return problem(status, "malformed-request", "see "+Prefix+"/openapi.json", "%s", msg)
	}
}

// NewHandler puts a desk on HTTP under Prefix. Who the caller is must be in the
// request's context already: see Access.Console, Access.Socket and InProcess.
func NewHandler(d *Desk) http.Handler {
	mux := http.NewServeMux()
	a := newAPI(mux)
	register(a, d)
	registerStreams(mux, a, d)
	registerEvidence(mux, a, d)
	return mux
}

func newAPI(mux *http.ServeMux) huma.API {
	c := huma.DefaultConfig("Cordon", "1")
	c.Info.Description = "The answers of `cordon VERB --json`. Errors are problem details (RFC 9457) with a `reason` and a `next` step."
	c.OpenAPIPath = "/openapi"
	c.DocsPath, c.SchemasPath = "", ""
	c.CreateHooks = nil // no $schema member in answers
	c.Formats = map[string]huma.Format{"application/json": format, "json": format}
	c.RejectUnknownQueryParameters = true
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "`cordon user add`"},
		"session": {Type: "apiKey", In: "cookie", Name: SessionCookie},
	}
	c.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	return humago.NewWithPrefix(mux, Prefix, c)
}

type body[T any] struct{ Body T }

// answer registers one operation: I is its input, T its answer.
func answer[I, T any](a huma.API, method, path, id, summary string, do func(context.Context, *I) (T, error)) {
	op := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: maxBody}
	huma.Register(a, op, func(ctx context.Context, in *I) (*body[T], error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, asProblem(err)
		}
		return &body[T]{out}, nil
	})
}

// public marks an operation that needs neither session nor token.
func public(a huma.API, path string) {
	for _, op := range []*huma.Operation{a.OpenAPI().Paths[path].Get, a.OpenAPI().Paths[path].Post} {
		if op != nil {
			op.Security = []map[string][]string{}
		}
	}
}

// Public reports whether a path of the API answers anybody.
func Public(path string) bool {
	switch strings.TrimPrefix(path, Prefix) {
	case "/openapi.json", "/health":
		return true
	}
	return false
}
