package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

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
		plan, err := d.mayNarrow(ctx, actor, q, frozen)
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
// incident's last one counted, or something of them: they would not be told.
func (d *Desk) mayNarrow(ctx context.Context, actor Actor, q scope.Query, frozen *evidence.Scope) (plan string, err error) {
	k, err := d.openCase(frozen.Incident)
	if err != nil {
		return "", err
	}
	if len(k.Scopes) == 0 {
		return "", nil
	}
	last, err := d.Index.Frozen(k.Scopes[len(k.Scopes)-1])
	if err != nil {
		return "", unavailable("reading the incident's last scope", err)
	}
	what, err := d.leavesOut(&last, frozen)
	if err != nil || what == "" {
		return "", err
	}
	if !q.Since.IsZero() {
		what += ", since " + instantText(q.Since)
	}
	if !q.Until.IsZero() {
		what += ", until " + instantText(q.Until)
	}
	plan, err = d.Fold.Cases.DemandIn(ctx, actor.Name, k.ID, incident.Step{Name: incident.ScopeStep, Content: []string{string(frozen.Query)},
		Detail: "a scope that leaves out " + what})
	if err != nil {
		return "", caseProblem(err)
	}
	return plan, nil
}

// leavesOut says what of an earlier scope a later one does not count, "" for
// nothing: people, what went out about them, in the clear or at all, and who
// was certain. One set of people after the other: there may be millions.
func (d *Desk) leavesOut(before, now *evidence.Scope) (string, error) {
	missing := func(of func(*evidence.ScopeCohort) bool) (uint64, error) {
		was, err := d.counted(before, of)
		if err != nil {
			return 0, err
		}
		is, err := d.counted(now, of)
		if err != nil {
			return 0, err
		}
		was.AndNot(is)
		return was.GetCardinality(), nil
	}
	n, err := missing(func(*evidence.ScopeCohort) bool { return true })
	if err != nil || n > 0 {
		return fmt.Sprintf("%d people whom %s counts", n, before.ID), err
	}
	seen := map[string]bool{}
	for i := range before.Cohorts {
		for _, category := range append(slices.Collect(maps.Keys(before.Cohorts[i].Protected)), before.Cohorts[i].Categories...) {
			if seen[category] {
				continue
			}
			seen[category] = true
			clear := func(c *evidence.ScopeCohort) bool { return slices.Contains(c.Categories, category) }
			atAll := func(c *evidence.ScopeCohort) bool { return clear(c) || c.Protected[category] != "" }
			for _, of := range []func(*evidence.ScopeCohort) bool{clear, atAll} {
				if n, err = missing(of); err != nil || n > 0 {
					return fmt.Sprintf("%s of %d people, which %s counts", category, n, before.ID), err
				}
			}
		}
	}
	was, err := d.Index.FrozenPeople(before.ID, before.Certain.SHA256)
	if err != nil {
		return "", unavailable("reading a frozen scope", err)
	}
	is, err := d.Index.FrozenPeople(now.ID, now.Certain.SHA256)
	if err != nil {
		return "", unavailable("reading a frozen scope", err)
	}
	if was.AndNot(is); !was.IsEmpty() {
		return fmt.Sprintf("%d people as certain, whom %s has", was.GetCardinality(), before.ID), nil
	}
	return "", nil
}

// counted is everybody in those cohorts of a frozen scope.
func (d *Desk) counted(s *evidence.Scope, of func(*evidence.ScopeCohort) bool) (*roaring.Bitmap, error) {
	all := roaring.New()
	for i := range s.Cohorts {
		if !of(&s.Cohorts[i]) {
			continue
		}
		people, err := d.Index.FrozenPeople(s.ID, s.Cohorts[i].SHA256)
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
