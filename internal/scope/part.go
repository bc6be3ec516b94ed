package scope

import (
	"fmt"
	"math/bits"

	"github.com/RoaringBitmap/roaring/v2"

	"cordon/internal/exposure"
)

// part is one chunk of 65,536 people as a walk sees it. While it is filled it
// takes one of three forms. As long as few sets occur, each has a dense bitmap,
// and cohorts come out of them word by word. Past that every person has a mask of
// items (a category in a form), into which a set is or'ed: that is linear in what
// is read, however many sets there are. A vendor that was sent more than 64
// different items has unions by number instead of masks, which is slower.
type part struct {
	first exposure.Ordinal
	tour  tour
	// exposed are those whom the first plan takes; marks those whom the other
	// plans take, then those whom the filters have.
	exposed dense
	marks   []dense
	marked  bool // any of marks is not empty

	// Either cohorts has everybody, or number by person. Number 0 is nobody.
	cohorts []cohort
	number  *[1 << chunkBits]uint32

	unions *unions
	cache  []cached
	steps  map[uint64]uint32

	few    bool
	at     []int16  // by setID: index in used and bitmap, or -1
	used   []setID  // while few
	bitmap []*dense // as many as were ever used at once
	masks  *[1 << chunkBits]uint64
	spare  []*dense
	filter []roaring.IntPeekable
}

// cohort is the people of a part with one union.
type cohort struct {
	union  int
	people *dense
}

type cached struct {
	mask   uint64
	number uint32
}

// fewSets is how many sets are kept in bitmaps of their own: they make at most
// 63 cohorts.
var fewSets = 6 // a variable for tests

func newPart(u *unions, t tour) *part {
	p := &part{tour: t, unions: u, marks: make([]dense, len(t.plans)-1+len(t.filters)), few: true,
		at: make([]int16, len(u.masks)), cache: make([]cached, 1<<12),
		filter: make([]roaring.IntPeekable, len(t.filters))}
	for i := range p.at {
		p.at[i] = -1
	}
	return p
}

// add takes in a list of people about whom plan i has a set.
func (p *part) add(i int, g *groups) {
	if i > 0 {
		p.marked = true
		g.or(&p.marks[i-1])
		return
	}
	if p.few {
		if d := p.of(g.set); d != nil {
			g.or(d)
			return
		}
	}
	if p.unions.wide {
		set := g.set
		g.each(func(low uint32) { p.number[low] = p.step(p.number[low], set) })
		return
	}
	g.mask(p.masks, p.unions.masks[g.set])
}

// one takes in one person.
func (p *part) one(i int, set setID, low uint32) {
	if i > 0 {
		p.marked = true
		p.marks[i-1][low/64] |= 1 << (low % 64)
		return
	}
	if p.few {
		if d := p.of(set); d != nil {
			d[low/64] |= 1 << (low % 64)
			return
		}
	}
	if p.unions.wide {
		p.number[low] = p.step(p.number[low], set)
		return
	}
	p.masks[low] |= p.unions.masks[set]
}

func (p *part) facts(list []loose) error {
	for _, f := range list {
		set := setID(f>>chunkBits) & (1<<factSetBits - 1)
		if int(set) >= len(p.at) && f>>(factSetBits+chunkBits) == 0 {
			return fmt.Errorf("%w: it holds a set without a name", errPage)
		}
		p.one(int(f>>(factSetBits+chunkBits)), set, uint32(f)&(1<<chunkBits-1))
	}
	return nil
}

// of is the bitmap of a set; nil if there are too many, from now on.
func (p *part) of(set setID) *dense {
	if i := p.at[set]; i >= 0 {
		return p.bitmap[i]
	}
	i := len(p.used)
	if i == fewSets {
		p.many()
		return nil
	}
	p.at[set], p.used = int16(i), append(p.used, set)
	if i == len(p.bitmap) {
		p.bitmap = append(p.bitmap, new(dense))
	}
	return p.bitmap[i]
}

// many turns from bitmaps to masks, for this chunk and those that follow.
func (p *part) many() {
	p.few = false
	if p.number == nil {
		p.number = new([1 << chunkBits]uint32)
		if !p.unions.wide {
			p.masks = new([1 << chunkBits]uint64)
		}
	}
	for i, set := range p.used {
		p.at[set] = -1
		d := p.bitmap[i]
		eachBit(d, func(low uint32) { p.one(0, set, low) })
		clear(d[:])
	}
	p.used = p.used[:0]
}

