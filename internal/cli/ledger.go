package cli

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"cordon/internal/api"
	"cordon/internal/figure"
)

type ledgerCmd struct {
	Verify ledgerVerifyCmd `cmd:"" help:"Read the whole ledger and check that nothing is missing or changed."`
	Tail   ledgerTailCmd   `cmd:"" help:"Show the newest entries."`
	Prove  ledgerProveCmd  `cmd:"" help:"Print the proof that one entry is in the ledger."`

	Backfill ledgerBackfillCmd `cmd:"" help:"Declare what a vendor held before Cordon."`

	Expire ledgerExpireCmd `cmd:"" help:"Erase the days that are older than the policy keeps them."`

	Backup  ledgerBackupCmd  `cmd:"" help:"Copy the ledger, while the server runs."`
	Restore ledgerRestoreCmd `cmd:"" help:"Bring a backup back, with every gate cut."`
	Scrub   ledgerScrubCmd   `cmd:"" help:"See whether everything can still be read; read it now."`
}

type ledgerVerifyCmd struct{}

func (ledgerVerifyCmd) Examples() []string {
	return []string{"cordon ledger verify", "cordon ledger verify --json"}
}

func (ledgerVerifyCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	r, err := o.VerifyLedger(ctx)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		if err := e.JSON(r); err != nil {
			return err
		}
	} else {
		for _, text := range r.Erased {
			e.Print("%s", text)
		}
		for _, p := range r.Problems {
			e.Print("%s %s", e.Colour(red, "problem:"), p)
		}
		if r.OK {
			e.Print("%s: %s in %s, root %s", e.Colour(green, "verified"), figure.Count(r.Size, "entry", "entries"), figure.Count(r.Batches, "batch", "batches"), r.Root)
		} else {
			e.Say("not verified; keep the data directory as it is and compare it with a backup and the mirror")
		}
	}
	if !r.OK {
		return silent(exitNotVerified)
	}
	return nil
}

type ledgerTailCmd struct {
	Lines  uint64 `short:"n" default:"20" placeholder:"N" help:"How many of the newest entries (20)."`
	From   uint64 `placeholder:"SEQ" help:"Instead: from this entry on; 1 is the first."`
	Follow bool   `short:"f" help:"Go on as the ledger grows."`
}

func (ledgerTailCmd) Examples() []string {
	return []string{"cordon ledger tail -f", "cordon ledger tail --from 1 --json > entries.jsonl"}
}

func (c ledgerTailCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	return o.Tail(ctx, c.From, c.Lines, c.Follow, func(entry api.Entry) error {
		if e.Flags.JSON {
			return api.Encode(e.Out, entry, false)
		}
		e.Print("%s", e.entryLine(entry))
		return nil
	})
}

func (e *Env) entryLine(entry api.Entry) string {
	head := fmt.Sprintf("%8d  %s  ", entry.Seq, e.Colour(dim, entry.At.Format("2006-01-02 15:04:05.000")))
	switch entry.Kind {
	case "disclosure":
		what := figure.Count(entry.Subjects, "person", "people")
		if len(entry.Categories) > 0 {
			what += ": " + strings.Join(entry.Categories, " ")
		}
		if len(entry.Incomplete) > 0 {
			what += " " + e.Colour(yellow, "incomplete: "+strings.Join(entry.Incomplete, " "))
		}
		return head + fmt.Sprintf("%s to %s by %s, %s", entry.Route, e.Colour(bold, entry.Vendor), entry.App, what)
	case "outcome":
		return head + fmt.Sprintf("  of %d: %s, status %d, %s bytes", entry.Of, entry.Result, entry.Status, figure.Grouped(entry.Bytes))
	default:
		var fields bytes.Buffer
		_ = api.Encode(&fields, entry.Fields, false)
		parts := []string{entry.Kind}
		for _, s := range []string{entry.Vendor, entry.Actor, strings.TrimSpace(fields.String())} {
			if s != "" && s != "{}" {
				parts = append(parts, s)
			}
		}
		return head + e.Colour(bold, strings.Join(parts, "  "))
	}
}

type ledgerProveCmd struct {
	Seq    uint64 `arg:"" placeholder:"SEQ" help:"The entry's number."`
	Output string `short:"o" placeholder:"FILE" help:"Write it to a file instead of stdout."`
}

func (ledgerProveCmd) Examples() []string {
	return []string{"cordon ledger prove 4711 -o 4711.proof.json"}
}

// Run prints JSON with or without --json: a proof is for a program to check.
func (c ledgerProveCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	proof, err := o.Prove(ctx, c.Seq)
	if err != nil {
		return err
	}
	if c.Output == "" {
		return e.JSON(proof)
	}
	var b bytes.Buffer
	if err := api.Encode(&b, proof, false); err != nil {
		return err
	}
	if err := os.WriteFile(c.Output, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the proof: %w", err)
	}
	e.Say("wrote %s", c.Output)
	return nil
}
