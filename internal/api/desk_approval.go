package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/incident"
	"cordon/internal/isolate"
	"cordon/internal/watch"
)

// needApprovals gives no error when no open incident concerns the vendor, or when two
// users in different roles approved exactly this step. Otherwise the step now
// waits for approvals, and the error says whose are missing. plan goes into the
// entry of what is then done, as Fields["plan"]; "" when none was needed.
func (d *Desk) needApprovals(ctx context.Context, actor Actor, v exposure.VendorID, s incident.Step) (plan string, err error) {
	plan, err = d.Fold.Cases.Demand(ctx, actor.Name, v, s)
	if err != nil {
		return "", caseProblem(err)
	}
	return plan, nil
}

// restoreStep is the opening of a gate as it is now: whatever changes the gate
// meanwhile has another epoch, and what was approved is another opening.
func restoreStep(g *isolate.Gate, route string) incident.Step {
	state, own := g.State("")
	deciding := own
	target := string(g.Vendor())
	if route != "" {
		state, deciding = g.State(route)
		target += "/" + route
	}
	return incident.Step{
		Name:    incident.RestoreStep(route),
		Content: []string{string(g.Vendor()), route, strconv.FormatUint(uint64(own), 10), strconv.FormatUint(uint64(deciding), 10)},
		Detail:  fmt.Sprintf("open the gate of %s, which is %s", target, state),
	}
}

// mayRestore is nil when the gate may be opened now.
func (d *Desk) mayRestore(ctx context.Context, actor Actor, g *isolate.Gate, route string, breakGlass bool) error {
	step := restoreStep(g, route)
	if breakGlass {
		k, p, begun, err := d.Fold.Cases.BreakGlass(ctx, actor.Name, g.Vendor(), step)
		if err != nil {
			return caseProblem(err)
		}
		if begun { // the alarm: it stands among the findings and in the status until somebody closes it
			key := watch.Key{Kind: watch.GlassBroken, Vendor: g.Vendor(), Route: route, Path: k.ID + "/" + strconv.FormatUint(p.Entry, 10), Category: exposure.Unclassified}
			if err := d.Fold.Findings.Raise(context.WithoutCancel(ctx), key, d.Now()); err != nil {
				return unavailable("raising the alarm", err)
			}
		}
	}
	_, err := d.needApprovals(ctx, actor, g.Vendor(), step)
	return err
}

// ApproveStep is a user's word for a step of a case. Steps whose content is
// plain from their name need not have been asked for first.
func (d *Desk) ApproveStep(ctx context.Context, id string, r IncidentApproval) (Incident, error) {
	actor, err := may(ctx, ApproveSteps)
	if err != nil {
		return Incident{}, err
	}
	if err := d.needServer("cordon incident approve"); err != nil {
		return Incident{}, err
	}
	who := incident.Approver{Name: actor.Name, Role: string(actor.Role), Local: actor.Local}
	if !actor.Local {
		var active bool
		if who.Since, active = d.Fold.Users.Since(actor.Name); !active {
			return Incident{}, problem(http.StatusForbidden, "user-unknown", "cordon user list", "%s is no active user", actor.Name)
		}
	}
	k, ok := d.Fold.Cases.Get(id)
	if !ok {
		return Incident{}, problem(http.StatusNotFound, "unknown-incident", "see `cordon incident list`", "there is no incident %q", id)
	}
	wanted, err := d.plainStep(k, r.Step)
	if err != nil {
		return Incident{}, err
	}
	if _, err := d.Fold.Cases.Approve(ctx, id, r.Step, r.Digest, who, wanted); err != nil {
		return Incident{}, caseProblem(err)
	}
	k, _ = d.Fold.Cases.Get(id)
	return d.showCase(ctx, actor, k)
}

// plainStep is what a step means where its name and the state of the gate say
// all of it; nil where it does not.
func (d *Desk) plainStep(k incident.Case, name string) (*incident.Step, error) {
	word, route, _ := strings.Cut(name, "/")
	switch {
	case name == incident.CloseStep:
		s := d.closeStep(k)
		return &s, nil
	case word == incident.RestoreStep(""):
		spec, err := d.spec(string(k.Vendor))
		if err != nil {
			return nil, err
		}
		if route, err = routeOf(spec, route); err != nil {
			return nil, err
		}
		s := restoreStep(d.Gates.Gate(spec.ID), route)
		return &s, nil
	}
	return nil, nil
}

// CloseIncident ends a case. While the vendor's gate is closed, the last case
// about it takes two to end: without it, one person could open the gate.
func (d *Desk) CloseIncident(ctx context.Context, id string, r IncidentText) (Incident, error) {
	actor, err := d.mayHandle(ctx, "cordon incident close")
	if err != nil {
		return Incident{}, err
	}
	k, err := d.Fold.Cases.Close(ctx, id, actor.Name, r.Text, func(k incident.Case, last bool) *incident.Step {
		if !last || !d.gateClosed(k.Vendor) {
			return nil
		}
		s := d.closeStep(k)
		return &s
	})
	return d.changed(ctx, actor, k, err)
}

func (d *Desk) closeStep(k incident.Case) incident.Step {
	return incident.Step{
		Name: incident.CloseStep, Content: []string{k.ID, string(k.Vendor)},
		Detail: fmt.Sprintf("close %s while the gate of %s is not open", k.ID, k.Vendor),
	}
}

// gateClosed reports whether anything of a vendor's gate is not open, also a
// route that no manifest names (any more): it may be closed by name.
func (d *Desk) gateClosed(v exposure.VendorID) bool {
	for _, s := range d.Fold.Gates(v) {
		if s != isolate.Open {
			return true
		}
	}
	if _, err := d.spec(string(v)); err != nil || d.Gates == nil {
		return false
	}
	s := d.Gates.Gate(v).Status()
	return s.State != isolate.Open || len(s.Routes) > 0
}

// FreezeIncident freezes a new scope for a case. One that leaves out people whom
// the last one counted takes approvals.
func (d *Desk) FreezeIncident(ctx context.Context, id string, w IncidentWindow) (Incident, error) {
	actor, err := d.mayHandle(ctx, "cordon incident scope")
	if err != nil {
		return Incident{}, err
	}
	k, err := d.openCase(id)
	if err != nil {
		return Incident{}, err
	}
	if w.AllTime {
		k.Since, k.Until = nil, nil
	}
	if w.Since != nil {
		k.Since = w.Since
	}
	if w.Until != nil {
		k.Until = w.Until
	}
	k, _, err = d.freezeFor(ctx, k)
	return d.changed(ctx, actor, k, err)
}
