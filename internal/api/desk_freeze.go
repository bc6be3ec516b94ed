package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/RoaringBitmap/roaring/v2"

	"cordon/evidence"
	"cordon/internal/incident"
	"cordon/internal/ledger"
	"cordon/internal/scope"
)

// FreezeScope answers like Scope and freezes the answer: the people whom it
// counts are kept, and an entry of the ledger holds the digest of it all. With
// an incident it is one of the incident's scopes; who is certain is then whom the
// incident's own lists name, and leaving out people whom its last scope counted
// needs two approvals.
func (d *Desk) FreezeScope(ctx context.Context, q ScopeQuery) (*scope.Answer, error) {
	actor, err := may(ctx, FreezeScopes)
	if err != nil {
		return nil, err
	}
	if err := d.needLedger(); err != nil {
		return nil, err
	}
	if err := d.needServer("cordon scope --freeze"); err != nil {
		return nil, err
	}
	query, err := d.query(ctx, q)
	if err != nil {
		return nil, err
	}
	d.freezing.Lock()
	defer d.freezing.Unlock()
	id, err := d.Index.NextScope()
	if err != nil {
		return nil, unavailable("freezing the scope", err)
	}
	query.Checkpoint = d.Ledger.Status().Checkpoint
	frozen, err := d.Index.Freeze(ctx, query, id, q.Incident)
	if err != nil {
		return nil, unavailable("freezing the scope", err)
	}
	fields := map[string]any{"scope": id}
	if err := d.commit(ctx, actor, query, &frozen, fields); err != nil {
		return nil, errors.Join(err, d.Index.Discard(id))
	}
	return frozenAnswer(frozen)
}

// commit writes the entry that makes a frozen scope one.
func (d *Desk) commit(ctx context.Context, actor Actor, q scope.Query, frozen *evidence.Scope, fields map[string]any) error {
	var err error
	if fields["digest"], err = frozen.Digest(); err != nil {
		return err
	}
	if frozen.Incident != "" {
		fields["incident"] = frozen.Incident
		plan, err := d.mayNarrow(ctx, actor, frozen)
		if err != nil {
			return err
		}
		if plan != "" {
			fields["plan"] = plan
		}
	}
	if !q.Since.IsZero() {
		fields["since"] = instantText(q.Since)
	}
	if !q.Until.IsZero() {
		fields["until"] = instantText(q.Until)
	}
	var subjects uint64
	for _, c := range frozen.Cohorts {
		subjects += c.Subjects
	}
	fields["subjects"] = subjects
	_, err = d.Ledger.Append(ctx, ledger.Event{Kind: ledger.EventScope, Vendor: q.Vendor, At: d.Now(), Actor: actor.Name, Fields: fields})
	if err != nil {
		return unavailable("recording the frozen scope", err)
	}
	return nil
}

// mayNarrow asks for approvals if the scope leaves out somebody whom the
// incident's last one counted: they would not be told.
func (d *Desk) mayNarrow(ctx context.Context, actor Actor, frozen *evidence.Scope) (plan string, err error) {
	k, ok := d.Fold.Cases.Get(frozen.Incident)
	if !ok {
		return "", problem(http.StatusNotFound, "unknown-incident", "see `cordon incident list`", "there is no incident %q", frozen.Incident)
	}
	if len(k.Scopes) == 0 {
		return "", nil
	}
	last, err := d.Index.Frozen(k.Scopes[len(k.Scopes)-1])
	if err != nil {
		return "", unavailable("reading the incident's last scope", err)
	}
	before, err := d.counted(&last)
	if err != nil {
		return "", err
	}
	now, err := d.counted(frozen)
	if err != nil {
		return "", err
	}
	if roaring.AndNot(before, now).IsEmpty() {
		return "", nil
	}
	plan, err = d.Fold.Cases.DemandIn(ctx, actor.Name, k.ID, incident.Step{Name: incident.ScopeStep, Content: []string{string(frozen.Query)},
		Detail: "a scope that leaves out people whom " + last.ID + " counts"})
	if err != nil {
		return "", caseProblem(err)
	}
	return plan, nil
}

// counted is everybody whom a frozen scope counts.
func (d *Desk) counted(s *evidence.Scope) (*roaring.Bitmap, error) {
	all := roaring.New()
	for _, c := range s.Cohorts {
		people, err := d.Index.FrozenPeople(s.ID, c.SHA256)
		if err != nil {
			return nil, unavailable("reading a frozen scope", err)
		}
		all.Or(people)
	}
	return all, nil
}

// FrozenScope gives a frozen answer as it was, checked against the ledger.
func (d *Desk) FrozenScope(ctx context.Context, id string) (*scope.Answer, error) {
	if _, err := may(ctx, SeeFigures); err != nil {
		return nil, err
	}
	if err := d.needLedger(); err != nil {
		return nil, err
	}
	s, err := d.Index.Frozen(id)
	if errors.Is(err, scope.ErrNotFrozen) {
		return nil, problem(http.StatusNotFound, "unknown-scope", "cordon ledger tail shows which were frozen", "%v", err)
	}
	if err != nil {
		return nil, unavailable("reading a frozen scope", err)
	}
	return frozenAnswer(s)
}

func frozenAnswer(s evidence.Scope) (*scope.Answer, error) {
	a := new(scope.Answer)
	if err := json.Unmarshal(s.Answer, a); err != nil {
		return nil, err
	}
	return a, nil
}
