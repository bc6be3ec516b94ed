package cli

import (
	"os"
	"strings"
	"time"

	"cordon/internal/api"
	"cordon/internal/figure"
)

type vendorAttestCmd struct {
	Vendor     string `arg:"" help:"The vendor whose letter it is."`
	SentBefore string `placeholder:"TIME" help:"What it got before this instant is what it deleted."`
	DeletedAt  string `placeholder:"TIME" help:"When it had deleted it, as the letter states."`
	Route      string `placeholder:"ROUTE" help:"Only what it got by this route."`
	Statement  string `required:"" placeholder:"FILE" help:"The letter; its hash goes into the ledger."`
	Withdraw   uint64 `placeholder:"ENTRY" help:"Instead: the attestation of this entry does not stand."`
}

func (vendorAttestCmd) Examples() []string {
	return []string{
		"cordon vendor attest acme-mail --sent-before 2026-01-01 --deleted-at 2026-01-15 --statement letter.pdf",
		"cordon vendor attest acme-mail --withdraw 4711 --statement retraction.pdf",
	}
}

// Help says what the letter changes.
func (vendorAttestCmd) Help() string {
	return "From then on `cordon scope` leaves out what the vendor deleted before the window begins; who is only in that stands apart as excluded. " +
		"While an incident about the vendor is open, two users in different roles approve it first (`cordon incident approve`)."
}

func (c vendorAttestCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	r := api.Attest{Route: c.Route, Withdraws: c.Withdraw}
	var err error
	for _, at := range []struct {
		flag, text string
		into       *time.Time
	}{{"--sent-before", c.SentBefore, &r.SentBefore}, {"--deleted-at", c.DeletedAt, &r.DeletedAt}} {
		switch {
		case at.text == "" && c.Withdraw == 0:
			return &Fault{Code: exitUsage, What: at.flag + " is missing", Next: "cordon vendor attest --help"}
		case at.text != "" && c.Withdraw != 0:
			return &Fault{Code: exitUsage, What: at.flag + " and --withdraw exclude one another", Next: "cordon vendor attest --help"}
		}
		if *at.into, err = instant(at.flag, at.text, e.Now()); err != nil {
			return err
		}
	}
	if r.Statement, err = os.ReadFile(c.Statement); err != nil {
		return &Fault{Code: exitError, What: "reading the statement: " + err.Error(), Next: "name the vendor's letter", Cause: err}
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	a, err := o.AttestDeletion(ctx, c.Vendor, r)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(a)
	}
	if c.Withdraw != 0 {
		e.Print("entry %d: the attestation of entry %d does not stand any more", a.Entry, a.Withdraws)
		return nil
	}
	what := "what it got"
	if a.Route != "" {
		what += " by " + a.Route
	}
	e.Print("entry %d: %s deleted %s before %s, at %s", a.Entry, a.Vendor, what, figure.Instant(a.SentBefore), figure.Instant(a.DeletedAt))
	return nil
}

func (e *Env) printAttestations(v *api.VendorDetail) {
	if len(v.Attestations) == 0 {
		return
	}
	e.Print("")
	t := e.table(">entry", "attested deleted", "sent before", "deleted at", "by", "")
	for _, a := range v.Attestations {
		route, note := a.Route, ""
		if route == "" {
			route = "everything"
		}
		if a.Withdrawn {
			note = "withdrawn"
		}
		t.row(figure.Grouped(a.Entry), route, figure.Instant(a.SentBefore), figure.Instant(a.DeletedAt), a.By, note)
	}
	t.print()
}

func joined(list []string) string { return strings.Join(list, ", ") }
