package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/incident"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
	"cordon/internal/scope"
)

// Incidents lists the cases, or with vendor only those about one.
func (d *Desk) Incidents(ctx context.Context, vendor string) (IncidentList, error) {
	list := IncidentList{Incidents: []IncidentSummary{}}
	if _, err := may(ctx, SeeFigures); err != nil {
		return list, err
	}
	if err := d.needLedger(); err != nil {
		return list, err
	}
	for _, k := range d.Fold.Cases.List() {
		if vendor != "" && string(k.Vendor) != vendor {
			continue
		}
		s := IncidentSummary{Incident: k.ID, Vendor: string(k.Vendor), State: k.State, Opened: k.Opened, OpenedBy: k.OpenedBy,
			Closed: setTime(k.Closed), Facts: k.Facts, Scopes: k.Scopes, Waiting: []string{}}
		for _, p := range k.Plans {
			if p.State() == "waiting" {
				s.Waiting = append(s.Waiting, p.Step)
			}
		}
		if k.State == incident.Open {
			list.Open++
		}
		list.Incidents = append(list.Incidents, s)
	}
	return list, nil
}

// Incident shows a case with its scope and timeline.
func (d *Desk) Incident(ctx context.Context, id string) (Incident, error) {
	actor, err := may(ctx, SeeFigures)
	if err != nil {
		return Incident{}, err
	}
	if err := d.needLedger(); err != nil {
		return Incident{}, err
	}
	if err := d.Fold.Cases.Follow(); err != nil {
		return Incident{}, unavailable("reading the incidents", err)
	}
	k, ok := d.Fold.Cases.Get(id)
	if !ok {
		return Incident{}, problem(http.StatusNotFound, "unknown-incident", "see `cordon incident list`", "there is no incident %q", id)
	}
	return d.showCase(ctx, actor, k)
}

func (d *Desk) showCase(ctx context.Context, actor Actor, k incident.Case) (Incident, error) {
	a := Incident{
		Incident: k.ID, Vendor: string(k.Vendor), State: k.State, Gate: d.gateNow(k.Vendor), Opened: k.Opened, OpenedBy: k.OpenedBy,
		Closed: setTime(k.Closed), Since: k.Since, Until: k.Until, Facts: k.Facts, Scopes: k.Scopes, Entries: k.Entries,
		Steps: []IncidentStep{}, Timeline: []IncidentMoment{},
	}
	for _, p := range k.Plans {
		a.Steps = append(a.Steps, stepOf(p))
	}
	moments, err := d.Fold.Cases.Timeline(k.ID)
	if err != nil {
		return a, unavailable("reading the incident", err)
	}
	for _, m := range moments {
		line := IncidentMoment{At: m.At, Discovered: m.Discovered, Recorded: m.Recorded, Actor: m.Actor, What: m.What, Kind: m.Kind,
			Entry: m.Entry, Superseded: m.Superseded}
		if m.Noted && actor.May(ReadPeople) {
			if line.Text, _, err = d.Ledger.SealedText(m.Entry); err != nil {
				a.Warnings = append(a.Warnings, err.Error())
			}
		}
		a.Timeline = append(a.Timeline, line)
	}
	if err := d.scopeOf(ctx, k, &a); err != nil {
		a.Warnings = append(a.Warnings, "the scope cannot be shown: "+err.Error())
	}
	return a, nil
}

// scopeOf shows the scope that was frozen last: what notices and duties cite.
func (d *Desk) scopeOf(ctx context.Context, k incident.Case, a *Incident) error {
	if n := len(k.Scopes); n > 0 {
		s, err := d.Index.Frozen(k.Scopes[n-1])
		if err != nil {
			return err
		}
		a.Scope = new(scope.Answer)
		return json.Unmarshal(s.Answer, a.Scope)
	}
	var err error
	a.Scope, err = d.Scope(ctx, scopeQuery(k))
	return err
}

// scopeQuery is the question that a case asks: everything that its vendor may
// have held in its window.
func scopeQuery(k incident.Case) ScopeQuery {
	q := ScopeQuery{Vendor: string(k.Vendor), Basis: scope.Held.String()}
	if k.Since != nil {
		q.Since = *k.Since
	}
	if k.Until != nil {
		q.Until = *k.Until
	}
	return q
}

