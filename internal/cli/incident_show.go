package cli

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"cordon/internal/api"
	"cordon/internal/figure"
)

// incident does one thing with an incident and prints what it is then.
func (e *Env) incident(do func(context.Context, *office) (api.Incident, error)) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	i, err := do(ctx, o)
	if err != nil {
		return err
	}
	for _, w := range i.Warnings {
		e.Say("warning: %s", w)
	}
	if e.Flags.JSON {
		return e.JSON(i)
	}
	e.printIncident(i)
	return nil
}

func (e *Env) printIncident(i api.Incident) {
	state := i.State
	if i.Closed != nil {
		state += " " + figure.Instant(*i.Closed)
	}
	e.Print("%s", e.Colour(bold, i.Incident+"  "+i.Vendor+", "+state))
	e.Print("  opened %s by %s; the gate is %s", figure.Instant(i.Opened), i.OpenedBy, e.gateWord(i.Gate))
	from, to := "ever", "now"
	if i.Since != nil {
		from = figure.Instant(*i.Since)
	}
	if i.Until != nil {
		to = figure.Instant(*i.Until)
	}
	e.Print("  exposed from %s to %s", from, to)
	if s := i.Scope; s != nil {
		frozen := "not frozen"
		if n := len(i.Scopes); n > 0 {
			frozen = "frozen as " + i.Scopes[n-1]
		}
		e.Print("  %s (%s certain, %s possible), %s", figure.Count(s.Subjects, "person", "people"), figure.Grouped(s.Certain), figure.Grouped(s.Possible), frozen)
	}
	if len(i.Facts) > 0 {
		e.Print("")
		t := e.table("fact", "value")
		for _, name := range slices.Sorted(maps.Keys(i.Facts)) {
			t.row(name, wholeSeconds(i.Facts[name]))
		}
		t.print()
	}
	if len(i.Steps) > 0 {
		e.Print("")
		t := e.table("step", "state", "approved by", "what")
		for _, s := range i.Steps {
			var by []string
			for _, a := range s.Approvals {
				by = append(by, a.By+" ("+a.Role+")")
			}
			if s.GlassOpens != nil {
				by = append(by, "glass broken by "+s.GlassBy+", opens "+figure.Instant(*s.GlassOpens))
			}
			t.row(s.Step, s.State, strings.Join(by, ", "), s.Detail)
		}
		t.print()
	}
	if len(i.Timeline) > 0 {
		e.Print("")
		e.printTimeline(i)
	}
	e.incidentNext(i)
}

func (e *Env) printTimeline(i api.Incident) {
	t := e.table("at", "discovered", "recorded", "actor", "what", ">entry")
	for _, m := range i.Timeline {
		what := m.What
		if name, value, ok := strings.Cut(what, ": "); ok {
			what = name + ": " + wholeSeconds(value)
		}
		if m.Text != "" {
			what += ": " + m.Text
		}
		if m.Superseded {
			what += " (superseded)"
		}
		t.row(figure.Instant(m.At), later(m.At, m.Discovered), later(m.At, m.Recorded), m.Actor, what, figure.Grouped(m.Entry))
	}
	t.print()
}

// later is an instant where it is another than the first: most lines have one.
func later(at, t time.Time) string {
	if t.Equal(at) {
		return ""
	}
	return figure.Instant(t)
}

// wholeSeconds is a fact as it is read: instants without their fraction, in the
// zone in which they were stated.
func wholeSeconds(value string) string {
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return value
	}
	return t.Format(time.RFC3339)
}

// approvedNext is what to run once a step is approved: nothing does it by itself.
func approvedNext(i api.Incident, step string) string {
	route, ofRoute := strings.CutPrefix(step, "restore/")
	switch {
	case step == "restore":
		return "cordon restore " + i.Vendor
	case ofRoute:
		return "cordon restore " + shellWord(i.Vendor+"/"+route)
	case step == "scope":
		return "cordon incident scope " + i.Incident + ", as it was asked for"
	case step == "attest":
		return "cordon vendor attest " + i.Vendor + ", as it was asked for"
	case step == "close":
		return "cordon incident close " + i.Incident
	}
	return "what was asked for, once more"
}

func (e *Env) incidentNext(i api.Incident) {
	approved := false
	for _, s := range i.Steps {
		if s.State == "approved" && i.State == "open" {
			approved = true
			e.Say("%s is approved; next: %s", s.Step, approvedNext(i, s.Step))
		}
	}
	for _, s := range i.Steps {
		if s.State == "waiting" {
			which := ""
			if len(s.Digest) > 16 && (s.Step == "scope" || s.Step == "attest") { // their names do not say what they are
				which = " --digest " + s.Digest[:16]
			}
			e.Say("waiting: cordon incident approve %s %s%s --token-file FILE, by two users in different roles", i.Incident, shellWord(s.Step), which)
		}
	}
	switch {
	case i.DryRun:
		e.Say("nothing was opened")
	case approved:
	case i.State != "open":
		e.Say("next: cordon incident reopen %s, if it is not over", i.Incident)
	case i.Gate == "open":
		e.Say("next: cordon cut %s", i.Vendor)
	case i.Facts["aware"] == "":
		e.Say("next: cordon incident fact %s aware=now   # or when it was; most legal clocks begin then", i.Incident)
	default:
		e.Say("next: cordon incident accessed %s FILE   # the vendor's list of what was accessed", i.Incident)
	}
}

// shellWord is a word as it is typed in a shell: names of routes have spaces.
func shellWord(s string) string {
	if strings.ContainsAny(s, " *") {
		return "'" + s + "'"
	}
	return s
}
