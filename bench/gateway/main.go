// Command gateway measures Cordon's whole path beside peers on one machine: a plain httputil.ReverseProxy,
// nginx, haproxy, and mitmproxy with an add-on that does the same reading. One raw HTTP/1.1 generator drives them
// all against one upstream on loopback; rounds are interleaved, so that what else the machine does meets everybody;
// figures are medians. Ratios and the CPU time per request of the peer's process tree mean something on any
// machine, requests a second only on the one that was measured.
//
//	go run ./bench/gateway -cordon bin/cordon
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"cordon/test/rig"
)

type settings struct {
	cordon string
	out    string
	only   string
	sizes  []int
	conns  []int
	rounds int
	round  time.Duration
	people int
}

func main() {
	// The upstream and the yardstick are this program too, in processes of their own so that their CPU is theirs.
	if len(os.Args) >= 3 && os.Args[1] == "upstream" {
		fail(serveUpstream(os.Args[2]))
	}
	if len(os.Args) >= 4 && os.Args[1] == "plain" {
		fail(servePlain(os.Args[2], os.Args[3]))
	}
	var s settings
	flag.StringVar(&s.cordon, "cordon", "bin/cordon", "the cordon binary to measure")
	flag.StringVar(&s.out, "out", "bench/out", "folder for gateway.md and gateway.json")
	flag.StringVar(&s.only, "peers", "", "comma-separated peers to measure, besides plain (default: all that are installed)")
	sizes := flag.String("sizes", "1024,16384", "body sizes in bytes")
	conns := flag.String("conns", "1,32,128", "connections")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds a peer and condition")
	flag.DurationVar(&s.round, "round", time.Second, "measured time of a round")
	flag.IntVar(&s.people, "people", 100_000, "people in Cordon's directory; recipients are drawn from them")
	flag.Parse()
	s.sizes, s.conns = ints(*sizes), ints(*conns)
	fail(measure(s))
}

func measure(s settings) error {
	work, err := os.MkdirTemp("", "cordon-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	upstream, err := rig.FreeAddr()
	if err != nil {
		return err
	}
	_, stop, err := start(filepath.Join(work, "upstream.log"), self, "upstream", upstream)
	if err != nil {
		return err
	}
	defer stop()
	if err := answers(upstream, mailSend("", "upstream", 1024)); err != nil {
		return fmt.Errorf("upstream: %w", err)
	}

	var running []*peer
	for _, p := range peers(s, self) {
		if s.only != "" && p.name != "plain" && !slices.Contains(strings.Split(s.only, ","), p.name) {
			continue
		}
		p.dir = filepath.Join(work, p.name)
		if err := os.MkdirAll(p.dir, 0o755); err != nil {
			return err
		}
		if err := p.up(upstream); err != nil {
			fmt.Fprintf(os.Stderr, "%s: skipped: %v\n", p.name, err)
			continue
		}
		defer p.stop()
		running = append(running, p)
	}

	var results []result
	for _, size := range s.sizes {
		for _, conns := range s.conns {
			rounds := make([][]sample, len(running))
			for range s.rounds {
				for i, p := range running {
					l := load{
						addr: p.addr, request: mailSend(p.prefix, p.host, size), conns: conns,
						warm: 300 * time.Millisecond, measure: s.round, people: s.people,
					}
					cpu := func() time.Duration { return cpuOf(p.pid) }
					got, err := l.run(cpu)
					for range 3 { // a peer that needs seconds for an answer gets longer rounds
						if !errors.Is(err, errTooShort) {
							break
						}
						l.measure *= 3
						got, err = l.run(cpu)
					}
					if err != nil {
						return fmt.Errorf("%s at %d bytes and %d connections: %w", p.name, size, conns, err)
					}
					rounds[i] = append(rounds[i], got)
				}
			}
			for i, p := range running {
				results = append(results, summarize(p, size, conns, rounds[i]))
			}
			fmt.Fprintf(os.Stderr, "measured %d bytes, %d connections\n", size, conns)
		}
	}
	return report(s, running, results)
}

func ints(list string) (out []int) {
	for field := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 {
			fail(fmt.Errorf("%q is not a list of numbers", list))
		}
		out = append(out, n)
	}
	return out
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
