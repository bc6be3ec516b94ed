package ledger

import (
	"context"
	"encoding/binary"
	"fmt"

	"cordon/internal/exposure"

	"github.com/cockroachdb/pebble/v2"
)

// nextGeneration writes everybody who is not entangled, with what the base had,
// and puts it in force.
func (b *bulk) nextGeneration(ctx context.Context, parts int, ordinals uint64) (added, moved uint64, err error) {
	l := b.l
	row, _, err := l.baseRow()
	if err != nil {
		return 0, 0, err
	}
	row.generation++
	if ordinals > 1<<blockBits { // room for those who come by and by, so that the columns can be used where they are mapped
		ordinals = (ordinals>>blockBits + 2) << blockBits
	}
	w, err := newBaseWriter(l.generationDir(row.generation), row.generation)
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		if err != nil {
			w.abandon()
		}
	}()
	if err = b.writeIDs(w); err != nil {
		return 0, 0, err
	}
	if added, moved, err = b.writePeople(w, parts, (ordinals+recordGroup-1)/recordGroup*recordGroup); err != nil {
		return 0, 0, err
	}
	w.m.Countries, w.m.States, w.m.Languages = b.words[0].table, b.words[1].table, b.words[2].table
	if row.digest, err = w.finish(); err != nil {
		return 0, 0, err
	}
	if err = ctx.Err(); err != nil {
		return 0, 0, err
	}
	next, err := openBase(l.generationDir(row.generation), row, true)
	if err != nil {
		return 0, 0, err
	}
	late, err := b.name(ctx, next, row)
	if err != nil {
		next.close()
		return 0, 0, err
	}
	l.sweepGenerations(row.generation)
	return added - late, moved, nil
}

// name puts a generation in force, in one batch with the count of the ordinals
// that it uses.
//
// A message may have made somebody known since the identifiers were held against
// the store. Such people are taken out again and go with the entangled, and
// naming is tried once more; the last time that is done while the committer waits.
func (b *bulk) name(ctx context.Context, next *base, row baseRow) (late uint64, err error) {
	l := b.l
	if l.beforeNaming != nil {
		l.beforeNaming()
	}
	const tries = 3
	for try := 1; ; try++ {
		clash := map[exposure.Ordinal]bool{}
		step := func(j *journal, pb *pebble.Batch) error {
			if err := b.clashes(next, j.births, clash); err != nil {
				return err
			}
			j.births = j.births[:0]
			if len(clash) > 0 {
				if try < tries {
					return nil
				}
				if err := b.takeOut(next, clash); err != nil {
					return err
				}
			}
			row.digest = next.digest
			if err := pb.Set(baseKey(baseNamed), row.append(nil), nil); err != nil {
				return fmt.Errorf("naming the base of people: %w", err)
			}
			if err := pb.Set(metaKey(metaOrdinals), binary.BigEndian.AppendUint64(nil, j.used), nil); err != nil {
				return fmt.Errorf("counting ordinals: %w", err)
			}
			// In force for whatever follows, in this batch too: who looked up before
			// must look again. If the batch does not become durable, nothing does.
			l.setBase(next)
			l.ids.births.Add(1)
			return nil
		}
		if err := l.wait(ctx, l.queue.add(job{step: step}, true)); err != nil {
			return late, err
		}
		late += uint64(len(clash))
		if len(clash) == 0 || try == tries {
			return late, nil
		}
		if err := b.takeOut(next, clash); err != nil {
			return late, err
		}
	}
}

// clashes finds the people of a generation whom one of these identifiers names,
// and did not before.
func (b *bulk) clashes(next *base, births []idHash, found map[exposure.Ordinal]bool) error {
	for _, h := range births {
		o, err := next.find(h, nil)
		if err != nil {
			return err
		}
		if o == exposure.Nobody {
			continue
		}
		if b.old != nil {
			was, err := b.old.find(h, nil)
			if err != nil {
				return err
			}
			if was != exposure.Nobody {
				continue // what the store says of it holds, as before
			}
		}
		found[o] = true
	}
	return nil
}

// takeOut moves new people from a generation that is not in force yet to the
// entangled.
func (b *bulk) takeOut(next *base, people map[exposure.Ordinal]bool) error {
	writes, err := next.forgetWrites(people)
	if err != nil {
		return err
	}
	sums, err := next.sumsAfter(writes)
	if err != nil {
		return err
	}
	if err := next.overwrite(writes, sums); err != nil {
		return err
	}
	w := b.newPartWorker()
	var row [30]byte
	for k := range b.tuples.count() {
		if w.raw, err = b.tuples.load(k, w.raw); err != nil {
			return err
		}
		for raw := w.raw; len(raw) > 0; {
			var t tuple
			if t, raw, err = readTuple(raw); err != nil {
				return err
			}
			if !people[t.ordinal] || t.kind&tupleKnown != 0 {
				continue
			}
			h := t.hash()
			if err := w.knots.add(int(t.ordinal>>partBits), appendTuple(row[:0], &h, t.ordinal, t.place, t.kind, t.row, t.digest)); err != nil {
				return err
			}
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	parts := map[int]bool{}
	for o := range people {
		parts[int(o>>partBits)] = true
		b.present.unset(o)
	}
	for k := range parts {
		var knots []runRow
		err := b.rowsOf(k, w, func(r *runRow) error {
			if people[r.ordinal] && !r.known {
				knots = append(knots, *r)
			}
			return nil
		})
		if err == nil {
			err = b.setAside(k, w, knots)
		}
		if err != nil {
			return err
		}
	}
	return w.flush()
}

// watchBirths begins or ends to note which identifiers become known.
func (j *journal) watchBirths(on bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.births = nil; on {
		j.births = []idHash{}
	}
}

// giveBack returns the ordinals that were taken and not used, if nobody came
// after.
func (l *Ledger) giveBack(taken []slabRange) {
	j := l.j
	j.mu.Lock()
	defer j.mu.Unlock()
	for again := true; again; {
		again = false
		for _, s := range taken {
			if s.to == j.used {
				j.used, again = s.from, true
			}
		}
	}
}
