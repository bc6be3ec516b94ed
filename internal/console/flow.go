package console

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// window is how many seconds of flow are kept for the sparkline.
const window = 60

// flow samples once a second how many messages each vendor got.
type flow struct {
	mu sync.Mutex // guards the rest
	// perSecond holds the last window rates, the newest last.
	perSecond map[string][]float64
	last      map[string]uint64
	at        time.Time
}

func newFlow() *flow { return &flow{perSecond: map[string][]float64{}, last: map[string]uint64{}} }

type counter interface{ Counts() map[string]uint64 }

func (f *flow) sample(ctx context.Context, c counter, now func() time.Time) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		f.take(c.Counts(), now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (f *flow) take(counts map[string]uint64, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	elapsed := now.Sub(f.at).Seconds()
	for vendor, n := range counts {
		last, known := f.last[vendor]
		f.last[vendor] = n
		if !known || elapsed <= 0 || n < last {
			continue
		}
		rates := append(f.perSecond[vendor], float64(n-last)/elapsed)
		f.perSecond[vendor] = rates[max(0, len(rates)-window):]
	}
	f.at = now
}

// rates are the last samples, the newest last.
func (f *flow) rates(vendor string) []float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]float64(nil), f.perSecond[vendor]...)
}

// recentRate is the mean of the last three seconds: calm enough to read, and
// zero soon after a cut.
func recentRate(rates []float64) float64 {
	rates = rates[max(0, len(rates)-3):]
	if len(rates) == 0 {
		return 0
	}
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum / float64(len(rates))
}

// sparkline is a minute of flow as SVG: an area and its upper edge, in a box of
// width by height. Empty without two samples.
type sparkline struct {
	Area, Line string
	Peak       float64
}

const sparkWidth, sparkHeight = 120, 28

func spark(rates []float64) sparkline {
	if len(rates) < 2 {
		return sparkline{}
	}
	s := sparkline{}
	for _, r := range rates {
		s.Peak = max(s.Peak, r)
	}
	scale := max(s.Peak, 1) // a single message a second is not a mountain
	var line strings.Builder
	step := float64(sparkWidth) / float64(window-1)
	first := float64(sparkWidth) - step*float64(len(rates)-1)
	for i, r := range rates {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		fmt.Fprintf(&line, "%s%.1f %.1f", verb, first+step*float64(i), sparkHeight-2-(sparkHeight-4)*r/scale)
	}
	s.Line = line.String()
	s.Area = fmt.Sprintf("%sL%d %dL%.1f %dZ", s.Line, sparkWidth, sparkHeight, first, sparkHeight)
	return s
}
