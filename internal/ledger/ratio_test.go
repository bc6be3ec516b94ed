package ledger

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkAgainstRawAppend runs the ledger, the ledger without its tree and
// the bare append in turns, so that a noisy machine slows all three alike, and
// reports medians and their ratios. One iteration is one turn of each: run it
// with -benchtime 15x.
func BenchmarkAgainstRawAppend(b *testing.B) {
	for _, c := range []int{1, 32, 256} {
		b.Run("inflight="+strconv.Itoa(c), func(b *testing.B) {
			with, without, raw := mustOpen(b, b.TempDir()), mustOpen(b, b.TempDir()), newRawAppend(b)
			populate(b, with, benchPeople)
			populate(b, without, benchPeople)
			without.j.treeless = true
			record := func(l *Ledger) func() {
				return func() {
					i := rand.IntN(benchPeople)
					r, err := l.record(context.Background(), mail(about(nameMail, email(i), userID(i))))
					if err != nil {
						b.Error(err)
						return
					}
					l.Settle(r, Outcome{Sent, 202, 700})
				}
			}
			bytes := make([]byte, 16) // a disclosure and its outcome
			var rates, p50s [3][]float64
			b.ResetTimer()
			for range b.N {
				for i, f := range []func(){record(with), record(without), func() { raw.append(bytes) }} {
					rate, p50 := turn(c, f)
					rates[i], p50s[i] = append(rates[i], rate), append(p50s[i], p50)
				}
			}
			b.StopTimer()
			raw.close()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(rates[0]), "disclosures/s")
			b.ReportMetric(median(rates[2]), "raw/s")
			b.ReportMetric(median(rates[0])/median(rates[2]), "of-raw")
			b.ReportMetric(median(p50s[0]), "p50-us")
			b.ReportMetric(median(p50s[0])/median(p50s[1]), "p50-tree/treeless")
		})
	}
}

// turn runs f from c goroutines for a third of a second.
func turn(c int, f func()) (perSecond, p50us float64) {
	var stop atomic.Bool
	var mu sync.Mutex
	var all []float64
	var wg sync.WaitGroup
	start := time.Now()
	time.AfterFunc(300*time.Millisecond, func() { stop.Store(true) })
	for range c {
		wg.Go(func() {
			var own []float64
			for !stop.Load() {
				t := time.Now()
				f()
				own = append(own, float64(time.Since(t).Microseconds()))
			}
			mu.Lock()
			all = append(all, own...)
			mu.Unlock()
		})
	}
	wg.Wait()
	return float64(len(all)) / time.Since(start).Seconds(), median(all)
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
