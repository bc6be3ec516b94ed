package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/incident"
	"cordon/internal/ledger"
)

// maxStatement bounds a letter; a scan of some pages fits.
const maxStatement = 32 << 20

// AttestDeletion takes in a vendor's letter about what it deleted. From then on
// scopes of later windows leave those disclosures out, so while an incident
// about the vendor is open it needs two approvals. Taking a letter back widens,
// and needs none.
func (d *Desk) AttestDeletion(ctx context.Context, name string, r Attest) (Attestation, error) {
	answer := Attestation{Vendor: name, Route: r.Route, SentBefore: r.SentBefore, DeletedAt: r.DeletedAt, Withdraws: r.Withdraws}
	actor, err := may(ctx, DeclareHoldings)
	if err != nil {
		return answer, err
	}
	if err := d.needLedger(); err != nil {
		return answer, err
	}
	if err := d.needServer("cordon vendor attest"); err != nil {
		return answer, err
	}
	v := exposure.VendorID(name)
	used, err := d.Index.Pathways(ctx, v)
	if err != nil {
		return answer, unavailable("answering from the index", err)
	}
	if _, err := d.spec(name); err != nil && len(used) == 0 { // a vendor outlives its manifest
		return answer, err
	}
	if err := d.checkAttest(ctx, v, r, used); err != nil {
		return answer, err
	}
	sum := sha256.Sum256(r.Statement)
	answer.SHA256 = hex.EncodeToString(sum[:])
	fields := map[string]any{"file_sha256": answer.SHA256}
	if r.Withdraws != 0 {
		fields["withdraws"] = r.Withdraws
	} else {
		fields["sent_before"], fields["deleted_at"] = instantText(r.SentBefore), instantText(r.DeletedAt)
		if r.Route != "" {
			fields["route"] = r.Route
		}
		plan, err := d.Fold.Cases.Demand(ctx, actor.Name, v, incident.Step{Name: incident.AttestStep,
			Content: []string{name, r.Route, instantText(r.SentBefore), instantText(r.DeletedAt), answer.SHA256},
			Detail:  "deleted at " + instantText(r.DeletedAt) + " what was sent before " + instantText(r.SentBefore) + " " + r.Route})
		if err != nil {
			return answer, caseProblem(err)
		}
		if plan != "" {
			fields["plan"] = plan
		}
	}
	answer.Entry, err = d.Ledger.Append(ctx, ledger.Event{Kind: ledger.EventAttest, Vendor: v, At: d.Now(), Actor: actor.Name, Fields: fields})
	if err != nil {
		return answer, unavailable("recording the attestation", err)
	}
	return answer, nil
}

func (d *Desk) checkAttest(ctx context.Context, v exposure.VendorID, r Attest, used []exposure.Pathway) error {
	wrong := func(reason, next, detail string) error {
		return problem(http.StatusUnprocessableEntity, reason, next, "%s", detail)
	}
	switch {
	case len(r.Statement) == 0:
		return wrong("statement-missing", "give the letter itself: --statement FILE", "an attestation is the vendor's letter, and this one is empty")
	case len(r.Statement) > maxStatement:
		return wrong("statement-too-large", "give the signed letter alone", "the statement is larger than 32 MB")
	}
	if r.Withdraws != 0 {
		list, err := d.Index.Attestations(ctx, v)
		if err != nil {
			return unavailable("answering from the index", err)
		}
		for _, a := range list {
			if a.Entry == r.Withdraws && !a.Withdrawn {
				return nil
			}
		}
		return problem(http.StatusNotFound, "unknown-attestation", "cordon vendor show "+string(v), "entry %s is no attestation of %s that stands", strconv.FormatUint(r.Withdraws, 10), v)
	}
	now := d.Now()
	switch {
	case r.SentBefore.IsZero() || r.DeletedAt.IsZero():
		return wrong("instants-missing", "give --sent-before and --deleted-at", "an attestation says what was deleted and when")
	case r.DeletedAt.After(now):
		return wrong("deletion-in-the-future", "give --deleted-at as the letter states it; a promise is no deletion", "the deletion lies in the future")
	case r.SentBefore.After(r.DeletedAt):
		return wrong("deletion-before-sending", "give --sent-before at or before --deleted-at", "what was sent after the deletion cannot have been deleted by it")
	}
	if r.Route == "" {
		return nil
	}
	routes := []string{}
	for _, p := range used {
		if p.Route != exposure.DeclaredRoute {
			routes = append(routes, p.Route)
		}
	}
	if spec, err := d.spec(string(v)); err == nil {
		for _, s := range spec.Routes {
			routes = append(routes, s.Name)
		}
	}
	slices.Sort(routes)
	return knownOr("route", r.Route, routes, "name the route as the letter means it: "+strings.Join(slices.Compact(routes), ", "))
}
