package api

import (
	"context"
	"errors"
	"net/http"

	"cordon/internal/gateway"
	"cordon/internal/isolate"
	"cordon/internal/vendor"
)

// Verbs that change a gate, and the state they lead to.
var gateVerbs = map[string]isolate.State{"cut": isolate.Cut, "hold": isolate.Held, "restore": isolate.Open}

// ChangeGate cuts, holds or restores a vendor or one of its routes. A vendor
// without an open incident is restored by one person; with one it takes two, or
// a quarter of an hour.
func (d *Desk) ChangeGate(ctx context.Context, verb, name string, r GateRequest) (GateChange, error) {
	actor, err := may(ctx, ChangeGates)
	if err != nil {
		return GateChange{}, err
	}
	to, ok := gateVerbs[verb]
	if !ok {
		return GateChange{}, problem(http.StatusNotFound, "unknown-verb", "use cut, hold or restore", "a gate cannot %s", verb)
	}
	if err := d.needServer("cordon " + verb); err != nil {
		return GateChange{}, err
	}
	spec, err := d.spec(name)
	if err != nil {
		return GateChange{}, err
	}
	route, err := routeOf(spec, r.Route)
	if err != nil {
		return GateChange{}, err
	}
	gate := d.Gates.Gate(spec.ID)
	closings := gate.Closings() // before anything is looked at
	before := gate.Status()
	answer := GateChange{
		Vendor: name, Route: route, Gate: to.String(), Was: before.State.String(), Epoch: uint64(before.Epoch),
		Routes: affectedRoutes(spec, route), DryRun: r.DryRun,
	}
	if r.BreakGlass && to != isolate.Open {
		return answer, problem(http.StatusUnprocessableEntity, "not-for-restore", "cordon "+verb+" "+name, "the glass is broken to restore a vendor; anybody may %s one", verb)
	}
	if r.DryRun {
		if open := d.Fold.Cases.OpenFor(spec.ID); to == isolate.Open && len(open) > 0 {
			answer.Incident = open[0].ID
		}
		if to != isolate.Open {
			answer.ConnectionsClosed = before.Conns
			for _, l := range before.Live {
				if route == "" || l.Route == route {
					answer.Live = append(answer.Live, LiveMessage{Route: l.Route, App: l.App})
				}
			}
		}
		return answer, nil
	}
	if state, _ := gate.State(route); to == isolate.Open && state != isolate.Open {
		if err := d.mayRestore(ctx, actor, gate, route, r.BreakGlass); err != nil {
			return answer, err
		}
	}
	done, err := d.Traffic.Change(ctx, gateway.Order{Vendor: spec.ID, Route: route, To: to, Actor: actor.Name, Reason: r.Reason, Closings: &closings})
	if errors.Is(err, isolate.ErrClosedMeanwhile) {
		return answer, problem(http.StatusConflict, "closed-meanwhile", "cordon incident list, then decide anew", "%s was closed while its opening was decided", name)
	}
	answer.Was, answer.Epoch, answer.ConnectionsClosed = done.From.String(), uint64(done.Epoch), done.ConnectionsClosed
	answer.TookMS = float64(done.Took.Microseconds()) / 1000
	for _, l := range done.Interrupted {
		answer.Live = append(answer.Live, LiveMessage{Route: l.Route, App: l.App, Bytes: l.Handed})
	}
	if err != nil {
		return answer, problem(http.StatusInternalServerError, "gate-not-durable",
			"run it again; if it fails again, stop the server: nothing is forwarded then", "%s %s: %v", verb, name, err)
	}
	answer.Entry = done.Seq
	if done.Pending() {
		answer.Pending = "closed, entry pending: the ledger does not record, the gate file holds"
		if to == isolate.Open {
			answer.Pending = "open, entry pending: the ledger does not record"
		}
	}
	d.Fold.Took(spec.ID, route, to)
	return answer, nil
}

// routeOf checks the name of a route: one of the manifest, or what messages on
// unmapped routes carry, "METHOD /*". Nothing else is taken: the name goes into
// the ledger, where no stranger's words belong.
func routeOf(spec *vendor.Spec, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	names := make([]string, 0, len(spec.Routes))
	for _, r := range spec.Routes {
		if r.Name == name {
			return name, nil
		}
		names = append(names, r.Name)
	}
	if vendor.IsUnmappedName(name) {
		return name, nil
	}
	next := "cordon vendor show " + string(spec.ID)
	if near := nearest(name, names); near != "" {
		next = "did you mean " + near + "? See `" + next + "`"
	}
	return "", problem(http.StatusNotFound, "unknown-route", next, "%s has no route %q", spec.ID, name)
}

func affectedRoutes(spec *vendor.Spec, route string) []string {
	if route != "" {
		return []string{route}
	}
	var out []string
	for _, r := range spec.Routes {
		out = append(out, r.Name)
	}
	return out
}
