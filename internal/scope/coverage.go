package scope

import (
	"encoding/binary"
	"errors"
	"time"

	"cordon/internal/exposure"
)

// coverageEvent is one entry that says from when, or until when, Cordon stood
// in a vendor's way.
type coverageEvent struct {
	seq    uint64
	at     int64
	kind   EntryKind // CoverageStart, CoverageStop or Restarted
	vendor exposure.VendorID
	// alive is the instant of the last entry before this one that shows a
	// running gateway. What a restart writes about the run before it does not.
	alive int64
}

func (c coverageEvent) encode() []byte {
	b := binary.AppendVarint(nil, c.at)
	b = binary.AppendVarint(b, c.alive)
	b = append(b, byte(c.kind))
	return append(b, c.vendor...)
}

func decodeCoverage(seq uint64, b []byte) (coverageEvent, error) {
	r := reader{b: b}
	c := coverageEvent{seq: seq, at: r.varint(), alive: r.varint()}
	kind := r.bytes(1)
	if r.bad {
		return c, errors.New("a coverage event of the scope index is cut short")
	}
	c.kind, c.vendor = EntryKind(kind[0]), exposure.VendorID(r.b)
	return c, nil
}

// coverage is when Cordon stood in one vendor's way.
type coverage struct {
	since *time.Time // nil: never
	gaps  []Gap      // after since, in the order of the journal
}

const (
	whyStopped = "stopped"
	whyUnclean = "not closed cleanly"
)

// coverageOf folds the events, in the order of the journal, for one vendor.
// now ends a gap that is still open. live says that a server is running, whose
// start without a stop therefore still holds; alive is the last sign of life.
//
// A run that ended without a stop covers up to its last sign of life: whatever
// passed by afterwards, Cordon did not see. When the clock went backwards over
// a gap its length is unknown; it then reaches from the earlier to the later
// of its two instants.
func coverageOf(events []coverageEvent, vendor exposure.VendorID, live bool, alive int64, now time.Time) coverage {
	var c coverage
	var on bool
	var off int64
	var why string
	gap := func(to int64) {
		c.gaps = append(c.gaps, Gap{From: instant(min(off, to)), To: instant(max(off, to)), Why: why})
	}
	for _, e := range events {
		if e.vendor != "" && e.vendor != vendor {
			continue
		}
		switch {
		case e.kind == CoverageStart && !on:
			if on = true; c.since == nil {
				at := instant(e.at)
				c.since = &at
			} else {
				gap(e.at)
			}
		case e.kind == CoverageStop && on:
			on, off, why = false, e.at, whyStopped
		case e.kind == Restarted && on:
			on, off, why = false, e.alive, whyUnclean
		}
	}
	if on && !live {
		on, off, why = false, alive, whyUnclean
	}
	if c.since != nil && !on {
		gap(max(off, now.UnixNano()))
	}
	return c
}

// within are the gaps that meet the window [from, to).
func (c coverage) within(from, to int64) []Gap {
	gaps := []Gap{}
	for _, g := range c.gaps {
		if g.From.UnixNano() < to && g.To.UnixNano() >= from {
			gaps = append(gaps, g)
		}
	}
	return gaps
}
