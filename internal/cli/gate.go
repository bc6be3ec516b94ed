package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cordon/internal/api"
	"cordon/internal/exposure"
	"cordon/internal/figure"
	"cordon/internal/isolate"
)

// gateArgs are the words that cut, hold and restore have in common.
type gateArgs struct {
	Target string `arg:"" placeholder:"VENDOR[/ROUTE]" help:"The vendor, or one of its routes: acme-mail, \"acme-mail/POST /v3/mail/send\"."`
	Reason string `placeholder:"TEXT" help:"Why. A keyed digest of it goes into the ledger."`
	DryRun bool   `help:"Change nothing; show what would be."`
	Yes    bool   `short:"y" help:"Do not ask."`
}

type cutCmd struct{ gateArgs }
type holdCmd struct{ gateArgs }
type restoreCmd struct {
	gateArgs
	BreakGlass bool `help:"In an incident and without two approvals: run it once, and again after 15 minutes. Everybody sees it coming, and a cut stops it."`
}

func (cutCmd) Examples() []string {
	return []string{
		"cordon cut acme-mail --dry-run",
		"cordon cut acme-mail",
		"cordon cut 'acme-mail/POST /v3/mail/send' --yes --reason 'INC-4711'",
	}
}

func (cutCmd) Help() string {
	return `Connections to the vendor are closed, messages on their way are stopped, and
nothing is sent until 'cordon restore'. A cut survives a restart. Without a
server the gate's file is written and the next start comes up cut; when the
server does not answer within two seconds the file is written too, and a
gateway that still runs sees it at once.`
}

func (holdCmd) Examples() []string { return []string{"cordon hold acme-mail --yes"} }
func (restoreCmd) Examples() []string {
	return []string{"cordon restore acme-mail --dry-run", "cordon restore acme-mail", "cordon restore acme-mail --break-glass"}
}

func (restoreCmd) Help() string {
	return `A vendor without an open incident is restored by one person. With one it takes
approvals by two users in different roles (cordon incident approve INCIDENT
restore --token-file FILE), or --break-glass.`
}

func (c cutCmd) Run(e *Env) error     { return e.changeGate("cut", c.gateArgs, false) }
func (c holdCmd) Run(e *Env) error    { return e.changeGate("hold", c.gateArgs, false) }
func (c restoreCmd) Run(e *Env) error { return e.changeGate("restore", c.gateArgs, c.BreakGlass) }

func (e *Env) changeGate(verb string, args gateArgs, breakGlass bool) error {
	ctx, stop := interruptible()
	defer stop()
	name, route, _ := strings.Cut(args.Target, "/")
	request := api.GateRequest{Route: route, Reason: args.Reason, DryRun: args.DryRun, BreakGlass: breakGlass}
	if !args.DryRun && !args.Yes {
		if err := e.confirm(ctx, verb, name, route); err != nil {
			return err
		}
	}
	change, err := e.askGate(ctx, verb, name, request)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(change)
	}
	e.printChange(verb, args.Target, change)
	return nil
}

// confirm asks for the vendor's name, with the consequence in figures.
func (e *Env) confirm(ctx context.Context, verb, name, route string) error {
	target := name
	if route != "" {
		target = "'" + name + "/" + route + "'"
	}
	if !e.InTerminal {
		return &Fault{Code: exitUsage, What: fmt.Sprintf("%s asks before it acts, and nobody can be asked here", verb),
			Next: fmt.Sprintf("cordon %s %s --yes    (or --dry-run to see what would happen)", verb, target)}
	}
	if preview, err := e.askGate(ctx, verb, name, api.GateRequest{Route: route, DryRun: true}); err == nil {
		e.Say("%s", previewLine(verb, target, preview))
	}
	e.Say("Type %s to %s it:", name, verb)
	typed, _ := bufio.NewReader(e.In).ReadString('\n')
	if strings.TrimSpace(typed) != name {
		return &Fault{Code: exitUsage, What: "the name was not typed; nothing was changed"}
	}
	return nil
}

// patience is how long a cut waits for a server before it goes past it.
const patience = 2 * time.Second

