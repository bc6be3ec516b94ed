package scope

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2"

	"cordon/internal/exposure"
)

// Held counts of how many of these people the vendor may ever have held
// something, declared or recorded, whatever was deleted since.
func (x *Index) Held(ctx context.Context, v exposure.VendorID, people *roaring.Bitmap) (uint64, error) {
	if people.IsEmpty() {
		return 0, nil
	}
	s, err := x.snapshot(ctx, &v)
	if err != nil {
		return 0, err
	}
	defer s.close()
	q := Query{Vendor: v}
	p, err := s.plan(ctx, v, q.picks())
	if err != nil {
		return 0, err
	}
	var n uint64
	_, err = s.walk(ctx, tour{plans: []*plan{p}, filters: []*roaring.Bitmap{people}, ordered: true}, one(func(g group) error {
		if g.marks&(1<<filterMark) != 0 {
			n += g.count()
		}
		return nil
	}))
	return n, err
}
