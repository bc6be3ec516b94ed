package watch

import (
	"cordon/internal/classify"
	"cordon/internal/exposure"
)

// Bounds of one message's sighting.
const (
	maxSpots  = 256
	maxPeople = 1024 // of one spot
)

// spotsOf lists what a message carried that nothing declared, each path once.
func spotsOf(f *classify.Findings) []spot {
	fields := f.Fields()
	var spots []spot
	type place struct {
		kind     Kind
		path     string
		category exposure.Category
	}
	var of map[int]int // a field: its spot
	var index map[place]int
	for i := range fields {
		at := &fields[i]
		_, derived := at.Derived()
		k := Drift
		switch {
		case derived:
			k = Undeclared
		case at.Category != exposure.Unclassified || at.Path == "" || at.Path == ".":
			continue
		}
		here := place{k, at.Path, at.Category}
		n, known := index[here]
		if !known {
			if len(spots) == maxSpots {
				continue
			}
			n = len(spots)
			if index == nil { // most messages show nothing
				index, of = map[place]int{}, map[int]int{}
			}
			index[here] = n
			spots = append(spots, spot{kind: k, unnamed: at.Unnamed(), path: at.Path, category: at.Category})
		}
		of[i] = n
	}
	if len(spots) == 0 {
		return nil
	}
	for p, person := range f.People() {
		if len(person.Identifiers) == 0 {
			continue
		}
		had := map[int]bool{}
		for i := range f.Of(p) {
			n, ok := of[i]
			if ok && !had[n] && len(spots[n].people) < maxPeople {
				had[n] = true
				spots[n].people = append(spots[n].people, person.Identifiers[0])
			}
		}
	}
	return spots
}
