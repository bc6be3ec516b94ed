package api

import (
	"context"
	"errors"
	"net/http"
	"regexp"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/scope"
)

var holdName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// SetLegalHold suspends erasure and expiry of what the hold concerns.
func (d *Desk) SetLegalHold(ctx context.Context, r LegalHoldRequest) (LegalHold, error) {
	actor, err := may(ctx, HoldErasure)
	if err != nil {
		return LegalHold{}, err
	}
	if err := d.holdable("cordon legal-hold set"); err != nil {
		return LegalHold{}, err
	}
	if !holdName.MatchString(r.Hold) {
		return LegalHold{}, problem(http.StatusUnprocessableEntity, "hold-name", "use letters, digits, dot and dash, such as case-17", "that is no name for a legal hold")
	}
	h := ledger.Hold{Name: r.Hold, Vendor: exposure.VendorID(r.Vendor)}
	if r.Vendor != "" {
		used, err := d.Index.Pathways(ctx, h.Vendor)
		if err != nil {
			return LegalHold{}, unavailable("answering from the index", err)
		}
		if _, err := d.spec(r.Vendor); err != nil && len(used) == 0 { // a vendor outlives its manifest
			return LegalHold{}, err
		}
	}
	if r.Identifier != "" {
		_, who, _, err := d.person(ctx, HoldErasure, SubjectQuery{Identifier: r.Identifier, Kind: r.Kind}, "legal-hold")
		if err != nil {
			return LegalHold{}, err
		}
		if who == exposure.Nobody {
			return LegalHold{}, problem(http.StatusNotFound, "identifier-unknown", "cordon subject IDENTIFIER", "nobody has this identifier")
		}
		h.Person = who
	}
	h, err = d.Ledger.SetHold(ctx, h, r.Reason, ledger.Event{At: d.Now(), Actor: actor.Name})
	if errors.Is(err, ledger.ErrHoldStands) {
		return LegalHold{}, problem(http.StatusConflict, "hold-stands", "cordon legal-hold list", "a legal hold named %s stands already", r.Hold)
	}
	if err != nil {
		return LegalHold{}, unavailable("recording the hold", err)
	}
	return d.shownHold(h, false)
}

// LiftLegalHold lifts a hold: what it suspended goes on.
func (d *Desk) LiftLegalHold(ctx context.Context, name string, r LegalHoldRequest) (LegalHold, error) {
	actor, err := may(ctx, HoldErasure)
	if err != nil {
		return LegalHold{}, err
	}
	if err := d.holdable("cordon legal-hold lift"); err != nil {
		return LegalHold{}, err
	}
	h, err := d.Ledger.LiftHold(ctx, name, r.Reason, ledger.Event{At: d.Now(), Actor: actor.Name})
	if errors.Is(err, ledger.ErrNoSuchHold) {
		return LegalHold{}, problem(http.StatusNotFound, "unknown-hold", "cordon legal-hold list", "no legal hold named %s stands", name)
	}
	if err != nil {
		return LegalHold{}, unavailable("recording that the hold is lifted", err)
	}
	return d.shownHold(h, false)
}

// LegalHolds lists the holds that stand, and the incidents that hold as well.
// Reasons may name people: whoever may not read about them does not see those.
func (d *Desk) LegalHolds(ctx context.Context) (LegalHolds, error) {
	answer := LegalHolds{Holds: []LegalHold{}, Incidents: []string{}}
	actor, err := may(ctx, SeeFigures)
	if err != nil {
		return answer, err
	}
	if err := d.needLedger(); err != nil {
		return answer, err
	}
	for _, h := range d.Ledger.Holds() {
		shown, err := d.shownHold(h, actor.May(ReadPeople))
		if err != nil {
			return answer, err
		}
		answer.Holds = append(answer.Holds, shown)
	}
	for _, k := range d.Fold.Cases.List() {
		if k.Closed.IsZero() {
			answer.Incidents = append(answer.Incidents, k.ID)
		}
	}
	return answer, nil
}

func (d *Desk) holdable(verb string) error {
	if err := d.needLedger(); err != nil {
		return err
	}
	return d.needServer(verb)
}

func (d *Desk) shownHold(h ledger.Hold, reason bool) (LegalHold, error) {
	shown := LegalHold{Hold: h.Name, Vendor: string(h.Vendor), Since: h.Since, Actor: h.Actor, Entry: h.Entry}
	if h.Person != exposure.Nobody {
		shown.Subject = scope.Opaque(h.Person)
	}
	if reason {
		text, _, err := d.Ledger.SealedText(h.Entry)
		if err != nil {
			return shown, unavailable("reading why", err)
		}
		shown.Reason = text
	}
	return shown, nil
}