// mask ors a mask to everybody of the list.
func (g *groups) mask(into *[1 << chunkBits]uint64, mask uint64) {
	switch b := g.b; g.kind {
	case listRaw:
		if len(b) < 2*g.n {
			g.fail()
			return
		}
		for i := 0; i < 2*g.n; i += 2 {
			into[uint(b[i])|uint(b[i+1])<<8] |= mask
		}
		g.b = b[2*g.n:]
	case listPacked:
		upper, lower, l := g.packed()
		i, base := uint(0), uint(0)
		for j := 0; j < len(upper); j += 8 {
			for w := load(upper, j); w != 0; w &= w - 1 {
				low := (base+uint(bits.TrailingZeros64(w))-i)<<l | lowest(lower, i*l, l)
				into[low&(1<<chunkBits-1)] |= mask
				i++
			}
			base += 64
		}
		g.bad = g.bad || i != uint(g.n)
	default:
		g.each(func(low uint32) { into[low&(1<<chunkBits-1)] |= mask })
	}
}

func eachBit(d *dense, f func(low uint32)) {
	for i, w := range d {
		for ; w != 0; w &= w - 1 {
			f(uint32(i*64 + bits.TrailingZeros64(w)))
		}
	}
}

// emit shows the chunk to the visitor and forgets it.
func (p *part) emit(chunk uint16, v visitor) error {
	p.first = exposure.Ordinal(chunk) << chunkBits
	if p.few {
		if len(p.used) == 0 && !p.marked {
			return nil
		}
		p.divide()
	} else {
		p.numbers()
	}
	p.filters()
	var err error
	if pv, ok := v.(partVisitor); ok {
		err = pv.visitPart(p)
	} else {
		err = p.groups(v.visit)
	}
	clear(p.exposed[:])
	for i := range p.marks {
		clear(p.marks[i][:])
	}
	p.marked = false
	for _, c := range p.cohorts {
		clear(c.people[:])
		p.spare = append(p.spare, c.people)
	}
	p.cohorts = p.cohorts[:0]
	if !p.few {
		clear(p.number[:])
	}
	return err
}

func (p *part) blank() *dense {
	if n := len(p.spare); n > 0 {
		d := p.spare[n-1]
		p.spare = p.spare[:n-1]
		return d
	}
	return new(dense)
}

// divide turns bitmaps by set into bitmaps by union, which do not overlap.
func (p *part) divide() {
	for i, set := range p.used {
		b := p.bitmap[i]
		p.at[set] = -1
		for _, c := range p.cohorts[:len(p.cohorts):len(p.cohorts)] {
			// Those already in a cohort who have this set too move on.
			next := int(p.step(uint32(c.union), set))
			if next == c.union {
				for j, w := range b {
					if w != 0 {
						b[j] = w &^ c.people[j]
					}
				}
				continue
			}
			both := p.blank()
			var any uint64
			for j, w := range b {
				m := w & c.people[j]
				both[j] = m
				any |= m
				c.people[j] ^= m
				b[j] = w ^ m
			}
			p.join(next, both, any)
		}
		var any uint64
		for _, w := range b {
			any |= w
		}
		fresh := p.blank()
		*fresh = *b
		clear(b[:])
		p.join(int(p.step(0, set)), fresh, any)
	}
	p.used = p.used[:0]
	for _, c := range p.cohorts {
		for j, w := range c.people {
			p.exposed[j] |= w
		}
	}
}

// join adds people to the cohort of a union; any is not 0 if there are some.
func (p *part) join(union int, people *dense, any uint64) {
	if any == 0 {
		p.spare = append(p.spare, people)
		return
	}
	for _, c := range p.cohorts {
		if c.union == union {
			for j, w := range people {
				c.people[j] |= w
			}
			clear(people[:])
			p.spare = append(p.spare, people)
			return
		}
	}
	p.cohorts = append(p.cohorts, cohort{union, people})
}

// numbers turns masks into unions.
func (p *part) numbers() {
	for i := range p.exposed {
		var exposed uint64
		if p.unions.wide {
			for j, n := range p.number[i*64 : i*64+64] {
				if n != 0 {
					exposed |= 1 << j
				}
			}
		} else {
			masks, numbers := p.masks[i*64:i*64+64], p.number[i*64:i*64+64]
			for j, m := range masks {
				if m == 0 {
					continue
				}
				exposed |= 1 << j
				masks[j] = 0
				c := &p.cache[m*0x9e3779b97f4a7c15>>52]
				if c.mask != m {
					c.mask, c.number = m, p.unions.ofMask(m)
				}
				numbers[j] = c.number
			}
		}
		p.exposed[i] = exposed
	}
}

