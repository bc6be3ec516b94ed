package api

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"

	"cordon/internal/care"
	"cordon/internal/ledger"
)

// Care makes backups and reads everything; package app wires it. Nil where
// there is no ledger.
type Care interface {
	Backup(ctx context.Context, o care.Order) (*care.Done, error)
	Scrub() *care.Scrubber
}

// Backup copies the ledger to a folder or file of this machine. One runs at a time.
func (d *Desk) Backup(ctx context.Context, r BackupRequest, progress func(care.Progress)) (*care.Done, error) {
	actor, err := may(ctx, KeepStore)
	if err != nil {
		return nil, err
	}
	if err := d.needServer("a recorded backup"); err != nil {
		return nil, err
	}
	if !filepath.IsAbs(r.To) {
		return nil, problem(http.StatusUnprocessableEntity, "relative-path", "give a path from the root of the server's machine", "the server does not know to what %q is relative", r.To)
	}
	if !d.backing.TryLock() {
		return nil, problem(http.StatusConflict, "backup-running", "wait until it is done", "another backup runs")
	}
	defer d.backing.Unlock()
	done, err := d.Care.Backup(ctx, care.Order{To: r.To, By: actor.Name, Full: r.Full, Keep: r.Keep, Progress: progress})
	if errors.Is(err, ledger.ErrUnavailable) {
		return nil, unavailable("backing up", err)
	}
	return done, err
}

// ScrubNow reads everything and says what does not hold.
func (d *Desk) ScrubNow(ctx context.Context, progress func(care.Progress)) (care.ScrubStatus, error) {
	if _, err := may(ctx, KeepStore); err != nil {
		return care.ScrubStatus{}, err
	}
	if err := d.needLedger(); err != nil || d.Care == nil {
		return care.ScrubStatus{}, err
	}
	return d.Care.Scrub().Now(ctx, progress)
}

// Scrubbed is what the last reading of everything found.
func (d *Desk) Scrubbed(ctx context.Context) (care.ScrubStatus, error) {
	if _, err := may(ctx, SeeFigures); err != nil {
		return care.ScrubStatus{}, err
	}
	if err := d.needLedger(); err != nil || d.Care == nil {
		return care.ScrubStatus{}, err
	}
	return d.Care.Scrub().Status(), nil
}

// careStatus adds what is known of the files to the status of the ledger.
func (d *Desk) careStatus(st *Status) {
	if d.Care != nil {
		s := d.Care.Scrub().Status()
		st.Scrub = &s
	}
	if f := d.Ledger.Store().Failover(); f.Folder != "" {
		st.Ledger.Failover = &FailoverStatus{InUse: f.InUse, Turns: f.Turns}
		if f.Err != nil {
			st.Ledger.Failover.Error = f.Err.Error()
		}
	}
}
