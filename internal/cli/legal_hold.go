package cli

import (
	"cordon/internal/api"
	"cordon/internal/figure"
)

type legalHoldCmd struct {
	Set  legalHoldSetCmd  `cmd:"" help:"Suspend erasure and expiry of what a case needs."`
	Lift legalHoldLiftCmd `cmd:"" help:"Lift a hold: what it suspended goes on."`
	List legalHoldListCmd `cmd:"" help:"List the holds that stand, and the incidents that hold as well."`
}

type legalHoldSetCmd struct {
	Hold   string `arg:"" placeholder:"NAME" help:"A name for the hold, such as case-17."`
	Vendor string `xor:"what" placeholder:"VENDOR" help:"Hold only what this vendor got."`
	Person string `xor:"what" placeholder:"IDENT" help:"Hold only one person; - reads the identifier from stdin."`
	Kind   string `placeholder:"KIND" help:"With --person: email, phone, user_id or username, if it is not clear."`
	Reason string `placeholder:"TEXT" help:"Why; sealed beside the ledger, which holds its keyed digest."`
}

func (legalHoldSetCmd) Examples() []string {
	return []string{"cordon legal-hold set case-17 --vendor acme-mail --reason 'letter of 3 May'", "cordon legal-hold set case-18 --person ada@photos.example"}
}

func (c legalHoldSetCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	person := c.Person
	if person == "-" {
		list, err := eraseCmd{Identifier: "-"}.identifiers(e)
		if err != nil {
			return err
		}
		if len(list) != 1 {
			return &Fault{Code: exitUsage, What: "stdin holds more than one identifier", Next: "set one hold a person"}
		}
		person = list[0]
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	h, err := o.SetLegalHold(ctx, api.LegalHoldRequest{Hold: c.Hold, Vendor: c.Vendor, Identifier: person, Kind: c.Kind, Reason: c.Reason})
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(h)
	}
	e.Print("%s stands (entry %d): %s is neither erased nor does it expire", h.Hold, h.Entry, heldWhat(h))
	return nil
}

// heldWhat says what a hold concerns.
func heldWhat(h api.LegalHold) string {
	switch {
	case h.Vendor != "":
		return "what " + h.Vendor + " got"
	case h.Subject != "":
		return "the person " + h.Subject
	}
	return "everything"
}

type legalHoldLiftCmd struct {
	Hold   string `arg:"" placeholder:"NAME" help:"The hold."`
	Reason string `placeholder:"TEXT" help:"Why; sealed beside the ledger."`
}

func (legalHoldLiftCmd) Examples() []string {
	return []string{"cordon legal-hold lift case-17 --reason 'settled'"}
}

func (c legalHoldLiftCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	h, err := o.LiftLegalHold(ctx, c.Hold, api.LegalHoldRequest{Reason: c.Reason})
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(h)
	}
	e.Print("%s is lifted (entry %d)", h.Hold, h.Entry)
	return nil
}

type legalHoldListCmd struct{}

func (legalHoldListCmd) Examples() []string { return []string{"cordon legal-hold list"} }

func (legalHoldListCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	l, err := o.LegalHolds(ctx)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(l)
	}
	if len(l.Holds)+len(l.Incidents) == 0 {
		e.Print("nothing is held")
		return nil
	}
	t := e.table("hold", "what", "since", "by", "reason")
	for _, h := range l.Holds {
		t.row(h.Hold, heldWhat(h), figure.Instant(h.Since), h.Actor, h.Reason)
	}
	for _, id := range l.Incidents {
		t.row(id, "what concerns this open incident", "", "", "")
	}
	t.print()
	return nil
}
