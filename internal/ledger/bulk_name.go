package ledger

import (
	"context"
	"encoding/binary"
	"errors"
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
	if err = b.name(ctx, next, row); err != nil {
		next.close()
		return 0, 0, err
	}
	l.sweepGenerations(row.generation)
	return added, moved, nil
}

// name puts a generation in force, in one batch with the count of the ordinals
// that it uses.
func (b *bulk) name(ctx context.Context, next *base, row baseRow) error {
	l := b.l
	var clash error
	step := func(j *journal, pb *pebble.Batch) error {
		for _, h := range j.births {
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
					continue
				}
			}
			clash = errors.New("somebody became known by a message meanwhile")
			return nil
		}
		j.births = j.births[:0]
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
		return err
	}
	return clash
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
func (b *bulk) giveBack() {
	j := b.l.j
	j.mu.Lock()
	defer j.mu.Unlock()
	for again := true; again; {
		again = false
		for _, s := range b.taken {
			if s.to == j.used {
				j.used, again = s.from, true
			}
		}
	}
}
