package classify

import "slices"

// setApart makes a person of every group that the mappings set apart. Who gets
// the money has often no more than a name and an account; without this they
// would be on record as those of the person who sends it.
func (f *Findings) setApart() {
	if len(f.tries.apart) == 0 {
		return
	}
	for g := range f.groups {
		at := &f.groups[g]
		at.identifying = at.identifying || slices.Contains(f.tries.apart, at.subject)
	}
}
