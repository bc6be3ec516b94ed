// Command ledger measures the durable record beside what the disk alone allows: a bare file with append and
// fdatasync under the same group commit, and a Pebble store that syncs the same bytes without identities and tree.
// Rounds are interleaved, figures are medians. Then it writes many disclosures and weighs the data directory.
//
//	go run ./bench/ledger -disclosures 10000000
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

type settings struct {
	out         string
	inFlight    []int
	rounds      int
	round       time.Duration
	people      int
	disclosures int
}

func main() {
	var s settings
	flag.StringVar(&s.out, "out", "bench/out", "folder for ledger.md and ledger.json")
	flight := flag.String("inflight", "1,32,256", "disclosures in flight")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds a recorder and condition")
	flag.DurationVar(&s.round, "round", time.Second, "measured time of a round")
	flag.IntVar(&s.people, "people", 200_000, "people in the directory; disclosures are about them")
	flag.IntVar(&s.disclosures, "disclosures", 1_000_000, "disclosures written before the data directory is weighed")
	flag.Parse()
	for field := range strings.SplitSeq(*flight, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 {
			fail(fmt.Errorf("-inflight %q is not a list of numbers", *flight))
		}
		s.inFlight = append(s.inFlight, n)
	}
	fail(measure(s))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A recorder makes one disclosure durable; worker tells its callers apart.
type recorder struct {
	name   string
	record func(worker int) error
	close  func() error
}

type result struct {
	Recorder  string  `json:"recorder"`
	InFlight  int     `json:"in_flight"`
	PerSecond float64 `json:"disclosures_per_second"`
	Ratio     float64 `json:"ratio_to_bare"`
	P50Micros float64 `json:"p50_us"`
	P99Micros float64 `json:"p99_us"`
	CPUMicros float64 `json:"cpu_us_per_disclosure"`
}

func measure(s settings) error {
	work, err := os.MkdirTemp("", "cordon-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	var results []result
	for _, n := range s.inFlight {
		got, err := compare(s, filepath.Join(work, strconv.Itoa(n)), n)
		if err != nil {
			return err
		}
		results = append(results, got...)
		fmt.Fprintf(os.Stderr, "measured %d in flight\n", n)
	}
	size, err := weigh(filepath.Join(work, "weigh"), s.people, s.disclosures)
	if err != nil {
		return err
	}
	return report(s, results, size)
}

// compare runs all recorders with n disclosures in flight.
func compare(s settings, dir string, n int) ([]result, error) {
	bare, err := openBare(filepath.Join(dir, "bare"))
	if err != nil {
		return nil, err
	}
	pebble, err := openPebble(filepath.Join(dir, "pebble"))
	if err != nil {
		return nil, err
	}
	book, err := openBook(filepath.Join(dir, "ledger"), s.people)
	if err != nil {
		return nil, err
	}
	recorders := []recorder{
		{"bare append + fdatasync", bare.record, bare.close},
		{"pebble, no identities, no tree", pebble.record, pebble.close},
		{"cordon ledger", book.record, book.close},
	}
	rate, p50, p99, cpu := make([][]float64, 3), make([][]float64, 3), make([][]float64, 3), make([][]float64, 3)
	for range s.rounds {
		for i, r := range recorders {
			took, elapsed, used, err := drive(r, n, s.round)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
			slices.Sort(took)
			rate[i] = append(rate[i], float64(len(took))/elapsed.Seconds())
			p50[i] = append(p50[i], micros(took[len(took)/2]))
			p99[i] = append(p99[i], micros(took[len(took)*99/100]))
			cpu[i] = append(cpu[i], micros(used)/float64(len(took)))
		}
	}
	var results []result
	for i, r := range recorders {
		if err := r.close(); err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		results = append(results, result{
			r.name, n, median(rate[i]), median(rate[i]) / median(rate[0]), median(p50[i]), median(p99[i]), median(cpu[i]),
		})
	}
	return results, nil
}

// drive keeps n disclosures in flight for a time.
func drive(r recorder, n int, round time.Duration) (took []time.Duration, elapsed, cpu time.Duration, err error) {
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		begun  = time.Now()
		before = cpuTime()
	)
	for worker := range n {
		wg.Go(func() {
			var mine []time.Duration
			var failed error
			for time.Since(begun) < round && failed == nil {
				start := time.Now()
				failed = r.record(worker)
				mine = append(mine, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			if failed != nil {
				err = failed
			}
		})
	}
	wg.Wait()
	return took, time.Since(begun), cpuTime() - before, err
}

func report(s settings, results []result, w weight) error {
	var md strings.Builder
	fmt.Fprintf(&md, "%d CPUs, %s/%s, %s; %d rounds of %v a recorder, interleaved; medians.\n\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), s.rounds, s.round)
	md.WriteString("| in flight | recorder | disclosures/s | x bare | p50 us | p99 us | CPU us each |\n|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&md, "| %d | %s | %.0f | %.2f | %.0f | %.0f | %.1f |\n", r.InFlight, r.Recorder, r.PerSecond, r.Ratio, r.P50Micros, r.P99Micros, r.CPUMicros)
	}
	fmt.Fprintf(&md, "\n%s\n", w)
	fmt.Print(md.String())
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.out, "ledger.md"), []byte(md.String()), 0o644); err != nil {
		return err
	}
	data, err := json.MarshalIndent(struct {
		Rates  []result `json:"rates"`
		Weight weight   `json:"weight"`
	}{results, w}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.out, "ledger.json"), append(data, '\n'), 0o644)
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func median(v []float64) float64 {
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
