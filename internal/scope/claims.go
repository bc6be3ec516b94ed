package scope

import (
	"fmt"
	"math"
	"slices"
	"time"

	"cordon/internal/exposure"
)

// claim fills in what the answer may say about what did not leave.
//
// "Never exposed" is a proof, not an observation, so it needs a time in which
// Cordon saw everything: covered from its beginning to its end, no gap, no
// message that could not be read, no leaf that no mapping names and no value
// that nobody could read (both could hold anything). Free text does not count
// against it: every text is searched for what it might hold, and what is found
// is in the set. A category that the vendor gathers by itself is never claimed,
// and neither is one above or below something that did leave: "user.contact"
// is not unexposed when an address left, nor is "user.name.first" when a name did.
//
// The time of the claim: on the basis SentWithin it is the window. On the
// basis Held the window reaches back without end, and what was sent before
// Cordon stood there nobody can prove; the claim is then about the time from
// covered_since to until, and never_exposed_since says so. A vendor whose
// traffic went through Cordon from its first message on loses nothing by it.
//
// What is declared lies outside that time or was not seen in it: it is no gap
// and no message, so it does not stand against the proof. But what a vendor is
// said to hold nobody may call unexposed, so the categories declared for the
// window are among those that left (on the basis SentWithin there are none).
//
// An attested deletion adds nothing to a proof of ours: it is the vendor's word
// about what became of something that did leave. So what it takes out of the
// answer still stands against the claim: its messages that could not be read,
// and, since the answer does not look at its sets, every category that this
// vendor was ever sent.
func (a *Answer) claim(q *Query, seen exposure.Set, incomplete uint64, c coverage, now time.Time) {
	w := q.window()
	end := q.end(now)
	a.CoveredSince = c.since
	a.Gaps = c.within(w.from, min(w.to, end.UnixNano()))
	a.NeverExposed, a.NotObserved = []string{}, []string{}

	var from time.Time
	not := func(format string, args ...any) { a.NotProved = append(a.NotProved, fmt.Sprintf(format, args...)) }
	switch {
	case c.since == nil:
		not("Cordon never stood in this vendor's way")
	case w.from != math.MinInt64 && w.from < c.since.UnixNano():
		not("covered only since %s", c.since.Format(time.RFC3339))
	case w.from != math.MinInt64:
		from = q.Since
	default:
		from = *c.since
	}
	if c.since != nil && !end.After(*c.since) {
		not("the window ends before Cordon stood in this vendor's way")
	}
	if n := len(a.Gaps); n > 0 {
		not("gaps in the window: %d", n)
	}
	if incomplete > 0 {
		not("messages that could not be read fully: %d", incomplete)
	}
	for _, c := range unread {
		if slices.ContainsFunc(weakest, func(f exposure.Form) bool { return seen.Has(c.category, f) }) {
			not("%s", c.why)
		}
	}
	proved := len(a.NotProved) == 0
	if proved {
		a.NeverExposedSince = &from
	}
	left := seen.Items()
	for _, cat := range exposure.Categories() {
		if cat == exposure.Unclassified || cat == exposure.Opaque {
			continue
		}
		var itself, below, above bool // seen itself, something below it, something above it
		for _, it := range left {
			itself = itself || it.Category == cat
			below = below || it.Category != cat && it.Category.Within(cat)
			above = above || it.Category != cat && cat.Within(it.Category)
		}
		switch {
		case itself || below:
		case proved && !above && !touches(cat, q.Collects):
			a.NeverExposed = append(a.NeverExposed, cat.Key())
		default:
			a.NotObserved = append(a.NotObserved, cat.Key())
		}
	}
}

// unread are the categories of what may hold anything.
var unread = []struct {
	category exposure.Category
	why      string
}{
	{exposure.Unclassified, "fields that no mapping names left"},
	{exposure.Opaque, "values that nobody could read left"},
}

// touches reports whether c lies above, at or below one of the categories.
func touches(c exposure.Category, of []exposure.Category) bool {
	for _, o := range of {
		if c.Within(o) || o.Within(c) {
			return true
		}
	}
	return false
}
