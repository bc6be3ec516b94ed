package api

import (
	"context"
	"errors"
	"net/http"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
)

// TokenStatus shows the epochs of every vendor, and how many tokens it has.
func (d *Desk) TokenStatus(ctx context.Context) (TokenStatus, error) {
	answer := TokenStatus{Vendors: []TokenVendor{}}
	if _, err := may(ctx, SeeFigures); err != nil {
		return answer, err
	}
	if err := d.needLedger(); err != nil {
		return answer, err
	}
	here := map[exposure.VendorID]bool{}
	for _, s := range d.Specs {
		here[s.ID] = true
		v := d.tokensOf(s.ID)
		for _, r := range s.Routes {
			if r.Reveal {
				v.Reveals = append(v.Reveals, r.Name)
			}
		}
		answer.Vendors = append(answer.Vendors, v)
	}
	for _, id := range d.Ledger.TokenVendors() { // those without a manifest still hold tokens
		if !here[id] {
			answer.Vendors = append(answer.Vendors, d.tokensOf(id))
		}
	}
	return answer, nil
}

func (d *Desk) tokensOf(id exposure.VendorID) TokenVendor {
	v := TokenVendor{Vendor: string(id), Epochs: []TokenEpoch{}, Reveals: []string{}}
	for _, e := range d.Ledger.TokenEpochs(id) {
		v.Epoch = int(e.Number)
		v.Tokens += e.Tokens
		v.Epochs = append(v.Epochs, TokenEpoch{Epoch: int(e.Number), Since: e.Since, Tokens: e.Tokens})
	}
	return v
}

// RotateTokens begins a new epoch of a vendor's tokens.
func (d *Desk) RotateTokens(ctx context.Context, name string, r TokenRotate) (TokenRotated, error) {
	actor, err := may(ctx, ChangeTokens)
	if err != nil {
		return TokenRotated{}, err
	}
	spec, err := d.spec(name)
	if err != nil {
		return TokenRotated{}, err
	}
	if err := d.needLedger(); err != nil {
		return TokenRotated{}, err
	}
	v := d.tokensOf(spec.ID)
	answer := TokenRotated{Vendor: name, Was: v.Epoch, Epoch: v.Epoch + 1, Tokens: v.Tokens, DryRun: r.DryRun}
	if r.DryRun {
		return answer, nil
	}
	if err := d.needServer("cordon token rotate"); err != nil {
		return TokenRotated{}, err
	}
	now, seq, err := d.Ledger.RotateTokens(ctx, ledger.Event{Vendor: spec.ID, At: d.Now(), Actor: actor.Name, Fields: d.reason(r.Reason)})
	if err != nil {
		return TokenRotated{}, unavailable("beginning an epoch", err)
	}
	answer.Was, answer.Epoch, answer.Entry = int(now.Number)-1, int(now.Number), seq
	return answer, nil
}

// ShredTokens makes what a person's tokens stand for unreadable.
func (d *Desk) ShredTokens(ctx context.Context, r TokenShred) (TokenShredded, error) {
	id, who, actor, err := d.person(ctx, ChangeTokens, r.SubjectQuery, "token-shred")
	if err != nil {
		return TokenShredded{}, err
	}
	var s ledger.Shredded
	switch {
	case who == exposure.Nobody:
		err = ledger.ErrUnknown
	case r.DryRun:
		s, err = d.Ledger.PlanShred(id)
	default:
		if err := d.needServer("cordon token shred"); err != nil {
			return TokenShredded{}, err
		}
		s, err = d.Ledger.Shred(ctx, id, ledger.Event{At: d.Now(), Actor: actor.Name, Fields: d.reason(r.Reason)})
	}
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return TokenShredded{}, problem(http.StatusNotFound, "identifier-unknown", "cordon subject IDENTIFIER", "%v", err)
	case err != nil:
		return TokenShredded{}, unavailable("shredding", err)
	}
	return TokenShredded{Keys: s.Keys, DryRun: r.DryRun, Entry: s.Entry}, nil
}

// reason keeps of a free text, in which names may stand, a keyed digest.
func (d *Desk) reason(text string) map[string]any {
	if text == "" {
		return nil
	}
	return map[string]any{"reason_digest": d.Ledger.Digest(text)}
}