// askGate has the change made by whoever can. Only a cut goes past a server
// that does not answer: closing is safe whoever does it, opening is not.
func (e *Env) askGate(ctx context.Context, verb, name string, r api.GateRequest) (api.GateChange, error) {
	if e.Flags.Server != "" || verb != "cut" || r.DryRun {
		o, err := e.connect(ctx)
		if err != nil {
			return api.GateChange{}, err
		}
		defer o.close()
		return o.ChangeGate(ctx, verb, name, r)
	}
	data, known, err := e.gateHouse(name)
	if err != nil {
		return api.GateChange{}, err
	}
	if !api.SocketAlive(data) {
		if !known {
			return api.GateChange{}, &Fault{Code: exitError, What: fmt.Sprintf("there is no vendor %q", name), Next: "cordon vendor list"}
		}
		return e.writeGate(data, name, r.Route, "no server runs: the next start comes up cut")
	}
	token, err := e.token()
	if err != nil {
		return api.GateChange{}, err
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	change, err := api.Socket(data, token).ChangeGate(limited, verb, name, r)
	if err == nil || limited.Err() == nil || ctx.Err() != nil {
		return change, err
	}
	if !known {
		return change, &Fault{Code: exitError, What: fmt.Sprintf("the server does not answer, and there is no vendor %q", name), Next: "cordon vendor list"}
	}
	return e.writeGate(data, name, r.Route,
		"the server did not answer within 2 s: its gate file is written, which a gateway that still runs obeys at once; connections were not counted")
}

// gateHouse finds the data directory, and whether it or a manifest knows the
// vendor. The emergency verb must not fail because a file of the configuration
// is broken: a gate file that lies where it should is then enough.
func (e *Env) gateHouse(name string) (data string, known bool, err error) {
	c, specs, err := e.load()
	if err == nil {
		for _, s := range specs {
			known = known || string(s.ID) == name
		}
		return c.Data, known, nil
	}
	data = e.Flags.Data
	if data == "" {
		data = filepath.Join(filepath.Dir(e.configPath()), "data")
	}
	if _, broken := isolate.ReadGate(data, exposure.VendorID(name), ""); errors.Is(broken, os.ErrNotExist) {
		return "", false, err
	}
	e.Say("warning: %v; cutting by the gate file in %s", err, data)
	return data, true, nil
}

func (e *Env) writeGate(data, name, route, why string) (api.GateChange, error) {
	done, err := isolate.WriteGate(data, exposure.VendorID(name), route, isolate.Cut)
	if err != nil {
		return api.GateChange{}, &Fault{Code: exitError, What: "writing the gate file: " + err.Error(),
			Next: "stop the server: nothing is forwarded then", Cause: err}
	}
	return api.GateChange{
		Vendor: name, Route: route, Epoch: uint64(done.Epoch), Gate: done.To.String(), Was: done.From.String(),
		TookMS: float64(done.Took.Microseconds()) / 1000, Pending: "closed, entry pending: the ledger learns of it at the next start",
		Unconfirmed: why,
	}, nil
}

func previewLine(verb, target string, p api.GateChange) string {
	switch verb {
	case "restore":
		line := fmt.Sprintf("%s is %s; restoring opens it and releases %s.", target, p.Was, figure.Count(p.Held, "held message", "held messages"))
		if p.Incident != "" {
			line += " " + p.Incident + " is open: it takes approvals by two users in different roles."
		}
		return line
	default:
		return fmt.Sprintf("%s is %s; this closes %s, stops %s on their way, and refuses %s.", target, p.Was,
			figure.Count(p.ConnectionsClosed, "connection", "connections"), figure.Count(len(p.Live), "message", "messages"),
			figure.Count(len(p.Routes), "route", "routes"))
	}
}

var past = map[string]string{"cut": "cut", "hold": "on hold:", "restore": "restored"}

func (e *Env) printChange(verb, target string, c api.GateChange) {
	if c.DryRun {
		e.Print("%s", previewLine(verb, target, c))
		for _, r := range c.Routes {
			e.Print("  %s", r)
		}
		e.Say("nothing was changed")
		return
	}
	switch {
	case c.Unconfirmed != "":
		e.Print("%s %s: gate file written in %s", past[verb], target, figure.Took(c.TookMS))
		e.Say("%s", c.Unconfirmed)
	case verb == "restore":
		e.Print("restored %s in %s: %s released", target, figure.Took(c.TookMS), figure.Count(c.Released, "message", "messages"))
	default:
		e.Print("%s %s in %s: %s closed, %s held", past[verb], target, figure.Took(c.TookMS),
			figure.Count(c.ConnectionsClosed, "connection", "connections"), figure.Count(c.Held, "message", "messages"))
	}
	if c.Pending != "" && c.Unconfirmed == "" {
		e.Say("%s", c.Pending)
	}
	var handed int64
	for _, l := range c.Live {
		handed += l.Bytes
	}
	if len(c.Live) > 0 {
		e.Say("%s stopped on their way; %s bytes of them had been handed over", figure.Count(len(c.Live), "message", "messages"), figure.Grouped(handed))
	}
	name := c.Vendor
	if verb == "restore" {
		e.Say("next: cordon status")
		return
	}
	width := len("cordon restore ") + len(name)
	e.Say("next: %-*s  # who was exposed", width, "cordon scope "+name)
	e.Say("      %-*s  # what is tried since", width, "cordon status")
	e.Say("      %-*s  # when it is safe", width, "cordon restore "+name)
}
