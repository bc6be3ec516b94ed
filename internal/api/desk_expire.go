package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/incident"
	"cordon/internal/ledger"
	"cordon/internal/scope"
)

// Expire erases the disclosures of days that are older than the policy keeps
// them, or says which would go.
func (d *Desk) Expire(ctx context.Context, dryRun bool) (Expiry, error) {
	if _, err := may(ctx, KeepStore); err != nil {
		return Expiry{}, err
	}
	if err := d.needLedger(); err != nil {
		return Expiry{}, err
	}
	if !dryRun {
		if err := d.needServer("cordon ledger expire"); err != nil {
			return Expiry{}, err
		}
		if _, err := d.DropErased(ctx); err != nil {
			return Expiry{}, unavailable("forgetting attributes of erased people", err)
		}
	}
	answer, err := d.ExpireDue(ctx, dryRun)
	if err != nil {
		return answer, unavailable("expiring", err)
	}
	return answer, nil
}

// ExpireDue is Expire in the name of the program: what a policy of the
// configuration demands needs nobody.
func (d *Desk) ExpireDue(ctx context.Context, dryRun bool) (Expiry, error) {
	answer := Expiry{DryRun: dryRun, Days: []ExpiryDay{}}
	keep := int(d.Config.Retention.Bodies)
	if keep == 0 {
		return answer, nil
	}
	answer.Policy = fmt.Sprintf("bodies-%dd", keep)
	days, err := d.Ledger.Days()
	if err != nil {
		return answer, err
	}
	var failed error
	today := d.Now().UTC().Truncate(24 * time.Hour)
	for _, day := range days {
		if !day.Date.AddDate(0, 0, keep).Before(today) {
			continue
		}
		one := ExpiryDay{Day: day.Date.Format(time.DateOnly), Batches: day.Batches, Bytes: day.Bytes}
		if one.HeldBy, err = d.dayHeld(ctx, day.Date); err != nil {
			return answer, err
		}
		if one.HeldBy == "" && !dryRun {
			// A day that cannot expire does not keep the others.
			if err := d.expire(ctx, day.Date, answer.Policy); err != nil {
				failed = errors.Join(failed, fmt.Errorf("expiring %s: %w", one.Day, err))
			} else {
				one.Expired = true
				answer.Expired++
			}
		}
		answer.Days = append(answer.Days, one)
	}
	return answer, failed
}

func (d *Desk) expire(ctx context.Context, day time.Time, policy string) error {
	// First the index: from the entry on nobody can make it from the journal.
	digest, err := d.Index.Seal(ctx, day)
	if err != nil {
		return err
	}
	err = d.Ledger.Expire(ctx, day, policy, digest)
	if errors.Is(err, ledger.ErrNoSuchDay) { // somebody else did it a moment ago
		return nil
	}
	return err
}

// dayHeld names the legal hold or the open incident that concerns a day.
func (d *Desk) dayHeld(ctx context.Context, day time.Time) (string, error) {
	end := day.AddDate(0, 0, 1)
	for _, h := range d.Ledger.Holds() {
		concerned := h.All()
		var err error
		switch {
		case concerned:
		case h.Vendor != "":
			concerned, err = d.got(ctx, h.Vendor, day, end)
		default:
			concerned, err = d.about(ctx, h.Person, day, end)
		}
		if err != nil {
			return "", err
		}
		if concerned {
			return "the legal hold " + h.Name, nil
		}
	}
	for _, k := range d.Fold.Cases.List() {
		if !k.Closed.IsZero() || !overlaps(&k, day, end) {
			continue
		}
		concerned, err := d.got(ctx, k.Vendor, day, end)
		if err != nil {
			return "", err
		}
		if concerned {
			return "the open incident " + k.ID, nil
		}
	}
	if entry, err := d.declaredBetween(day, end); err != nil || entry != 0 {
		return fmt.Sprintf("the declaration of entry %d", entry), err
	}
	return "", nil
}

// overlaps: what was sent before the window is held in it, so only its end bounds.
func overlaps(k *incident.Case, day, _ time.Time) bool { return k.Until == nil || day.Before(*k.Until) }

// got reports whether the vendor was sent anything in a window, or may have been.
func (d *Desk) got(ctx context.Context, v exposure.VendorID, from, to time.Time) (bool, error) {
	a, err := d.Index.Query(ctx, scope.Query{Vendor: v, Since: from, Until: to, Basis: scope.SentWithin})
	if err != nil {
		return false, err
	}
	return a.Disclosures > 0 || a.IncompleteMessages > 0, nil
}

// about reports whether anything about a person lies between two instants.
func (d *Desk) about(ctx context.Context, o exposure.Ordinal, from, to time.Time) (bool, error) {
	p, err := d.Index.Subject(ctx, o)
	if err != nil {
		return false, err
	}
	for _, v := range p.Vendors {
		if !v.First.IsZero() && v.First.Before(to) && !v.Last.Before(from) {
			return true, nil
		}
	}
	return false, nil
}
