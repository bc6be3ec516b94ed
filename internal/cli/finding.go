package cli

import (
	"strings"

	"cordon/internal/api"
	"cordon/internal/figure"
)

type findingCmd struct {
	List  findingListCmd  `cmd:"" help:"List what a person should look at."`
	Show  findingShowCmd  `cmd:"" help:"Show one finding."`
	Close findingCloseCmd `cmd:"" help:"Record what was decided about a finding."`
}

type findingListCmd struct {
	Vendor string `placeholder:"VENDOR" help:"Only this vendor's."`
	Kind   string `placeholder:"KIND" help:"Only of this kind: undeclared-data, drift."`
	Since  string `placeholder:"TIME" help:"Only what was seen since: 2026-02-03, or 24h, 7d ago."`
	All    bool   `help:"Closed ones too."`
}

func (findingListCmd) Examples() []string {
	return []string{"cordon finding list", "cordon finding list --vendor acme-mail --since 7d --json"}
}

func (c findingListCmd) Run(e *Env) error {
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
	list, err := o.Findings(ctx, api.FindingQuery{Vendor: c.Vendor, Kind: c.Kind, Since: since, All: c.All})
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(list)
	}
	if len(list.Findings) == 0 {
		e.Print("no open findings")
	} else {
		t := e.table("finding", "kind", "vendor", "route", "path", "category", "since", ">messages", ">people", "state")
		for _, f := range list.Findings {
			t.row(f.Finding, f.Kind, f.Vendor, f.Route, f.Path, f.Category, figure.Instant(f.First),
				figure.Grouped(f.Messages), figure.Grouped(f.People), f.State)
		}
		t.print()
	}
	if list.Missed > 0 {
		e.Say("%s recorded but not watched since the server started: too many came at once", figure.Count(list.Missed, "message was", "messages were"))
	}
	return nil
}

type findingShowCmd struct {
	Finding string `arg:"" help:"The finding, as the list names it."`
}

func (findingShowCmd) Examples() []string { return []string{"cordon finding show f-3kq2m7xa"} }

func (c findingShowCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	f, err := o.Finding(ctx, c.Finding)
	if err != nil {
		return err
	}
	return e.finding(f)
}

type findingCloseCmd struct {
	Finding string `arg:"" help:"The finding, as the list names it."`
	Reason  string `required:"" placeholder:"TEXT" help:"What was decided, and why; kept in the ledger, so without personal data."`
}

func (findingCloseCmd) Examples() []string {
	return []string{`cordon finding close f-3kq2m7xa --reason "mapped in vendors/acme-mail.yaml"`}
}

func (c findingCloseCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	if strings.TrimSpace(c.Reason) == "" {
		return &Fault{Code: exitUsage, What: "the reason is empty", Next: `cordon finding close ` + c.Finding + ` --reason "…"`}
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	f, err := o.CloseFinding(ctx, c.Finding, api.FindingClose{Reason: c.Reason})
	if err != nil {
		return err
	}
	return e.finding(f)
}

// finding prints one finding and the step that helps.
func (e *Env) finding(f api.Finding) error {
	if e.Flags.JSON {
		return e.JSON(f)
	}
	line := func(name, value string) { e.Print("%-9s %s", name, value) }
	line("finding", e.Colour(bold, f.Finding)+"  "+f.Kind+", "+f.State)
	line("vendor", f.Vendor)
	line("route", f.Route)
	line("path", f.Path)
	line("category", f.Category)
	line("since", figure.Instant(f.First)+", last "+figure.Instant(f.Last))
	line("seen", figure.Count(f.Messages, "message", "messages")+" about "+figure.Count(f.People, "person", "people"))
	if f.Closed != nil {
		why := ""
		if f.Reason != "" { // it is sealed, and not everybody is shown it
			why = ": " + f.Reason
		}
		line("closed", figure.Instant(*f.Closed)+" by "+f.ClosedBy+why)
		return nil
	}
	switch f.Kind {
	case "damage":
		e.Say("next: `cordon ledger scrub` says what it means; keep the data directory as it is")
	case "drift":
		e.Say("next: name the leaf in the manifest's mapping, or say none:\n%s", mappingLines(f.Route, f.Path))
	case "undeclared-data":
		e.Say("next: see who sends it and why; then map the leaf, or `cordon finding close %s --reason …`", f.Finding)
	}
	return nil
}

// mappingLines are ready to be pasted into a manifest. A leaf that stands
// outside of the body needs to be told where.
func mappingLines(route, path string) string {
	in := ""
	switch {
	case strings.HasPrefix(path, "?"):
		in, path = "    in: query\n", path[1:]
	case strings.HasPrefix(path, "{"):
		in, path = "    in: path\n", strings.Trim(path, "{}")
	case strings.HasSuffix(path, ":"):
		in, path = "    in: header\n", strings.TrimSuffix(path, ":")
	}
	return "  - on: " + route + "\n" + in + "    fields: {\"" + path + "\": none}   # or its category"
}
