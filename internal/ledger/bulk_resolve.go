package ledger

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// eachPart runs f for the parts below n on several goroutines.
func (b *bulk) eachPart(n int, f func(k int, w *partWorker) error) error {
	var next atomic.Int64
	var mu sync.Mutex
	var first error
	var tasks sync.WaitGroup
	for range b.workers {
		tasks.Go(func() {
			w := b.newPartWorker()
			for {
				k := int(next.Add(1)) - 1
				mu.Lock()
				stop := first != nil
				mu.Unlock()
				if k >= n || stop {
					break
				}
				if err := f(k, w); err != nil {
					mu.Lock()
					first = cmp.Or(first, err)
					mu.Unlock()
				}
			}
			if err := w.flush(); err != nil {
				mu.Lock()
				first = cmp.Or(first, err)
				mu.Unlock()
			}
		})
	}
	tasks.Wait()
	return first
}

// partWorker is what one goroutine needs for part after part.
type partWorker struct {
	raw, out, owns   []byte
	tuples, scratch  []tuple
	knots, entangled spillBuffer
}

func (b *bulk) newPartWorker() *partWorker {
	return &partWorker{knots: spillBuffer{to: &b.knots, size: spillBytes}, entangled: spillBuffer{to: &b.entangled, size: spillBytes}}
}

func (w *partWorker) flush() error { return errors.Join(w.knots.flush(), w.entangled.flush()) }

// sorted loads the tuples of a part in order of their hashes, without those of
// rows that came before.
func (b *bulk) sorted(k int, w *partWorker) (err error) {
	if w.raw, err = b.tuples.load(k, w.raw); err != nil {
		return err
	}
	w.tuples = w.tuples[:0]
	for raw := w.raw; len(raw) > 0; {
		var t tuple
		if t, raw, err = readTuple(raw); err != nil {
			return err
		}
		if t.kind&tupleKnown != 0 && len(b.repeated) > 0 {
			if _, again := b.repeated[t.row]; again {
				continue
			}
		}
		w.tuples = append(w.tuples, t)
	}
	if cap(w.scratch) < len(w.tuples) {
		w.scratch = make([]tuple, cap(w.tuples))
	}
	sorted := sortTuples(w.tuples, w.scratch)
	if len(sorted) > 0 && &sorted[0] != &w.tuples[0] {
		w.tuples, w.scratch = sorted, w.tuples[:0]
	}
	return nil
}

// findKnots finds the entangled of one part: whose identifier is somebody
// else's in the file, or anybody's in the ledger but theirs in the base.
func (b *bulk) findKnots(k int, w *partWorker) error {
	if err := b.sorted(k, w); err != nil || len(w.tuples) == 0 {
		return err
	}
	var old []byte
	if b.old != nil {
		var err error
		if old, err = b.old.idsFrom(byte(k)); err != nil {
			return err
		}
	}
	bounds := &pebble.IterOptions{LowerBound: []byte{store.Identity, byte(k)}, UpperBound: after([]byte{store.Identity, byte(k)})}
	it, err := b.l.store.DB().NewIter(bounds)
	if err != nil {
		return fmt.Errorf("reading identifiers: %w", err)
	}
	defer it.Close()
	it.First()
	for from := 0; from < len(w.tuples); {
		t := &w.tuples[from]
		to := from + 1
		entangled := false
		for to < len(w.tuples) && sameHash(&w.tuples[to], t) {
			entangled = entangled || w.tuples[to].ordinal != t.ordinal
			to++
		}
		h := t.hash()
		for it.Valid() && string(it.Key()[1:]) < string(h[:]) {
			it.Next()
		}
		entangled = entangled || it.Valid() && string(it.Key()[1:]) == string(h[:])
		for len(old) > 0 && string(old[:12]) < string(h[:]) {
			old = old[idEntry:]
		}
		theirs := exposure.Nobody
		if len(old) > 0 && string(old[:12]) == string(h[:]) {
			theirs = exposure.Ordinal(binary.BigEndian.Uint32(old[12:]))
		}
		for _, t := range w.tuples[from:to] {
			// Somebody new whose identifier the base has, or somebody in the base
			// with an identifier that it does not have.
			if entangled || (t.kind&tupleKnown != 0) != (theirs != exposure.Nobody) || theirs != exposure.Nobody && theirs != t.ordinal {
				b.knot.set(t.ordinal)
			}
		}
		from = to
	}
	return it.Error()
}

// allKnots makes everybody entangled: the news are few.
func (b *bulk) allKnots() {
	for i := range b.knot.words {
		b.knot.words[i].Store(^uint64(0))
	}
}

