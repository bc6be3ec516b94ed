package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"cordon/internal/scope"
)

//go:embed peers/peers.mjs
var peersScript []byte

// peerPackages bring ClickHouse and DuckDB as libraries, which run in Node.js.
var peerPackages = []string{"chdb@3.4.0", "@duckdb/node-api@1.5.6-r.1"}

// counts are an answer in the form in which those of all engines can be compared.
type counts struct {
	Categories map[string]uint64 `json:"categories,omitempty"`
	Cohorts    map[string]uint64 `json:"cohorts,omitempty"`
	Countries  map[string]uint64 `json:"countries,omitempty"`
}

// window is a range of days, both of them in it.
type window struct {
	Name string `json:"name"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// peer is a line that the script prints: what loading took, or one question.
type peer struct {
	Engine   string    `json:"engine"`
	Version  string    `json:"version"`
	Error    string    `json:"error,omitempty"`
	Seconds  float64   `json:"seconds,omitempty"`
	Bytes    float64   `json:"bytes,omitempty"`
	Rows     float64   `json:"rows,omitempty"`
	Window   string    `json:"window,omitempty"`
	Question string    `json:"question,omitempty"`
	Millis   []float64 `json:"ms,omitempty"`
	Answer   *counts   `json:"answer,omitempty"`
	Same     bool      `json:"same"`  // as ours
	Ratio    float64   `json:"ratio"` // their median by ours on one processor
}

// compare asks the peers what we answer in one pass over the first vendor, and
// prints how much longer they take. Ours runs on one processor, theirs on all.
func (s *opened) compare(w io.Writer, dir, npm string, runs int) ([]peer, error) {
	m := s.model
	if err := s.export(dir); err != nil {
		return nil, err
	}
	windows := []window{{"30 days", max(0, m.Days-37), m.Days - 8}, {"90 days", 0, m.Days - 1}}
	ours := map[string]counts{}
	took := map[string]float64{}
	was := runtime.GOMAXPROCS(1)
	for _, win := range windows {
		q := scope.Query{Vendor: m.vendor(0), Basis: scope.SentWithin, Since: m.day(win.From), Until: m.day(win.To + 1).Add(-time.Millisecond)}
		var times []float64
		for range runs + 1 {
			began := time.Now()
			a, err := s.index.Query(context.Background(), q)
			if err != nil {
				return nil, err
			}
			times = append(times, float64(time.Since(began).Microseconds())/1000)
			ours[win.Name] = m.counts(a)
		}
		took[win.Name] = median(times[1:]) // the first one warms up
		fmt.Fprintf(w, "Cordon                 %-8s everything  %8.1f ms on one processor\n", win.Name, took[win.Name])
	}
	runtime.GOMAXPROCS(was)

	lines, err := m.askPeers(dir, npm, runs, windows)
	if err != nil {
		return nil, err
	}
	for i := range lines {
		switch p := &lines[i]; {
		case p.Error != "":
			fmt.Fprintf(w, "%s was not measured: %s\n", p.Engine, p.Error)
		case p.Question == "":
			fmt.Fprintf(w, "%-22s loaded in %.1f s, %.0f MB (%s)\n", p.Engine, p.Seconds, p.Bytes/1e6, p.Version)
		default:
			p.Same, p.Ratio = agrees(*p.Answer, ours[p.Window]), median(p.Millis)/took[p.Window]
			same := "same counts"
			if !p.Same {
				same = "OTHER COUNTS"
			}
			fmt.Fprintf(w, "%-22s %-8s %-10s %8.1f ms = %.1f x, %s\n", p.Engine, p.Window, p.Question, median(p.Millis), p.Ratio, same)
		}
	}
	if slices.ContainsFunc(lines, func(p peer) bool { return p.Question != "" && !p.Same }) {
		return lines, fmt.Errorf("the engines do not count the same")
	}
	return lines, nil
}

// askPeers runs the script in a folder where the packages are installed.
func (m model) askPeers(dir, npm string, runs int, windows []window) ([]peer, error) {
	if npm == "" {
		temporary, err := os.MkdirTemp("", "scope-peers")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(temporary)
		npm = temporary
	}
	if _, err := os.Stat(filepath.Join(npm, "node_modules", "chdb")); err != nil {
		c := exec.Command("npm", append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix", npm}, peerPackages...)...)
		if out, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("installing the peers: %w: %s", err, bytes.TrimSpace(out))
		}
	}
	var sets [][]string
	for i := range m.Sets {
		var keys []string
		for _, it := range m.set(i).Items() {
			keys = append(keys, it.Category.Key())
		}
		sets = append(sets, keys)
	}
	about, err := json.Marshal(map[string]any{"sets": sets, "windows": windows})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "export.json"), about, 0o644); err != nil {
		return nil, err
	}
	script := filepath.Join(npm, "peers.mjs")
	if err := os.WriteFile(script, peersScript, 0o644); err != nil {
		return nil, err
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c := exec.Command("node", script, full, strconv.Itoa(runs), strconv.Itoa(runtime.NumCPU()))
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("asking the peers: %w", err)
	}
	var lines []peer
	in := bufio.NewScanner(bytes.NewReader(out))
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var p peer
		if err := json.Unmarshal(in.Bytes(), &p); err != nil {
			return nil, fmt.Errorf("reading what the peers say: %w", err)
		}
		lines = append(lines, p)
	}
	return lines, in.Err()
}

// counts is an answer of ours in the form of the peers': cohorts are those of
// what left in the clear, countries by the model's numbers.
func (m model) counts(a *scope.Answer) counts {
	c := counts{Categories: map[string]uint64{}, Cohorts: map[string]uint64{}, Countries: map[string]uint64{}}
	for _, x := range a.Categories {
		c.Categories[x.Category] = x.Subjects
	}
	for _, x := range a.Cohorts {
		c.Cohorts[strings.Join(slices.Sorted(slices.Values(x.Categories)), " ")] += x.Subjects
	}
	names := m.people().Countries
	for _, x := range a.Countries {
		c.Countries[strconv.Itoa(slices.Index(names, x.Country))] = x.Subjects
	}
	return c
}

// agrees compares what the peer's question asked for.
func agrees(theirs, ours counts) bool {
	same := func(theirs, ours map[string]uint64) bool {
		maps.DeleteFunc(theirs, func(_ string, n uint64) bool { return n == 0 })
		return maps.Equal(theirs, ours)
	}
	return (theirs.Categories == nil || same(theirs.Categories, ours.Categories)) &&
		(theirs.Cohorts == nil || same(theirs.Cohorts, ours.Cohorts)) &&
		(theirs.Countries == nil || same(theirs.Countries, ours.Countries))
}

func median(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return of[len(of)/2]
}
