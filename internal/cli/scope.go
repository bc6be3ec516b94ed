package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"cordon/internal/api"
	"cordon/internal/figure"
	"cordon/internal/scope"
)

type scopeCmd struct {
	Vendor     string `arg:"" optional:"" help:"The vendor."`
	Route      string `placeholder:"ROUTE" help:"Only this route: \"POST /v3/mail/send\"."`
	App        string `placeholder:"APP" help:"Only what this app sent."`
	Credential string `placeholder:"REF" help:"Only what this credential was used for."`
	Since      string `placeholder:"TIME" help:"From this instant on: 2026-02-03, 2026-02-03T10:00:00Z, or 24h, 7d ago."`
	Until      string `placeholder:"TIME" help:"Up to this instant."`
	Basis      string `default:"held" enum:"held,sent" placeholder:"held" help:"held: what the vendor may have held in the window; sent: what was sent inside it."`
	Export     string `placeholder:"FILE" help:"Also write the people by directory id, as CSV; recorded in the ledger."`
	Incident   string `placeholder:"I" help:"Certain is only whom this incident's lists name; with --freeze the scope becomes one of the incident's."`
	Freeze     bool   `help:"Keep the answer and the people whom it counts, under an id that duties, notices and evidence cite."`
	Frozen     string `placeholder:"ID" help:"Instead: print a frozen scope as it was, checked against the ledger."`
}

func (scopeCmd) Examples() []string {
	return []string{
		"cordon scope acme-mail",
		"cordon scope acme-mail --since 2026-02-03T10:00:00Z --until 2026-02-05",
		"cordon scope acme-mail --since 30d --export exposed.csv",
		"cordon scope acme-mail --since 2026-02-03 --until 2026-02-05 --freeze --incident inc-1",
		"cordon scope --frozen scope-1 --json",
		"cordon scope --frozen scope-1 --export told.csv",
	}
}

