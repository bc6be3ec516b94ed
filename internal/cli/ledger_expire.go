package cli

import (
	"cordon/internal/figure"
)

type ledgerExpireCmd struct {
	DryRun bool `name:"dry-run" help:"Say which days would go and which are held, and change nothing."`
}

func (ledgerExpireCmd) Examples() []string {
	return []string{"cordon ledger expire --dry-run", "cordon ledger expire --json"}
}

func (c ledgerExpireCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	x, err := o.Expire(ctx, c.DryRun)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(x)
	}
	if x.Policy == "" {
		e.Print("everything is kept: the configuration has no retention.bodies")
		return nil
	}
	if len(x.Days) == 0 {
		e.Print("no day is older than %s keeps it", x.Policy)
		return nil
	}
	t := e.table("day", ">bytes", ">batches", "")
	for _, d := range x.Days {
		state := "would expire"
		switch {
		case d.HeldBy != "":
			state = "kept: " + d.HeldBy
		case d.Expired:
			state = "expired"
		}
		t.row(d.Day, figure.Grouped(d.Bytes), figure.Grouped(d.Batches), state)
	}
	t.print()
	if x.Expired > 0 {
		e.Say("next: `cordon ledger verify` names what is gone, by policy %s", x.Policy)
	}
	return nil
}
