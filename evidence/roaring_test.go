package evidence

import (
	"math/rand/v2"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
)

// bitmaps of all kinds of containers, by somebody else's writer.
func foreignBitmaps() []*roaring.Bitmap {
	r := rand.New(rand.NewPCG(1, 2))
	dense, sparse, runs, few := roaring.New(), roaring.New(), roaring.New(), roaring.New()
	for range 30_000 {
		dense.Add(r.Uint32N(200_000))
		sparse.Add(r.Uint32())
	}
	for range 40 {
		start := uint64(r.Uint32N(1 << 20))
		runs.AddRange(start, start+uint64(r.Uint32N(5000)))
	}
	few.AddRange(0, 65536)
	mixed := roaring.Or(dense, runs)
	all := roaring.New()
	all.AddRange(0, 5<<16)
	return []*roaring.Bitmap{roaring.New(), roaring.BitmapOf(0), roaring.BitmapOf(1<<32 - 1), dense, sparse, runs, few, mixed, all}
}

func TestBitmapsOfAnotherWriterAreCounted(t *testing.T) {
	for i, b := range foreignBitmaps() {
		for _, optimized := range []bool{false, true} {
			if optimized {
				b.RunOptimize()
			}
			data, err := b.ToBytes()
			if err != nil {
				t.Fatal(err)
			}
			m, err := parseBitmap(data)
			if err != nil {
				t.Fatalf("bitmap %d: %v", i, err)
			}
			if m.count != b.GetCardinality() {
				t.Errorf("bitmap %d has %d numbers, want %d", i, m.count, b.GetCardinality())
			}
			again := roaring.New()
			for _, c := range m.containers {
				var at block
				c.addTo(&at)
				for j, w := range at {
					for bit := range 64 {
						if w>>bit&1 == 1 {
							again.Add(uint32(c.key)<<16 | uint32(j*64+bit))
						}
					}
				}
			}
			if !again.Equals(b) {
				t.Errorf("bitmap %d has other numbers", i)
			}
			for cut := range min(len(data), 3000) {
				if _, err := parseBitmap(data[:cut]); err == nil {
					t.Fatalf("bitmap %d cut at %d was taken", i, cut)
				}
			}
			if _, err := parseBitmap(append(data, 0)); err == nil {
				t.Errorf("bitmap %d with a byte more was taken", i)
			}
		}
	}
}

// What two readers may count differently is refused.
func TestBitmapsThatLieAreRefused(t *testing.T) {
	for name, data := range map[string][]byte{
		"out of order":          {0x3a, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 5, 0, 4, 0},
		"twice the same":        {0x3a, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 5, 0, 5, 0},
		"another offset":        {0x3a, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 17, 0, 0, 0, 4, 0, 5, 0},
		"a spare bit of runs":   {0x3b, 0x30, 0, 0, 3, 0, 0, 1, 0, 1, 0, 4, 0, 1, 0},
		"runs that overlap":     {0x3b, 0x30, 0, 0, 1, 0, 0, 3, 0, 2, 0, 4, 0, 1, 0, 5, 0, 1, 0},
		"a run past the end":    {0x3b, 0x30, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0xff, 0xff, 1, 0},
		"another count of runs": {0x3b, 0x30, 0, 0, 1, 0, 0, 3, 0, 1, 0, 4, 0, 1, 0},
		"a cookie of nothing":   {0x3c, 0x30, 0, 0, 1, 0, 0, 0},
		"more than memory":      {0x3a, 0x30, 0, 0, 0xff, 0xff, 0xff, 0xff},
	} {
		if _, err := parseBitmap(data); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if m, err := parseBitmap([]byte{0x3b, 0x30, 0, 0, 1, 0, 0, 1, 0, 1, 0, 4, 0, 1, 0}); err != nil || m.count != 2 {
		t.Errorf("a run of two: %v", err)
	}
}

func FuzzBitmap(f *testing.F) {
	for _, b := range foreignBitmaps()[:4] {
		data, err := b.ToBytes()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseBitmap(data)
		if err != nil {
			return
		}
		other := roaring.New()
		if err := other.UnmarshalBinary(data); err != nil {
			t.Fatalf("taken, and the library refuses it: %v", err)
		}
		if other.Validate() == nil && other.GetCardinality() != m.count {
			t.Fatalf("%d numbers, the library counts %d", m.count, other.GetCardinality())
		}
	})
}