// step is the union with a set added.
func (p *part) step(union uint32, set setID) uint32 {
	at := uint64(union)<<factSetBits | uint64(set)
	next, ok := p.steps[at]
	if !ok {
		next = p.unions.with(union, set)
		if p.steps == nil || len(p.steps) > 1<<16 {
			p.steps = map[uint64]uint32{}
		}
		p.steps[at] = next
	}
	return next
}

// filters marks those of the chunk whom the filters have.
func (p *part) filters() {
	for i, f := range p.tour.filters {
		it := p.filter[i]
		// Chunks mostly come in order; the iterator cannot go back.
		if it == nil || !it.HasNext() || exposure.Ordinal(it.PeekNext()) > p.first {
			it = f.Iterator()
			p.filter[i] = it
		}
		it.AdvanceIfNeeded(uint32(p.first))
		into := &p.marks[len(p.tour.plans)-1+i]
		for it.HasNext() && it.PeekNext()>>chunkBits == uint32(p.first)>>chunkBits {
			low := it.Next() & (1<<chunkBits - 1)
			into[low/64] |= 1 << (low % 64)
		}
	}
}

// with are those who have a mark besides that of the first plan, as bitmap; the
// marks are those of group.
func (p *part) with(mark uint32) *dense {
	bit := bits.TrailingZeros32(mark)
	if bit >= filterMark {
		return &p.marks[len(p.tour.plans)-1+bit-filterMark]
	}
	return &p.marks[bit-1]
}

// count adds the people by union to counts, which grows as needed.
func (p *part) count(counts []uint64) []uint64 {
	grow := func(n int) {
		for len(counts) <= n {
			counts = append(counts, 0)
		}
	}
	for _, c := range p.cohorts {
		grow(c.union)
		counts[c.union] += c.people.count()
	}
	if p.few {
		return counts
	}
	for i, w := range p.exposed {
		for ; w != 0; w &= w - 1 {
			n := int(p.number[i*64+bits.TrailingZeros64(w)])
			if n >= len(counts) {
				grow(n)
			}
			counts[n]++
		}
	}
	return counts
}

func (d *dense) count() (n uint64) {
	for _, w := range d {
		n += uint64(bits.OnesCount64(w))
	}
	return n
}

// groups shows everybody in groups who agree, in the order of the ordinals.
func (p *part) groups(visit func(group) error) error {
	var groups [64]group
	for word := range words {
		n := 0
		first := p.first + exposure.Ordinal(word*64)
		if p.few {
			for _, c := range p.cohorts {
				if w := c.people[word]; w != 0 {
					groups[n] = group{first, w, c.union, 1, p.unions}
					n++
				}
			}
		} else {
		next:
			for w := p.exposed[word]; w != 0; w &= w - 1 {
				bit := bits.TrailingZeros64(w)
				union := int(p.number[word*64+bit])
				for g := range n {
					if groups[g].union == union {
						groups[g].people |= 1 << bit
						continue next
					}
				}
				groups[n] = group{first, 1 << bit, union, 1, p.unions}
				n++
			}
		}
		seen := p.exposed[word]
		for i := range p.marks {
			people := p.marks[i][word]
			if people == 0 {
				continue
			}
			bit := uint32(2) << i
			if i >= len(p.tour.plans)-1 {
				bit = 1 << (filterMark + i - (len(p.tour.plans) - 1))
			}
			for g := range n {
				both := groups[g].people & people
				switch {
				case both == 0:
				case both == groups[g].people:
					groups[g].marks |= bit
				default:
					groups[g].people &^= both
					groups[n] = groups[g]
					groups[n].people, groups[n].marks = both, groups[g].marks|bit
					n++
				}
			}
			if fresh := people &^ seen; fresh != 0 && bit < 1<<filterMark {
				groups[n] = group{first, fresh, 0, bit, p.unions}
				n++
				seen |= fresh
			}
		}
		for _, g := range groups[:n] {
			if err := visit(g); err != nil {
				return err
			}
		}
	}
	return nil
}