// OpenIncident opens a case and freezes who was exposed.
func (d *Desk) OpenIncident(ctx context.Context, r IncidentOpen) (Incident, error) {
	actor, err := d.mayHandle(ctx, "cordon incident open")
	if err != nil {
		return Incident{}, err
	}
	facts, err := d.checkFacts(r.Facts)
	if err != nil {
		return Incident{}, err
	}
	o := incident.Opening{Vendor: exposure.VendorID(r.Vendor), Since: r.Since, Until: r.Until, Facts: facts, Again: r.Again}
	// Also says whether there is such a vendor, and whether the window is one.
	if _, err := d.query(ctx, scopeQuery(incident.Case{Vendor: o.Vendor, Since: o.Since, Until: o.Until})); err != nil {
		return Incident{}, err
	}
	if r.DryRun {
		return d.previewIncident(ctx, actor, o)
	}
	k, err := d.Fold.Cases.Begin(ctx, actor.Name, o)
	if err != nil {
		return Incident{}, caseProblem(err)
	}
	k, _, err = d.freezeFor(ctx, k)
	a, showErr := d.showCase(ctx, actor, k)
	if err != nil { // the case is open all the same, and its clocks run
		a.Warnings = append(a.Warnings, fmt.Sprintf("the scope was not frozen: %v; run `cordon incident scope %s`", err, k.ID))
	}
	return a, showErr
}

func (d *Desk) previewIncident(ctx context.Context, actor Actor, o incident.Opening) (Incident, error) {
	id, err := d.Fold.Cases.MayBegin(o)
	if err != nil {
		return Incident{}, caseProblem(err)
	}
	k := incident.Case{ID: id, Vendor: o.Vendor, State: incident.Open, Opened: d.Now().UTC(), OpenedBy: actor.Name,
		Since: o.Since, Until: o.Until, Facts: o.Facts}
	a := Incident{Incident: id, Vendor: string(k.Vendor), State: k.State, Gate: d.gateNow(k.Vendor), Opened: k.Opened, OpenedBy: k.OpenedBy,
		Since: k.Since, Until: k.Until, Facts: k.Facts, Scopes: []string{}, Steps: []IncidentStep{}, Entries: []uint64{},
		Timeline: []IncidentMoment{}, DryRun: true}
	return a, d.scopeOf(ctx, k, &a)
}

// freezeFor freezes what a case asks now.
func (d *Desk) freezeFor(ctx context.Context, k incident.Case) (incident.Case, *scope.Answer, error) {
	q := scopeQuery(k)
	q.Incident = k.ID
	a, err := d.FreezeScope(ctx, q)
	if err != nil {
		return k, nil, err
	}
	if err := d.Fold.Cases.Follow(); err != nil {
		return k, nil, unavailable("reading the incidents", err)
	}
	k, _ = d.Fold.Cases.Get(k.ID)
	return k, a, nil
}

// SetFacts states or corrects facts of a case.
func (d *Desk) SetFacts(ctx context.Context, id string, r IncidentFacts) (Incident, error) {
	actor, err := d.mayHandle(ctx, "cordon incident fact")
	if err != nil {
		return Incident{}, err
	}
	facts, err := d.checkFacts(r.Facts)
	if err != nil {
		return Incident{}, err
	}
	k, err := d.Fold.Cases.SetFacts(ctx, id, actor.Name, facts, r.Discovered)
	return d.changed(ctx, actor, k, err)
}

func (d *Desk) checkFacts(given map[string]string) (map[string]string, error) {
	facts := map[string]string{}
	for name, value := range given {
		v, err := incident.CheckFact(name, value, d.Now())
		if err != nil {
			return nil, caseProblem(err)
		}
		facts[name] = v
	}
	return facts, nil
}

// IncidentAccessed takes in a list of what was accessed, and freezes the scope
// anew, so that whom the list names is certain in what is cited from then on.
func (d *Desk) IncidentAccessed(ctx context.Context, id, kind string, r io.Reader) (IncidentAccessed, error) {
	_, err := d.mayHandle(ctx, "cordon incident accessed")
	if err != nil {
		return IncidentAccessed{}, err
	}
	k, err := d.openCase(id)
	if err != nil {
		return IncidentAccessed{}, err
	}
	var a IncidentAccessed
	if a.Accessed, err = d.Accessed(ctx, k.ID, k.Vendor, kind, r); err != nil {
		return a, err
	}
	k, s, err := d.freezeFor(ctx, k)
	if err != nil { // the list is in the ledger all the same
		a.Warnings = append(a.Warnings, fmt.Sprintf("the scope was not frozen anew: %v; run `cordon incident scope %s`", err, k.ID))
		return a, nil
	}
	a.Warnings = append(a.Warnings, d.takenBefore(ledger.EventAccessed, k.Vendor, a.FileSHA256, a.Entry)...)
	a.Frozen, a.FrozenCertain = s.Frozen, s.Certain
	return a, nil
}