// splitTuples gives the entries of ids for one part: those of the base, and
// those of new people who are not entangled. Those of the entangled are set
// aside by ordinal. Without write only the latter.
func (b *bulk) splitTuples(k int, w *partWorker, write bool) error {
	if err := b.sorted(k, w); err != nil {
		return err
	}
	w.out, w.owns = w.out[:0], w.owns[:0]
	var old, oldOwns []byte
	if write && b.old != nil {
		var err, err2 error
		old, err = b.old.idsFrom(byte(k))
		oldOwns, err2 = b.old.ownsFrom(byte(k))
		if err := errors.Join(err, err2); err != nil {
			return err
		}
	}
	var row [30]byte
	for i := range w.tuples {
		t := &w.tuples[i]
		h := t.hash()
		switch {
		case b.knot.has(t.ordinal):
			if err := w.knots.add(int(t.ordinal>>partBits), appendTuple(row[:0], &h, t.ordinal, t.place, t.kind, t.row, t.digest)); err != nil {
				return err
			}
		case write:
			if t.kind&tupleKnown == 0 { // else the base has it
				for len(old) > 0 && string(old[:12]) < string(h[:]) {
					w.out, old = append(w.out, old[:idEntry]...), old[idEntry:]
				}
				w.out = binary.BigEndian.AppendUint32(append(w.out, h[:]...), uint32(t.ordinal))
			}
			if t.place == 0 {
				for len(oldOwns) > 0 && string(oldOwns[:12]) < string(h[:]) {
					w.owns, oldOwns = append(w.owns, oldOwns[:ownEntry]...), oldOwns[ownEntry:]
				}
				if len(oldOwns) > 0 && string(oldOwns[:12]) == string(h[:]) {
					oldOwns = oldOwns[ownEntry:]
				}
				w.owns = binary.BigEndian.AppendUint32(append(w.owns, h[:]...), uint32(t.ordinal))
				w.owns = binary.BigEndian.AppendUint64(w.owns, t.digest)
			}
		}
	}
	w.owns = append(w.owns, oldOwns...)
	w.out = append(w.out, old...)
	return nil
}

// inOrder lets several goroutines make the parts below n and calls write for
// each in order, on one.
func inOrder[T any](workers, n int, mk func(k int) (T, error), write func(T) error) error {
	type made struct {
		of  T
		err error
	}
	slots := make([]chan made, n)
	for i := range slots {
		slots[i] = make(chan made, 1)
	}
	free := make(chan struct{}, workers+lookAhead)
	var next atomic.Int64
	var tasks sync.WaitGroup
	stop := make(chan struct{})
	for range workers {
		tasks.Go(func() {
			for {
				select {
				case free <- struct{}{}:
				case <-stop:
					return
				}
				k := int(next.Add(1)) - 1
				if k >= n {
					return
				}
				of, err := mk(k)
				slots[k] <- made{of, err}
			}
		})
	}
	var err error
	for k := range n {
		m := <-slots[k]
		if err = m.err; err == nil {
			err = write(m.of)
		}
		if err != nil {
			break
		}
		<-free
	}
	close(stop)
	tasks.Wait()
	return err
}

// writeIDs writes the identifiers of the next generation.
func (b *bulk) writeIDs(to *baseWriter) error {
	pool := sync.Pool{New: func() any { return b.newPartWorker() }}
	return inOrder(b.workers, hashParts, func(k int) (*partWorker, error) {
		w := pool.Get().(*partWorker)
		err := b.splitTuples(k, w, true)
		return w, errors.Join(err, w.flush())
	}, func(w *partWorker) error {
		to.addIDs(w.out)
		to.addOwns(w.owns)
		pool.Put(w)
		return b.room()
	})
}

// rowsOf loads the rows of a part of ordinals, without those that came before.
func (b *bulk) rowsOf(k int, w *partWorker, take func(*runRow) error) (err error) {
	if w.raw, err = b.rows.load(k, w.raw); err != nil {
		return err
	}
	for raw := w.raw; len(raw) > 0; {
		var r runRow
		if r, raw, err = readRunRow(raw); err != nil {
			return err
		}
		if r.known && len(b.repeated) > 0 {
			if _, again := b.repeated[r.row]; again {
				continue
			}
		}
		if err := take(&r); err != nil {
			return err
		}
	}
	return nil
}

// people are those of one part of ordinals as the next generation has them; the
// entangled go to their own part, whole.
type peoplePart struct {
	w      *partWorker
	people []basePerson
	added  uint64
	moved  uint64
}

