package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"cordon/internal/api"
	"cordon/internal/figure"
)

type incidentCmd struct {
	Open     incidentOpenCmd     `cmd:"" help:"Open an incident about a vendor, and freeze who was exposed."`
	List     incidentListCmd     `cmd:"" help:"List the incidents."`
	Show     incidentShowCmd     `cmd:"" help:"Show one: facts, scope, steps that wait, timeline."`
	Fact     incidentFactCmd     `cmd:"" help:"State or correct facts: times, risk, what was hurt."`
	Note     incidentNoteCmd     `cmd:"" help:"Add a free text; it is sealed, and may be shredded."`
	Timeline incidentTimelineCmd `cmd:"" help:"Show everything that happened, in the order in which it happened."`
	Accessed incidentAccessedCmd `cmd:"" help:"Take in a list of what was accessed: whom it names is certain from then on."`
	Scope    incidentScopeCmd    `cmd:"" help:"Freeze a new scope; narrowing one takes approvals."`
	Approve  incidentApproveCmd  `cmd:"" help:"Approve a step, as one of two users in different roles."`
	Close    incidentCloseCmd    `cmd:"" help:"Close an incident."`
	Reopen   incidentReopenCmd   `cmd:"" help:"Take a closing back."`
}

func (incidentCmd) Help() string {
	return `Responders, counsel and administrators open and keep incidents; everybody who
may log in sees them. Restoring the vendor of an open incident, narrowing its
scope and closing it while the gate is closed take approvals by two users in
different roles.`
}

type incidentOpenCmd struct {
	Vendor string `required:"" placeholder:"VENDOR" help:"The vendor."`
	Aware  string `placeholder:"TIME" help:"When you became aware: 2026-02-05T18:30:00-08:00, now, or 2h ago. Most legal clocks begin here."`
	Since  string `placeholder:"TIME" help:"From when on the vendor was exposed; absent: always, and the timeline takes in the month before, what the vendor held and what it deleted."`
	Until  string `placeholder:"TIME" help:"Until when; absent: still."`
	Again  bool   `help:"Open another one although the vendor has an open incident."`
	DryRun bool   `help:"Open nothing; show what would be."`
}

func (incidentOpenCmd) Examples() []string {
	return []string{
		"cordon incident open --vendor acme-mail --aware now",
		"cordon incident open --vendor acme-mail --aware 2026-02-05T18:30:00-08:00 --since 2026-02-03 --json",
		"cordon incident open --vendor acme-mail --dry-run",
	}
}

func (c incidentOpenCmd) Run(e *Env) error {
	r := api.IncidentOpen{Vendor: c.Vendor, Again: c.Again, DryRun: c.DryRun}
	var err error
	if r.Since, err = optionalInstant("--since", c.Since, e.Now()); err != nil {
		return err
	}
	if r.Until, err = optionalInstant("--until", c.Until, e.Now()); err != nil {
		return err
	}
	if c.Aware != "" {
		aware, err := instant("--aware", c.Aware, e.Now())
		if err != nil {
			return err
		}
		r.Facts = map[string]string{"aware": aware.Format(time.RFC3339Nano)}
	}
	return e.incident(func(ctx context.Context, o *office) (api.Incident, error) { return o.OpenIncident(ctx, r) })
}

// optionalInstant is nil without a text.
func optionalInstant(flag, text string, now time.Time) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	t, err := instant(flag, text, now)
	return &t, err
}

type incidentListCmd struct {
	Vendor string `placeholder:"VENDOR" help:"Only this vendor's."`
}

func (incidentListCmd) Examples() []string { return []string{"cordon incident list"} }

func (c incidentListCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	list, err := o.Incidents(ctx, c.Vendor)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(list)
	}
	if len(list.Incidents) == 0 {
		e.Print("no incidents")
		return nil
	}
	t := e.table("incident", "vendor", "state", "opened", "by", "aware", "risk", "waiting for approval")
	for _, i := range list.Incidents {
		t.row(i.Incident, i.Vendor, i.State, figure.Instant(i.Opened), i.OpenedBy, orNone(wholeSeconds(i.Facts["aware"])), orNone(i.Facts["risk"]), strings.Join(i.Waiting, ", "))
	}
	t.print()
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// incidentArg is the incident that a verb is about.
type incidentArg struct {
	Incident string `arg:"" placeholder:"INCIDENT" help:"The incident: inc-1."`
}

