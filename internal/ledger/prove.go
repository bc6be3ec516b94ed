package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"cordon/evidence"

	"golang.org/x/mod/sumdb/tlog"
)

// Prove makes the proof that an entry is in the ledger, under the newest
// checkpoint that the witness cosigned if that covers it, else under the newest
// signed one. The entry must be older than that: call Checkpoint first
// for one just written.
func (l *Ledger) Prove(seq uint64) (evidence.Proof, error) {
	c := l.Cosigned()
	checkpoint, size := c.Note, c.Size
	var batches []evidence.Batch
	err := errors.New("nothing is cosigned")
	if size > 0 {
		batches, err = l.ProveAll(context.Background(), size, []uint64{seq}, nil)
	}
	if err != nil {
		checkpoint, size = l.Head()
		if batches, err = l.ProveAll(context.Background(), size, []uint64{seq}, nil); err != nil {
			return evidence.Proof{}, fmt.Errorf("proving entry %d: %w", seq, err)
		}
	}
	b := batches[0]
	e := b.Entries[0]
	return evidence.Proof{
		Seq: seq, Entry: e.Entry, Salt: e.Salt[:], Inner: e.Inner, Header: b.Header, Path: b.Path, Checkpoint: checkpoint,
	}, nil
}

// ProveAll makes the proofs of many entries under the checkpoint over the first
// size batches, each batch once and in order. personal says of a decoded entry
// whether it goes where it may be left out; nil: none does.
func (l *Ledger) ProveAll(ctx context.Context, size uint64, seqs []uint64, personal func(Entry) bool) ([]evidence.Batch, error) {
	if size == 0 {
		return nil, errors.New("no checkpoint is signed yet")
	}
	seqs = slices.Clone(seqs)
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	if n := len(seqs); n > 0 && (seqs[0] == 0 || seqs[n-1] > l.durable.Load().entries) {
		return nil, fmt.Errorf("there is no such entry, the last is %d", l.durable.Load().entries)
	}
	p := prover{l: l, tree: newTiles(l.store.DB(), size), size: size, personal: personal}
	var batches []evidence.Batch
	for len(seqs) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, rest, err := p.open(seqs)
		if err != nil {
			return nil, err
		}
		batches, seqs = append(batches, b), rest
	}
	return batches, nil
}

// Growth proves that the tree of the first old batches is a beginning of that
// of the first size.
func (l *Ledger) Growth(old, size uint64) ([]tlog.Hash, error) {
	path, err := tlog.ProveTree(int64(size), int64(old), newTiles(l.store.DB(), size))
	if err != nil {
		return nil, fmt.Errorf("proving that the ledger grew from %d to %d batches: %w", old, size, err)
	}
	return path, nil
}

// prover makes proofs under one checkpoint.
type prover struct {
	l        *Ledger
	tree     *tiles
	size     uint64
	personal func(Entry) bool
	room     room
}

// open keeps the store open while a batch is read.
func (p *prover) open(seqs []uint64) (evidence.Batch, []uint64, error) {
	p.l.reads.RLock()
	defer p.l.reads.RUnlock()
	if p.l.closed.Load() {
		return evidence.Batch{}, nil, p.l.unavailable(errClosed)
	}
	return p.batch(seqs)
}

// batch proves the first of seqs and those that stand in the same batch, and
// returns the others.
func (p *prover) batch(seqs []uint64) (b evidence.Batch, rest []uint64, err error) {
	l := p.l
	n, err := l.batchOf(seqs[0], p.size)
	if err != nil {
		return b, nil, err
	}
	var previous tlog.Hash
	if n > 0 {
		if previous, err = p.tree.hash(0, n-1); err != nil {
			return b, nil, err
		}
	}
	err = view(l.store.DB(), journalKey(n), func(v []byte) error {
		r, err := l.openRecord(v, &p.room)
		if err != nil {
			return err
		}
		h, err := r.header(l.gateway, n, previous)
		if err != nil {
			return err
		}
		if !h.Holds(seqs[0]) {
			return errors.New("it is not under a checkpoint yet, sign one first")
		}
		if h.LeafHash() != r.leaf {
			return fmt.Errorf("batch %d does not match its hash", n)
		}
		b.Header = h.Append(nil)
		in := slices.IndexFunc(seqs, func(seq uint64) bool { return !h.Holds(seq) })
		if in < 0 {
			in = len(seqs)
		}
		rest = seqs[in:]
		b.Entries, err = r.show(seqs[:in], func(seq uint64, e *evidence.Entry) (bool, error) {
			if p.personal == nil {
				return false, nil
			}
			decoded, err := l.dict.decode(seq, e)
			return err == nil && p.personal(decoded), err
		})
		return err
	})
	if err != nil {
		return b, nil, err
	}
	b.Path, err = tlog.ProveRecord(int64(p.size), int64(n), p.tree)
	return b, rest, err
}

// show gives entries of the batch, by rising number, each with what proves it.
func (r *record) show(seqs []uint64, personal func(uint64, *evidence.Entry) (bool, error)) ([]evidence.Shown, error) {
	shown := make([]evidence.Shown, 0, len(seqs))
	err := r.each(func(i uint32, raw []byte, e *evidence.Entry) error {
		if len(shown) == len(seqs) || seqs[len(shown)] != r.first+uint64(i) {
			return nil
		}
		s := evidence.Shown{Seq: r.first + uint64(i), Entry: append([]byte(nil), raw...)}
		var err error
		s.Personal, err = personal(s.Seq, e)
		shown = append(shown, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(shown) < len(seqs) {
		return nil, fmt.Errorf("entry %d: %w", seqs[len(shown)], ErrErased)
	}
	var leaves []tlog.Hash // of a batch of which all is there
	var at []int
	for k := range shown {
		i := uint32(shown[k].Seq - r.first)
		if kept := slices.IndexFunc(r.kept, func(e keptEntry) bool { return e.index == i }); kept >= 0 {
			shown[k].Salt, shown[k].Inner = r.kept[kept].salt, slices.Clone(r.kept[kept].path)
			continue
		}
		shown[k].Salt = evidence.Salt(r.seed, i)
		at = append(at, int(i))
	}
	if len(at) == 0 {
		return shown, nil
	}
	if leaves, err = r.leaves(); err != nil {
		return nil, err
	}
	paths := evidence.Paths(leaves, at)
	for k := range shown {
		if len(paths) > 0 && int(shown[k].Seq-r.first) == at[0] {
			shown[k].Inner, paths, at = paths[0], paths[1:], at[1:]
		}
	}
	return shown, nil
}

// ErrErased says that an entry is gone because its day has expired. That it
// was there, and how many with it, the tree still says.
var ErrErased = errors.New("it was erased when its day expired")
