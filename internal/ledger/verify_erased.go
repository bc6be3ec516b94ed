package ledger

import (
	"fmt"
	"slices"
	"time"

	"cordon/evidence"
)

// What Verify says of batches whose disclosures are gone. That they are is no
// problem if an entry, which is under the tree like all others, says by what
// rule; without one somebody took them away.

// goneRange is what is gone of a day.
type goneRange struct {
	day      int64
	from, to uint64 // entries
	count    uint64 // of them gone
}

// expiredBy is the entry that ended a day.
type expiredBy struct {
	entry  uint64
	policy string
	at     time.Time
}

// gone notes an expired batch.
func (v *verification) gone(r *record) {
	lost := uint64(r.count)
	_ = r.each(func(uint32, []byte, *evidence.Entry) error { lost--; return nil }) // damage is named elsewhere
	i := slices.IndexFunc(v.ranges, func(g goneRange) bool { return g.day == r.day })
	if i < 0 {
		v.ranges = append(v.ranges, goneRange{r.day, r.first, r.last(), lost})
		return
	}
	v.ranges[i].to = r.last()
	v.ranges[i].count += lost
}

func (v *verification) noteExpiry(e *Entry) {
	day, _ := e.Event.Fields["day"].(string)
	policy, _ := e.Event.Fields["policy"].(string)
	if v.expired == nil {
		v.expired = map[string]expiredBy{}
	}
	v.expired[day] = expiredBy{e.Seq, policy, e.At}
}

// noteHold follows the legal holds.
func (v *verification) noteHold(e *Entry) {
	name, _ := e.Event.Fields["hold"].(string)
	if v.holds == nil {
		v.holds = map[string]uint64{}
	}
	if e.Event.Fields["what"] == "set" {
		v.holds[name] = e.Seq
	} else {
		delete(v.holds, name)
	}
}

// checkHolds compares the rows of legal holds with what the events say.
func (v *verification) checkHolds() {
	rows := map[string]uint64{}
	for _, h := range v.l.Holds() {
		if h.Entry <= v.entries {
			rows[h.Name] = h.Entry
		}
	}
	for name, entry := range v.holds {
		if rows[name] != entry && v.l.durable.Load().entries == v.entries {
			v.problem("the legal hold %s of entry %d is not in force", name, entry)
		}
		delete(rows, name)
	}
	for name := range rows {
		v.problem("the legal hold %s is in force, and no entry says so", name)
	}
}

func (v *verification) reportErased() {
	v.checkHolds()
	for _, g := range v.ranges {
		day := dayName(g.day)
		by, ok := v.expired[day]
		if !ok || by.entry <= g.to {
			v.problem("entries %d to %d, of %s, were erased, and no entry says by what rule", g.from, g.to, day)
			continue
		}
		text := fmt.Sprintf("entries %d to %d: erased by policy %s on %s", g.from, g.to, by.policy, by.at.UTC().Format(time.DateOnly))
		if kept := g.to - g.from + 1 - g.count; kept > 0 {
			text += fmt.Sprintf(" (%d; %d events and definitions among them are kept)", g.count, kept)
		}
		v.erased = append(v.erased, text)
	}
}
