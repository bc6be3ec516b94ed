package ledger

import (
	"slices"

	"cordon/internal/exposure"
	"cordon/internal/token"
)

// Whom are the people whom identifiers of one record name, as Record would take
// them, without making anybody known: with several, any of them it may be; a
// shared address only where nothing better does.
func (l *Ledger) Whom(ids []exposure.Identifier) (who []exposure.Ordinal, err error) {
	err = l.reading(func() error {
		who, err = l.people(ids)
		return err
	})
	return who, err
}

// TokensIn are the people whose tokens of the vendor stand in a text: what only
// this vendor got for them, so that it can have come from nowhere else.
func (l *Ledger) TokensIn(v exposure.VendorID, text string) (who []exposure.Ordinal, err error) {
	if !l.tokens.on {
		return nil, nil
	}
	var room [8]token.Candidate
	for _, c := range l.tokens.finder.AppendString(room[:0], text) {
		r, ok, err := l.Resolve(v, c.Key)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		owners := r.Ordinals
		if kind, identifies := exposure.KindOf(r.Category); len(owners) == 0 && identifies {
			if id, err := exposure.Canonical(kind, r.Value); err == nil {
				if kind == exposure.KindPseudonym {
					id.Vendor = v
				}
				if owners, err = l.Whom([]exposure.Identifier{id}); err != nil {
					return nil, err
				}
			}
		}
		for _, o := range owners {
			if o != exposure.Nobody && !slices.Contains(who, o) {
				who = append(who, o)
			}
		}
	}
	return who, nil
}
