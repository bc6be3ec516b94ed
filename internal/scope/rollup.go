package scope

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/store"
)

// rolled says, by vendor, up to which block each roll-up is made.
type rolled map[vendorID]map[period]uint32

const allBlocks = 1 << (32 - blockBits)

// has reports whether a page of a roll-up stands for all its days so far.
func (r rolled) has(v vendorID, at pageAt) bool { return uint32(at.block) < r[v][at.period] }

// whole reports whether every block is done.
func (r rolled) whole(v vendorID, p period) bool { return r[v][p] == allBlocks }

func (r rolled) set(v vendorID, p period, blocks uint32) {
	if r[v] == nil {
		r[v] = map[period]uint32{}
	}
	r[v][p] = blocks
}

func loadRolled(r pebble.Reader) (rolled, error) {
	all := rolled{}
	err := scan(r, []byte{store.Scope, keyRolled}, func(key, value []byte) error {
		if len(key) != 9 || len(value) != 4 {
			return errors.New("a roll-up's key has the wrong shape")
		}
		all.set(vendorID(binary.BigEndian.Uint16(key[2:])),
			period{key[4], int32(binary.BigEndian.Uint32(key[5:]) ^ 1<<31)}, binary.BigEndian.Uint32(value))
		return nil
	})
	return all, err
}

// roll makes roll-ups whenever something was flushed, until the index is closed.
func (x *Index) roll(ctx context.Context) {
	for {
		for more, tries := true, 0; more && ctx.Err() == nil; tries++ {
			var err error
			var clash bool
			if more, clash, err = x.rollUp(tries > 3); err != nil {
				// Days answer as well, only more slowly. The next flush tries again.
				x.o.Log.Error("making a roll-up of the scope index", "error", err)
				break
			}
			if !clash {
				tries = 0
			}
		}
		select {
		case <-x.flushed:
		case <-ctx.Done():
			return
		}
	}
}

// rollUp makes one block of one roll-up whose days are over and says whether
// there was one to make. It reads without holding mu, unless insist says that
// flushes came in between too often; if one did, what it read is worth nothing
// (clash). What it writes and how far it came is one batch, so a crash leaves the
// block made or not made, and whatever is flushed later is added to those that
// are. So no roll-up is ever wrong, however late its days still change.
func (x *Index) rollUp(insist bool) (more, clash bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.o.ReadOnly || x.unsaved != nil || x.err != nil {
		return false, false, nil
	}
	v, p, ok := x.due()
	from := x.rolled[v][p]
	var e ever
	if !ok {
		v, e, ok = x.dueEver()
		p, from = everPeriod, e.next
	}
	if !ok {
		return false, false, nil
	}
	built, flushes := x.built, x.flushes
	if !insist {
		x.mu.Unlock()
	}
	b := x.o.DB.NewBatch()
	block, found, err := firstBlock(x.o.DB, v, uint16(from))
	done := uint32(allBlocks)
	if found {
		done = uint32(block) + 1
	}
	e.next = done
	switch {
	case err != nil:
	case p == everPeriod:
		if found {
			err = rollEver(x.o.DB, b, v, block, e.before, e.through)
		}
		err = cmp.Or(err, b.Set(everKey(v), e.encode(), nil))
	default:
		if found {
			err = roll(x.o.DB, b, v, pageAt{block, p})
		}
		err = cmp.Or(err, b.Set(rolledKey(v, p), binary.BigEndian.AppendUint32(nil, done), nil))
	}
	if !insist {
		x.mu.Lock()
	}
	if err != nil || x.built != built || x.flushes != flushes || x.unsaved != nil || x.err != nil {
		return err == nil, true, errors.Join(err, b.Close())
	}
	if err := x.apply(b); err != nil {
		x.stopSaving(err)
		return false, false, nil
	}
	if p == everPeriod {
		x.evers[v] = e
	} else {
		x.rolled.set(v, p, done)
	}
	return true, false, nil
}

// due is a roll-up that is to be made: weeks before months, the older first.
// Called with mu held.
func (x *Index) due() (v vendorID, p period, ok bool) {
	today := dayOf(instant(x.alive))
	for _, level := range []uint8{levelWeek, levelMonth} {
		for w, days := range x.days {
			for d := range days {
				q := d.in(level)
				if q.last() >= today || x.rolled.whole(w, q) {
					continue
				}
				if !ok || cmp.Or(cmp.Compare(q.index, p.index), cmp.Compare(w, v)) < 0 {
					v, p, ok = w, q, true
				}
			}
		}
		if ok {
			return v, p, true
		}
	}
	return 0, period{}, false
}

// firstBlock is the first block from one on in which a vendor has anybody.
func firstBlock(r pebble.Reader, v vendorID, from uint16) (block uint16, ok bool, err error) {
	lower := pageKey(nil, v, from*perBlock, partHead, period{index: math.MinInt32})
	_, upper := spaceOf(store.Index, v)
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return 0, false, err
	}
	if it.First() {
		_, chunk, _, _, perr := parsePageKey(it.Key())
		block, ok, err = chunk/perBlock, true, perr
	}
	return block, ok, errors.Join(err, it.Error(), it.Close())
}

