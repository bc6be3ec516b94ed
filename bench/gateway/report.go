package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// result is one peer under one condition: medians over the rounds.
type result struct {
	Peer        string  `json:"peer"`
	BodyBytes   int     `json:"body_bytes"`
	Connections int     `json:"connections"`
	Rounds      int     `json:"rounds"`
	PerSecond   float64 `json:"requests_per_second"`
	Ratio       float64 `json:"ratio_to_plain"` // of the medians
	P50Micros   float64 `json:"p50_us"`
	P99Micros   float64 `json:"p99_us"`
	CPUMicros   float64 `json:"cpu_us_per_request"`
	Errors      int     `json:"errors"`
	FirstError  string  `json:"first_error,omitempty"`
}

func summarize(p *peer, size, conns int, rounds []sample) result {
	r := result{Peer: p.name, BodyBytes: size, Connections: conns, Rounds: len(rounds)}
	var rate, p50, p99, cpu []float64
	for _, s := range rounds {
		rate = append(rate, float64(s.Requests)/s.Elapsed.Seconds())
		p50 = append(p50, micros(s.P50))
		p99 = append(p99, micros(s.P99))
		cpu = append(cpu, micros(s.CPU)/float64(s.Requests))
		r.Errors += s.Errors
		if r.FirstError == "" {
			r.FirstError = s.FirstErr
		}
	}
	r.PerSecond, r.P50Micros, r.P99Micros, r.CPUMicros = median(rate), median(p50), median(p99), median(cpu)
	return r
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func median(v []float64) float64 {
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// report prints a markdown table a condition and writes the same as JSON.
func report(s settings, running []*peer, results []result) error {
	type key struct{ size, conns int }
	plain := map[key]result{}
	for _, r := range results {
		if r.Peer == "plain" {
			plain[key{r.BodyBytes, r.Connections}] = r
		}
	}
	var md strings.Builder
	fmt.Fprintf(&md, "%d CPUs, %s/%s, %s; %d rounds of %v a peer, interleaved; medians.\n\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), s.rounds, s.round)
	for _, p := range running {
		fmt.Fprintf(&md, "- **%s** (%s): %s\n", p.name, p.version, p.does)
	}
	var last key
	for i := range results {
		r := &results[i]
		k := key{r.BodyBytes, r.Connections}
		if k != last {
			fmt.Fprintf(&md, "\n**%d bytes, %d connections**\n\n| peer | req/s | x plain | p50 us | p50 over plain us | p99 us | CPU us/req | errors |\n|---|---|---|---|---|---|---|---|\n", r.BodyBytes, r.Connections)
			last = k
		}
		r.Ratio = r.PerSecond / plain[k].PerSecond
		fmt.Fprintf(&md, "| %s | %.0f | %.2f | %.0f | %+.0f | %.0f | %.1f | %d |\n", r.Peer, r.PerSecond, r.Ratio, r.P50Micros, r.P50Micros-plain[k].P50Micros, r.P99Micros, r.CPUMicros, r.Errors)
	}
	for _, r := range results {
		if r.Errors > 0 {
			fmt.Fprintf(&md, "\n%s had %d errors at %d bytes and %d connections, the first: %s\n", r.Peer, r.Errors, r.BodyBytes, r.Connections, r.FirstError)
		}
	}
	fmt.Print(md.String())
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.out, "gateway.md"), []byte(md.String()), 0o644); err != nil {
		return err
	}
	data, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.out, "gateway.json"), append(data, '\n'), 0o644)
}
