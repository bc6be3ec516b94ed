package scope

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
)

// Attribution is how many people of a list one vendor ever got something about.
type Attribution struct {
	Vendor   exposure.VendorID `json:"vendor"`
	Subjects uint64            `json:"subjects"`
}

// Attribute tells for a list of people, such as those of a leak whose origin
// nobody knows, to which vendors how many of them were ever exposed, those with
// most first. What was declared, and what was attested deleted, counts too: a leak
// may be older than a deletion.
func (x *Index) Attribute(ctx context.Context, people *roaring.Bitmap) ([]Attribution, error) {
	s, err := x.snapshot(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer s.close()
	list := map[uint16]*[perBlock]*dense{}
	for it := people.Iterator(); it.HasNext(); {
		o := exposure.Ordinal(it.Next())
		chunk, low := split(o)
		block := list[chunk/perBlock]
		if block == nil {
			block = new([perBlock]*dense)
			list[chunk/perBlock] = block
		}
		if block[chunk%perBlock] == nil {
			block[chunk%perBlock] = new(dense)
		}
		block[chunk%perBlock].set(uint32(low))
	}
	all := make([]Attribution, len(s.names.vendors))
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var done sync.WaitGroup
	for range min(len(all), runtime.GOMAXPROCS(0)) {
		done.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(all) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				n, err := s.among(ctx, vendorID(i), list)
				if err != nil {
					stop(fmt.Errorf("reading the scope index: %w", err))
					return
				}
				all[i] = Attribution{s.names.vendors[i], n}
			}
		})
	}
	done.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(a Attribution) bool { return a.Subjects == 0 })
	slices.SortFunc(all, func(a, b Attribution) int {
		return cmp.Or(cmp.Compare(b.Subjects, a.Subjects), cmp.Compare(a.Vendor, b.Vendor))
	})
	return all, nil
}

// among counts the people of a list whom a vendor was ever told of: from the page of
// everybody, and the days that are not in it yet.
func (s *snapshot) among(ctx context.Context, v vendorID, list map[uint16]*[perBlock]*dense) (n uint64, err error) {
	e := s.evers.of(v)
	var found [perBlock]dense
	for _, block := range slices.Sorted(maps.Keys(list)) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		want := list[block]
		for i := range found {
			clear(found[i][:])
		}
		chunk := block * perBlock
		head, err := get(s.store, pageKey(nil, v, chunk, partHead, everPeriod))
		if err != nil {
			return 0, err
		}
		switch {
		case len(head) == 0:
		case head[0] == headSplit:
			for i := range found {
				if want[i] == nil {
					continue
				}
				value, closer, err := s.store.Get(pageKey(nil, v, chunk+uint16(i), partPage, everPeriod))
				if errors.Is(err, pebble.ErrNotFound) {
					continue
				}
				if err != nil {
					return 0, err
				}
				g := groupsOf(value, false)
				for g.next() {
					g.or(&found[i])
				}
				if err := errors.Join(g.err(), closer.Close()); err != nil {
					return 0, err
				}
			}
		default:
			g := groupsOf(head[1:], true)
			for g.next() {
				g.each(func(low uint32) { found[low>>chunkBits].set(low & (1<<chunkBits - 1)) })
			}
			if err := g.err(); err != nil {
				return 0, err
			}
		}
		it, err := s.store.NewIter(&pebble.IterOptions{
			LowerBound: pageKey(nil, v, chunk, partHead, (e.upTo(block) + 1).in(levelDay)),
			UpperBound: pageKey(nil, v, chunk, partPage, noDay.in(levelDay))})
		if err != nil {
			return 0, err
		}
		for ok := it.First(); ok && err == nil; ok = it.Next() {
			err = eachPage(s.store, it, v, func(i int) *dense { return &found[i] })
		}
		if err := errors.Join(err, it.Error(), it.Close()); err != nil {
			return 0, err
		}
		for at, facts := range s.pages[v] {
			if at.block == block {
				for _, f := range facts {
					found[f.chunk()].set(f.low() & (1<<chunkBits - 1))
				}
			}
		}
		for _, m := range s.open {
			for _, p := range m.people {
				if c, low := split(p.who); s.names.pathways[m.pathway].vendor == v && c/perBlock == block {
					found[c%perBlock].set(uint32(low))
				}
			}
		}
		for i, d := range want {
			if d == nil {
				continue
			}
			for j, w := range d {
				n += uint64(bits.OnesCount64(w & found[i][j]))
			}
		}
	}
	return n, nil
}
