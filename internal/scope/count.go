package scope

import (
	"math/bits"

	"cordon/internal/exposure"
)

// counter counts the groups of a walk. Only those who have attributes are
// looked at one by one; everything else is counted 64 people at a time. Who
// left the directory is unknown to it and still has a country.
type counter struct {
	people  *People
	today   day
	marked  marked
	unions  []uint64 // people by union of sets
	unknown uint64
	// certain are those whose data is proved to have been accessed, declared
	// those who are known by a declaration only, excluded those whom only an
	// attested deletion takes.
	certain, declared, excluded uint64
	minors                      uint64
	country                     [1 << 8]uint64
	lang                        [1 << 8]uint64
	groups                      map[groupAt]*[2]uint64 // people, minors; nil if nobody asked
}

type groupAt struct {
	union         int
	country, lang uint8
	state         uint16
}

// marked says by which marks of a group a counter tells people apart; 0 where
// the walk has no such plan.
type marked struct{ certain, recorded, excluded uint32 }

// counters are one counter for each goroutine of a walk.
type counters struct{ all []*counter }

// of makes them: it is what walk takes. today is the day on which somebody is
// a minor or not.
func (cs *counters) of(p *People, today day, m marked, grouped bool) func() visitor {
	return func() visitor {
		c := &counter{people: p, today: today, marked: m}
		if grouped {
			c.groups = map[groupAt]*[2]uint64{}
		}
		cs.all = append(cs.all, c)
		return c
	}
}

// sum adds them up. It may be called once.
func (cs *counters) sum() *counter {
	c := cs.all[0]
	for _, o := range cs.all[1:] {
		c.unknown += o.unknown
		c.certain += o.certain
		c.declared += o.declared
		c.excluded += o.excluded
		c.minors += o.minors
		for i := range c.country {
			c.country[i] += o.country[i]
			c.lang[i] += o.lang[i]
		}
		for len(c.unions) < len(o.unions) {
			c.unions = append(c.unions, 0)
		}
		for u, n := range o.unions {
			c.unions[u] += n
		}
		for at, n := range o.groups {
			mine := c.group(at)
			mine[0] += n[0]
			mine[1] += n[1]
		}
	}
	return c
}

func (c *counter) visit(g group) error {
	if g.marks&1 == 0 { // in another plan only
		if g.marks&c.marked.excluded != 0 {
			c.excluded += g.count()
		}
		return nil
	}
	if g.marks&c.marked.certain != 0 {
		c.certain += g.count()
	}
	if c.marked.recorded != 0 && g.marks&c.marked.recorded == 0 {
		c.declared += g.count()
	}
	for len(c.unions) <= g.union {
		c.unions = append(c.unions, 0)
	}
	c.unions[g.union] += g.count()
	inside := c.people.within(g)
	c.unknown += uint64(bits.OnesCount64(g.people &^ c.people.directory(g)))
	outside := uint64(bits.OnesCount64(g.people &^ inside))
	c.country[0] += outside
	c.lang[0] += outside
	if c.groups != nil && outside > 0 {
		c.group(groupAt{union: g.union})[0] += outside
	}
	for ; inside != 0; inside &= inside - 1 {
		o := int(g.first) + bits.TrailingZeros64(inside)
		country, lang := c.people.Country[o], c.people.Language[o]
		c.country[country]++
		c.lang[lang]++
		minor := uint64(0)
		if day(c.people.MinorUntil[o]) > c.today {
			minor = 1
		}
		c.minors += minor
		if c.groups != nil {
			n := c.group(groupAt{g.union, country, lang, c.people.State[o]})
			n[0]++
			n[1] += minor
		}
	}
	return nil
}

// visitPart counts a whole chunk: what visit does group by group, with the
// directory's columns read once, in order.
func (c *counter) visitPart(p *part) error {
	if c.groups != nil {
		return p.groups(c.visit)
	}
	if m := c.marked.excluded; m != 0 {
		for i, w := range p.with(m) {
			c.excluded += uint64(bits.OnesCount64(w &^ p.exposed[i]))
		}
	}
	if m := c.marked.certain; m != 0 {
		for i, w := range p.with(m) {
			c.certain += uint64(bits.OnesCount64(w & p.exposed[i]))
		}
	}
	if m := c.marked.recorded; m != 0 {
		for i, w := range p.with(m) {
			c.declared += uint64(bits.OnesCount64(p.exposed[i] &^ w))
		}
	}
	c.unions = p.count(c.unions)
	dir, first := c.people, int(p.first)
	for i, w := range p.exposed {
		if w == 0 {
			continue
		}
		g := group{first: p.first + exposure.Ordinal(i*64), people: w}
		inside := dir.within(g)
		c.unknown += uint64(bits.OnesCount64(w &^ dir.directory(g)))
		if outside := uint64(bits.OnesCount64(w &^ inside)); outside > 0 {
			c.country[0] += outside
			c.lang[0] += outside
		}
		for ; inside != 0; inside &= inside - 1 {
			o := first + i*64 + bits.TrailingZeros64(inside)
			c.country[dir.Country[o]]++
			c.lang[dir.Language[o]]++
			if day(dir.MinorUntil[o]) > c.today {
				c.minors++
			}
		}
	}
	return nil
}

func (c *counter) group(at groupAt) *[2]uint64 {
	n := c.groups[at]
	if n == nil {
		n = new([2]uint64)
		c.groups[at] = n
	}
	return n
}
