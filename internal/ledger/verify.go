package ledger

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"cordon/evidence"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/mod/sumdb/tlog"
)

// checkBatches recomputes batches from..to-1 from their entries and compares
// them with their hashes.
func (l *Ledger) checkBatches(from, to uint64, each func(batch uint64, r *record) error) error {
	var previous tlog.Hash
	if from > 0 {
		var err error
		if previous, err = (treeReader{l.store.DB()}).hash(0, from-1); err != nil {
			return err
		}
	}
	return l.batches(from, to, func(batch uint64, r *record) error {
		h, err := r.header(l.gateway, batch, previous)
		if err != nil {
			return fmt.Errorf("batch %d: %w", batch, err)
		}
		if h.LeafHash() != r.leaf {
			return fmt.Errorf("batch %d (entries %d to %d) does not match its hash", batch, r.first, r.first+uint64(r.count)-1)
		}
		previous = r.leaf
		return each(batch, r)
	})
}

// maxProblems bounds the report of a ledger that is damaged all over.
const maxProblems = 100

// Verify reads everything that was durable when it began and checks it: that
// no batch and no entry is missing, that each batch matches its hash and names
// the one before, that the tree's stored hashes and every signed checkpoint
// that is kept (store, heads, mirror) match the leaves, and that what entries
// refer to is defined. progress may be nil; it gets batches.
func (l *Ledger) Verify(ctx context.Context, progress func(done, total uint64)) Report {
	v := verification{l: l, end: l.durable.Load(), signed: l.Status().Signed > 0, heads: map[uint64][]signedRoot{}, defined: [4]uint32{}}
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	if err := l.store.Err(); err != nil {
		v.problem("the ledger refuses: %v", err)
	}
	v.collectHeads()
	v.walk(ctx, progress)
	v.reportErased()
	v.countEvents()
	v.problems = append(v.problems, l.verifyBase(ctx)...)
	progress(v.next, v.end.batches)
	root := v.edge.root()
	return Report{
		Erased: v.erased,
		OK:     len(v.problems) == 0, Size: v.entries, Batches: v.edge.size,
		Root: base64.StdEncoding.EncodeToString(root[:]), Problems: v.problems,
	}
}

type signedRoot struct {
	root tlog.Hash
	from string
}

type verification struct {
	l        *Ledger
	end      *extent
	heads    map[uint64][]signedRoot // by size
	edge     edge
	next     uint64    // batch that should come now
	entries  uint64    // number of the last entry seen
	signed   bool      // there is a head, so there are copies of it
	torn     bool      // a batch is missing or unreadable: the tree ends there
	defined  [4]uint32 // highest id by dictionary
	events   uint64    // seen that belong into the list of events
	problems []string
	room     room

	ranges  []goneRange          // of entries in expired batches
	expired map[string]expiredBy // by day
	erased  []string             // what Report says of them
	holds   map[string]uint64    // legal holds that stand, and their entries
}

func (v *verification) problem(format string, args ...any) {
	switch n := len(v.problems); {
	case n < maxProblems:
		v.problems = append(v.problems, fmt.Sprintf(format, args...))
	case n == maxProblems:
		v.problems = append(v.problems, "and more")
	}
}

// collectHeads gathers every signed checkpoint and checks its signature.
func (v *verification) collectHeads() {
	add := func(signed, from string) {
		head, err := evidence.OpenCheckpoint(signed, v.l.keys.Verifier)
		if err != nil {
			v.problem("checkpoint in %s: %v", from, err)
			return
		}
		v.heads[head.Size] = append(v.heads[head.Size], signedRoot{head.Root, from})
	}
	prefix := []byte{store.Checkpoint}
	it, err := v.l.store.DB().NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		v.problem("reading checkpoints: %v", err)
		return
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		add(string(it.Value()), "the store")
	}
	if err := it.Error(); err != nil {
		v.problem("reading checkpoints: %v", err)
	}
	v.collectCosigned(add)
	for _, path := range []string{v.l.headsFile, v.l.mirror} {
		if path == "" {
			continue
		}
		r, err := readHeads(path)
		if errors.Is(err, fs.ErrNotExist) && v.signed {
			v.problem("%s is missing", path)
			continue
		}
		if err != nil {
			v.problem("reading %s: %v", path, err)
			continue
		}
		if r.Damaged {
			v.problem("%s is damaged", path)
		}
		if r.Checkpoint != "" {
			add(r.Checkpoint, path)
		}
		if r.Cosigned != "" {
			add(r.Cosigned, path+" (cosigned)")
		}
		if path == v.l.headsFile && r.Batches < v.end.batches && !v.l.readOnly {
			v.problem("%s knows %d batches of %d", path, r.Batches, v.end.batches)
		}
	}
	// A head may have been signed since the walk's end was fixed.
	for size := range v.heads {
		if size > v.end.batches {
			now := v.l.durable.Load()
			if size > now.batches {
				v.problem("a head covers %d batches, the ledger has %d", size, now.batches)
			}
			delete(v.heads, size)
		}
	}
}