type incidentShowCmd struct{ incidentArg }

func (incidentShowCmd) Examples() []string { return []string{"cordon incident show inc-1 --json"} }

func (c incidentShowCmd) Run(e *Env) error {
	return e.incident(func(ctx context.Context, o *office) (api.Incident, error) { return o.Incident(ctx, c.Incident) })
}

type incidentTimelineCmd struct{ incidentArg }

func (incidentTimelineCmd) Examples() []string { return []string{"cordon incident timeline inc-1"} }

func (c incidentTimelineCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	i, err := o.Incident(ctx, c.Incident)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(i)
	}
	e.printTimeline(i)
	return nil
}

type incidentFactCmd struct {
	incidentArg
	Facts      []string `arg:"" placeholder:"KEY=VALUE" help:"Such as aware=2026-02-05T18:30:00-08:00, risk=high, malicious=true; KEY= takes a fact back."`
	Discovered string   `placeholder:"TIME" help:"When this became known, where the facts do not say it themselves."`
}

func (incidentFactCmd) Examples() []string {
	return []string{
		"cordon incident fact inc-1 occurred=2026-02-03T10:00:00Z risk=high",
		"cordon incident fact inc-1 aware=now",
		"cordon incident fact inc-1 determined=",
	}
}

func (incidentFactCmd) Help() string {
	return `Times: occurred, vendor_told_us, aware, determined, assessed, material,
classified, initial_filed, notification_filed, intermediate_filed, notice_sent;
with their zone, or now, or 2h for so long ago. risk: unassessed, unlikely, risk,
high. confidentiality, integrity, availability, malicious, external, encrypted,
key_taken: true or false. The newest counts; the timeline shows all.`
}

func (c incidentFactCmd) Run(e *Env) error {
	r := api.IncidentFacts{Facts: map[string]string{}}
	for _, f := range c.Facts {
		name, value, ok := strings.Cut(f, "=")
		if !ok {
			return &Fault{Code: exitUsage, What: fmt.Sprintf("%q is no KEY=VALUE", f), Next: "write risk=high, or cordon incident fact --help"}
		}
		if _, twice := r.Facts[name]; twice {
			return &Fault{Code: exitUsage, What: name + " is given twice", Next: "give it once"}
		}
		if value == "now" {
			value = e.Now().Format(time.RFC3339)
		} else if d, err := time.ParseDuration(value); err == nil && d >= 0 {
			value = e.Now().Add(-d).Format(time.RFC3339)
		}
		r.Facts[name] = value
	}
	var err error
	if r.Discovered, err = optionalInstant("--discovered", c.Discovered, e.Now()); err != nil {
		return err
	}
	return e.incident(func(ctx context.Context, o *office) (api.Incident, error) { return o.SetFacts(ctx, c.Incident, r) })
}

type incidentNoteCmd struct {
	incidentArg
	Text string `arg:"" placeholder:"TEXT" help:"The text; - reads it from stdin, so that it stays out of the shell's history."`
}

func (incidentNoteCmd) Examples() []string {
	return []string{"cordon incident note inc-1 'their forensic report is promised for Friday'"}
}

func (c incidentNoteCmd) Run(e *Env) error {
	text := c.Text
	if text == "-" {
		data, err := e.readInput("the note", 4000)
		if err != nil {
			return err
		}
		text = strings.TrimSpace(string(data))
	}
	return e.incident(func(ctx context.Context, o *office) (api.Incident, error) {
		return o.AddNote(ctx, c.Incident, api.IncidentText{Text: text})
	})
}

type incidentAccessedCmd struct {
	incidentArg
	File string `arg:"" placeholder:"FILE" help:"The file as it came: CSV or JSON lines with identifiers, or a log; - for stdin."`
	Kind string `default:"records" enum:"records,examiner,vendor-log,token,canary" placeholder:"records" help:"What it is: records (or examiner: a list of records), vendor-log, token, canary."`
}

func (incidentAccessedCmd) Examples() []string {
	return []string{"cordon incident accessed inc-1 acme-accessed.csv", "cordon incident accessed inc-1 access.log --kind vendor-log --json"}
}