// openCase is a case that may be worked on.
func (d *Desk) openCase(id string) (incident.Case, error) {
	if err := d.Fold.Cases.Follow(); err != nil {
		return incident.Case{}, unavailable("reading the incidents", err)
	}
	k, ok := d.Fold.Cases.Get(id)
	switch {
	case !ok:
		return k, problem(http.StatusNotFound, "unknown-incident", "see `cordon incident list`", "there is no incident %q", id)
	case k.State != incident.Open:
		return k, problem(http.StatusConflict, "incident-closed", "reopen it with `cordon incident reopen "+id+"`", "%s is closed", id)
	}
	return k, nil
}

// AddNote adds a free text to a case.
func (d *Desk) AddNote(ctx context.Context, id string, r IncidentText) (Incident, error) {
	actor, err := d.mayHandle(ctx, "cordon incident note")
	if err != nil {
		return Incident{}, err
	}
	if r.Text == "" {
		return Incident{}, problem(http.StatusUnprocessableEntity, "note-empty", "give a text", "the note is empty")
	}
	k, err := d.Fold.Cases.Note(ctx, id, actor.Name, r.Text)
	return d.changed(ctx, actor, k, err)
}

// ReopenIncident takes a closing back.
func (d *Desk) ReopenIncident(ctx context.Context, id string, r IncidentText) (Incident, error) {
	actor, err := d.mayHandle(ctx, "cordon incident reopen")
	if err != nil {
		return Incident{}, err
	}
	k, err := d.Fold.Cases.Reopen(ctx, id, actor.Name, r.Text)
	return d.changed(ctx, actor, k, err)
}

// changed shows a case after a change of it.
func (d *Desk) changed(ctx context.Context, actor Actor, k incident.Case, err error) (Incident, error) {
	if err != nil {
		return Incident{}, caseProblem(err)
	}
	return d.showCase(ctx, actor, k)
}

// mayHandle is the beginning of every change of a case.
func (d *Desk) mayHandle(ctx context.Context, verb string) (Actor, error) {
	actor, err := may(ctx, HandleIncidents)
	if err == nil {
		err = d.needServer(verb)
	}
	return actor, err
}

// caseProblem leaves a refusal of package incident as it is, and says of all
// else that the ledger is to blame.
func caseProblem(err error) error {
	var e *incident.Error
	if errors.As(err, &e) {
		return refusal(e)
	}
	return unavailable("changing the incident", err)
}

// gateNow is the gate of a vendor that may have no manifest any more.
func (d *Desk) gateNow(v exposure.VendorID) string {
	spec, err := d.spec(string(v))
	if err != nil {
		if s, known := d.Fold.Gates(v)[""]; known {
			return s.String()
		}
		return isolate.Open.String()
	}
	if d.Gates == nil {
		s, _ := d.storedGate(spec)
		return s
	}
	s, _ := d.Gates.Gate(spec.ID).State("")
	return s.String()
}

func setTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func stepOf(p incident.Plan) IncidentStep {
	s := IncidentStep{Step: p.Step, Detail: p.Detail, State: p.State(), Asked: p.At, AskedBy: p.By, Approvals: []IncidentApproved{}, Digest: p.Digest}
	for _, a := range p.Approvals {
		s.Approvals = append(s.Approvals, IncidentApproved(a))
	}
	if from, _, broken := p.GlassOpens(); broken {
		s.GlassOpens, s.GlassBy = &from, p.GlassBy
	}
	return s
}

// openCases is what the status says of incidents.
type openCases struct {
	count  int
	open   map[exposure.VendorID][]string
	alarms []string
}

func (d *Desk) openCases() openCases {
	s := openCases{open: map[exposure.VendorID][]string{}}
	list := d.Fold.Cases.List()
	for i := len(list) - 1; i >= 0; i-- {
		k := list[i]
		if k.State != incident.Open {
			continue
		}
		s.count++
		s.open[k.Vendor] = append(s.open[k.Vendor], k.ID)
		for _, p := range k.Plans {
			from, until, broken := p.GlassOpens()
			if now := d.Now(); broken && !p.Done && !p.Void && now.Before(until) {
				s.alarms = append(s.alarms, fmt.Sprintf("%s broke the glass in %s: from %s on one person may %s %s; `cordon cut %s` stops it",
					p.GlassBy, k.ID, from.UTC().Format("15:04:05 MST on 2006-01-02"), p.Step, k.Vendor, k.Vendor))
			}
		}
	}
	return s
}
