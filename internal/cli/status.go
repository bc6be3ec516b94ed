package cli

import (
	"fmt"
	"strings"

	"cordon/internal/api"
	"cordon/internal/figure"
)

func count(n int, one, many string) string { return figure.Count(n, one, many) }

type statusCmd struct{}

func (statusCmd) Examples() []string {
	return []string{"cordon status", "cordon status --json | jq '.vendors[] | select(.gate != \"open\")'"}
}

func (statusCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	s, err := o.Status(ctx)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		if err := e.JSON(s); err != nil {
			return err
		}
	} else {
		e.printStatus(s)
	}
	if s.DutiesOverdue > 0 {
		return silent(exitOverdue)
	}
	return nil
}

func (e *Env) printStatus(s api.Status) {
	for _, a := range s.Alarms {
		e.Print("%s %s", e.Colour(red, "alarm:"), a)
	}
	t := e.table("vendor", "gate", ">connections", ">held", ">disclosures 24 h", ">people 24 h", "last message")
	for _, v := range s.Vendors {
		gate := e.gateWord(v.Gate)
		if v.Mode == "shadow" {
			gate += " (shadow)"
		}
		last := "-"
		if !v.LastAt.IsZero() {
			last = figure.Ago(v.LastAt, e.Now())
		}
		t.row(v.Vendor, gate, figure.Grouped(v.Connections), figure.Grouped(v.Held),
			figure.Grouped(v.Disclosures24h), figure.Grouped(v.Subjects24h), last)
	}
	t.print()
	for _, v := range s.Vendors {
		if len(v.Incidents) > 0 {
			e.Print("%s: %s %s", v.Vendor, count(len(v.Incidents), "open incident:", "open incidents:"), strings.Join(v.Incidents, ", "))
		}
		for _, r := range v.Routes {
			e.Print("%s: route %s is %s", v.Vendor, r.Route, e.gateWord(r.Gate))
		}
		if v.AttemptsAfterCut > 0 {
			e.Print("%s: %s tried since the gate closed", v.Vendor, figure.Count(v.AttemptsAfterCut, "message", "messages"))
		}
		if v.GateProblem != "" {
			e.Print("%s: %s", v.Vendor, e.Colour(red, v.GateProblem))
		}
	}
	e.Print("")
	line := "ledger: " + figure.Count(s.Ledger.Size, "entry", "entries")
	if _, root, ok := checkpointParts(s.Ledger.Checkpoint); ok {
		line += ", head " + root
	}
	e.Print("%s", line)
	if w := s.Witness; w != nil {
		e.Print("%s", e.witnessLine(*w))
	}
	if s.Ledger.Error != "" {
		e.Print("%s", e.Colour(red, "the ledger does not record: "+s.Ledger.Error))
		e.Print("  nothing is forwarded; repair it and restart the server")
	}
	if f := s.Ledger.Failover; f != nil && f.InUse {
		e.Print("%s", e.Colour(yellow, "the disk of the data directory does not answer: new entries go to the failover folder"))
		if f.Error != "" {
			e.Print("  %s; it is tried again after a restart", f.Error)
		}
	}
	if s.Scrub != nil {
		for _, d := range s.Scrub.Damage {
			e.Print("%s %s: %s", e.Colour(red, "damaged:"), d.File, d.Problem)
		}
		if len(s.Scrub.Damage) > 0 {
			e.Print("  what it means: cordon ledger scrub")
		}
	}
	for _, w := range s.Ledger.Warnings {
		e.Say("warning: %s", w)
	}
	if s.IndexError != "" {
		e.Say("warning: the figures may be behind: %s", s.IndexError)
	}
	if !s.Server {
		e.Say("no server runs: figures from the store, gates as the next start loads them")
	}
}

// witnessLine says how far the witness vouches, and loudly where it does not.
func (e *Env) witnessLine(w api.WitnessStatus) string {
	line := "witness: " + w.Name
	switch {
	case w.Rewritten != "":
		return e.Colour(red, line+" has proof that this ledger was rewritten: "+w.Rewritten)
	case w.At.IsZero():
		line += " has cosigned nothing yet"
	default:
		line += fmt.Sprintf(" cosigned %s of %s, %s", figure.Grouped(w.Size), figure.Count(w.Batches, "batch", "batches"), figure.Ago(w.At, e.Now()))
	}
	if w.Late {
		line = e.Colour(yellow, line+"; warning: its cosignature is late")
	}
	if w.Problem != "" {
		line += "\n  " + w.Problem
	}
	return line
}

// checkpointParts takes size and root out of a signed checkpoint (C2SP
// tlog-checkpoint: origin, size, root, blank line, signatures).
func checkpointParts(signed string) (size, root string, ok bool) {
	lines := strings.SplitN(signed, "\n", 4)
	if len(lines) < 4 {
		return "", "", false
	}
	return lines[1], lines[2], true
}
