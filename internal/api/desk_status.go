package api

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"cordon/internal/isolate"
	"cordon/internal/vendor"
	"cordon/internal/witness"
)

// Status is the state of every vendor and of the ledger.
func (d *Desk) Status(ctx context.Context) (Status, error) {
	if _, err := may(ctx, SeeFigures); err != nil {
		return Status{}, err
	}
	if err := d.needLedger(); err != nil {
		return Status{}, err
	}
	st := Status{Organization: d.Config.Organization.Name, At: d.Now().UTC(), Server: d.Online()}
	st.Ledger = d.ledgerStatus()
	st.Witness = d.witnessStatus()
	d.careStatus(&st)
	recent, today, err := d.Index.Recent(ctx)
	if err != nil {
		st.IndexError = err.Error()
	}
	st.SubjectsToday = today
	cases := d.openCases()
	st.IncidentsOpen, st.Alarms = cases.count, cases.alarms
	if what := d.Fold.directoryAlarm.Load(); what != nil && *what != "" {
		st.Alarms = append(st.Alarms, *what)
	}
	for _, spec := range d.Specs {
		v := d.vendorStatus(spec)
		v.Incidents = cases.open[spec.ID]
		r := recent[spec.ID]
		v.Disclosures24h, v.Subjects24h, v.SubjectsToday = r.Disclosures24h, r.Subjects24h, r.SubjectsToday
		st.Vendors = append(st.Vendors, v)
	}
	return st, nil
}

// Witness is a running feed of heads; *witness.Feed is one.
type Witness interface{ Status() witness.Status }

// witnessStatus without a server is what the ledger kept of it.
func (d *Desk) witnessStatus() *WitnessStatus {
	if d.Config.Witness.Key == "" {
		return nil
	}
	batches := d.Ledger.Status().Batches
	if d.Witness != nil {
		s := d.Witness.Status()
		return &WitnessStatus{s.Name, s.Size, batches, s.At, s.Late, s.Problem, s.Rewritten}
	}
	name, _, _ := strings.Cut(d.Config.Witness.Key, "+")
	w := &WitnessStatus{Name: name, Batches: batches}
	// The head of a witness that was configured before has no time of this one's.
	if kept := d.Ledger.Cosigned(); !kept.At.IsZero() {
		w.Size, w.At, w.Late = kept.Size, kept.At, kept.Late
	}
	return w
}

func (d *Desk) ledgerStatus() LedgerStatus {
	s := d.Ledger.Status()
	l := LedgerStatus{Size: s.Size, Checkpoint: s.Checkpoint, LastSync: s.LastSync, Pending: s.Pending, Warnings: s.Warnings}
	if s.Err != nil {
		l.Error = s.Err.Error()
	}
	return l
}

func (d *Desk) vendorStatus(spec *vendor.Spec) VendorStatus {
	v := VendorStatus{Vendor: string(spec.ID), Name: spec.Manifest.Name, Mode: string(spec.Mode)}
	if v.Name == "" {
		v.Name = v.Vendor
	}
	var states map[string]isolate.State
	var damage []string
	if d.Gates != nil {
		g := d.Gates.Gate(spec.ID).Status()
		v.Gate, v.Epoch, v.Connections, v.InFlight = g.State.String(), uint64(g.Epoch), g.Conns, len(g.Live)
		states, damage = g.Routes, g.Damage
		for _, a := range g.Attempts {
			v.AttemptsAfterCut += a.Count
			v.Attempts = append(v.Attempts, Attempt{a.Route, a.App, a.Credential, a.Token, a.Count})
		}
		c := d.Traffic.Counters()[spec.ID]
		v.Requests, v.Refused, v.LastAt = c.Disclosures, c.Refusals, c.Last
	} else {
		v.Gate, states = d.storedGate(spec)
	}
	v.GateProblem = strings.Join(damage, "; ")
	for route, s := range states {
		if s != isolate.Open {
			v.Routes = append(v.Routes, RouteGate{route, s.String()})
		}
	}
	slices.SortFunc(v.Routes, func(a, b RouteGate) int { return strings.Compare(a.Route, b.Route) })
	return v
}

// storedGate is the gate without a server, as the next start would load it: the
// more closed of what the ledger remembers and what the gate's file says.
func (d *Desk) storedGate(spec *vendor.Spec) (string, map[string]isolate.State) {
	last := map[string]isolate.State{}
	if d.Fold != nil {
		last = d.Fold.Gates(spec.ID)
	}
	names := []string{""}
	for _, r := range spec.Routes {
		names = append(names, r.Name)
	}
	states := map[string]isolate.State{}
	for _, name := range names {
		s, remembered := last[name]
		if !remembered {
			s = isolate.Open
		}
		file, err := isolate.ReadGate(d.Config.Data, spec.ID, name)
		if err == nil || !errors.Is(err, os.ErrNotExist) { // unreadable reads as cut
			s = min(s, file)
		}
		states[name] = s
	}
	own := states[""]
	delete(states, "")
	for name, s := range states { // a route is reported where it differs from its vendor
		if s >= own {
			delete(states, name)
		}
	}
	return own.String(), states
}

// Counts are the messages recorded per vendor since the server started.
func (d *Desk) Counts() map[string]uint64 {
	out := map[string]uint64{}
	if d.Traffic != nil {
		for v, c := range d.Traffic.Counters() {
			out[string(v)] = c.Disclosures
		}
	}
	return out
}
