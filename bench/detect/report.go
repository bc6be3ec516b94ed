package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// output is what detect.json holds.
type output struct {
	Quality *quality `json:"quality,omitempty"`
	Speed   []*speed `json:"speed"`
}

func writeSpeeds(b *strings.Builder, s settings, speeds []*speed, notes []string) {
	fmt.Fprintf(b, "\n## Speed\n\n%d generated messages in the shape of vendors' APIs, some 800 bytes each; %d rounds of %v in turn; medians. A second is one of the process's CPU time, garbage collection included. The ratio is how many times as fast the detector is.\n\n", s.messages, s.rounds, s.round)
	b.WriteString("| | version | MB/s | ratio | allocations a message | does |\n|---|---|---|---|---|---|\n")
	fastest, regexp := 0.0, 0.0
	for _, c := range speeds {
		allocations := ""
		if c.Allocations >= 0 {
			allocations = fmt.Sprintf("%.2f", c.Allocations)
		}
		fmt.Fprintf(b, "| %s | %s | %.1f | %.1f | %s | %s |\n", c.Name, c.Version, c.MB, c.Ratio, allocations, c.Does)
		if c.NPM {
			fastest = max(fastest, c.MB)
		}
		if c.Name == "Go regexp" {
			regexp = c.MB
		}
	}
	fmt.Fprintf(b, "\nThe detector is %.0f times as fast as Go's regexp", speeds[0].MB/regexp)
	if fastest > 0 {
		fmt.Fprintf(b, " and %.1f times as fast as the fastest of npm's packages", speeds[0].MB/fastest)
	}
	b.WriteString(".\n")
	for _, n := range notes {
		fmt.Fprintf(b, "\n%s\n", n)
	}
}

func writeJSON(file string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
