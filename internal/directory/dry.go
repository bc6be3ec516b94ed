package directory

import (
	"cmp"
	"context"
	"hash/maphash"
	"io"
	"runtime"
	"slices"
	"sync"
)

// Check reads a directory and says what an import would not take. Nothing is
// stored. Sixteen bytes a person are held in memory, to find ids that come twice;
// two ids are taken for one with a probability below one in ten thousand, at 35
// million.
func Check(ctx context.Context, format Format, r io.Reader, o Options) (*Answer, error) {
	return ImportBlocks(ctx, format, r, checkBlocks, o)
}

func checkBlocks(ctx context.Context, src Source) (s Stored, err error) {
	type seen struct{ id, line uint64 }
	seed := maphash.MakeSeed()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next, all sync.Mutex
	var ids []seen
	var tasks sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		tasks.Go(func() {
			var mine []seen
			for ctx.Err() == nil {
				next.Lock()
				block, err := src.Next()
				next.Unlock()
				if err == nil && block != nil {
					err = block(func(p *Person) error {
						mine = append(mine, seen{maphash.String(seed, p.ID), p.Line})
						return nil
					})
				}
				if err != nil {
					stop(err)
				}
				if block == nil {
					break
				}
			}
			all.Lock()
			ids = append(ids, mine...)
			all.Unlock()
		})
	}
	tasks.Wait()
	if err := context.Cause(ctx); err != nil {
		return s, err
	}
	slices.SortFunc(ids, func(x, y seen) int { return cmp.Or(cmp.Compare(x.id, y.id), cmp.Compare(x.line, y.line)) })
	for i := 1; i < len(ids); i++ {
		if ids[i].id == ids[i-1].id {
			s.Repeated = append(s.Repeated, ids[i].line)
		}
	}
	slices.Sort(s.Repeated)
	return s, nil
}
