package directory

import (
	"slices"
	"strings"

	"cordon/internal/classify"
	"cordon/internal/exposure"
)

// Needles makes what messages about people are searched for. It is for one
// goroutine, and remembers what comes again and again: days, cities.
type Needles struct {
	hash  func(words string) uint64
	known map[exposure.Category]map[string][]classify.Needle
	list  []classify.Needle
}

// NewNeedles hashes with hash.
func NewNeedles(hash func(words string) uint64) *Needles {
	return &Needles{hash: hash, known: map[exposure.Category]map[string][]classify.Needle{}}
}

// Of is what a message about the person is searched for, each once. It is
// valid until the next call.
func (n *Needles) Of(p *Person) []classify.Needle {
	n.list = n.list[:0]
	for _, v := range p.Values {
		for _, needle := range n.of(v) {
			if !slices.Contains(n.list, needle) {
				n.list = append(n.list, needle)
			}
		}
	}
	return n.list
}

func (n *Needles) of(v Value) []classify.Needle {
	switch v.Category {
	case exposure.BirthDate, exposure.City, exposure.PostalCode, exposure.FirstName, exposure.LastName:
	default:
		return classify.NeedlesOf(v.Category, v.Text, n.hash)
	}
	known := n.known[v.Category]
	if known == nil {
		known = map[string][]classify.Needle{}
		n.known[v.Category] = known
	}
	list, ok := known[v.Text]
	if !ok {
		list = classify.NeedlesOf(v.Category, v.Text, n.hash)
		if len(known) < remembered {
			known[strings.Clone(v.Text)] = list
		}
	}
	return list
}
