package incident

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"cordon/internal/ledger"
)

// Moment is one line of a timeline. It holds no personal value.
type Moment struct {
	Entry uint64
	Kind  string
	// At is when it happened, Discovered when we learned that it had, Recorded
	// when its entry was written.
	At, Discovered, Recorded time.Time
	Actor, What              string
	// Superseded: a later entry says otherwise.
	Superseded bool
	// Noted: there is a text to it, sealed beside the ledger.
	Noted bool
}

// Timeline is everything that happened in a case, in the order in which it
// happened; what was corrected stays in it.
func (c *Cases) Timeline(id string) ([]Moment, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.follow(); err != nil {
		return nil, err
	}
	k := c.state.byID[id]
	if k == nil {
		return nil, unknown(id)
	}
	var list []Moment
	latest := map[string]uint64{} // the entry that has the last word on a fact
	for _, e := range k.events {
		for name := range e.facts() {
			latest[name] = e.seq
		}
	}
	for _, e := range k.events {
		list = append(list, k.moments(&e, latest)...)
	}
	for _, e := range c.state.related(k) {
		list = append(list, moment(&e, vendorSentence(&e)))
	}
	sort.SliceStable(list, func(i, j int) bool {
		if d := list[i].At.Compare(list[j].At); d != 0 {
			return d < 0
		}
		return list[i].Entry < list[j].Entry
	})
	return list, nil
}

func moment(e *event, what string) Moment {
	return Moment{Entry: e.seq, Kind: string(e.kind), At: e.at, Discovered: e.at, Recorded: e.at, Actor: e.actor, What: what}
}

// moments are the lines of one of the case's own entries: one for itself and
// one for each fact that it states.
func (c *caseState) moments(e *event, latest map[string]uint64) (list []Moment) {
	facts := e.facts()
	if what := c.sentence(e); what != "" {
		m := moment(e, what)
		m.Noted = e.text("text_digest") != ""
		list = append(list, m)
	}
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		value := facts[name]
		m := moment(e, name+": "+value)
		if value == "" {
			m.What = name + " taken back"
		}
		m.Superseded = latest[name] != e.seq
		if t, err := time.Parse(time.RFC3339Nano, value); err == nil && slices.Contains(Times(), name) {
			m.At = t.UTC()
			// What we did or noticed we knew at once. When it began, and when it
			// was found out that it had, are two things: the entry may say.
			m.Discovered = m.At
			if name == "occurred" {
				m.Discovered = e.at
			}
		}
		if t := e.instant("discovered"); t != nil {
			m.Discovered = t.UTC()
		}
		list = append(list, m)
	}
	return list
}

func (c *caseState) sentence(e *event) string {
	switch e.kind {
	case ledger.EventScope:
		return fmt.Sprintf("scope %s frozen, digest %s", e.text("scope"), short(e.text("digest")))
	case ledger.EventAccessed:
		s := "list of accessed records taken in"
		if proof := e.text("proof"); proof != "" {
			s += " (" + proof + ")"
		}
		return s + ", sha256 " + short(e.text("file_sha256"))
	case ledger.EventIncident:
	default:
		return vendorSentence(e)
	}
	step := e.text("step")
	switch e.text("what") {
	case whatOpen:
		return "opened about " + string(c.Vendor)
	case whatFact:
		return "" // the facts speak for themselves
	case whatNote:
		return "note"
	case whatPlan:
		return "asked for approval of " + step + ": " + e.text("detail")
	case whatApprove:
		return "approved " + step + " as " + e.text("role")
	case whatBreakGlass:
		return fmt.Sprintf("broke the glass for %s: possible from %s on", step, e.at.Add(GlassDelay).Format(time.RFC3339))
	case whatExport:
		return "evidence handed out, digest " + short(e.text("digest"))
	case whatClose:
		return "closed"
	case whatReopen:
		return "reopened"
	}
	return e.text("what")
}

// vendorSentence says what an event about the vendor was.
func vendorSentence(e *event) string {
	switch e.kind {
	case ledger.EventGate:
		s := "gate"
		if route := e.text("route"); route != "" {
			s += " of " + route
		}
		s += " set to " + e.text("gate")
		if from := e.text("from"); from != "" && from != e.text("gate") {
			s += ", was " + from
		}
		return s
	case ledger.EventFinding:
		return strings.Join([]string{"finding", e.text("finding"), "raised:", e.text("kind"), e.text("category"), "in", e.text("route"), e.text("path")}, " ")
	case ledger.EventFindingClosed:
		return "finding " + e.text("finding") + " closed"
	case ledger.EventAttest:
		if n := e.number("withdraws"); n != 0 {
			return fmt.Sprintf("the vendor's letter of entry %d was withdrawn: what it said was deleted counts again", n)
		}
		return fmt.Sprintf("the vendor attested that it deleted what it got before %s, at %s", e.text("sent_before"), e.text("deleted_at"))
	case ledger.EventBackfill:
		switch e.text("what") {
		case "begun":
			return "declaring what the vendor held before began"
		case "done":
			return fmt.Sprintf("what the vendor held before was declared: %d people", e.number("people"))
		}
		return fmt.Sprintf("declaring what the vendor held before broke off after %d people", e.number("people"))
	case ledger.EventTokenEpoch:
		return "a new epoch of tokens began"
	case ledger.EventLegalHold:
		return "legal hold " + e.text("what")
	}
	return string(e.kind)
}

func short(digest string) string {
	if len(digest) > 16 {
		return digest[:16] + "…"
	}
	return digest
}
