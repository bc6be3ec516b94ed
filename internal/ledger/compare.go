package ledger

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"

	"cordon/internal/exposure"
)

// Comparison holds a directory against the one that was imported last, and
// stores nothing. What it counts is what an import would count now, up to files
// in which several people of the same file claim one stranger's address. Who
// would be changed it cannot tell: that takes the attributes and everything that
// is searched for. Add may be called by several goroutines.
type Comparison struct {
	l     *Ledger
	there *People

	mu       sync.Mutex
	met      bitmap     // of those who are known
	strange  []onceSeen // directory ids that nobody has
	repeated []uint64
	came     uint64 // strangers until now
}

type onceSeen struct {
	hash, line uint64
	known      bool // an address led to somebody who was in the directory once
}

// Compared is what an import would do.
type Compared struct {
	// There are in the directory now.
	There uint64
	// New would come, Left would leave.
	New, Left uint64
	// Repeated are the lines whose id came before.
	Repeated []uint64
}

// Compare begins a comparison with the directory as it is.
func (l *Ledger) Compare() (*Comparison, error) {
	there, err := l.People()
	if err != nil {
		return nil, err
	}
	return &Comparison{l: l, there: there}, nil
}

// Add looks one person up, as an import would settle them.
func (c *Comparison) Add(p *Person) error {
	own := c.l.hasher.hash(exposure.Identifier{Kind: exposure.KindUserID, Value: p.ID})
	var o exposure.Ordinal
	has, isOwn := false, false
	err := c.l.reading(func() error {
		found, err := c.l.ids.find(own)
		if err != nil {
			return err
		}
		o, isOwn = found.ordinal, found.ordinal != exposure.Nobody
		for i := 0; o == exposure.Nobody && i < len(p.Identifiers); i++ {
			found, err := c.l.ids.find(c.l.hasher.hash(p.Identifiers[i]))
			if err != nil {
				return err
			}
			if !found.shared {
				o = found.ordinal
			}
		}
		if !isOwn && o != exposure.Nobody && c.there.InDirectory(o) {
			o = exposure.Nobody // an address that is somebody else's
		}
		if has = c.there.InDirectory(o); !has && o != exposure.Nobody {
			_, has, err = c.l.personRow(o) // who left and is back is not new
		}
		return err
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !isOwn: // the id may come twice, whether or not an address led to a stranger
		one := onceSeen{hash: binary.BigEndian.Uint64(own[:]), line: p.Line}
		if o != exposure.Nobody && !c.met.has(o) {
			c.met.set(o)
			one.known = has
		}
		c.strange = append(c.strange, one)
	case c.met.has(o):
		c.repeated = append(c.repeated, p.Line)
	default:
		c.met.set(o)
		if !has {
			c.came++
		}
	}
	return nil
}

// Done says what was found.
func (c *Comparison) Done() Compared {
	done := Compared{New: c.came, Repeated: c.repeated}
	slices.SortFunc(c.strange, func(a, b onceSeen) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.line, b.line)) })
	for i, s := range c.strange {
		if i > 0 && c.strange[i-1].hash == s.hash {
			done.Repeated = append(done.Repeated, s.line)
			continue
		}
		if !s.known {
			done.New++
		}
	}
	slices.Sort(done.Repeated)
	for i, w := range c.there.DirectoryBits() {
		done.There += uint64(bits.OnesCount64(w))
		if i < len(c.met.words) {
			w &^= c.met.words[i]
		}
		done.Left += uint64(bits.OnesCount64(w))
	}
	return done
}
