package cli

import (
	"fmt"
	"os"

	"cordon/internal/api"
	"cordon/internal/figure"
	"cordon/internal/roll"
)

type ledgerBackfillCmd struct {
	Vendor     string `arg:"" help:"The vendor that held it."`
	File       string `arg:"" placeholder:"FILE" help:"CSV or JSON lines: id,email,phone,username as in the directory, and held_since, categories where they differ by row."`
	Categories string `placeholder:"LIST" help:"What it held of everybody whose row does not say: user.contact.email,user.name."`
	DryRun     bool   `help:"Read the file and count; write nothing."`
}

func (ledgerBackfillCmd) Examples() []string {
	return []string{
		"cordon ledger backfill acme-mail subscribers.csv --categories user.contact.email,user.name --dry-run",
		"cordon ledger backfill acme-mail subscribers.csv --categories user.contact.email,user.name",
	}
}

func (c ledgerBackfillCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	f, err := os.Open(c.File)
	if err != nil {
		return &Fault{Code: exitError, What: err.Error(), Next: "name a file that exists", Cause: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	bar := e.progress(info.Size())
	answer, err := o.Backfill(ctx, api.BackfillQuery{Vendor: c.Vendor, Categories: c.Categories, DryRun: c.DryRun}, bar.reader(f))
	bar.done()
	if err != nil {
		return err
	}
	for _, w := range answer.Warnings {
		e.Say("warning: %s", w)
	}
	if e.Flags.JSON {
		return e.JSON(answer)
	}
	what := "declared as held by"
	if c.DryRun {
		what = "would be declared as held by"
	}
	e.Print("%s %s %s, %s of them new here", figure.Count(answer.People, "person", "people"), what, answer.Vendor, figure.Grouped(answer.New))
	e.printProblems(&answer.Problems)
	if answer.Entry != 0 {
		e.Say("entry %s says so; the file is in the ledger by its hash alone", fmt.Sprint(answer.Entry))
	}
	return nil
}

// printProblems lists the lines of a list that were not taken.
func (e *Env) printProblems(p *roll.Problems) {
	if p.RejectedRows > 0 {
		e.Print("%s not taken:", figure.Count(p.RejectedRows, "line", "lines"))
		for _, r := range p.Rejected[:min(20, len(p.Rejected))] {
			e.Print("  line %d: %s", r.Line, r.Problem)
		}
		if len(p.Rejected) > 20 {
			e.Say("--json lists them all")
		}
	}
	if len(p.Ignored) > 0 {
		e.Say("columns not read: %s", joined(p.Ignored))
	}
}
