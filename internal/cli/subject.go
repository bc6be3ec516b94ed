package cli

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"cordon/internal/api"
	"cordon/internal/figure"
	"cordon/internal/scope"
)

type subjectCmd struct {
	Identifier string `arg:"" placeholder:"IDENTIFIER" help:"An address, phone number, id or user name; - reads it from stdin, one a line, so that it stays out of the shell's history."`
	Kind       string `placeholder:"KIND" help:"email, phone, user_id, username or pseudonym, if it is not clear."`
	Vendor     string `placeholder:"VENDOR" help:"With --kind pseudonym: the vendor that knows it."`
	Report     string `placeholder:"FILE" help:"Also write the answer as a text that can be sent to the person (GDPR article 15)."`
	Links      bool   `xor:"what" help:"List by what identifiers became this person's, with the entries that showed it."`
	Unlink     bool   `xor:"what" help:"Undo a wrong link: from now on the identifier is somebody else's. What was recorded stays."`
	Reason     string `placeholder:"TEXT" help:"With --unlink: why. A keyed digest of it goes into the ledger."`
	DryRun     bool   `help:"With --unlink: show what would be undone."`
}

func (subjectCmd) Examples() []string {
	return []string{
		"cordon subject ada@example.org",
		"pbpaste | cordon subject -",
		"cordon subject - --report answer.md < address.txt",
		"cordon subject ada@example.org --unlink --dry-run",
	}
}

func (c subjectCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	list := []string{c.Identifier}
	if c.Identifier == "-" {
		data, err := e.readInput("the identifiers", 1<<20)
		if err != nil {
			return err
		}
		if list = strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' || r == '\r' }); len(list) == 0 {
			return &Fault{Code: exitUsage, What: "stdin holds no identifier", Next: "write one a line"}
		}
	}
	if len(list) > 1 && (c.Links || c.Unlink) {
		return &Fault{Code: exitUsage, What: "links are shown and undone for one identifier at a time"}
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	query := func(identifier string) api.SubjectQuery {
		return api.SubjectQuery{Identifier: strings.TrimSpace(identifier), Kind: c.Kind, Vendor: c.Vendor}
	}
	switch {
	case c.Links:
		return c.links(ctx, e, o, query(list[0]))
	case c.Unlink:
		return c.unlink(ctx, e, o, query(list[0]))
	}
	var report bytes.Buffer
	for i, identifier := range list {
		if strings.TrimSpace(identifier) == "" {
			continue
		}
		p, err := o.Subject(ctx, query(identifier))
		if err != nil {
			if len(list) > 1 { // which one, without printing it
				return fmt.Errorf("line %d: %w", i+1, err)
			}
			return err
		}
		if c.Report != "" {
			writeReport(&report, &p, o.name(), e.Now())
		}
		switch {
		case e.Flags.JSON && len(list) > 1:
			err = api.Encode(e.Out, p, false) // one a line, in the order of stdin
		case e.Flags.JSON:
			err = e.JSON(p)
		default:
			if i > 0 {
				e.Print("")
			}
			e.printSubject(&p)
		}
		if err != nil {
			return err
		}
	}
	if c.Report != "" {
		if err := os.WriteFile(c.Report, report.Bytes(), 0o600); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
		e.Say("wrote %s: it holds what vendors know of a person", c.Report)
	}
	return nil
}

// name is the organisation's, as far as this end knows it.
func (o *office) name() string {
	if o.config == nil {
		return ""
	}
	return o.config.Organization.Name
}

func (e *Env) printSubject(p *scope.Person) {
	if p.Subject == nil {
		e.Print("nobody is known here by this identifier: no message named it, nothing was declared about it, and the directory does not have it")
		e.Say("next: look whether it is written right; --kind says what it is")
		return
	}
	if len(p.Vendors) == 0 {
		e.Print("no vendor got anything about this person through Cordon, which knows only what was sent since it stood in a vendor's way, and what was declared")
		return
	}
	t := e.table("vendor", ">disclosures", "first", "last", "categories", "")
	for _, v := range p.Vendors {
		first, last, note := "", "", []string{}
		if v.Disclosures > 0 {
			first, last = figure.Instant(v.First), figure.Instant(v.Last)
		}
		if v.Declared != nil {
			note = append(note, "declared")
		}
		if !v.MayHold {
			note = append(note, "attested deleted")
		}
		categories := append([]string{}, v.Categories...)
		for _, key := range sortedKeys(v.Protected) {
			categories = append(categories, key+"="+v.Protected[key])
		}
		t.row(string(v.Vendor), figure.Grouped(v.Disclosures), first, last, strings.Join(categories, " "), strings.Join(note, ", "))
	}
	t.print()
	for _, v := range p.Vendors {
		if v.CoveredSince == nil {
			e.Print("%s: Cordon never stood in the way; what is not declared is not known", v.Vendor)
			continue
		}
		e.Print("%s: covered since %s, %s", v.Vendor, figure.Instant(*v.CoveredSince), figure.Count(len(v.Gaps), "gap", "gaps"))
		for _, g := range v.Gaps {
			e.Print("  gap %s to %s %s", figure.Instant(g.From), figure.Instant(g.To), g.Why)
		}
	}
}
