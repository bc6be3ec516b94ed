package scope

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// sparse is the most people of one vendor, period and block of 2^20 ordinals
// that lie in one value. Beyond it every chunk of 2^16 has its own. With less
// than 256 people in a chunk, keys and the beginnings of lists would weigh more
// than a tenth of what they stand for.
var sparse = 4096 // a variable for tests

// The first byte of a head.
const (
	headPage  = 'p' // the block's page follows
	headSplit = 's' // its chunks have pages
	headParts = 'n' // a roll-up that is not worth it: read what it is made of
)

// addDay merges tidy facts into a day's page.
func addDay(r pebble.Reader, b *pebble.Batch, v vendorID, at pageAt, facts []fact) error {
	chunk := at.block * perBlock
	head, err := get(r, pageKey(nil, v, chunk, partHead, at.period))
	if err != nil {
		return err
	}
	if len(head) > 0 && head[0] == headSplit {
		for i, facts := range byChunk(facts) {
			if len(facts) == 0 {
				continue
			}
			old, err := stored(r, v, chunk+uint16(i), at.period)
			if err != nil {
				return err
			}
			if err := setPage(b, v, chunk+uint16(i), at.period, merge(old, facts)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(head) > 0 {
		times, err := get(r, pageKey(nil, v, chunk, partBlockTimes, at.period))
		if err != nil {
			return err
		}
		old, err := factsOf(head[1:], times, true, 0)
		if err != nil {
			return err
		}
		facts = merge(old, facts)
	}
	return putDay(b, v, at, facts, len(head) > 0)
}

// putDay writes a day's page. was says that there was one of the whole block.
func putDay(b *pebble.Batch, v vendorID, at pageAt, facts []fact, was bool) error {
	chunk := at.block * perBlock
	if persons(facts) <= sparse {
		if err := b.Set(pageKey(nil, v, chunk, partHead, at.period), append([]byte{headPage}, page(facts, true)...), nil); err != nil {
			return err
		}
		return b.Set(pageKey(nil, v, chunk, partBlockTimes, at.period), times(facts), nil)
	}
	if err := b.Set(pageKey(nil, v, chunk, partHead, at.period), []byte{headSplit}, nil); err != nil {
		return err
	}
	if was {
		if err := b.Delete(pageKey(nil, v, chunk, partBlockTimes, at.period), nil); err != nil {
			return err
		}
	}
	for i, facts := range byChunk(facts) {
		if len(facts) > 0 {
			if err := setPage(b, v, chunk+uint16(i), at.period, facts); err != nil {
				return err
			}
		}
	}
	return nil
}

// stored reads the page of a chunk, with its times.
func stored(r pebble.Reader, v vendorID, chunk uint16, p period) ([]fact, error) {
	page, err := get(r, pageKey(nil, v, chunk, partPage, p))
	if err != nil || page == nil {
		return nil, err
	}
	times := []byte(nil)
	if p.level == levelDay {
		if times, err = get(r, pageKey(nil, v, chunk, partPageTimes, p)); err != nil {
			return nil, err
		}
		if times == nil {
			return nil, fmt.Errorf("%w: its times are missing", errPage)
		}
	}
	return factsOf(page, times, false, int(chunk%perBlock))
}

// setPage writes the page of a chunk, with its times.
func setPage(b *pebble.Batch, v vendorID, chunk uint16, p period, facts []fact) error {
	if err := b.Set(pageKey(nil, v, chunk, partPage, p), page(facts, false), nil); err != nil {
		return err
	}
	if p.level != levelDay {
		return nil
	}
	return b.Set(pageKey(nil, v, chunk, partPageTimes, p), times(facts), nil)
}

// blockOf reads the page of a block, of a day or a roll-up, with times where it
// has them. worth is false for a roll-up that stands for its parts.
func blockOf(r pebble.Reader, v vendorID, at pageAt) (facts []fact, worth bool, err error) {
	chunk := at.block * perBlock
	head, err := get(r, pageKey(nil, v, chunk, partHead, at.period))
	if err != nil || head == nil {
		return nil, true, err
	}
	switch head[0] {
	case headParts:
		return nil, false, nil
	case headSplit:
		for i := range uint16(perBlock) {
			part, err := stored(r, v, chunk+i, at.period)
			if err != nil {
				return nil, true, err
			}
			facts = append(facts, part...)
		}
		return tidy(facts), true, nil
	}
	times := []byte(nil)
	if at.level == levelDay {
		if times, err = get(r, pageKey(nil, v, chunk, partBlockTimes, at.period)); err != nil {
			return nil, true, err
		}
		if times == nil {
			return nil, true, fmt.Errorf("%w: its times are missing", errPage)
		}
	}
	facts, err = factsOf(head[1:], times, true, 0)
	return facts, true, err
}

// addRollup merges tidy facts without time into a roll-up.
func addRollup(r pebble.Reader, b *pebble.Batch, v vendorID, at pageAt, facts []fact) error {
	chunk := at.block * perBlock
	key := pageKey(nil, v, chunk, partHead, at.period)
	head, err := get(r, key)
	if err != nil {
		return err
	}
	switch {
	case head == nil && at.level == levelEver:
		return putRollup(b, v, at, facts)
	case head == nil: // of nothing so far, and so few that they are read from their day
		return b.Set(key, []byte{headParts}, nil)
	case head[0] == headParts:
		return nil
	case head[0] == headSplit:
		for i, facts := range byChunk(facts) {
			if len(facts) == 0 {
				continue
			}
			old, err := stored(r, v, chunk+uint16(i), at.period)
			if err != nil {
				return err
			}
			if err := setPage(b, v, chunk+uint16(i), at.period, timeless(merge(old, facts))); err != nil {
				return err
			}
		}
		return nil
	}
	old, err := factsOf(head[1:], nil, true, 0)
	if err != nil {
		return err
	}
	return putRollup(b, v, at, timeless(merge(old, facts)))
}

// putRollup writes a roll-up where there was none that is split.
func putRollup(b *pebble.Batch, v vendorID, at pageAt, facts []fact) error {
	chunk := at.block * perBlock
	key := pageKey(nil, v, chunk, partHead, at.period)
	if len(facts) <= sparse {
		return b.Set(key, append([]byte{headPage}, page(facts, true)...), nil)
	}
	if err := b.Set(key, []byte{headSplit}, nil); err != nil {
		return err
	}
	for i, facts := range byChunk(facts) {
		if len(facts) > 0 {
			if err := setPage(b, v, chunk+uint16(i), at.period, facts); err != nil {
				return err
			}
		}
	}
	return nil
}
