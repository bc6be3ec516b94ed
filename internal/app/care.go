package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"cordon/internal/care"
	"cordon/internal/config"
	"cordon/internal/exposure"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/vault"
	"cordon/internal/vendor"
	"cordon/internal/watch"
)

// keeper looks after the files; it is the desk's api.Care.
type keeper struct {
	house care.House
	scrub *care.Scrubber
}

func (k *keeper) Backup(ctx context.Context, o care.Order) (*care.Done, error) {
	return k.house.Backup(ctx, o)
}

func (k *keeper) Scrub() *care.Scrubber { return k.scrub }

// newKeeper is nil where there is no ledger. Gates may be nil.
func newKeeper(p *parts, cfg *config.Config, o Options, gates func() []string, readOnly bool) (*keeper, error) {
	keys, err := ledgerKeys(p.vault)
	if err != nil {
		return nil, err
	}
	so := care.ScrubOptions{
		Ledger: p.ledger, Data: cfg.Data, Every: time.Duration(cfg.Scrub.Every), Rate: int64(cfg.Scrub.Rate),
		Small: gates, ReadOnly: readOnly, Now: o.Now, Log: o.Log,
	}
	if !readOnly {
		so.Found = func(ctx context.Context, d care.Damage) error {
			return p.fold.Findings.Raise(ctx, watch.Key{Kind: watch.Damage, Path: d.File, Category: exposure.Unclassified}, o.Now())
		}
	}
	return &keeper{
		house: care.House{Ledger: p.ledger, Data: cfg.Data, KeysAt: keyPlaces(cfg), Keys: keys, Now: o.Now},
		scrub: care.NewScrubber(so),
	}, nil
}

// keyPlaces are the files and folders in which keys lie.
func keyPlaces(cfg *config.Config) []string {
	var places []string
	for _, p := range []string{cfg.Keys.Dir, cfg.Keys.Age, cfg.Keys.Identity} {
		if p != "" {
			places = append(places, p)
		}
	}
	return places
}

// ledgerKeys are the keys in the shape in which the ledger takes them.
func ledgerKeys(v *vault.Vault) (ledger.Keys, error) {
	keys := v.Keys()
	lk := ledger.Keys{Identity: keys.Identity, Directory: keys.Directory, Tokens: keys.TokenRoot, Contact: keys.Contact, ID: keys.Fingerprint}
	var err error
	if lk.Verifier, err = note.NewVerifier(keys.Verifier); err != nil {
		return lk, fmt.Errorf("reading checkpoint.pub: %w", err)
	}
	if lk.Signer, err = note.NewSigner(keys.SigningKey.Reveal()); err != nil {
		return lk, fmt.Errorf("reading the signing key: %w", err)
	}
	return lk, nil
}

// openCare clears what an interrupted backup left, and wires the keeper.
func (a *App) openCare() error {
	if err := care.Clean(a.cfg.Data); err != nil {
		a.o.Log.Warn("an interrupted backup could not be cleared away", "error", err)
	}
	k, err := newKeeper(a.parts, a.cfg, a.o, a.gateDamage, false)
	if err != nil {
		return err
	}
	a.desk.Care = k
	if a.cfg.Scrub.Every > 0 {
		a.tasks.Go(func() { k.scrub.Run(a.ctx) })
	}
	return nil
}

// gateDamage is what is wrong with gates at this moment.
func (a *App) gateDamage() (problems []string) {
	if a.gates == nil {
		return nil
	}
	for _, g := range a.gates.All() {
		problems = append(problems, g.Status().Damage...)
	}
	return problems
}

// cameBack looks whether the data directory was restored from a backup and no
// start has recorded it. Then every gate stays shut, also that of a vendor whose
// manifest was added since: what happened after the backup was made is not in it.
func (a *App) cameBack() (*care.Returned, error) {
	r, err := care.Came(a.cfg.Data)
	if r == nil || err != nil {
		return nil, err
	}
	for _, s := range a.specs {
		if _, err := isolate.WriteGate(a.cfg.Data, s.ID, "", isolate.Cut); err != nil {
			return nil, fmt.Errorf("shutting the gate of %s: %w", s.ID, err)
		}
	}
	return r, nil
}

// recordReturn writes down that this ledger goes on from a backup; the gates
// are recorded after it, and only then the note about it is removed.
func (a *App) recordReturn(ctx context.Context, r *care.Returned) error {
	if _, err := a.ledger.Append(ctx, r.Event(a.o.Now())); err != nil {
		return fmt.Errorf("recording that this ledger was restored: %w", err)
	}
	a.o.Log.Warn("this ledger was restored from a backup: every gate is shut until it is opened by name", "made", r.Made, "next", "cordon restore VENDOR")
	return nil
}

// reasonOf is why gates are shut after a restore.
func reasonOf(r *care.Returned) string {
	return fmt.Sprintf("restored from backup %.12s of %s: ", r.Digest, r.Made.UTC().Format(time.RFC3339))
}

// Backup makes a backup of a data directory on which no server runs.
func Backup(ctx context.Context, cfg *config.Config, specs []*vendor.Spec, o Options, order care.Order) (_ *care.Done, err error) {
	if !config.LedgerExists(cfg.Data) {
		return nil, &care.Refusal{What: "there is no ledger in " + cfg.Data, Step: "name the configuration of the one to back up with --config"}
	}
	p, err := open(ctx, cfg, specs, o, false) // for writing: a backup is an entry
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	k, err := newKeeper(p, cfg, o, nil, true)
	if err != nil {
		return nil, err
	}
	return k.Backup(ctx, order)
}

// Restore brings a backup back into a new data directory. The keys must be there already.
func Restore(ctx context.Context, cfg *config.Config, specs []*vendor.Spec, o Options, r care.Return) (*care.Returned, error) {
	v, err := vault.Open(cfg.KeySource(), vault.Options{Origin: cfg.Origin(), LedgerExists: true})
	if err != nil {
		return nil, fmt.Errorf("opening the keys: %w", err)
	}
	if r.Keys, err = ledgerKeys(v); err != nil {
		return nil, err
	}
	r.KeysAt, r.Mirror, r.Now = keyPlaces(cfg), cfg.Mirror, o.Now()
	for _, s := range specs {
		r.Vendors = append(r.Vendors, string(s.ID))
	}
	return care.Restore(ctx, r)
}
