package scope

import (
	"strconv"
	"strings"

	"cordon/internal/exposure"
)

// # What is declared
//
// Before Cordon stood in a vendor's way only declarations speak: somebody says
// that the vendor held this about these people since some instant, or since
// ever. They are taken as held from that instant on, and as sent never: nobody
// saw a message. So they count on the basis Held and not on SentWithin, they
// are no disclosures, they close no gap of coverage, and a question about one
// route, app or credential does not meet them.

// declared reports whether a pathway holds what was declared.
func (p pathway) declared() bool { return p.Route == exposure.DeclaredRoute }

// declaredIn is the entry that began the declaration of a pathway.
func declaredIn(credential string) uint64 {
	n, err := strconv.ParseUint(strings.TrimPrefix(credential, "backfill:"), 10, 64)
	if err != nil {
		return 1<<64 - 1 // of nobody knows when: no letter covers it
	}
	return n
}

// recorded are the picks of what was recorded and not only declared.
func recorded(picks []pick) []pick {
	out := make([]pick, len(picks))
	for i, k := range picks {
		out[i] = pick{func(p pathway) bool { return !p.declared() && k.takes(p) }, k.in}
	}
	return out
}