// worthIt is by how much a roll-up must be shorter than what it stands for.
// Where the same people come every day it is; where others come every day, a
// week is hardly shorter than its days, and reading them costs the same.
var worthIt = 3 // a variable for tests

// roll writes one block of a roll-up from its days.
func roll(r pebble.Reader, b *pebble.Batch, v vendorID, at pageAt) error {
	var parts [perBlock]collector
	size, any := 0, false
	chunk := at.block * perBlock
	for d := at.first(); d <= at.last(); d++ {
		day := d.in(levelDay)
		head, err := get(r, pageKey(nil, v, chunk, partHead, day))
		if err != nil {
			return err
		}
		switch {
		case head == nil:
		case head[0] == headPage:
			any = true
			size += len(head)
			facts, err := factsOf(head[1:], nil, true, 0)
			if err != nil {
				return err
			}
			for _, f := range facts {
				parts[f.chunk()].add(f)
			}
		default:
			any = true
			for i := range parts {
				value, closer, err := r.Get(pageKey(nil, v, chunk+uint16(i), partPage, day))
				if errors.Is(err, pebble.ErrNotFound) {
					continue
				}
				if err != nil {
					return err
				}
				size += len(value)
				if err := errors.Join(parts[i].page(value, i), closer.Close()); err != nil {
					return err
				}
			}
		}
	}
	if !any {
		return nil
	}
	var facts []fact
	pages, rolled := [perBlock][]byte{}, 0
	for i := range parts {
		f := parts[i].facts(i)
		facts = append(facts, f...)
		pages[i] = page(f, false)
		rolled += len(pages[i])
	}
	switch {
	case len(facts) <= sparse && len(page(tidy(facts), true))*worthIt <= size:
		return putRollup(b, v, at, facts)
	case len(facts) > sparse && rolled*worthIt <= size:
		if err := b.Set(pageKey(nil, v, chunk, partHead, at.period), []byte{headSplit}, nil); err != nil {
			return err
		}
		for i, p := range pages {
			if len(p) > 0 {
				if err := b.Set(pageKey(nil, v, chunk+uint16(i), partPage, at.period), p, nil); err != nil {
					return err
				}
			}
		}
		return nil
	default:
		return b.Set(pageKey(nil, v, chunk, partHead, at.period), []byte{headParts}, nil)
	}
}

// collector unites the pages of one chunk: in dense bitmaps as long as way and
// set come in few pairs, else in a list.
type collector struct {
	maps map[uint32]*dense
	list []fact
}

const denseGroups = 32

func (c *collector) of(group uint32) *dense {
	d := c.maps[group]
	if d == nil && len(c.maps) < denseGroups {
		if c.maps == nil {
			c.maps = map[uint32]*dense{}
		}
		d = new(dense)
		c.maps[group] = d
	}
	return d
}

func (c *collector) add(f fact) {
	if d := c.of(f.group()); d != nil {
		low := f.low() & (1<<chunkBits - 1)
		d[low/64] |= 1 << (low % 64)
		return
	}
	c.list = append(c.list, f.who())
}

func (c *collector) page(value []byte, chunk int) error {
	g := groupsOf(value, false)
	for g.next() {
		f := factOf(g.way, g.set, uint32(chunk)<<chunkBits, 0, 0)
		if d := c.of(f.group()); d != nil {
			g.or(d)
			continue
		}
		g.each(func(low uint32) { c.list = append(c.list, f|fact(low)<<factLowShift) })
	}
	return g.err()
}

func (c *collector) facts(chunk int) []fact {
	all := c.list
	for _, group := range slices.Sorted(maps.Keys(c.maps)) {
		base := fact(group)<<factSetShift | fact(chunk)<<(chunkBits+factLowShift)
		eachBit(c.maps[group], func(low uint32) { all = append(all, base|fact(low)<<factLowShift) })
	}
	if len(c.list) == 0 {
		return all // in order, each once
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// checkRollups compares every roll-up with the days that it stands for.
func checkRollups(ctx context.Context, r pebble.Reader, differs func(v vendorID, at pageAt, tooMany, missing int)) error {
	made, err := loadRolled(r)
	if err != nil {
		return err
	}
	for v, periods := range made {
		for p, blocks := range periods {
			for from := uint32(0); from < blocks; {
				block, ok, err := firstBlock(r, v, uint16(from))
				if err = cmp.Or(err, ctx.Err()); err != nil {
					return err
				}
				if !ok || uint32(block) >= blocks {
					break
				}
				from = uint32(block) + 1
				at := pageAt{block, p}
				have, worth, err := blockOf(r, v, at)
				if err != nil {
					return err
				}
				if !worth {
					continue
				}
				var want []fact
				for d := p.first(); d <= p.last(); d++ {
					facts, _, err := blockOf(r, v, pageAt{block, d.in(levelDay)})
					if err != nil {
						return err
					}
					want = append(want, timeless(facts)...)
				}
				if tooMany, missing := apart(have, tidy(want)); tooMany+missing > 0 {
					differs(v, at, tooMany, missing)
				}
			}
		}
	}
	return nil
}
