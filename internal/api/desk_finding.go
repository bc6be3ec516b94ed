package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"cordon/internal/watch"
)

// Watcher is the running watch; *watch.Watch is one.
type Watcher interface {
	Counts() []watch.Count
	Missed() uint64
}

// counts are the running watch's, or those kept in the store.
func (d *Desk) counts() ([]watch.Count, error) {
	if d.Watch != nil {
		return d.Watch.Counts(), nil
	}
	return watch.ReadCounts(d.Ledger.Store().DB())
}

// Findings lists what a person should look at.
func (d *Desk) Findings(ctx context.Context, q FindingQuery) (FindingList, error) {
	list := FindingList{Findings: []Finding{}}
	actor, err := may(ctx, SeeFigures)
	if err != nil {
		return list, err
	}
	if err := d.needLedger(); err != nil {
		return list, err
	}
	if q.Kind != "" && !slices.Contains(watch.Kinds(), watch.Kind(q.Kind)) {
		names := []string{}
		for _, k := range watch.Kinds() {
			names = append(names, string(k))
		}
		return list, problem(http.StatusUnprocessableEntity, "unknown-kind", "use "+strings.Join(names, " or "), "there is no kind of finding %q", q.Kind)
	}
	counts, err := d.counts()
	if err != nil {
		return list, err
	}
	byID := map[string]watch.Count{}
	for _, c := range counts {
		byID[c.ID()] = c
	}
	for _, f := range d.Fold.Findings.List() {
		a := finding(f, byID[f.ID])
		switch {
		case q.Vendor != "" && a.Vendor != q.Vendor, q.Kind != "" && a.Kind != q.Kind, a.Last.Before(q.Since):
			continue
		case a.State == "open":
			list.Open++
		case !q.All:
			continue
		}
		if f.ClosedSeq != 0 && actor.May(ReadPeople) { // it may name them
			if a.Reason, _, err = d.Ledger.SealedText(f.ClosedSeq); err != nil {
				return list, unavailable("reading why a finding was closed", err)
			}
		}
		list.Findings = append(list.Findings, a)
	}
	if d.Watch != nil {
		list.Missed = d.Watch.Missed()
	}
	return list, nil
}

// Finding shows one.
func (d *Desk) Finding(ctx context.Context, id string) (Finding, error) {
	list, err := d.Findings(ctx, FindingQuery{All: true})
	if err != nil {
		return Finding{}, err
	}
	for _, f := range list.Findings {
		if f.Finding == id {
			return f, nil
		}
	}
	return Finding{}, unknownFinding(id)
}

func unknownFinding(id string) error {
	return problem(http.StatusNotFound, "unknown-finding", "see `cordon finding list --all`", "there is no finding %q", id)
}

// CloseFinding records what was decided.
func (d *Desk) CloseFinding(ctx context.Context, id string, c FindingClose) (Finding, error) {
	actor, err := may(ctx, CloseFindings)
	if err != nil {
		return Finding{}, err
	}
	if err := d.needServer("cordon finding close"); err != nil {
		return Finding{}, err
	}
	_, err = d.Fold.Findings.Close(ctx, id, actor.Name, c.Reason)
	var unknown *watch.ErrUnknown
	var closed *watch.ErrClosed
	switch {
	case errors.As(err, &unknown):
		return Finding{}, unknownFinding(id)
	case errors.As(err, &closed):
		return Finding{}, problem(http.StatusConflict, "finding-closed", "see `cordon finding show "+id+"`", "%v", err)
	case err != nil:
		return Finding{}, unavailable("closing the finding", err)
	}
	return d.Finding(ctx, id)
}

func finding(f watch.Finding, c watch.Count) Finding {
	a := Finding{
		Finding: f.ID, Kind: string(f.Kind), Vendor: string(f.Vendor), Route: f.Route, Path: f.Path, Category: f.Category.Key(),
		State: "open", Raised: f.Raised, Entry: f.Seq, First: f.Raised, Last: f.Raised, Messages: c.Messages, People: c.People,
	}
	if c.Messages > 0 {
		a.First, a.Last = c.First, c.Last
	}
	if !f.Closed.IsZero() {
		closed := f.Closed
		a.State, a.Closed, a.ClosedBy = "closed", &closed, f.ClosedBy
	}
	return a
}

// Drift lists the leaves that no mapping names.
func (d *Desk) Drift(ctx context.Context, q DriftQuery) (Drift, error) {
	drift := Drift{Leaves: []DriftLeaf{}}
	if _, err := may(ctx, SeeFigures); err != nil {
		return drift, err
	}
	if err := d.needLedger(); err != nil {
		return drift, err
	}
	counts, err := d.counts()
	if err != nil {
		return drift, err
	}
	if q.Vendor != "" && !slices.ContainsFunc(counts, func(c watch.Count) bool { return string(c.Vendor) == q.Vendor }) {
		if _, err := d.spec(q.Vendor); err != nil {
			return drift, err
		}
	}
	for _, c := range counts {
		if c.Kind != watch.Drift || q.Vendor != "" && string(c.Vendor) != q.Vendor || q.Route != "" && c.Route != q.Route || c.First.Before(q.Since) {
			continue
		}
		leaf := DriftLeaf{Vendor: string(c.Vendor), Route: c.Route, Path: c.Path, First: c.First, Last: c.Last, Messages: c.Messages, People: c.People}
		if _, err := d.Fold.Findings.Get(c.ID()); err == nil {
			leaf.Finding = c.ID()
		}
		drift.Leaves = append(drift.Leaves, leaf)
	}
	return drift, nil
}