func (v *verification) checkHead() {
	for _, h := range v.heads[v.edge.size] {
		if root := v.edge.root(); root != h.root {
			v.problem("the checkpoint of size %d in %s is over another tree", v.edge.size, h.from)
		}
	}
	delete(v.heads, v.edge.size)
}

// walk goes on behind damage, so that the report names all of it.
func (v *verification) walk(ctx context.Context, progress func(done, total uint64)) {
	v.checkHead()
	for from, failed := uint64(0), uint64(math.MaxUint64); from < v.end.batches; {
		err := v.l.batches(from, v.end.batches, func(batch uint64, r *record) error {
			v.batch(batch, r)
			from = batch + 1
			if batch%256 == 0 {
				progress(batch, v.end.batches)
				return ctx.Err()
			}
			return nil
		})
		if ctx.Err() != nil {
			v.problem("not finished: %v", ctx.Err())
			return
		}
		if err == nil {
			return
		}
		if from == failed { // no way past it
			v.problem("batches from %d on cannot be read", from)
			return
		}
		failed = from
		v.problem("%v", err)
		next := v.nextReadable(from)
		if next > from && !v.torn {
			v.problem("checkpoints of more than %d batches cannot be checked", from)
		}
		v.torn = v.torn || next > from
		from = next
	}
}

// nextReadable finds the first batch from the given number on that can be read.
func (v *verification) nextReadable(from uint64) uint64 {
	for n := from; n < v.end.batches; n++ {
		err := view(v.l.store.DB(), journalKey(n), func(b []byte) error { _, err := v.l.openRecord(b, &v.room); return err })
		if err == nil {
			return n
		}
	}
	return v.end.batches
}

func (v *verification) batch(batch uint64, r *record) {
	last := r.first + uint64(r.count) - 1
	// Behind a hole the hash of the batch before is not known.
	if follows := batch == v.next; follows {
		h, err := r.header(v.l.gateway, batch, v.edge.last)
		switch {
		case err != nil:
			v.problem("batch %d: %v", batch, err)
		case h.LeafHash() != r.leaf:
			v.problem("batch %d (entries %d to %d) does not match its hash", batch, r.first, last)
		}
		if r.first != v.entries+1 {
			v.problem("batch %d begins with entry %d instead of %d", batch, r.first, v.entries+1)
		}
	}
	v.next, v.entries = batch+1, last
	if r.expired {
		v.gone(r)
	}
	err := r.each(func(i uint32, _ []byte, e *evidence.Entry) error {
		v.event(batch, r.first+uint64(i), e)
		return v.entry(r.first+uint64(i), e)
	})
	if err != nil {
		v.problem("batch %d: %v", batch, err)
	}
	if v.torn {
		v.edge.last = r.leaf
		return
	}
	_ = v.edge.add(r.leaf, func(level int, index uint64, h tlog.Hash) error {
		err := view(v.l.store.DB(), treeKey(level, index), func(b []byte) error {
			if string(b) != string(h[:]) {
				return errors.New("does not match the leaves")
			}
			return nil
		})
		if err != nil {
			v.problem("the tree's hash at level %d, %d: %v", level, index, err)
		}
		return nil // named; the walk goes on
	})
	v.checkHead()
}

// entry checks that what the entry refers to is there.
func (v *verification) entry(seq uint64, e *evidence.Entry) error {
	if e.Kind == evidence.Outcome && e.Distance >= seq || e.Retry >= seq {
		return fmt.Errorf("entry %d refers to one before the first", seq)
	}
	if e.Kind == evidence.Definition && int(e.Dict) < len(v.defined) {
		if e.ID != v.defined[e.Dict]+1 && !v.torn {
			return fmt.Errorf("entry %d defines number %d after %d", seq, e.ID, v.defined[e.Dict])
		}
		v.defined[e.Dict] = e.ID
		text, err := v.l.dict.text(e.Dict, e.ID)
		if err != nil {
			return fmt.Errorf("entry %d: %w", seq, err)
		}
		if text != e.Text {
			return fmt.Errorf("entry %d defines %d of dictionary %d as %q, the dictionary says %q", seq, e.ID, e.Dict, e.Text, text)
		}
		return nil
	}
	decoded, err := v.l.dict.decode(seq, e)
	switch {
	case err != nil:
	case decoded.Event.Kind == EventExpire:
		v.noteExpiry(&decoded)
	case decoded.Event.Kind == EventLegalHold:
		v.noteHold(&decoded)
	}
	return err
}
