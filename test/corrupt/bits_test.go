package corrupt

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestEverySingleBit damages every file of a small installation in one place at a
// time. The start refuses, or something names what is wrong, or nothing is
// missing: entries, scope and answers about people are as they were. Of a
// file each byte is a place, and many of the lengths that it may be cut to.
//
// With CORDON_CORRUPT=all every place is tried (`make corrupt`: an hour). Otherwise
// a sample for as long as CORDON_CORRUPT_SECONDS says (30), by a seed that is
// printed; CORDON_CORRUPT_SEED repeats one.
func TestEverySingleBit(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("CORDON_CORRUPT_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	all := os.Getenv("CORDON_CORRUPT") == "all"
	budget := 30 * time.Second
	if s := os.Getenv("CORDON_CORRUPT_SECONDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		budget = time.Duration(n) * time.Second
	}
	if testing.Short() {
		budget = 10 * time.Second
	}
	t.Logf("CORDON_CORRUPT_SEED=%d", seed)
	for _, clean := range []bool{false, true} {
		name := "after kill -9"
		if clean {
			name = "after a clean stop"
		}
		t.Run(name, func(t *testing.T) {
			h := build(t, clean)
			places := h.places(t)
			random := rand.New(rand.NewPCG(seed, 1))
			random.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
			if !all {
				// Every kind of region once, then at random until the time is up.
				places = spread(places)
			}
			end := time.Now().Add(budget / 2)
			tally := map[string]int{}
			var tried, next atomic.Int64
			var mu sync.Mutex // guards tally
			var workers sync.WaitGroup
			for range runtime.GOMAXPROCS(0) {
				workers.Go(func() {
					for all || time.Now().Before(end) {
						n := int(next.Add(1)) - 1
						if n >= len(places) || t.Failed() && !all {
							return
						}
						p := places[n]
						dir := h.clone(t)
						p.damage(t, dir)
						met, silent := h.met(h.open(t, dir))
						if silent != "" {
							t.Errorf("%s: %s", p, silent)
						}
						_ = os.RemoveAll(dir)
						tried.Add(1)
						mu.Lock()
						tally[fmt.Sprintf("%-34s %s", shapeOf(p.file), met)]++
						mu.Unlock()
					}
				})
			}
			workers.Wait()
			var lines []string
			for what, n := range tally {
				lines = append(lines, fmt.Sprintf("%5d %s", n, what))
			}
			slices.Sort(lines)
			t.Logf("%d of %d places:\n%s", tried.Load(), len(places), strings.Join(lines, "\n"))
			if tried.Load() < 20 && !t.Failed() {
				t.Errorf("only %d places in %v", tried.Load(), budget/2)
			}
		})
	}
}

// place is one damage to one file.
type place struct {
	file string // relative to the house
	at   int64  // byte to flip, or length to cut to
	cut  bool
	kind string // the region, for a sample that has something of each
}

func (p place) String() string {
	if p.cut {
		return fmt.Sprintf("%s cut to %d", p.file, p.at)
	}
	return fmt.Sprintf("%s byte %d", p.file, p.at)
}

func (p place) damage(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, p.file)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if p.cut {
		b = b[:p.at]
	} else {
		b[p.at] ^= 1 << (p.at % 8)
	}
	if err := os.Remove(path); err != nil { // it may be a link
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// places are all places of all files.
func (h *house) places(t *testing.T) (places []place) {
	t.Helper()
	for _, file := range h.files(t) {
		b, err := os.ReadFile(filepath.Join(h.dir, file))
		if err != nil {
			t.Fatal(err)
		}
		zeros := runs(b)
		used := len(b)
		for used > 0 && b[used-1] == 0 {
			used--
		}
		shape := shapeOf(file)
		// A column of a million people is under the same checksums all along.
		step := 1 + len(b)/65536
		for at := range b {
			if zeros[at] || at%step > 0 && at > 64 && used-at > 64 {
				continue
			}
			region := fmt.Sprintf("%s %d/16", shape, 16*at/max(1, used))
			switch {
			case at >= used:
				region = shape + " behind its end"
			case used-at <= 8:
				region = fmt.Sprintf("%s end %d", shape, (used-at)/3)
			case at < 16:
				region = fmt.Sprintf("%s beginning %d", shape, at/4)
			}
			places = append(places, place{file, int64(at), false, region})
			if at%37 == 0 || at < 16 || used-at < 64 {
				places = append(places, place{file, int64(at), true, region + " cut"})
			}
		}
	}
	return places
}

// runs marks what lies inside of a long run of zeros: its first and last bytes
// stand for all of them.
func runs(b []byte) []bool {
	inside := make([]bool, len(b))
	for from := 0; from < len(b); {
		if b[from] != 0 {
			from++
			continue
		}
		to := from
		for to < len(b) && b[to] == 0 {
			to++
		}
		for i := from + 8; i < to-4; i++ {
			inside[i] = true
		}
		from = to
	}
	return inside
}

// shapeOf is the kind of a file, whatever its number.
func shapeOf(file string) string {
	base := filepath.Base(file)
	if i := strings.IndexAny(base, "0123456789"); i >= 0 && !strings.HasSuffix(base, ".gate") {
		base = base[:i] + "N" + filepath.Ext(base)
	}
	return filepath.Join(filepath.Dir(file), base)
}

// spread puts one place of each region first.
func spread(places []place) []place {
	seen := map[string]bool{}
	var first, rest []place
	for _, p := range places {
		if seen[p.kind] {
			rest = append(rest, p)
		} else {
			seen[p.kind] = true
			first = append(first, p)
		}
	}
	return append(first, rest...)
}
