package ledger

import (
	"context"
	"errors"
	"slices"
	"time"

	"cordon/evidence"
	"cordon/internal/exposure"
)

// Window is a time with open ends where a bound is zero; both bounds are inside.
type Window struct{ Since, Until time.Time }

// Holds reports whether t is inside.
func (w Window) Holds(t time.Time) bool {
	return (w.Since.IsZero() || !t.Before(w.Since)) && (w.Until.IsZero() || !t.After(w.Until))
}

// ErrTooMany says that more entries were asked for than are given at once.
var ErrTooMany = errors.New("there are more of them than are given at once")

// Disclosed finds the disclosures to a vendor in a window, their outcomes, and
// the definitions without which they cannot be read, among the first size
// batches: their numbers, rising, at most limit of them. It reads the journal
// from its beginning, where the definitions are.
func (l *Ledger) Disclosed(ctx context.Context, v exposure.VendorID, w Window, size uint64, limit int) ([]uint64, error) {
	type word struct {
		dict uint8
		id   uint32
	}
	defined := map[word]uint64{} // where
	needed := map[word]bool{}
	wanted := map[uint64]bool{} // disclosures
	var seqs []uint64
	err := l.batches(0, size, func(batch uint64, r *record) error {
		if batch%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return r.each(func(i uint32, _ []byte, e *evidence.Entry) error {
			seq := r.first + uint64(i)
			switch e.Kind {
			case evidence.Definition:
				defined[word{e.Dict, e.ID}] = seq
				return nil
			case evidence.Disclosure:
				if !w.Holds(timeOf(e.Time)) {
					return nil
				}
				d, err := l.dict.decode(seq, e)
				if err != nil || d.Pathway.Vendor != v {
					return err
				}
				wanted[seq] = true
				needed[word{evidence.DictPathway, e.Pathway}] = true
				for _, s := range e.Subjects {
					needed[word{evidence.DictSet, s.Set}] = true
				}
				for _, reason := range e.Reasons {
					needed[word{evidence.DictReason, reason}] = true
				}
			case evidence.Outcome:
				if e.Distance > seq || !wanted[seq-e.Distance] {
					return nil
				}
			default:
				return nil
			}
			if seqs = append(seqs, seq); len(seqs) > limit {
				return ErrTooMany
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	for n := range needed {
		if seq, ok := defined[n]; ok {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	return seqs, nil
}
