package scope

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
	"cordon/internal/store"
)

// Rebuild throws the index away and reads the journal from its beginning.
// Questions asked meanwhile wait for it. A crash on the way leaves an index
// that goes on from where it was.
func (x *Index) Rebuild(ctx context.Context, progress Progress) error {
	if x.o.ReadOnly {
		return errors.New("the store is open for reading only; start the server to build the scope index again")
	}
	x.mu.Lock()
	if x.err != nil {
		x.mu.Unlock()
		return x.err
	}
	if err := x.wipe(); err != nil {
		x.mu.Unlock()
		return err
	}
	x.built++
	x.kick()
	x.mu.Unlock()
	if err := x.reach(ctx, x.o.Source.Size(), progress); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.flush()
}

// kick wakes the follower although the journal did not grow. Called with mu held.
func (x *Index) kick() {
	select {
	case x.again <- struct{}{}:
	default:
	}
}

// maxDifferences bounds what Check lists.
const maxDifferences = 100

// Check builds a second index in the empty folder scratch from the journal
// alone, up to the entry where this one was last saved, compares the two and
// names the differences. The caller removes the folder.
func (x *Index) Check(ctx context.Context, scratch string, progress Progress) ([]string, error) {
	db, err := pebble.Open(scratch, &pebble.Options{FormatMajorVersion: pebble.FormatNewest, DisableWAL: true, Logger: quietly{}})
	if err != nil {
		return nil, fmt.Errorf("making the second index: %w", err)
	}
	defer db.Close()
	if err := x.Sync(ctx); err != nil {
		return nil, err
	}
	x.mu.Lock()
	if err := errors.Join(x.err, x.flush()); err != nil {
		x.mu.Unlock()
		return nil, err
	}
	mine := x.o.DB.NewSnapshot()
	x.mu.Unlock()
	defer mine.Close()
	upTo, err := positionOf(mine)
	if err != nil {
		return nil, err
	}

	if err := copySealed(mine, db); err != nil {
		return nil, fmt.Errorf("copying sealed days: %w", err)
	}
	second, err := Open(Options{DB: db, Source: head{x.o.Source, upTo}, Now: x.o.Now, FlushEvery: x.o.FlushEvery, FlushFacts: x.o.FlushFacts})
	if err != nil {
		return nil, err
	}
	err = second.reach(ctx, upTo, progress)
	if err := errors.Join(err, second.Close()); err != nil {
		return nil, fmt.Errorf("building the second index: %w", err)
	}
	theirs := db.NewSnapshot()
	defer theirs.Close()
	return compare(ctx, mine, theirs)
}

// quietly keeps the second index's store from talking. Its errors come back
// from the calls themselves.
type quietly struct{}

func (quietly) Infof(string, ...any)  {}
func (quietly) Errorf(string, ...any) {}
func (quietly) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf("the second index: "+format, args...))
}

func positionOf(r pebble.Reader) (uint64, error) {
	value, err := get(r, positionKey)
	if err != nil || value == nil {
		return 0, err
	}
	p := reader{b: value}
	p.bytes(1)
	return p.uvarint(), nil
}

// head is the journal up to one entry.
type head struct {
	Source
	upTo uint64
}

func (h head) Size() uint64 { return min(h.upTo, h.Source.Size()) }

func (h head) Entries(from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if from > h.upTo {
			return
		}
		for e, err := range h.Source.Entries(from) {
			if err == nil && e.Seq > h.upTo || !yield(e, err) || e.Seq == h.upTo {
				return
			}
		}
	}
}

// compare goes through both stores side by side. Bitmaps are compared by the
// people in them, everything else byte by byte.
func compare(ctx context.Context, mine, theirs pebble.Reader) ([]string, error) {
	problems := []string{}
	names, err := loadNames(theirs)
	if err != nil {
		return nil, err
	}
	for _, space := range []byte{store.Index, store.Scope} {
		bounds := &pebble.IterOptions{LowerBound: []byte{space}, UpperBound: []byte{space + 1}}
		a, err := mine.NewIter(bounds)
		if err != nil {
			return nil, err
		}
		b, err := theirs.NewIter(bounds)
		if err != nil {
			return nil, errors.Join(err, a.Close())
		}
		err = sideBySide(ctx, a, b, func(key, have, want []byte) bool {
			if len(key) > 1 && key[0] == store.Scope && (key[1] == keyRolled || key[1] == keyEver) {
				return true // when a roll-up is made is not in the journal
			}
			if why := differs(space, key, have, want); why != "" {
				problems = append(problems, describe(names, key)+": "+why)
			}
			return len(problems) < maxDifferences
		})
		if err := errors.Join(err, a.Close(), b.Close()); err != nil {
			return nil, fmt.Errorf("comparing the scope index: %w", err)
		}
	}
	if len(problems) < maxDifferences {
		differ := func(v vendorID, at pageAt, tooMany, missing int) {
			key := pageKey(nil, v, at.block*perBlock, partHead, at.period)
			problems = append(problems, fmt.Sprintf("%s: %d people too many, %d missing", describe(names, key), tooMany, missing))
		}
		broken, err1 := checkSeals(mine, len(names.vendors))
		problems = append(problems, broken...)
		err = errors.Join(err1, checkRollups(ctx, mine, differ), checkEver(mine, differ))
	}
	return problems, err
}

