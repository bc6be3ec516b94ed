package isolate

import "sort"

// maxAttempts bounds the table of who tried: it is fed by strangers.
const maxAttempts = 1024

// Attempt is what was tried while a gate was not open.
type Attempt struct {
	Live
	Count uint64
}

// attempts counts by route, app, credential and token. What no longer fits is
// counted under an empty Live, never dropped.
type attempts map[Live]uint64

func (a *attempts) count(l Live) {
	if *a == nil {
		*a = attempts{}
	}
	if _, known := (*a)[l]; !known && len(*a) >= maxAttempts {
		l = Live{}
	}
	(*a)[l]++
}

func (a attempts) list() []Attempt {
	out := make([]Attempt, 0, len(a))
	for l, n := range a {
		out = append(out, Attempt{l, n})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Count > out[j].Count })
	return out
}
