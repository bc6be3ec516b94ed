package incident

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
)

// Opening is what a case begins with.
type Opening struct {
	Vendor       exposure.VendorID
	Since, Until *time.Time
	Facts        map[string]string // checked: see CheckFact
	// Again opens another one about a vendor that has an open one.
	Again bool
}

// Begin opens a case.
func (c *Cases) Begin(ctx context.Context, actor string, o Opening) (Case, error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	id, err := c.mayBegin(o)
	if err != nil {
		return Case{}, err
	}
	fields := map[string]any{"incident": id, "what": whatOpen}
	if len(o.Facts) > 0 {
		fields["facts"] = o.Facts
	}
	for name, t := range map[string]*time.Time{"since": o.Since, "until": o.Until} {
		if t != nil {
			fields[name] = t.UTC().Format(time.RFC3339Nano)
		}
	}
	return c.write(ctx, id, actor, o.Vendor, fields, "")
}

// MayBegin is the error that Begin would give, and the id that the case would have.
func (c *Cases) MayBegin(o Opening) (id string, err error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	return c.mayBegin(o)
}

func (c *Cases) mayBegin(o Opening) (string, error) {
	if err := c.Follow(); err != nil {
		return "", err
	}
	if open := c.OpenFor(o.Vendor); len(open) > 0 && !o.Again {
		k := open[len(open)-1]
		return "", &Error{Reason: "incident-open", Conflict: true,
			What: fmt.Sprintf("%s has the open incident %s already", o.Vendor, k.ID),
			Next: fmt.Sprintf("use it: `cordon incident show %s`; --again opens another one", k.ID)}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return "inc-" + strconv.Itoa(len(c.state.order)+1), nil
}

// SetFacts states or corrects facts, checked with CheckFact; discovered is when
// they became known, nil: as the facts themselves say.
func (c *Cases) SetFacts(ctx context.Context, id, actor string, facts map[string]string, discovered *time.Time) (Case, error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	k, err := c.open(id)
	if err != nil {
		return k, err
	}
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		if _, known := k.Facts[name]; facts[name] == "" && !known {
			return k, &Error{Reason: "fact-unknown", Conflict: true, What: fmt.Sprintf("%s says nothing of %s that could be taken back", id, name),
				Next: "see `cordon incident show " + id + "`"}
		}
	}
	fields := map[string]any{"incident": id, "what": whatFact, "facts": facts}
	if discovered != nil {
		fields["discovered"] = discovered.Format(time.RFC3339Nano)
	}
	return c.write(ctx, id, actor, k.Vendor, fields, "")
}

// Note adds a free text, sealed beside the ledger.
func (c *Cases) Note(ctx context.Context, id, actor, text string) (Case, error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	k, err := c.must(id)
	if err != nil {
		return k, err
	}
	return c.write(ctx, id, actor, k.Vendor, map[string]any{"incident": id, "what": whatNote}, text)
}

// Close ends a case, for a reason that may be empty. needs gives the step that
// must have been approved first, nil for none; it is asked with the lock held
// under which everything is decided, and told whether this is the vendor's last
// open case: two who close two cases at once must not both be told that there is another.
func (c *Cases) Close(ctx context.Context, id, actor, reason string, needs func(k Case, last bool) *Step) (Case, error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	k, err := c.open(id)
	if err != nil {
		return k, err
	}
	if needs != nil {
		if s := needs(k, len(c.OpenFor(k.Vendor)) == 1); s != nil {
			if _, err := c.demand(ctx, actor, k, *s); err != nil {
				return k, err
			}
		}
	}
	return c.write(ctx, id, actor, k.Vendor, map[string]any{"incident": id, "what": whatClose}, reason)
}

// Reopen takes the closing back.
func (c *Cases) Reopen(ctx context.Context, id, actor, reason string) (Case, error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	k, err := c.must(id)
	if err != nil {
		return k, err
	}
	if k.State == Open {
		return k, &Error{Reason: "incident-open", Conflict: true, What: id + " is open", Next: "see `cordon incident show " + id + "`"}
	}
	return c.write(ctx, id, actor, k.Vendor, map[string]any{"incident": id, "what": whatReopen}, reason)
}

// open is a case that is open.
func (c *Cases) open(id string) (Case, error) {
	k, err := c.must(id)
	if err != nil {
		return k, err
	}
	if k.State != Open {
		return k, &Error{Reason: "incident-closed", Conflict: true, What: id + " is closed", Next: "reopen it with `cordon incident reopen " + id + "`"}
	}
	return k, nil
}

// write makes the entry durable, with a sealed text if there is one, and gives
// the case as it is then. Whoever asked may go away meanwhile; the decision is
// made, and the next one must see it.
func (c *Cases) write(ctx context.Context, id, actor string, v exposure.VendorID, fields map[string]any, text string) (Case, error) {
	ctx = context.WithoutCancel(ctx)
	e := ledger.Event{Kind: ledger.EventIncident, Vendor: v, At: c.now(), Actor: actor, Fields: fields}
	var err error
	if text == "" {
		_, err = c.journal.Append(ctx, e)
	} else {
		_, err = c.journal.AppendSealed(ctx, e, id, text)
	}
	if err != nil {
		return Case{}, fmt.Errorf("recording it: %w", err)
	}
	return c.must(id)
}
