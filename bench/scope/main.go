// Command scope measures what questions cost at the scale of the reference case.
//
//	go run ./bench/scope [-people 1000000] [-vendors 12] [-days 90] [-sets 4] [-pathways 1] [-dir DIR] [-runs 5] [-export DIR]
//
// It fills an index with the model of model.go (seeded, so that all see the same),
// with a ledger that has the messages of the half hours that one of the questions
// cuts through, and asks each question so many times, on one processor and on all.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime/pprof"
)

func main() {
	var m model
	flag.IntVar(&m.People, "people", 1_000_000, "people")
	flag.IntVar(&m.Vendors, "vendors", 12, "vendors")
	flag.IntVar(&m.Days, "days", 90, "days")
	flag.IntVar(&m.Sets, "sets", 4, "category sets of each vendor, at most 256")
	flag.IntVar(&m.Pathways, "pathways", 1, "pathways of each vendor")
	flag.Uint64Var(&m.Seed, "seed", 1, "seed")
	dir := flag.String("dir", "", "where the store lies; made if it is not there, used again if it is (default: a temporary one)")
	runs := flag.Int("runs", 5, "times that each question is asked")
	export := flag.String("export", "", "write the facts of the first vendor for other engines into this folder, and end")
	peers := flag.String("peers", "", "also ask ClickHouse and DuckDB, with the facts exported into this folder (Node.js and npm are needed)")
	npm := flag.String("npm", "", "where the peers' packages are installed, or will be (default: a temporary folder)")
	profile := flag.String("cpuprofile", "", "write a profile of the questions")
	out := flag.String("out", "", "write the results as JSON into this file")
	flag.Parse()
	log.SetFlags(0)
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			log.Fatal(err)
		}
		defer f.Close()
		profiled = f
	}
	if err := run(m, *dir, *export, *out, *peers, *npm, *runs); err != nil {
		log.Fatal(err)
	}
}

var profiled *os.File

func run(m model, dir, export, out, peers, npm string, runs int) error {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "scope")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		dir = temporary
	}
	s, err := open(m, dir)
	if err != nil {
		return err
	}
	defer s.close()
	if export != "" {
		return s.export(export)
	}
	if profiled != nil {
		if err := pprof.StartCPUProfile(profiled); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	r, err := s.measure(runs)
	if err != nil {
		return err
	}
	r.print(os.Stdout)
	var differ error
	if peers != "" {
		r.Peers, differ = s.compare(os.Stdout, peers, npm, runs)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil || out == "" {
		return errors.Join(err, differ)
	}
	return errors.Join(os.WriteFile(out, append(text, '\n'), 0o644), differ)
}

// made says what a folder was made with.
type made struct {
	Model     model   `json:"model"`
	Facts     uint64  `json:"facts"`
	Seconds   float64 `json:"seconds"`
	Recorded  uint64  `json:"recorded"` // entries of the ledger
	Recording float64 `json:"recording_seconds"`
}

func madeWith(dir string) (k made, ok bool, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "made.json"))
	if os.IsNotExist(err) {
		return k, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	return k, err == nil, err
}

func (k made) write(dir string) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "made.json"), text, 0o644); err != nil {
		return fmt.Errorf("writing what the folder was made with: %w", err)
	}
	return nil
}
