package classify

import (
	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// held is a key of the member or element of a number, counted from the
// beginning of a document.
type held struct {
	number int
	key    string
}

// choose is the variant of n for what the last member or element holds.
func (d *document) choose(n *node) *node {
	for n.variants != nil {
		given := make([]scalar, len(n.variants.keys))
		for i, key := range n.variants.keys {
			given[i].value, given[i].there = d.peeked[held{d.number, key}]
		}
		next := n.choose(given)
		if next == n {
			break
		}
		n = next
	}
	return n
}

// maxWithin is how many keys a condition has at most that holds in a document
// other than JSON and forms.
const maxWithin = 4

// peeker reads a document ahead and remembers what conditions may ask for.
type peeker struct {
	text   string
	values map[held]string
	number int
	around []held // the key of each member around, and the number of what it is in
}

func (p *peeker) begin(key string) {
	p.number++
	p.around = append(p.around, held{p.number, key})
}

func (p *peeker) Enter(key string)        { p.begin(key) }
func (p *peeker) Element(int)             { p.begin("") }
func (p *peeker) Leave()                  { p.around = p.around[:len(p.around)-1] }
func (p *peeker) Problem(exposure.Reason) {}

func (p *peeker) Leaf(l wire.Leaf) bool {
	n := len(p.around) - 1
	if n < 1 || l.End-l.Start > maxPeeked {
		return true
	}
	if l.Type != "" {
		return true
	}
	value, _ := l.Codec.Decode(p.text[l.Start:l.End])
	for key, up := p.around[n].key, n-1; up >= 0 && up >= n-maxWithin; up-- {
		at := held{p.around[up].number, key}
		if _, twice := p.values[at]; !twice {
			p.values[at] = value
		}
		if p.around[up].key == "" { // an element of a list: no key leads on
			break
		}
		key = p.around[up].key + inObject + key
	}
	return true
}