func (b *bulk) makePeople(k int, p *peoplePart, write bool) error {
	if p.people == nil {
		p.people = make([]basePerson, 1<<partBits)
	}
	clear(p.people)
	p.added, p.moved = 0, 0
	first := exposure.Ordinal(k) << partBits
	if write && b.old != nil {
		if err := b.old.peopleFrom(first, 1<<partBits, p.people); err != nil {
			return err
		}
	}
	var knots []runRow
	err := b.rowsOf(k, p.w, func(r *runRow) error {
		switch {
		case b.knot.has(r.ordinal):
			knots = append(knots, *r)
		default:
			p.people[r.ordinal-first] = r.basePerson
			b.present.set(r.ordinal)
			if r.known {
				b.moved.set(r.ordinal)
				p.moved++
			} else {
				p.added++
			}
		}
		return nil
	})
	if err != nil || len(knots) == 0 {
		return err
	}
	return b.setAside(k, p.w, knots)
}

// setAside writes the entangled of a part with their identifiers.
func (b *bulk) setAside(k int, w *partWorker, knots []runRow) error {
	raw, err := b.knots.load(k, nil)
	if err != nil {
		return err
	}
	w.tuples = w.tuples[:0]
	for len(raw) > 0 {
		var t tuple
		if t, raw, err = readTuple(raw); err != nil {
			return err
		}
		w.tuples = append(w.tuples, t)
	}
	slices.SortFunc(w.tuples, func(x, y tuple) int {
		return cmp.Or(cmp.Compare(x.ordinal, y.ordinal), cmp.Compare(x.place, y.place))
	})
	slices.SortFunc(knots, func(x, y runRow) int { return cmp.Compare(x.ordinal, y.ordinal) })
	at := 0
	var b2 []byte
	for i := range knots {
		r := &knots[i]
		for at < len(w.tuples) && w.tuples[at].ordinal < r.ordinal {
			at++
		}
		from := at
		for at < len(w.tuples) && w.tuples[at].ordinal == r.ordinal {
			at++
		}
		if from == at {
			return errRunDamaged
		}
		b2 = r.append(b2[:0])
		b2 = append(b2, byte(at-from))
		for _, t := range w.tuples[from:at] {
			h := t.hash()
			b2 = append(append(b2, h[:]...), t.kind)
		}
		if err := w.entangled.add(int(r.row>>partBits), b2); err != nil {
			return err
		}
	}
	b.knots.drop(k)
	return nil
}

// writePeople writes the people of the next generation.
func (b *bulk) writePeople(to *baseWriter, parts int, ordinals uint64) (added, moved uint64, err error) {
	pool := sync.Pool{New: func() any { return &peoplePart{w: b.newPartWorker()} }}
	var scratch []byte
	err = inOrder(b.workers, parts, func(k int) (*peoplePart, error) {
		p := pool.Get().(*peoplePart)
		err := b.makePeople(k, p, true)
		return p, errors.Join(err, p.w.flush())
	}, func(p *peoplePart) error {
		for g := 0; g < len(p.people) && to.m.Ordinals < ordinals; g += recordGroup {
			scratch = to.addGroup((*[recordGroup]basePerson)(p.people[g:g+recordGroup]), scratch)
		}
		added, moved = added+p.added, moved+p.moved
		pool.Put(p)
		return b.room()
	})
	return added, moved, err
}

// entangledPerson is somebody for the committer.
type entangledPerson struct {
	runRow
	tuples []tuple
}

// eachEntangled goes through them in the order of the file.
func (b *bulk) eachEntangled(take func(*entangledPerson) error) error {
	for k := range b.entangled.count() {
		raw, err := b.entangled.load(k, nil)
		if err != nil {
			return err
		}
		var people []entangledPerson
		for len(raw) > 0 {
			var p entangledPerson
			if p.runRow, raw, err = readRunRow(raw); err != nil {
				return err
			}
			if len(raw) == 0 || len(raw) < 1+13*int(raw[0]) {
				return errRunDamaged
			}
			n := int(raw[0])
			raw = raw[1:]
			for range n {
				p.tuples = append(p.tuples, tuple{
					key: binary.BigEndian.Uint64(raw), rest: binary.BigEndian.Uint32(raw[8:]), kind: raw[12],
				})
				raw = raw[13:]
			}
			people = append(people, p)
		}
		slices.SortFunc(people, func(x, y entangledPerson) int { return cmp.Compare(x.row, y.row) })
		for i := range people {
			if err := take(&people[i]); err != nil {
				return err
			}
		}
		b.entangled.drop(k)
	}
	runtime.GC() // what was loaded is garbage before the next import's
	return nil
}
