package cli

import (
	"context"
	"fmt"
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
	Vendor     string `arg:"" help:"The vendor."`
	Route      string `placeholder:"ROUTE" help:"Only this route: \"POST /v3/mail/send\"."`
	App        string `placeholder:"APP" help:"Only what this app sent."`
	Credential string `placeholder:"REF" help:"Only what this credential was used for."`
	Since      string `placeholder:"TIME" help:"From this instant on: 2026-02-03, 2026-02-03T10:00:00Z, or 24h, 7d ago."`
	Until      string `placeholder:"TIME" help:"Up to this instant."`
	Basis      string `default:"held" enum:"held,sent" placeholder:"held" help:"held: what the vendor may have held in the window; sent: what was sent inside it."`
	Export     string `placeholder:"FILE" help:"Also write the people by directory id, as CSV; recorded in the ledger."`
	Freeze     bool   `help:"Freeze the answer for an incident."`
}

func (scopeCmd) Examples() []string {
	return []string{
		"cordon scope acme-mail",
		"cordon scope acme-mail --since 2026-02-03T10:00:00Z --until 2026-02-05",
		"cordon scope acme-mail --since 30d --export exposed.csv",
	}
}

func (c scopeCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	if c.Freeze {
		return &Fault{Code: exitError, What: "this build cannot freeze a scope yet", Next: "freezing comes with incidents (`cordon incident`); keep the --json answer and its checkpoint meanwhile"}
	}
	q := api.ScopeQuery{Vendor: c.Vendor, Route: c.Route, App: c.App, Credential: c.Credential, Basis: c.Basis}
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
	a, err := o.Scope(ctx, q)
	if err != nil {
		return err
	}
	if c.Export != "" {
		if err := exportTo(ctx, c.Export, q, o); err != nil {
			return err
		}
		e.Say("wrote %s: whoever holds it holds a list of people", c.Export)
	}
	if e.Flags.JSON {
		return e.JSON(a)
	}
	e.printScope(a)
	return nil
}

// exportTo writes the file as a whole or not at all, readable by its owner.
func exportTo(ctx context.Context, path string, q api.ScopeQuery, o *office) error {
	fault := func(err error) error {
		return fmt.Errorf("exporting to %s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".cordon-export-*") // made with mode 0600
	if err != nil {
		return fault(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := o.ExportScope(ctx, q, f); err != nil {
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
	e.Print("  certain %s, possible %s; %s in no directory; %s",
		figure.Grouped(a.Certain), figure.Grouped(a.Possible), figure.Grouped(a.UnknownSubjects), figure.Count(a.Minors, "minor", "minors"))
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

func orDash(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

type subjectCmd struct {
	Identifier string `arg:"" placeholder:"IDENTIFIER" help:"An address, phone number, id or user name; - reads it from stdin, so that it stays out of the shell's history."`
	Kind       string `placeholder:"KIND" help:"email, phone, user_id, username or pseudonym, if it is not clear."`
	Vendor     string `placeholder:"VENDOR" help:"With --kind pseudonym: the vendor that knows it."`
	Links      bool   `xor:"what" help:"List by what identifiers became this person's, with the entries that showed it."`
	Unlink     bool   `xor:"what" help:"Undo a wrong link: from now on the identifier is somebody else's. What was recorded stays."`
	Reason     string `placeholder:"TEXT" help:"With --unlink: why. A keyed digest of it goes into the ledger."`
	DryRun     bool   `help:"With --unlink: show what would be undone."`
}

func (subjectCmd) Examples() []string {
	return []string{"cordon subject ada@example.org", "pbpaste | cordon subject -", "cordon subject ada@example.org --unlink --dry-run"}
}

func (c subjectCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	identifier := c.Identifier
	if identifier == "-" {
		data, err := e.readInput("the identifier", 1024)
		if err != nil {
			return err
		}
		identifier = strings.TrimSpace(string(data))
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	query := api.SubjectQuery{Identifier: identifier, Kind: c.Kind, Vendor: c.Vendor}
	switch {
	case c.Links:
		return c.links(ctx, e, o, query)
	case c.Unlink:
		return c.unlink(ctx, e, o, query)
	}
	p, err := o.Subject(ctx, query)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(p)
	}
	if len(p.Vendors) == 0 {
		e.Print("no vendor got anything about this person through Cordon")
		return nil
	}
	t := e.table("vendor", ">disclosures", "first", "last", "categories")
	for _, v := range p.Vendors {
		t.row(string(v.Vendor), figure.Grouped(v.Disclosures), figure.Instant(v.First), figure.Instant(v.Last), strings.Join(v.Categories, " "))
	}
	t.print()
	return nil
}
