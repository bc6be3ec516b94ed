package classify

import "slices"

// setApart makes a person of every group that the mappings set apart, and takes
// it out of the group around it. Who gets the money has often no more than a
// name and an account; without this they would be on record as those of the
// person who sends it. Nor is what the message says of a sender whom it does
// not identify the recipient's, only because there is an address of theirs.
func (f *Findings) setApart() {
	if len(f.tries.apart) == 0 {
		return
	}
	for g := range f.groups {
		if at := &f.groups[g]; g > 0 && slices.Contains(f.tries.apart, at.subject) {
			at.identifying, at.parent = true, -1
		}
	}
}
