package ledger

import (
	"errors"
	"fmt"

	"cordon/evidence"

	"golang.org/x/mod/sumdb/tlog"
)

// Prove makes the proof that an entry is in the ledger, under the newest
// signed checkpoint. The entry must be older than that: call Checkpoint first
// for one just written.
func (l *Ledger) Prove(seq uint64) (evidence.Proof, error) {
	l.status.mu.Lock()
	signed, checkpoint := l.status.signed, l.status.checkpoint
	l.status.mu.Unlock()
	p, err := l.prove(seq, signed, checkpoint)
	if err != nil {
		return evidence.Proof{}, fmt.Errorf("proving entry %d: %w", seq, err)
	}
	return p, nil
}

func (l *Ledger) prove(seq, signed uint64, checkpoint string) (evidence.Proof, error) {
	p := evidence.Proof{Seq: seq, Checkpoint: checkpoint}
	if seq == 0 || seq > l.durable.Load().entries {
		return p, fmt.Errorf("there is no such entry, the last is %d", l.durable.Load().entries)
	}
	if signed == 0 {
		return p, fmt.Errorf("no checkpoint is signed yet")
	}
	db := l.store.DB()
	batch, err := l.batchOf(seq, signed)
	if err != nil {
		return p, err
	}
	tree := treeReader{db}
	var previous tlog.Hash
	if batch > 0 {
		if previous, err = tree.hash(0, batch-1); err != nil {
			return p, err
		}
	}
	err = view(db, journalKey(batch), func(v []byte) error {
		r, err := l.openRecord(v, &room{})
		if err != nil {
			return err
		}
		h, err := r.header(l.gateway, batch, previous)
		if err != nil {
			return err
		}
		if !h.Holds(seq) {
			return fmt.Errorf("it is not under a checkpoint yet, sign one first")
		}
		if h.LeafHash() != r.leaf {
			return fmt.Errorf("batch %d does not match its hash", batch)
		}
		p.Header = h.Append(nil)
		return r.prove(uint32(seq-r.first), &p)
	})
	if err != nil {
		return p, err
	}
	path, err := tlog.ProveRecord(int64(signed), int64(batch), tree)
	if err != nil {
		return p, err
	}
	p.Path = path
	return p, nil
}

// prove adds entry i of the batch and what proves it to p.
func (r *record) prove(i uint32, p *evidence.Proof) error {
	shown := false
	err := r.each(func(n uint32, raw []byte, _ *evidence.Entry) error {
		if n == i {
			shown = true
			p.Entry = append([]byte(nil), raw...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !shown {
		return ErrErased
	}
	for _, k := range r.kept {
		if k.index == i {
			p.Salt, p.Inner = append([]byte(nil), k.salt[:]...), append([]tlog.Hash(nil), k.path...)
			return nil
		}
	}
	leaves, err := r.leaves()
	if err != nil {
		return err
	}
	p.Inner = evidence.Path(leaves, int(i))
	salt := evidence.Salt(r.seed, i)
	p.Salt = salt[:]
	return nil
}

// ErrErased says that an entry is gone because its day has expired. That it
// was there, and how many with it, the tree still says.
var ErrErased = errors.New("it was erased when its day expired")
