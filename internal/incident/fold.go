package incident

import (
	"slices"
	"strings"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
)

// Relevant reports whether events of a kind are folded here.
func Relevant(k ledger.EventKind) bool {
	switch k {
	case ledger.EventIncident, ledger.EventScope, ledger.EventAccessed:
		return true
	}
	return aboutVendor(k)
}

// aboutVendor are the events that belong to a case because they concern its
// vendor in its time, whether or not anybody had opened it.
func aboutVendor(k ledger.EventKind) bool {
	switch k {
	case ledger.EventGate, ledger.EventFinding, ledger.EventFindingClosed, ledger.EventAttest, ledger.EventBackfill,
		ledger.EventTokenEpoch, ledger.EventLegalHold:
		return true
	}
	return false
}

// Words of Fields["what"] in events of kind incident; stored, never renamed.
const (
	whatOpen       = "open"
	whatFact       = "fact"
	whatNote       = "note"
	whatPlan       = "plan"
	whatApprove    = "approve"
	whatBreakGlass = "break-glass"
	whatExport     = "export"
	whatClose      = "close"
	whatReopen     = "reopen"
)

// state is what the entries add up to. It holds events as they came, and is
// made of nothing else: two states that folded the same entries are equal.
type state struct {
	byID    map[string]*caseState
	order   []string
	vendors map[exposure.VendorID]*vendorState
	next    uint64 // the first entry not folded yet
}

// caseState is one case with its own entries, oldest first.
type caseState struct {
	Case   // without Entries
	events []event
	// gateSince is the entry that closed the vendor's gate before the case was
	// opened; 0: it was open.
	gateSince uint64
}

// vendorState are the events about one vendor.
type vendorState struct {
	events []event
	// closed are the parts of its gate that are not open ("": the vendor's own);
	// since is the entry that closed the first of them.
	closed map[string]bool
	since  uint64
}

// event is an event of the ledger with what the fold needs of it.
type event struct {
	seq    uint64
	kind   ledger.EventKind
	at     time.Time
	actor  string
	fields map[string]any
}

func (e *event) text(name string) string { s, _ := e.fields[name].(string); return s }

