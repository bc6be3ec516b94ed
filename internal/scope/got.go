package scope

import (
	"slices"
	"time"

	"cordon/internal/exposure"
)

// got is what one vendor got about one person, added up.
type got struct {
	letters     []Statement
	set         exposure.Set
	first, last int64 // of messages
	n           uint64
	declared    exposure.Set
	since       int64 // the earliest of what is declared
	entries     []uint64
	held        bool // some of it is not attested deleted
}

// take adds what came by one way at one instant.
func (g *got) take(way pathway, at int64, set exposure.Set, now time.Time) {
	g.add(way, at, at, 1, set, now)
}

// add adds n messages of one way between two instants, or one declaration.
func (g *got) add(way pathway, first, last int64, n uint64, set exposure.Set, now time.Time) {
	g.set = g.set.Union(set)
	// What was declared without an instant is under no letter: see attest.go.
	g.held = g.held || first == sinceEver || last >= (&Query{Since: now}).deleted(g.letters, way)
	if way.declared() {
		if g.declared.Empty() || first < g.since {
			g.since = first
		}
		g.declared = g.declared.Union(set)
		if in := declaredIn(way.Credential); !slices.Contains(g.entries, in) {
			g.entries = append(g.entries, in)
		}
		return
	}
	if g.n == 0 {
		g.first, g.last = first, last
	}
	g.n += n
	g.first, g.last = min(g.first, first), max(g.last, last)
}

func (g *got) answer(v exposure.VendorID, stated []Statement) PersonVendor {
	p := PersonVendor{Vendor: v, Disclosures: g.n, Attestations: attested(stated, v), MayHold: g.held}
	p.Categories, p.Protected = shown(g.set)
	if g.n > 0 {
		p.First, p.Last = instant(g.first), instant(g.last)
	}
	if !g.declared.Empty() {
		slices.Sort(g.entries)
		d := &PersonDeclared{Entries: g.entries}
		d.Categories, d.Protected = shown(g.declared)
		if g.since != sinceEver {
			d.HeldSince = instant(g.since)
		}
		p.Declared = d
	}
	return p
}
