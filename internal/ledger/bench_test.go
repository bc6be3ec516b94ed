package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cordon/internal/exposure"

	"golang.org/x/sys/unix"
)

// populate imports people and returns identifiers as messages carry them.
func populate(b *testing.B, l *Ledger, n int) {
	people := func(yield func(Person, error) bool) {
		for i := range n {
			p := Person{ID: fmt.Sprintf("u-%d", i), Identifiers: []exposure.Identifier{email(i)}, Country: "DE"}
			if !yield(p, nil) {
				return
			}
		}
	}
	if _, err := l.Import(context.Background(), people); err != nil {
		b.Fatal(err)
	}
}

const benchPeople = 10_000

// inFlight runs f from c goroutines until b.N calls are done and reports
// latencies. f gets the number of the call.
func inFlight(b *testing.B, c int, f func(n int)) {
	latencies := make([][]time.Duration, c)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range c {
		wg.Go(func() {
			for {
				n := int(next.Add(1))
				if n > b.N {
					return
				}
				start := time.Now()
				f(n)
				latencies[w] = append(latencies[w], time.Since(start))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Concat(latencies...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "disclosures/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-us")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRecord is the whole of it: hash and look up two identifiers,
// journal, tree, and the outcome of every disclosure.
func BenchmarkRecord(b *testing.B) {
	for _, tree := range []string{"tree", "treeless"} {
		for _, c := range []int{1, 32, 256} {
			b.Run(fmt.Sprintf("%s/inflight=%d", tree, c), func(b *testing.B) {
				l := mustOpen(b, b.TempDir())
				populate(b, l, benchPeople)
				l.j.treeless = tree == "treeless"
				inFlight(b, c, func(int) {
					i := rand.IntN(benchPeople)
					r, err := l.record(context.Background(), mail(about(nameMail, email(i), userID(i))))
					if err != nil {
						b.Error(err)
						return
					}
					l.Settle(r, Outcome{Sent, 202, 700})
				})
				b.StopTimer()
				end := l.durable.Load()
				b.ReportMetric(float64(end.entries)/float64(max(end.batches, 1)), "entries/batch")
			})
		}
	}
}

// BenchmarkRawAppend is what the disk allows: the same number of bytes for
// each disclosure, appended to a preallocated file by one goroutine that
// gathers what waits and calls fdatasync once for all of it.
func BenchmarkRawAppend(b *testing.B) {
	for _, c := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("inflight=%d", c), func(b *testing.B) {
			raw := newRawAppend(b)
			record := make([]byte, 16) // a disclosure and its outcome
			inFlight(b, c, func(int) { raw.append(record) })
			raw.close()
		})
	}
}

type rawAppend struct {
	f    *os.File
	mu   sync.Mutex
	open *rawGroup
	wake chan struct{}
	done chan struct{}
}

type rawGroup struct {
	data []byte
	done chan struct{}
}

func newRawAppend(b *testing.B) *rawAppend {
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	if err := unix.Fallocate(int(f.Fd()), 0, 0, 64<<20); err != nil {
		b.Fatal(err)
	}
	r := &rawAppend{f: f, open: &rawGroup{done: make(chan struct{})}, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for range r.wake {
			r.mu.Lock()
			g := r.open
			r.open = &rawGroup{done: make(chan struct{})}
			r.mu.Unlock()
			if len(g.data) == 0 {
				continue
			}
			if _, err := f.Write(append(g.data, make([]byte, 62)...)); err != nil { // a batch has 62 bytes of its own
				b.Error(err)
			}
			if err := unix.Fdatasync(int(f.Fd())); err != nil {
				b.Error(err)
			}
			close(g.done)
		}
	}()
	return r
}

func (r *rawAppend) append(p []byte) {
	r.mu.Lock()
	g := r.open
	g.data = append(g.data, p...)
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
	<-g.done
}

func (r *rawAppend) close() {
	close(r.wake)
	<-r.done
	r.f.Close()
}
