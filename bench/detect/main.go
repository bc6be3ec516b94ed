// Command detect measures how well and how fast undeclared personal data is
// found: precision and recall by type on a labelled file of presidio-research,
// and the speed of the detector, of mapping and detector together, and of
// splicing real tokens, beside Go's regexp for the same six types and the npm
// packages that people use for it. All of them read the same generated
// messages, in the same run, in turn; figures are medians. Ratios mean something
// on any machine, megabytes a second only on the one that was measured.
//
//	go run ./bench/detect
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

type settings struct {
	labelled string
	out      string
	npm      bool
	folder   string
	rounds   int
	round    time.Duration
	messages int
}

func main() {
	var s settings
	flag.StringVar(&s.labelled, "labelled", "../shared/data/presidio-research/synth_dataset_v2.json", "presidio-research's labelled sentences")
	flag.StringVar(&s.out, "out", "bench/out", "folder for detect.md and detect.json")
	flag.BoolVar(&s.npm, "npm", true, "measure npm packages too, installed into a temporary folder")
	flag.StringVar(&s.folder, "npm-folder", "", "a folder in which they are installed already")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds")
	flag.DurationVar(&s.round, "round", 300*time.Millisecond, "CPU time of a round")
	flag.IntVar(&s.messages, "messages", 2500, "messages in the generated corpus")
	flag.Parse()
	if err := measure(s); err != nil {
		fmt.Fprintln(os.Stderr, "bench/detect:", err)
		os.Exit(1)
	}
}

func measure(s settings) error {
	var report strings.Builder
	fmt.Fprintf(&report, "# Finding undeclared personal data\n\n%d CPUs, of which one is used, %s/%s, %s.\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())

	var result output
	switch quality, err := score(s.labelled); {
	case os.IsNotExist(err):
		fmt.Fprintf(&report, "\nQuality was not measured: there is no %s. It is data/synth_dataset_v2.json of microsoft/presidio-research (MIT); name yours with -labelled.\n", s.labelled)
	case err != nil:
		return err
	default:
		result.Quality = quality
		quality.write(&report)
	}

	runtime.GOMAXPROCS(1)
	speeds, notes, err := race(s)
	if err != nil {
		return err
	}
	result.Speed = speeds
	writeSpeeds(&report, s, speeds, notes)

	fmt.Print(report.String())
	return result.save(s.out, report.String())
}

func (o output) save(folder, report string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "detect.md"), []byte(report), 0o644); err != nil {
		return err
	}
	return writeJSON(filepath.Join(folder, "detect.json"), o)
}