// apart counts what only one of two lists of tidy facts has.
func apart(a, b []fact) (onlyA, onlyB int) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			onlyA++
			a = a[1:]
		case len(a) == 0 || b[0] < a[0]:
			onlyB++
			b = b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return onlyA, onlyB
}

// sideBySide calls fn for every key of either; the value of the one that lacks
// it is nil. It ends early when fn says so.
func sideBySide(ctx context.Context, a, b *pebble.Iterator, fn func(key, have, want []byte) bool) error {
	okA, okB := a.First(), b.First()
	for okA || okB {
		if err := ctx.Err(); err != nil {
			return err
		}
		order := 0
		switch {
		case !okB:
			order = -1
		case !okA:
			order = 1
		default:
			order = bytes.Compare(a.Key(), b.Key())
		}
		var key, have, want []byte
		var err error
		if order <= 0 {
			key = a.Key()
			if have, err = a.ValueAndErr(); err != nil {
				return err
			}
		}
		if order >= 0 {
			key = b.Key()
			if want, err = b.ValueAndErr(); err != nil {
				return err
			}
		}
		if !fn(key, have, want) {
			return nil
		}
		if order <= 0 {
			okA = a.Next()
		}
		if order >= 0 {
			okB = b.Next()
		}
	}
	return errors.Join(a.Error(), b.Error())
}

// differs says how the stored value differs from the right one.
func differs(space byte, key, have, want []byte) string {
	switch {
	case have == nil:
		return "missing"
	case want == nil:
		return "should not be there"
	case bytes.Equal(have, want):
		return ""
	case space == store.Index:
		if key[5] == partBlockTimes || key[5] == partPageTimes {
			return "other half hours"
		}
		block := key[5] == partHead
		if block {
			have, want = have[min(1, len(have)):], want[min(1, len(want)):]
		}
		a, errA := factsOf(have, nil, block, 0)
		b, errB := factsOf(want, nil, block, 0)
		if err := errors.Join(errA, errB); err != nil {
			return "unreadable: " + err.Error()
		}
		tooMany, missing := apart(a, b)
		return fmt.Sprintf("%d people too many, %d missing", tooMany, missing)
	default:
		return "different"
	}
}

// describe names a key for a person. It holds no personal value.
func describe(n *names, key []byte) string {
	if v, chunk, part, p, err := parsePageKey(key); err == nil {
		vendor := exposure.VendorID("?")
		if int(v) < len(n.vendors) {
			vendor = n.vendors[v]
		}
		what, size := "people", uint32(1)<<chunkBits
		if part == partBlockTimes || part == partPageTimes {
			what = "half hours of people"
		}
		if part == partHead || part == partBlockTimes {
			size = 1 << blockBits
		}
		first := uint32(chunk) << chunkBits
		if p.level == levelEver {
			return fmt.Sprintf("%s, everybody ever, people %d to %d", vendor, uint32(chunk)<<chunkBits, uint32(chunk)<<chunkBits+size-1)
		}
		text := fmt.Sprintf("%s, %s, %s %d to %d", vendor, dateOf(p.first()), what, first, first+size-1)
		if p.level != levelDay {
			text += fmt.Sprintf(" in %d days", spans[p.level])
		}
		return text
	}
	if len(key) < 2 {
		return "an unknown key"
	}
	switch key[1] {
	case keyTally, keySlice:
		return fmt.Sprintf("tally %x", key[2:])
	case keyName:
		return fmt.Sprintf("name %x", key[2:])
	case keyOpen:
		return fmt.Sprintf("open intent %x", key[2:])
	case keyStatement:
		return fmt.Sprintf("statement %x", key[2:])
	case keyCoverage:
		return fmt.Sprintf("coverage event %x", key[2:])
	default:
		return "position"
	}
}