func (c scopeCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	if c.Frozen != "" {
		return c.frozen(ctx, e)
	}
	if c.Vendor == "" {
		return &Fault{Code: exitUsage, What: "a scope is of a vendor", Next: "cordon scope VENDOR; `cordon vendor list` names them"}
	}
	q := api.ScopeQuery{Vendor: c.Vendor, Route: c.Route, App: c.App, Credential: c.Credential, Basis: c.Basis, Incident: c.Incident}
	var err error
	if q.Since, err = instant("--since", c.Since, e.Now()); err != nil {
		return err
	}
	if q.Until, err = instant("--until", c.Until, e.Now()); err != nil {
		return err
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	ask := o.Scope
	if c.Freeze {
		ask = o.FreezeScope
	}
	a, err := ask(ctx, q)
	if err != nil {
		return err
	}
	if c.Export != "" {
		if err := exportTo(e, c.Export, a.Subjects, func(w io.Writer) error { return o.ExportScope(ctx, q, w) }); err != nil {
			return err
		}
	}
	if e.Flags.JSON {
		return e.JSON(a)
	}
	e.printScope(a)
	return nil
}

// frozen prints what was frozen; what else was asked would be another answer.
func (c scopeCmd) frozen(ctx context.Context, e *Env) error {
	if c.Vendor+c.Route+c.App+c.Credential+c.Since+c.Until+c.Incident != "" || c.Freeze {
		return &Fault{Code: exitUsage, What: "a frozen scope is printed as it was, and takes no other question", Next: "cordon scope --frozen " + c.Frozen + ", with --export FILE for its people"}
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	a, err := o.FrozenScope(ctx, c.Frozen)
	if err != nil {
		return err
	}
	if c.Export != "" {
		if err := exportTo(e, c.Export, a.Subjects, func(w io.Writer) error { return o.ExportFrozen(ctx, c.Frozen, w) }); err != nil {
			return err
		}
	}
	if e.Flags.JSON {
		return e.JSON(a)
	}
	e.printScope(a)
	return nil
}

// exportTo writes the file as a whole or not at all, readable by its owner.
func exportTo(e *Env, path string, people uint64, write func(io.Writer) error) error {
	fault := func(err error) error {
		return fmt.Errorf("exporting to %s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".cordon-export-*") // made with mode 0600
	if err != nil {
		return fault(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	lines := &lineProgress{env: e, total: people, started: e.Now()}
	err = write(io.MultiWriter(f, lines))
	lines.done()
	if err != nil {
		return fault(err)
	}
	if err := f.Sync(); err != nil {
		return fault(err)
	}
	if err := f.Close(); err != nil {
		return fault(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fault(err)
	}
	e.Say("wrote %s: whoever holds it holds a list of people", path)
	return nil
}

// instant reads what people write for a time. Without a zone it is UTC, so
// that two readers in two places mean the same.
func instant(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if text == "now" {
		return now, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &Fault{Code: exitUsage, What: fmt.Sprintf("%s %q is no time", flag, text), Next: "write 2026-02-03, 2026-02-03T10:00:00Z, or 24h or 7d for so long ago"}
}

func (e *Env) printScope(a scope.Answer) {
	window := "all time"
	switch {
	case !a.Since.IsZero() && !a.Until.IsZero():
		window = figure.Instant(a.Since) + " to " + figure.Instant(a.Until)
	case !a.Since.IsZero():
		window = "since " + figure.Instant(a.Since)
	case !a.Until.IsZero():
		window = "until " + figure.Instant(a.Until)
	}
	e.Print("%s", e.Colour(bold, fmt.Sprintf("%s of %s, %s (%s)", figure.Count(a.Subjects, "person", "people"), a.Vendor, window, a.Basis)))
	if a.Frozen != "" {
		e.Print("  frozen as %s", e.Colour(bold, a.Frozen))
	}
	e.Print("  certain %s, possible %s; %s in no directory; %s",
		figure.Grouped(a.Certain), figure.Grouped(a.Possible), figure.Grouped(a.UnknownSubjects), figure.Count(a.Minors, "minor", "minors"))
	if a.Declared > 0 {
		e.Print("  %s of them known by declaration only", figure.Grouped(a.Declared))
	}
	if a.DeclaredLeftOut {
		e.Print("  who is known by declaration is left out: nobody knows by which way the vendor got that")
	}
	if len(a.Unfinished) > 0 {
		e.Print("  %s a declaration was begun and never finished (entries %s): people may be missing; run `cordon ledger backfill %s FILE` again",
			e.Colour(yellow, "warning:"), numbers(a.Unfinished), a.Vendor)
	}
	for _, x := range a.Excluded {
		e.Print("  not counted: %s, %s (entries %s)", figure.Count(x.Subjects, "person", "people"), strings.ReplaceAll(x.Reason, "-", " "), numbers(x.Entries))
	}
	e.Print("  %s, of which %s could not be read fully", figure.Count(a.Disclosures, "disclosure", "disclosures"), figure.Grouped(a.IncompleteMessages))
	if a.CoveredSince == nil {
		e.Print("  Cordon never stood in this vendor's way")
	} else {
		e.Print("  covered since %s, %s", figure.Instant(*a.CoveredSince), figure.Count(len(a.Gaps), "gap", "gaps"))
	}
	for _, g := range a.Gaps {
		e.Print("    gap %s to %s %s", figure.Instant(g.From), figure.Instant(g.To), g.Why)
	}
	if len(a.Categories)+len(a.Protected) > 0 {
		e.Print("")
		t := e.table("category", "form", ">people")
		for _, c := range a.Categories {
			t.row(c.Category, "clear", figure.Grouped(c.Subjects))
		}
		for _, c := range a.Protected {
			t.row(c.Category, c.Form, figure.Grouped(c.Subjects))
		}
		t.print()
	}
	if len(a.Countries) > 0 {
		e.Print("")
		t := e.table("country", ">people")
		for _, c := range a.Countries[:min(10, len(a.Countries))] {
			t.row(orDash(c.Country), figure.Grouped(c.Subjects))
		}
		t.print()
		if rest := len(a.Countries) - 10; rest > 0 {
			e.Print("and %s more (--json has them)", count(rest, "country", "countries"))
		}
	}
	e.Print("")
	if len(a.NeverExposed) > 0 {
		e.Print("never exposed: %s", count(len(a.NeverExposed), "category", "categories")+" (--json lists them)")
	} else {
		e.Print("never exposed: nothing can be proved")
		for _, why := range a.NotProved {
			e.Print("  %s", why)
		}
	}
	e.Say("answered in %s from %s", figure.Took(a.TookMS), figure.Count(a.Entries, "entry", "entries"))
}

func numbers(list []uint64) string {
	words := make([]string, 0, len(list))
	for _, n := range list {
		words = append(words, strconv.FormatUint(n, 10))
	}
	return strings.Join(words, ", ")
}

func orDash(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
