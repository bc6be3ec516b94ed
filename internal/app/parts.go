package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"cordon/internal/api"
	"cordon/internal/config"
	"cordon/internal/incident"
	"cordon/internal/ledger"
	"cordon/internal/scope"
	"cordon/internal/token"
	"cordon/internal/vault"
	"cordon/internal/vendor"
	"cordon/internal/watch"
	"cordon/internal/witness"
)

// parts are what a server and a verb without a server have in common.
type parts struct {
	vault  *vault.Vault
	ledger *ledger.Ledger
	fold   *api.Fold
	index  *scope.Index
	feed   *witness.Feed // nil: nobody witnesses, or no server runs
	desk   *api.Desk
}

// open opens keys, ledger, users and index. With readOnly not a byte is
// written, and a data directory without a ledger gives a desk without one.
func open(ctx context.Context, cfg *config.Config, specs []*vendor.Spec, o Options, readOnly bool) (_ *parts, err error) {
	p := &parts{desk: &api.Desk{Config: cfg, Specs: specs, Now: o.Now}}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	exists := config.LedgerExists(cfg.Data)
	if readOnly && !exists {
		// Keys may be there all the same, restored or made elsewhere.
		if v, err := vault.Open(cfg.KeySource(), vault.Options{Origin: cfg.Origin()}); err == nil {
			p.desk.Tokens = tokens(v, cfg)
		}
		return p, nil
	}
	if !readOnly {
		if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
			return nil, fmt.Errorf("making the data directory: %w", err)
		}
	}
	p.vault, err = vault.Open(cfg.KeySource(), vault.Options{
		Origin: cfg.Organization.Domain + "/cordon", LedgerExists: exists, Create: !readOnly,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the keys: %w", err)
	}
	p.desk.Tokens, p.desk.LedgerKey = tokens(p.vault, cfg), p.vault.Keys().Verifier
	lk, err := ledgerKeys(p.vault)
	if err != nil {
		return nil, err
	}
	cosigner, err := witnessKey(cfg)
	if err != nil {
		return nil, err
	}
	p.ledger, err = ledger.Open(ledger.Options{
		Dir: cfg.Data, Mirror: cfg.Mirror, Failover: cfg.Failover, Keys: lk, Witness: cosigner, Now: o.Now, Log: o.Log, ReadOnly: readOnly,
		Before: p.compare(ctx, cfg, o),
	})
	if err != nil {
		return nil, err
	}
	tokenKey, err := api.TokenKey(lk.Tokens)
	if err != nil {
		return nil, err
	}
	users := api.NewUsers(p.ledger, tokenKey, o.Now)
	findings, cases := watch.NewFindings(p.ledger, o.Now), incident.NewCases(p.ledger, o.Now)
	if p.fold, err = api.LoadFold(ctx, p.ledger.Store(), p.ledger, users, findings, cases, readOnly); err != nil {
		return nil, err
	}
	p.index, err = scope.Open(scope.Options{
		DB: p.ledger.Store().DB(), Apply: p.ledger.Store().ApplyLazy, Keep: p.ledger.Store().Apply, Source: &journal{Ledger: p.ledger}, Now: o.Now, Log: o.Log, ReadOnly: readOnly,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the scope index: %w", err)
	}
	p.desk.Ledger, p.desk.Fold, p.desk.Index = p.ledger, p.fold, p.index
	return p, nil
}

// tokens makes tokens from their root, which is never made anew for a ledger
// that exists: vendors hold what it made, and only it finds whom they mean.
func tokens(v *vault.Vault, cfg *config.Config) *token.Maker {
	return token.New(v.Keys().TokenRoot, cfg.Organization.Domain)
}

// close closes what is open, the index before the store that it lies in.
func (p *parts) close() error {
	var errs []error
	if p.index != nil {
		errs = append(errs, p.index.Close())
	}
	if p.ledger != nil {
		errs = append(errs, p.ledger.Close())
	}
	return errors.Join(errs...)
}

// Reader answers verbs that only read, over the store, without a server.
type Reader struct{ parts *parts }

// OpenReadOnly opens the data directory for reading.
func OpenReadOnly(ctx context.Context, cfg *config.Config, specs []*vendor.Spec, o Options) (*Reader, error) {
	p, err := open(ctx, cfg, specs, o, true)
	if err != nil {
		return nil, err
	}
	if p.ledger != nil {
		k, err := newKeeper(p, cfg, o, nil, true)
		if err != nil {
			p.close()
			return nil, err
		}
		p.desk.Care = k
	}
	return &Reader{p}, nil
}

// Desk answers from the store.
func (r *Reader) Desk() *api.Desk { return r.parts.desk }

// Close closes the store.
func (r *Reader) Close() error { return r.parts.close() }
