package main

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"syscall"
	"time"

	"cordon/internal/detect"
	"cordon/internal/detect/detecttest"
)

// speed is one contestant.
type speed struct {
	Name    string  `json:"name"`
	Version string  `json:"version,omitempty"`
	Does    string  `json:"does"`
	MB      float64 `json:"megabytes_per_second"` // median
	// Ratio is how many times as fast the detector is; below 1, slower.
	Ratio float64 `json:"detector_is_times_as_fast"`
	// Allocations a message; -1 where they cannot be counted.
	Allocations float64 `json:"allocations_per_message"`
	// NPM says that it is a package of npm.
	NPM bool `json:"npm,omitempty"`

	pass   func() // over all messages
	rounds []float64
}

// sixTypes are the types for which Go's regexp stands, as one would write them:
// nothing is proved, and what looks alike is taken.
var sixTypes = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}` +
	`|\+?\d{1,3}[ .-]?\(?\d{2,4}\)?[ .-]?\d{3,4}[ .-]?\d{3,4}` +
	`|\b(?:\d[ -]?){13,16}\b` +
	`|\b[A-Z]{2}\d{2}[ ]?(?:[A-Z0-9]{4}[ ]?){2,7}[A-Z0-9]{1,4}\b` +
	`|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b` +
	`|\b\d{3}-\d{2}-\d{4}\b`)

// race measures everybody on the same messages, in turn.
func race(s settings) (speeds []*speed, notes []string, err error) {
	docs := detecttest.Corpus(s.messages, 20261124)
	size := 0
	for _, d := range docs {
		size += len(d.Text)
	}
	hits := make([]detect.Hit, 0, 256)
	speeds = []*speed{{Name: "detector", Does: "eight kinds, proved; whole messages as text", pass: func() {
		for i := range docs {
			hits = detect.Append(hits[:0], docs[i].Text, detect.Context{})
		}
	}}}
	mapped, err := mapping(docs)
	if err != nil {
		return nil, nil, err
	}
	speeds = append(speeds, mapped...)
	speeds = append(speeds, &speed{Name: "Go regexp", Version: runtime.Version(), Does: "the same six types in one alternation; nothing proved", pass: func() {
		for i := range docs {
			sixTypes.FindAllStringIndex(docs[i].Text, -1)
		}
	}})
	var peers *node
	if s.npm {
		var note string
		if peers, note = startNode(s.folder, docs); note != "" {
			notes = append(notes, note)
		}
		if peers != nil {
			defer peers.stop()
			speeds = append(speeds, peers.speeds...)
			notes = append(notes, peers.missing...)
		}
	}
	for round := range s.rounds + 1 { // the first only warms up
		for _, c := range speeds {
			var took time.Duration
			passes := 0.0
			if c.NPM {
				if took, passes, err = peers.round(c.Name, s.round); err != nil {
					return nil, nil, fmt.Errorf("measuring %s: %w", c.Name, err)
				}
			} else {
				runtime.GC()
				for start := cpuTime(); took < s.round; took = cpuTime() - start {
					c.pass()
					passes++
				}
			}
			if round > 0 {
				c.rounds = append(c.rounds, passes*float64(size)/took.Seconds()/1e6)
			}
		}
	}
	for _, c := range speeds {
		c.MB, c.Allocations = median(c.rounds), -1
		if !c.NPM {
			c.Allocations = allocations(c.pass) / float64(len(docs))
		}
	}
	for _, c := range speeds {
		c.Ratio = speeds[0].MB / c.MB
	}
	return speeds, notes, nil
}

// cpuTime is what the process has used. Time by the clock would measure what
// else the machine does.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only for a pointer that is none
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func allocations(pass func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	pass()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs)
}

func median(v []float64) float64 {
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
