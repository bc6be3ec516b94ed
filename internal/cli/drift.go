package cli

import (
	"cordon/internal/api"
	"cordon/internal/figure"
)

type driftCmd struct {
	Vendor string `arg:"" optional:"" help:"Only this vendor's routes."`
	Route  string `placeholder:"ROUTE" help:"Only this route: \"POST /v3/mail/send\"."`
	Since  string `placeholder:"TIME" help:"Only leaves that first appeared since: 2026-02-03, or 24h, 7d ago."`
}

func (driftCmd) Examples() []string {
	return []string{"cordon drift", "cordon drift segment --since 7d", "cordon drift segment --json"}
}

func (c driftCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	since, err := instant("--since", c.Since, e.Now())
	if err != nil {
		return err
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	d, err := o.Drift(ctx, api.DriftQuery{Vendor: c.Vendor, Route: c.Route, Since: since})
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(d)
	}
	if len(d.Leaves) == 0 {
		e.Print("every leaf that was seen is named by a mapping")
		return nil
	}
	t := e.table("vendor", "route", "leaf", "since", ">people", ">messages", "finding")
	for _, l := range d.Leaves {
		t.row(l.Vendor, l.Route, l.Path, l.First.Format("Mon 2 Jan 2006")+" ("+figure.Ago(l.First, e.Now())+")",
			figure.Grouped(l.People), figure.Grouped(l.Messages), l.Finding)
	}
	t.print()
	newest := d.Leaves[0]
	e.Say("next: name them in the manifest's mapping, so that they are classified:\nmapping:\n%s", mappingLines(newest.Route, newest.Path))
	return nil
}
