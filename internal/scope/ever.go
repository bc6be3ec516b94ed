package scope

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/store"
)

// Besides weeks and months there is one more roll-up for each vendor: everybody
// whom any day that is over ever named, without way and set. It answers to whom a
// list of leaked people can have leaked. Every day, when it is over, is added to it.
//
// Its pages lie in the roll-ups' keyspace at this level; how far it goes is a key
// of its own.
const levelEver uint8 = 3

var everPeriod = period{level: levelEver}

// ever says which days a vendor's pages hold: of the blocks before next all up
// to through, of the others all up to before.
type ever struct {
	before, through day
	next            uint32
}

const noDay day = -1 << 31

var never = ever{noDay, noDay, allBlocks}

// has reports whether a block's page holds a day so far.
func (e ever) has(block uint16, d day) bool { return d <= e.upTo(block) }

func (e ever) upTo(block uint16) day {
	if uint32(block) < e.next {
		return e.through
	}
	return e.before
}

// evers are those of all vendors.
type evers map[vendorID]ever

func (e evers) of(v vendorID) ever {
	if at, ok := e[v]; ok {
		return at
	}
	return never
}

func everKey(v vendorID) []byte {
	return binary.BigEndian.AppendUint16([]byte{store.Scope, keyEver}, uint16(v))
}

func (e ever) encode() []byte {
	b := binary.BigEndian.AppendUint32(nil, sortable(int32(e.before)))
	b = binary.BigEndian.AppendUint32(b, sortable(int32(e.through)))
	return binary.BigEndian.AppendUint32(b, e.next)
}

func loadEvers(r pebble.Reader) (evers, error) {
	all := evers{}
	err := scan(r, []byte{store.Scope, keyEver}, func(key, value []byte) error {
		if len(key) != 4 || len(value) != 12 {
			return errors.New("a key of the scope index has the wrong shape")
		}
		all[vendorID(binary.BigEndian.Uint16(key[2:]))] = ever{
			day(binary.BigEndian.Uint32(value) ^ 1<<31), day(binary.BigEndian.Uint32(value[4:]) ^ 1<<31),
			binary.BigEndian.Uint32(value[8:])}
		return nil
	})
	return all, err
}

// dueEver is a vendor to whose page of everybody days are to be added, and what
// is to be true afterwards but for next. Called with mu held.
func (x *Index) dueEver() (v vendorID, e ever, ok bool) {
	yesterday := dayOf(instant(x.alive)) - 1
	for w, days := range x.days {
		e := x.evers.of(w)
		if e.next < allBlocks {
			return w, e, true // go on with what was begun
		}
		for d := range days {
			if d > e.through && d <= yesterday {
				return w, ever{before: e.through, through: yesterday}, true
			}
		}
	}
	return 0, ever{}, false
}

// anybody forgets about whom it was said what and how.
func anybody(facts []fact) []fact {
	out := make([]fact, len(facts))
	for i, f := range facts {
		out[i] = factOf(0, 0, f.low(), 0, 0)
	}
	return timeless(tidy(out))
}

// rollEver adds the days after from up to through to everybody of a block.
func rollEver(r pebble.Reader, b *pebble.Batch, v vendorID, block uint16, from, through day) error {
	chunk := block * perBlock
	head, err := get(r, pageKey(nil, v, chunk, partHead, everPeriod))
	if err != nil {
		return err
	}
	var parts [perBlock]*dense
	of := func(i int) *dense {
		if parts[i] == nil {
			parts[i] = new(dense)
		}
		return parts[i]
	}
	split := len(head) > 0 && head[0] == headSplit
	lower := pageKey(nil, v, chunk, partHead, (from + 1).in(levelDay))
	upper := after(pageKey(nil, v, chunk, partHead, through.in(levelDay)))
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		err = eachPage(r, it, v, of)
	}
	if err = errors.Join(err, it.Error(), it.Close()); err != nil {
		return err
	}
	if len(head) > 0 && !split {
		g := groupsOf(head[1:], true)
		for g.next() {
			g.each(func(low uint32) { of(int(low >> chunkBits)).set(low & (1<<chunkBits - 1)) })
		}
		if err := g.err(); err != nil {
			return err
		}
	}
	var facts []fact
	for i, d := range parts {
		if d == nil {
			continue
		}
		if split {
			value, err := get(r, pageKey(nil, v, chunk+uint16(i), partPage, everPeriod))
			if err != nil {
				return err
			}
			g := groupsOf(value, false)
			for g.next() {
				g.or(d)
			}
			if err := g.err(); err != nil {
				return err
			}
			facts = facts[:0]
		}
		base := uint32(i) << chunkBits
		eachBit(d, func(low uint32) { facts = append(facts, factOf(0, 0, base|low, 0, 0)) })
		if split {
			if err := setPage(b, v, chunk+uint16(i), everPeriod, facts); err != nil {
				return err
			}
		}
	}
	if split || len(facts) == 0 {
		return nil
	}
	return putRollup(b, v, pageAt{block, everPeriod}, facts)
}

func (d *dense) set(low uint32) { d[low/64] |= 1 << (low % 64) }

// eachPage ors everybody of a day, at whose head the iterator stands, into the
// bitmaps of its block.
func eachPage(r pebble.Reader, it *pebble.Iterator, v vendorID, of func(chunk int) *dense) error {
	_, chunk, part, p, err := parsePageKey(it.Key())
	if err != nil || part != partHead {
		return cmp.Or(err, errPage)
	}
	head, err := it.ValueAndErr()
	if err != nil {
		return err
	}
	if len(head) > 0 && head[0] == headPage {
		g := groupsOf(head[1:], true)
		for g.next() {
			g.each(func(low uint32) { of(int(low >> chunkBits)).set(low & (1<<chunkBits - 1)) })
		}
		return g.err()
	}
	for i := range perBlock {
		value, closer, err := r.Get(pageKey(nil, v, chunk+uint16(i), partPage, p))
		if errors.Is(err, pebble.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		g := groupsOf(value, false)
		for g.next() {
			g.or(of(i))
		}
		if err := errors.Join(g.err(), closer.Close()); err != nil {
			return err
		}
	}
	return nil
}

// checkEver compares everybody of a vendor with the days.
func checkEver(r pebble.Reader, differs func(v vendorID, at pageAt, tooMany, missing int)) error {
	all, err := loadEvers(r)
	if err != nil {
		return err
	}
	for v, e := range all {
		for from := uint32(0); from < allBlocks; {
			block, ok, err := firstBlock(r, v, uint16(from))
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			from = uint32(block) + 1
			at := pageAt{block, everPeriod}
			have, _, err := blockOf(r, v, at)
			if err != nil {
				return err
			}
			var want []fact
			err = scan(r, pageKey(nil, v, block*perBlock, partHead, period{})[:6], func(key, _ []byte) error {
				_, _, _, p, err := parsePageKey(key)
				if err != nil || !e.has(block, day(p.index)) {
					return err
				}
				facts, _, err := blockOf(r, v, pageAt{block, p})
				want = append(want, anybody(facts)...)
				return err
			})
			if err != nil {
				return fmt.Errorf("reading the days of a block: %w", err)
			}
			if tooMany, missing := apart(have, timeless(tidy(want))); tooMany+missing > 0 {
				differs(v, at, tooMany, missing)
			}
		}
	}
	return nil
}
