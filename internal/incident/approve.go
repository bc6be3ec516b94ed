package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cordon/internal/exposure"
)

// Approver is who approves: a user with the role of this moment, and the entry
// that made them one. Local is the socket's owner, who is no user.
type Approver struct {
	Name, Role string
	Local      bool
	Since      uint64
}

// Demand says whether a step may be done now. It may when no open incident
// concerns the vendor, when two users in different roles approved exactly this,
// or when the glass was broken long enough ago. Otherwise the plan is recorded
// for others to approve, and the error says what is missing.
//
// The plan's digest is given back, "" when none was needed: who then does it
// puts it into the entry as Fields["plan"], which marks the plan as done (an
// entry of a gate that opens does so by itself).
func (c *Cases) Demand(ctx context.Context, actor string, v exposure.VendorID, s Step) (digest string, err error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	if err := c.Follow(); err != nil {
		return "", err
	}
	open := c.OpenFor(v)
	if len(open) == 0 {
		return "", nil
	}
	// With several, the oldest: its approvals cannot be got around by opening another.
	return c.demand(ctx, actor, open[0], s)
}

// DemandIn is Demand for a step of one case, which is open.
func (c *Cases) DemandIn(ctx context.Context, actor, id string, s Step) (digest string, err error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	k, err := c.open(id)
	if err != nil {
		return "", err
	}
	return c.demand(ctx, actor, k, s)
}

func (c *Cases) demand(ctx context.Context, actor string, k Case, s Step) (digest string, err error) {
	p, err := c.planned(ctx, k, actor, s)
	if err != nil {
		return "", err
	}
	now := c.now()
	from, until, broken := p.GlassOpens()
	broken = broken && now.Before(until)
	if p.Approved() || broken && !now.Before(from) && isRestore(s.Name) {
		return p.Digest, nil
	}
	e := &Error{Reason: "approvals-needed", Refused: true,
		What: fmt.Sprintf("%s is open: %s needs approvals by two users in different roles, and has %s", k.ID, s.Name, given(p.Approvals)),
		Next: fmt.Sprintf("let them run `cordon incident approve %s %s --token-file FILE`, then run this again", k.ID, quoted(s.Name))}
	if broken {
		e.What = fmt.Sprintf("%s broke the glass; from %s on this may be done by one person", p.GlassBy, from.UTC().Format("15:04:05 MST on 2006-01-02"))
		e.Reason = "glass-broken"
		e.Next = "run it again then; `cordon cut " + string(k.Vendor) + "` stops it"
	}
	return "", e
}

// Plan records that a step waits for approvals, unless it does already.
func (c *Cases) planned(ctx context.Context, k Case, actor string, s Step) (Plan, error) {
	find := func(k Case) (Plan, bool) {
		for _, p := range slices.Backward(k.Plans) {
			if p.live() && p.Step == s.Name && p.Digest == s.Digest() {
				return p, true
			}
		}
		return Plan{}, false
	}
	if p, ok := find(k); ok {
		return p, nil
	}
	k, err := c.write(ctx, k.ID, actor, k.Vendor, map[string]any{
		"incident": k.ID, "what": whatPlan, "step": s.Name, "digest": s.Digest(), "detail": s.Detail,
	}, "")
	if err != nil {
		return Plan{}, err
	}
	p, _ := find(k)
	return p, nil
}

// BreakGlass begins the delay after which one person may do a step alone.
func (c *Cases) BreakGlass(ctx context.Context, actor string, v exposure.VendorID, s Step) (k Case, p Plan, begun bool, err error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	if err := c.Follow(); err != nil {
		return k, p, false, err
	}
	open := c.OpenFor(v)
	if len(open) == 0 {
		return k, p, false, nil // nothing to break
	}
	k = open[0]
	if p, err = c.planned(ctx, k, actor, s); err != nil {
		return k, p, false, err
	}
	if _, until, broken := p.GlassOpens(); broken && c.now().Before(until) {
		return k, p, false, nil
	}
	k, err = c.write(ctx, k.ID, actor, v, map[string]any{"incident": k.ID, "what": whatBreakGlass, "step": s.Name, "digest": s.Digest()}, "")
	if err != nil {
		return k, p, false, err
	}
	p, err = c.planned(ctx, k, actor, s)
	return k, p, true, err
}

