package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"cordon/internal/exposure"
	"cordon/internal/scope"
	"cordon/internal/store"
)

// results is what a run found.
type results struct {
	Made         made              `json:"made"`
	BytesPerFact float64           `json:"bytes_per_fact"`
	Bytes        map[string]uint64 `json:"bytes"`
	Questions    []question        `json:"questions"`
	// MemoryMiB is by how much the resident memory grew at most while questions
	// were answered, directory columns (kept by the server anyway) not included.
	MemoryMiB float64 `json:"memory_mib"`
	Peers     []peer  `json:"peers,omitempty"`
}

// question is one with the medians of its times.
type question struct {
	Name     string             `json:"name"`
	Millis   map[string]float64 `json:"ms_by_processors"`
	CPU      float64            `json:"cpu_ms"` // of all threads: what it costs whoever else runs
	Subjects uint64             `json:"subjects"`
	Cohorts  int                `json:"cohorts,omitempty"`
	Detail   string             `json:"detail,omitempty"`
}

func (s *opened) measure(runs int) (*results, error) {
	ctx := context.Background()
	m := s.model
	r := &results{Made: s.made, Bytes: map[string]uint64{}}
	for name, space := range map[string]byte{"days": store.Index, "roll-ups": store.Rollup, "tallies and names": store.Scope} {
		n, err := s.ledger.Store().DB().EstimateDiskUsage([]byte{space}, []byte{space + 1})
		if err != nil {
			return nil, err
		}
		r.Bytes[name] = n
		r.BytesPerFact += float64(n) / float64(s.made.Facts)
	}
	vendor := m.vendor(0)
	last := m.Days
	ask := func(q scope.Query) func() (question, error) {
		return func() (question, error) {
			a, err := s.index.Query(ctx, q)
			if err != nil {
				return question{}, err
			}
			return question{Subjects: a.Subjects, Cohorts: len(a.Cohorts),
				Detail: fmt.Sprintf("%d countries, %d disclosures", len(a.Countries), a.Disclosures)}, nil
		}
	}
	whole := func(from, to int) scope.Query {
		return scope.Query{Vendor: vendor, Basis: scope.SentWithin, Since: m.day(from), Until: m.day(to).Add(-time.Millisecond)}
	}
	leaked := roaring.New()
	for o := 1; o < m.People; o += max(1, m.People/100_000) {
		leaked.Add(uint32(o))
	}
	edges := m.edges()
	cut := scope.Query{Vendor: vendor, Basis: scope.SentWithin, Since: edges[0].instant(m), Until: edges[1].instant(m)}
	var some []exposure.Ordinal
	for o := 1; len(some) < 25 && o < m.People; o += m.People/60 + 1 {
		if m.class(uint32(o)) > 0 {
			some = append(some, exposure.Ordinal(o))
		}
	}
	who := 0
	questions := []struct {
		name string
		ask  func() (question, error)
	}{
		{"30 days, one vendor: categories, cohorts, countries", ask(whole(max(0, last-37), last-7))},
		{"30 days with both bounds within a half hour", ask(cut)},
		{"90 days, one vendor", ask(scope.Query{Vendor: vendor})},
		{"7 days, one vendor", ask(whole(max(0, last-9), last-2))},
		{"history of one person, all vendors", func() (question, error) {
			p, err := s.index.Subject(ctx, some[who%len(some)])
			who++
			if err != nil {
				return question{}, err
			}
			return question{Subjects: uint64(len(p.Vendors))}, nil
		}},
		{"100,000 leaked people against every vendor", func() (question, error) {
			all, err := s.index.Attribute(ctx, leaked)
			if err != nil {
				return question{}, err
			}
			return question{Subjects: all[0].Subjects, Detail: fmt.Sprintf("%d vendors", len(all))}, nil
		}},
	}
	debug.FreeOSMemory()
	before := resident("VmRSS")
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return nil, fmt.Errorf("resetting the peak of memory: %w", err)
	}
	for _, q := range questions {
		found := question{Name: q.name, Millis: map[string]float64{}}
		for _, processors := range []int{1, runtime.NumCPU()} {
			was := runtime.GOMAXPROCS(processors)
			times, cpus := []float64{}, []float64{}
			for i := range runs + 1 {
				began, used := time.Now(), cpu()
				got, err := q.ask()
				if err != nil {
					return nil, fmt.Errorf("%s: %w", q.name, err)
				}
				if i > 0 { // the first one warms up
					times = append(times, float64(time.Since(began).Microseconds())/1000)
					cpus = append(cpus, float64((cpu()-used).Microseconds())/1000)
				}
				found.Subjects, found.Cohorts, found.Detail = got.Subjects, got.Cohorts, got.Detail
			}
			slices.Sort(times)
			slices.Sort(cpus)
			found.CPU = cpus[len(cpus)/2]
			found.Millis[strconv.Itoa(processors)] = times[len(times)/2]
			runtime.GOMAXPROCS(was)
		}
		r.Questions = append(r.Questions, found)
	}
	r.MemoryMiB = float64(resident("VmHWM")-before) / 1024
	return r, nil
}

// cpu is what the process used so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident reads a line of /proc/self/status, in KiB.
func resident(name string) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n
		}
	}
	return 0
}

func (r *results) print(w io.Writer) {
	fmt.Fprintf(w, "%+v\n%d facts in %.0f s, %.2f bytes a fact %v\n", r.Made.Model, r.Made.Facts, r.Made.Seconds, r.BytesPerFact, r.Bytes)
	for _, q := range r.Questions {
		fmt.Fprintf(w, "%-52s %v ms (cpu %.0f), %d, %d cohorts, %s\n", q.Name, q.Millis, q.CPU, q.Subjects, q.Cohorts, q.Detail)
	}
	fmt.Fprintf(w, "memory while asking: %.0f MiB\n", r.MemoryMiB)
}
