package scope

import (
	"sync"

	"cordon/internal/exposure"
)

// unions numbers the category sets that people end up with. Two that read the
// same in an answer are one. Number 0 is the empty set. All goroutines of a walk
// share it; each keeps in mind what it asked before.
type unions struct {
	sets  []exposure.Set // of the plan, by setID
	items []exposure.Item
	masks []uint64 // of sets: bit i is items[i]
	wide  bool     // there are more items than bits

	mu     sync.Mutex
	union  []exposure.Set
	number map[exposure.Set]uint32
	// capped says that there were more than maxUnions: whoever came later counts as
	// exposed to all that anybody was.
	capped bool
}

// maxUnions bounds the memory of an answer. Nobody reads a hundred thousand cohorts.
const maxUnions = 1 << 17

func newUnions(sets []exposure.Set) *unions {
	u := &unions{sets: sets, masks: make([]uint64, len(sets)), number: map[exposure.Set]uint32{}}
	var all exposure.Set
	for _, s := range sets {
		all = all.Union(s)
	}
	u.items = all.Items()
	u.wide = len(u.items) > 64
	for i, s := range sets {
		for j, it := range u.items {
			if j < 64 && s.Has(it.Category, it.Form) {
				u.masks[i] |= 1 << j
			}
		}
	}
	u.of(exposure.Set{})
	return u
}

// set is the union by its number.
func (u *unions) set(number int) exposure.Set {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.union[number]
}

func (u *unions) list() []exposure.Set {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.union
}

// of numbers a union.
func (u *unions) of(s exposure.Set) uint32 {
	s = plain(s)
	u.mu.Lock()
	defer u.mu.Unlock()
	n, ok := u.number[s]
	if ok {
		return n
	}
	if len(u.union) >= maxUnions {
		u.capped = true
		var all exposure.Set
		for _, s := range u.sets {
			all = all.Union(s)
		}
		s = plain(all)
		if n, ok = u.number[s]; ok {
			return n
		}
	}
	n = uint32(len(u.union))
	u.union = append(u.union, s)
	u.number[s] = n
	return n
}

func (u *unions) ofMask(mask uint64) uint32 {
	var s exposure.Set
	for i, it := range u.items {
		if mask>>i&1 != 0 {
			s.Add(it.Category, it.Form)
		}
	}
	return u.of(s)
}

// with is a union with a set added.
func (u *unions) with(union uint32, set setID) uint32 {
	return u.of(u.set(int(union)).Union(u.sets[set]))
}
