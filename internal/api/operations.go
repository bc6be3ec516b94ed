package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"cordon/evidence"
	"cordon/internal/ledger"
	"cordon/internal/scope"
)

// Health is what anybody may know: whether messages pass.
type Health struct {
	// OK is false while the ledger does not record; nothing is forwarded then.
	OK bool `json:"ok"`
}

type (
	nothing  struct{}
	inVendor struct {
		Vendor string `path:"vendor"`
	}
	inGate struct {
		Vendor string `path:"vendor"`
		Verb   string `path:"verb" enum:"cut,hold,restore"`
		Body   GateRequest
	}
	inScope struct {
		Vendor     string    `path:"vendor"`
		Route      string    `query:"route"`
		App        string    `query:"app"`
		Credential string    `query:"credential"`
		Since      time.Time `query:"since"`
		Until      time.Time `query:"until"`
		Basis      string    `query:"basis" enum:"held,sent" default:"held"`
		Incident   string    `query:"incident"`
	}
	inSeq struct {
		Seq uint64 `path:"seq" minimum:"1"`
	}
	inUser struct {
		User string `path:"user"`
	}
	inUserRole struct {
		User string `path:"user"`
		Body struct {
			Role Role `json:"role"`
		}
	}
	inNewUser struct {
		Body struct {
			User string `json:"user"`
			Role Role   `json:"role"`
		}
	}
)

func (in *inScope) query() ScopeQuery {
	return ScopeQuery{in.Vendor, in.Route, in.App, in.Credential, in.Since, in.Until, in.Basis, in.Incident}
}

func register(a huma.API, d *Desk) {
	answer(a, http.MethodGet, "/health", "health", "Whether messages pass",
		func(context.Context, *nothing) (Health, error) {
			return Health{d.Ledger != nil && d.Ledger.Status().Err == nil}, nil
		})
	public(a, "/health")

	answer(a, http.MethodGet, "/status", "status", "Every vendor and the ledger",
		func(ctx context.Context, _ *nothing) (Status, error) { return d.Status(ctx) })
	answer(a, http.MethodGet, "/vendors", "vendors", "The manifests",
		func(ctx context.Context, _ *nothing) (VendorList, error) { return d.Vendors(ctx) })
	answer(a, http.MethodGet, "/vendors/{vendor}", "vendor", "One manifest, and what the ledger saw",
		func(ctx context.Context, in *inVendor) (VendorDetail, error) { return d.Vendor(ctx, in.Vendor) })
	answer(a, http.MethodPost, "/vendors/{vendor}/gate/{verb}", "gate", "Cut, hold or restore a vendor or a route",
		func(ctx context.Context, in *inGate) (GateChange, error) {
			return d.ChangeGate(ctx, in.Verb, in.Vendor, in.Body)
		})
	answer(a, http.MethodGet, "/vendors/{vendor}/scope", "scope", "Who was exposed, in figures",
		func(ctx context.Context, in *inScope) (*scope.Answer, error) { return d.Scope(ctx, in.query()) })
	answer(a, http.MethodPost, "/subjects/lookup", "subject", "Which vendors got what about one person",
		func(ctx context.Context, in *body[SubjectQuery]) (*scope.Person, error) {
			return d.Subject(ctx, in.Body)
		})
	answer(a, http.MethodPost, "/subjects/links", "subject-links", "By what identifiers became a person's",
		func(ctx context.Context, in *body[SubjectQuery]) (SubjectLinks, error) {
			return d.Links(ctx, in.Body)
		})
	answer(a, http.MethodPost, "/subjects/unlink", "subject-unlink", "Give an identifier to somebody else",
		func(ctx context.Context, in *body[SubjectUnlink]) (SubjectUnlinked, error) {
			return d.Unlink(ctx, in.Body)
		})
	answer(a, http.MethodPost, "/route/test", "route-test", "What the gateway would do with a message",
		func(ctx context.Context, in *body[RouteTest]) (RouteTestAnswer, error) {
			return d.TestRoute(ctx, in.Body)
		})
	answer(a, http.MethodPost, "/route/test/batch", "route-test-batch", "The same for many",
		func(ctx context.Context, in *body[RouteTestBatch]) (RouteTestAnswers, error) {
			return d.TestRoutes(ctx, in.Body)
		})
	answer(a, http.MethodPost, "/ledger/verify", "ledger-verify", "Read and check the whole ledger",
		func(ctx context.Context, _ *nothing) (ledger.Report, error) { return d.VerifyLedger(ctx, nil) })
	answer(a, http.MethodGet, "/ledger/entries/{seq}/proof", "ledger-prove", "The proof of one entry",
		func(ctx context.Context, in *inSeq) (evidence.Proof, error) { return d.Prove(ctx, in.Seq) })

	registerFindings(a, d)
	registerTokens(a, d)
	registerIncidents(a, d)
	registerErase(a, d)

	answer(a, http.MethodGet, "/users", "users", "Who may log in",
		func(ctx context.Context, _ *nothing) (UserList, error) {
			if err := d.needLedger(); err != nil {
				return UserList{}, err
			}
			return d.Fold.Users.List(ctx)
		})
	answer(a, http.MethodPost, "/users", "user-add", "Add a user; the token is shown once",
		func(ctx context.Context, in *inNewUser) (NewUser, error) {
			if err := d.needServer("cordon user add"); err != nil {
				return NewUser{}, err
			}
			return d.Fold.Users.Add(ctx, in.Body.User, in.Body.Role)
		})
	answer(a, http.MethodPost, "/users/{user}/approve", "user-approve", "A second user's approval",
		func(ctx context.Context, in *inUser) (User, error) {
			if err := d.needServer("cordon user approve"); err != nil {
				return User{}, err
			}
			return d.Fold.Users.Approve(ctx, in.User)
		})
	answer(a, http.MethodPost, "/users/{user}/role", "user-role", "Give a user another role",
		func(ctx context.Context, in *inUserRole) (User, error) {
			if err := d.needServer("cordon user role"); err != nil {
				return User{}, err
			}
			return d.Fold.Users.ChangeRole(ctx, in.User, in.Body.Role)
		})
}
