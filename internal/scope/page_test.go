package scope

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawFacts makes tidy facts of a block that come in every kind of list.
func drawFacts(t *rapid.T) []fact {
	var all []fact
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	for range rapid.IntRange(0, 6).Draw(t, "groups") {
		w, s := wayID(rapid.IntRange(0, 9).Draw(t, "way")*700), setID(rapid.IntRange(0, 9).Draw(t, "set")*200)
		n := rapid.SampledFrom([]int{1, 2, 10, 300, 5000, 40_000}).Draw(t, "people")
		from := uint32(rapid.SampledFrom([]int{0, 1, 65_535, 900_000}).Draw(t, "from"))
		step := rapid.SampledFrom([]uint32{1, 2, 3, 200, 9000}).Draw(t, "apart")
		for o := from; n > 0 && o < 1<<blockBits; n-- {
			count := uint64(1)
			if random.IntN(50) == 0 {
				count = uint64(random.IntN(maxCount + 1))
			}
			all = append(all, factOf(w, s, o, uint8(random.IntN(halfHours)), count))
			if random.IntN(50) != 0 {
				o += 1 + uint32(random.IntN(int(step)))
			}
		}
	}
	return tidy(all)
}

func TestPagesReadBackWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := drawFacts(t)
		if got, err := factsOf(page(facts, true), times(facts), true, 0); err != nil || !slices.Equal(got, facts) {
			t.Fatalf("a block of %d facts reads back as %d, %v", len(facts), len(got), err)
		}
		var all []fact
		for i, part := range byChunk(facts) {
			p := page(part, false)
			got, err := factsOf(p, times(part), false, i)
			if err != nil || !slices.Equal(got, part) {
				t.Fatalf("a chunk of %d facts reads back as %d, %v", len(part), len(got), err)
			}
			var d dense
			masks := new([1 << chunkBits]uint64)
			for g, h := groupsOf(p, false), groupsOf(p, false); g.next() && h.next(); {
				g.or(&d)
				h.mask(masks, 1)
			}
			for _, f := range part {
				if low := f.low() & (1<<chunkBits - 1); d[low/64]>>(low%64)&1 == 0 || masks[low] != 1 {
					t.Fatalf("%d is missing from a bitmap", low)
				}
			}
			if n := int(d.count()); n > len(part) {
				t.Fatalf("%d people in a bitmap of %d", n, len(part))
			}
			all = append(all, got...)
		}
		if !slices.Equal(tidy(all), facts) {
			t.Fatal("the chunks are not the block")
		}
	})
}

// What Pebble's checksums let through is no reason to end the process.
func FuzzADamagedPageIsAnErrorOrAPage(f *testing.F) {
	facts := []fact{factOf(0, 0, 1, 3, 1), factOf(0, 0, 7, 3, 2), factOf(5, 9, 70_000, 47, 0)}
	f.Add(page(facts, true), times(facts), true)
	f.Add(page(facts[:2], false), times(facts[:2]), false)
	f.Fuzz(func(t *testing.T, p, times []byte, block bool) {
		for _, f := range first(factsOf(p, times, block, 0)) {
			if f.slice() >= halfHours || !block && f.low() >= 1<<chunkBits {
				t.Fatalf("a fact that cannot be: %x", uint64(f))
			}
		}
		if block {
			return
		}
		var d dense
		masks := new([1 << chunkBits]uint64)
		for g := groupsOf(p, false); g.next(); {
			g.or(&d)
		}
		for g := groupsOf(p, false); g.next(); {
			g.mask(masks, 1)
		}
	})
}

func first[A, B any](a A, _ B) A { return a }