func (c incidentAccessedCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	in, size := e.In, int64(0)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return &Fault{Code: exitError, What: err.Error(), Next: "name a file that exists", Cause: err}
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
		in = f
	}
	kind := c.Kind
	if kind == "examiner" {
		kind = "records"
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	bar := e.progress(size)
	a, err := o.IncidentAccessed(ctx, c.Incident, kind, bar.reader(in))
	bar.done()
	if err != nil {
		return err
	}
	for _, w := range a.Warnings {
		e.Say("warning: %s", w)
	}
	if e.Flags.JSON {
		return e.JSON(a)
	}
	e.Print("%s of %s named somebody: %s; about %s of them %s may have held something", figure.Grouped(a.Matched), figure.Count(a.Rows, "row", "rows"),
		figure.Count(a.People, "person", "people"), figure.Grouped(a.Certain), a.Vendor)
	if a.NotHeld > 0 {
		e.Print("nothing about the other %s ever went to %s through Cordon, and nothing was declared: ask where the list has them from", figure.Grouped(a.NotHeld), a.Vendor)
	}
	e.Print("certain from now on: %s", figure.Grouped(a.Certain))
	if a.UnmatchedRows > 0 {
		e.Print("%s named nobody known", figure.Count(a.UnmatchedRows, "row", "rows"))
		e.Say("--json lists them by line")
	}
	if a.Frozen != "" {
		e.Say("frozen anew as %s, in which %s certain", a.Frozen, figure.Count(a.FrozenCertain, "person is", "people are"))
	}
	e.Say("next: cordon incident show %s", c.Incident)
	return nil
}

type incidentScopeCmd struct {
	incidentArg
	Since   string `placeholder:"TIME" help:"From when on the vendor was exposed; absent: as before."`
	Until   string `placeholder:"TIME" help:"Until when; absent: as before."`
	AllTime bool   `help:"Take both bounds away first."`
}

func (incidentScopeCmd) Examples() []string {
	return []string{"cordon incident scope inc-1", "cordon incident scope inc-1 --since 2026-01-01"}
}

func (c incidentScopeCmd) Run(e *Env) error {
	w := api.IncidentWindow{AllTime: c.AllTime}
	var err error
	if w.Since, err = optionalInstant("--since", c.Since, e.Now()); err != nil {
		return err
	}
	if w.Until, err = optionalInstant("--until", c.Until, e.Now()); err != nil {
		return err
	}
	return e.incident(func(ctx context.Context, o *office) (api.Incident, error) {
		return o.FreezeIncident(ctx, c.Incident, w)
	})
}

type incidentApproveCmd struct {
	incidentArg
	Step   string `arg:"" placeholder:"STEP" help:"The step, as 'incident show' names it: restore, 'restore/POST /v3/mail/send', scope, attest, close."`
	Digest string `placeholder:"HEX" help:"Which plan: 'incident show' prints it. Needed where one has taken the place of another."`
}

func (incidentApproveCmd) Examples() []string {
	return []string{"cordon incident approve inc-1 restore --token-file dana.token"}
}

func (c incidentApproveCmd) Run(e *Env) error {
	return e.incident(func(ctx context.Context, o *office) (api.Incident, error) {
		return o.ApproveStep(ctx, c.Incident, api.IncidentApproval{Step: c.Step, Digest: c.Digest})
	})
}

// incidentReason is why something was decided.
type incidentReason struct {
	Reason string `placeholder:"TEXT" help:"Why; sealed, with a keyed digest in the ledger."`
}

type incidentCloseCmd struct {
	incidentArg
	incidentReason
}

func (incidentCloseCmd) Examples() []string {
	return []string{"cordon incident close inc-1 --reason 'report received, nothing left to do'"}
}

func (c incidentCloseCmd) Run(e *Env) error {
	return e.incident(func(ctx context.Context, o *office) (api.Incident, error) {
		return o.CloseIncident(ctx, c.Incident, api.IncidentText{Text: c.Reason})
	})
}

type incidentReopenCmd struct {
	incidentArg
	incidentReason
}

func (incidentReopenCmd) Examples() []string { return []string{"cordon incident reopen inc-1"} }

func (c incidentReopenCmd) Run(e *Env) error {
	return e.incident(func(ctx context.Context, o *office) (api.Incident, error) {
		return o.ReopenIncident(ctx, c.Incident, api.IncidentText{Text: c.Reason})
	})
}