// Approve is a user's word for a step as it is planned now. With wanted, a step
// that nobody planned yet is planned by the same stroke. digest, or its
// beginning, says which plan was looked at; it may be "" where the name of a
// step says all of it, and where nobody has put one plan in the place of another.
func (c *Cases) Approve(ctx context.Context, id, step, digest string, a Approver, wanted *Step) (Plan, error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	k, err := c.open(id)
	if err != nil {
		return Plan{}, err
	}
	refuse := func(what string) (Plan, error) {
		return Plan{}, &Error{Reason: "second-user-needed", Refused: true, What: what,
			Next: fmt.Sprintf("let another user run `cordon incident approve %s %s --token-file FILE`", id, quoted(step))}
	}
	if a.Local {
		return refuse("the socket's owner is no user and does not count as one of the two")
	}
	p, ok := k.waiting(step)
	if wanted != nil && (!ok || p.Digest != wanted.Digest()) {
		if p, err = c.planned(ctx, k, a.Name, *wanted); err != nil {
			return Plan{}, err
		}
		ok = true
	}
	switch {
	case !ok:
		next := "see `cordon incident show " + id + "`: nothing waits for approval"
		if names := k.steps(); names != "" {
			next = "these wait: " + names
		}
		return Plan{}, &Error{Reason: "unknown-step", What: fmt.Sprintf("no step %q of %s waits for approval", step, id), Next: next}
	case digest != "" && (len(digest) < shortDigest || !strings.HasPrefix(p.Digest, digest)),
		digest == "" && wanted == nil && k.replaced(p):
		// Else whoever asks could have one thing looked at and another approved.
		return Plan{}, &Error{Reason: "plan-changed", Refused: true,
			What: fmt.Sprintf("what waits as %s is now: %s, digest %s, asked for by %s", step, p.Detail, p.Digest[:shortDigest], p.By),
			Next: fmt.Sprintf("if that is what you mean, run `cordon incident approve %s %s --digest %s --token-file FILE`", id, quoted(step), p.Digest[:shortDigest])}
	case a.Since > p.Entry:
		return refuse("a user who came after the plan may not approve it")
	case p.by(a.Name):
		return refuse(a.Name + " approved it already")
	}
	k, err = c.write(ctx, id, a.Name, k.Vendor, map[string]any{
		"incident": id, "what": whatApprove, "step": step, "digest": p.Digest, "role": a.Role,
	}, "")
	if err != nil {
		return Plan{}, err
	}
	p, _ = k.waiting(step)
	return p, nil
}

// shortDigest is how much of a digest names a plan, in hex digits.
const shortDigest = 16

// replaced reports whether a plan stands in the place of another one that was
// never carried out.
func (c *Case) replaced(p Plan) bool {
	return slices.ContainsFunc(c.Plans, func(q Plan) bool { return q.Step == p.Step && q.Void && q.Entry < p.Entry })
}

// waiting is the plan of a step that is not done.
func (c *Case) waiting(step string) (Plan, bool) {
	for _, p := range slices.Backward(c.Plans) {
		if p.live() && p.Step == step {
			return p, true
		}
	}
	return Plan{}, false
}

func (c *Case) steps() (names string) {
	for _, p := range c.Plans {
		if p.live() {
			if names != "" {
				names += ", "
			}
			names += quoted(p.Step)
		}
	}
	return names
}

func given(list []Approval) string {
	if len(list) == 0 {
		return "none"
	}
	text := ""
	for i, a := range list {
		if i > 0 {
			text += ", "
		}
		text += a.By + " (" + a.Role + ")"
	}
	return text
}

// quoted is a step as it is typed in a shell: names of routes have spaces.
func quoted(step string) string {
	for _, r := range step {
		if r == ' ' || r == '*' {
			return "'" + step + "'"
		}
	}
	return step
}
