package ledger

import (
	"fmt"

	"cordon/evidence"
)

// SignBundle signs the head of an evidence bundle with the ledger's key. The
// entry that records the export comes before.
func (l *Ledger) SignBundle(h evidence.Head) (string, error) {
	if err := l.writable(); err != nil {
		return "", err
	}
	return h.Sign(l.keys.Signer)
}

// Witnesses are those whose cosignatures count.
func (l *Ledger) Witnesses() []*evidence.Witness {
	if l.witness == nil {
		return nil
	}
	return []*evidence.Witness{l.witness}
}

// Shared is the newest signed head with what a bundle may hold of it: our own
// signature, and the witness's if cosigned is asked for. It tells how many
// entries are under it; none where no head is cosigned yet.
func (l *Ledger) Shared(cosigned bool) (checkpoint string, size, entries uint64, err error) {
	checkpoint, size = l.Head()
	if cosigned {
		c := l.Cosigned()
		checkpoint, size = c.Note, c.Size
	}
	if size == 0 {
		return "", 0, 0, nil
	}
	if checkpoint, err = evidence.Bare(checkpoint, l.keys.Verifier, l.Witnesses()...); err != nil {
		return "", 0, 0, err
	}
	err = view(l.store.DB(), journalKey(size-1), func(v []byte) error {
		r, err := parseRecord(v)
		entries = r.last()
		return err
	})
	if err != nil {
		return "", 0, 0, fmt.Errorf("reading batch %d: %w", size-1, err)
	}
	return checkpoint, size, entries, nil
}
