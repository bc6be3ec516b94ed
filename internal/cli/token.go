package cli

import (
	"bufio"
	"fmt"
	"strings"

	"cordon/internal/api"
	"cordon/internal/figure"
)

type tokenCmd struct {
	Status tokenStatusCmd `cmd:"" aliases:"list" help:"Show what each vendor's tokens are made with, and how many it has."`
	Rotate tokenRotateCmd `cmd:"" help:"Begin a new epoch: the same value gives a vendor another token from now on."`
	Shred  tokenShredCmd  `cmd:"" help:"Make what a person's tokens stand for unreadable, for good."`
}

type tokenStatusCmd struct {
	Vendor string `arg:"" optional:"" help:"Only this vendor, with its epochs."`
}

func (tokenStatusCmd) Examples() []string {
	return []string{"cordon token status", "cordon token list acme-mail --json"}
}

func (c tokenStatusCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	status, err := o.TokenStatus(ctx)
	if err != nil {
		return err
	}
	if c.Vendor != "" {
		one := api.TokenStatus{Vendors: []api.TokenVendor{}}
		for _, v := range status.Vendors {
			if v.Vendor == c.Vendor {
				one.Vendors = append(one.Vendors, v)
			}
		}
		if status = one; len(one.Vendors) == 0 {
			return &Fault{Code: exitError, What: fmt.Sprintf("there is no vendor %q", c.Vendor), Next: "cordon vendor list"}
		}
	}
	if e.Flags.JSON {
		return e.JSON(status)
	}
	if c.Vendor != "" {
		t := e.table(">epoch", "since", ">tokens")
		for _, p := range status.Vendors[0].Epochs {
			t.row(fmt.Sprint(p.Epoch), figure.Instant(p.Since), figure.Grouped(p.Tokens))
		}
		if len(status.Vendors[0].Epochs) == 0 {
			e.Print("no tokens yet")
			return nil
		}
		t.print()
		return nil
	}
	t := e.table("vendor", ">epoch", ">tokens", "reveals")
	for _, v := range status.Vendors {
		t.row(v.Vendor, fmt.Sprint(v.Epoch), figure.Grouped(v.Tokens), strings.Join(v.Reveals, ", "))
	}
	t.print()
	return nil
}

type tokenRotateCmd struct {
	Vendor string `arg:"" help:"The vendor."`
	Reason string `placeholder:"TEXT" help:"Why; only its keyed digest is recorded."`
	DryRun bool   `name:"dry-run" help:"Say what would happen, and change nothing."`
}

func (tokenRotateCmd) Examples() []string {
	return []string{"cordon token rotate acme-mail --dry-run", "cordon token rotate acme-mail --reason INC-4711"}
}

func (c tokenRotateCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	r, err := o.RotateTokens(ctx, c.Vendor, api.TokenRotate{Reason: c.Reason, DryRun: c.DryRun})
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(r)
	}
	if r.DryRun {
		e.Print("%s would go from epoch %d to %d: the same people would get other tokens there, and its %s would stay resolvable",
			r.Vendor, r.Was, r.Epoch, figure.Count(r.Tokens, "token", "tokens"))
		return nil
	}
	e.Print("%s is in epoch %d since entry %d; %s of before stay resolvable", r.Vendor, r.Epoch, r.Entry, figure.Count(r.Tokens, "token", "tokens"))
	return nil
}

type tokenShredCmd struct {
	Identifier string `arg:"" help:"An e-mail address, a phone number or an id of the person."`
	Kind       string `placeholder:"KIND" help:"What it is: email, phone, user_id, username, pseudonym. Absent: guessed."`
	Vendor     string `placeholder:"VENDOR" help:"The vendor that a pseudonym is of."`
	Reason     string `required:"" placeholder:"TEXT" help:"Why; only its keyed digest is recorded."`
	DryRun     bool   `name:"dry-run" help:"Say what would happen, and change nothing."`
	Yes        bool   `short:"y" help:"Do not ask."`
}

func (tokenShredCmd) Examples() []string {
	return []string{"cordon token shred ada@photos.example --reason 'erasure request 17' --dry-run", "cordon token shred u-4711 --kind user_id --reason 'erasure request 17' --yes"}
}

func (c tokenShredCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	if strings.TrimSpace(c.Reason) == "" {
		return &Fault{Code: exitUsage, What: "the reason is empty", Next: "cordon token shred IDENTIFIER --reason TEXT"}
	}
	if !c.DryRun && !c.Yes {
		if e.Flags.JSON || !e.InTerminal {
			return &Fault{Code: exitUsage, What: "shredding cannot be undone, and nobody can be asked here", Next: "add --yes    (or --dry-run to see what would happen)"}
		}
		e.Say("What this person's tokens stand for will be unreadable for good, at every vendor. Type yes:")
		typed, _ := bufio.NewReader(e.In).ReadString('\n')
		if strings.TrimSpace(typed) != "yes" {
			return &Fault{Code: exitUsage, What: "yes was not typed; nothing was changed"}
		}
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	s, err := o.ShredTokens(ctx, api.TokenShred{
		SubjectQuery: api.SubjectQuery{Identifier: c.Identifier, Kind: c.Kind, Vendor: c.Vendor}, Reason: c.Reason, DryRun: c.DryRun,
	})
	if err != nil {
		return err
	}
	switch {
	case e.Flags.JSON:
		return e.JSON(s)
	case s.Keys == 0:
		e.Print("nothing of this person is sealed under a token")
	case s.DryRun:
		e.Print("the person's key would be deleted, and none of their tokens would lead back to them")
	default:
		e.Print("the person's key is deleted (entry %d): none of their tokens leads back to them", s.Entry)
		e.Say("next: backups of the data directory hold the sealed key until they expire; a later message about the person begins anew")
	}
	return nil
}