// facts reads an object of texts; nothing else was ever written.
func (e *event) facts() map[string]string {
	all, _ := e.fields["facts"].(map[string]any)
	out := make(map[string]string, len(all))
	for k, v := range all {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// number reads a count or an entry's number; 0 for none. Fields have been through JSON.
func (e *event) number(name string) uint64 {
	n, _ := e.fields[name].(float64)
	return uint64(n)
}

// instant reads a bound; nil for none.
func (e *event) instant(name string) *time.Time {
	t, err := time.Parse(time.RFC3339Nano, e.text(name))
	if err != nil {
		return nil
	}
	return &t
}

func newState() state {
	return state{byID: map[string]*caseState{}, vendors: map[exposure.VendorID]*vendorState{}, next: 1}
}

// fold takes one entry. Entries that came before are not taken twice.
func (s *state) fold(e ledger.Entry) {
	if e.Seq < s.next || e.Kind != ledger.KindEvent {
		return
	}
	s.next = e.Seq + 1
	if !Relevant(e.Event.Kind) {
		return
	}
	ev := event{e.Seq, e.Event.Kind, e.At.UTC(), e.Event.Actor, e.Event.Fields}
	if aboutVendor(e.Event.Kind) {
		s.vendor(e.Event.Vendor, ev)
	}
	if id := ev.text("incident"); id != "" {
		s.ofCase(id, e.Event.Vendor, ev)
	}
	if step := ev.text("plan"); step != "" { // whatever was done because it had been approved
		for _, id := range s.order {
			s.byID[id].done(func(p *Plan) bool { return p.Digest == step })
		}
	}
}

func (s *state) vendor(id exposure.VendorID, ev event) {
	v := s.vendors[id]
	if v == nil {
		v = &vendorState{closed: map[string]bool{}}
		s.vendors[id] = v
	}
	v.events = append(v.events, ev)
	if ev.kind != ledger.EventGate {
		return
	}
	route := ev.text("route")
	to, err := isolate.ParseState(ev.text("gate"))
	opened := err == nil && to == isolate.Open
	if opened {
		delete(v.closed, route)
	} else {
		v.closed[route] = true
	}
	if len(v.closed) == 0 {
		v.since = 0
	} else if v.since == 0 {
		v.since = ev.seq
	}
	for _, c := range s.byID {
		if c.Vendor != id || c.State != Open {
			continue
		}
		if opened {
			c.done(func(p *Plan) bool { return p.Step == RestoreStep(route) })
			continue
		}
		for i := range c.Plans { // it closed again: what was approved was another opening
			if p := &c.Plans[i]; p.live() && isRestore(p.Step) {
				p.Void = true
			}
		}
	}
}

func (s *state) ofCase(id string, vendor exposure.VendorID, ev event) {
	c := s.byID[id]
	if ev.kind == ledger.EventIncident && ev.text("what") == whatOpen {
		if c != nil {
			return // an id is given once; the first entry has it
		}
		c = &caseState{Case: Case{
			ID: id, Vendor: vendor, State: Open, Opened: ev.at, OpenedBy: ev.actor,
			Since: ev.instant("since"), Until: ev.instant("until"), Facts: map[string]string{},
		}}
		if v := s.vendors[vendor]; v != nil {
			c.gateSince = v.since
		}
		s.byID[id] = c
		s.order = append(s.order, id)
	}
	if c == nil {
		return
	}
	c.events = append(c.events, ev)
	switch ev.kind {
	case ledger.EventScope:
		c.Scopes = append(c.Scopes, ev.text("scope"))
		c.Since, c.Until = ev.instant("since"), ev.instant("until")
		return
	case ledger.EventAccessed:
		c.Accessed = append(c.Accessed, ev.seq)
		return
	case ledger.EventIncident:
	default:
		return
	}
	for name, value := range ev.facts() {
		if value == "" {
			delete(c.Facts, name)
		} else {
			c.Facts[name] = value
		}
	}
	switch ev.text("what") {
	case whatPlan:
		c.plan(ev)
	case whatApprove:
		if p := c.livePlan(ev.text("step")); p != nil && p.Digest == ev.text("digest") && !p.by(ev.actor) {
			p.Approvals = append(p.Approvals, Approval{By: ev.actor, Role: ev.text("role"), At: ev.at, Entry: ev.seq})
		}
	case whatBreakGlass:
		if p := c.livePlan(ev.text("step")); p != nil && p.Digest == ev.text("digest") {
			p.Glass, p.GlassBy = ev.at, ev.actor
		}
	case whatClose:
		c.State, c.Closed = Closed, ev.at
		c.done(func(p *Plan) bool { return p.Step == CloseStep })
		for i := range c.Plans {
			if p := &c.Plans[i]; p.live() {
				p.Void = true
			}
		}
	case whatReopen:
		c.State, c.Closed = Open, time.Time{}
	}
}

// plan puts a step to be approved in the place of the one before, unless it is
// the same to the letter.
func (c *caseState) plan(ev event) {
	old := c.livePlan(ev.text("step"))
	if old != nil {
		if old.Digest == ev.text("digest") {
			return
		}
		old.Void = true
	}
	c.Plans = append(c.Plans, Plan{
		Step: ev.text("step"), Digest: ev.text("digest"), Detail: ev.text("detail"), By: ev.actor, At: ev.at, Entry: ev.seq,
	})
}

func (c *caseState) livePlan(step string) *Plan {
	for i := len(c.Plans) - 1; i >= 0; i-- {
		if p := &c.Plans[i]; p.Step == step && p.live() {
			return p
		}
	}
	return nil
}

func (c *caseState) done(which func(*Plan) bool) {
	for i := range c.Plans {
		if p := &c.Plans[i]; p.live() && which(p) {
			p.Done = true
		}
	}
}

func isRestore(step string) bool {
	return step == RestoreStep("") || strings.HasPrefix(step, RestoreStep("")+"/")
}

// lookBack is how far before its opening a case reaches that names no beginning.
const lookBack = 30 * 24 * time.Hour

// related are the events about the case's vendor in its time: what its gate did
// since it last closed before the opening, findings that were open or raised,
// and whatever else happened from the first time that the facts name. A case
// that asks for all time takes in a month before its opening, since the usual
// order is to cut and restore first and to open a case about it then; and what
// was ever declared or attested, since its scope counts with all of it.
func (s *state) related(c *caseState) []event {
	v := s.vendors[c.Vendor]
	if v == nil {
		return nil
	}
	from := c.Opened
	if c.Since == nil {
		from = from.Add(-lookBack)
	}
	for _, t := range c.times() {
		if t.Before(from) {
			from = t
		}
	}
	open := map[string]uint64{} // findings open at from: the entry that raised each
	var list []event
	for _, e := range v.events {
		if c.State == Closed && e.at.After(c.Closed) {
			break
		}
		switch {
		case e.text("incident") != "": // the case's own, or another's
			continue
		case e.kind == ledger.EventGate && c.gateSince != 0 && e.seq >= c.gateSince, !e.at.Before(from),
			c.Since == nil && (e.kind == ledger.EventAttest || e.kind == ledger.EventBackfill):
			list = append(list, e)
		case e.kind == ledger.EventFinding:
			open[e.text("finding")] = e.seq
		case e.kind == ledger.EventFindingClosed:
			delete(open, e.text("finding"))
		}
	}
	for _, e := range v.events {
		if e.kind == ledger.EventFinding && open[e.text("finding")] == e.seq {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b event) int { return int(int64(a.seq) - int64(b.seq)) })
	return list
}

// times are the instants that reach back before the opening.
func (c *caseState) times() (list []time.Time) {
	if c.Since != nil {
		list = append(list, *c.Since)
	}
	for _, name := range []string{"occurred", "vendor_told_us", "aware"} {
		if t, err := time.Parse(time.RFC3339Nano, c.Facts[name]); err == nil {
			list = append(list, t)
		}
	}
	return list
}

// copy is the case as others get it.
func (s *state) copy(c *caseState) Case {
	out := c.Case.clone()
	for _, list := range [][]event{c.events, s.related(c)} {
		for _, e := range list {
			out.Entries = append(out.Entries, e.seq)
		}
	}
	slices.Sort(out.Entries)
	return out
}
