package cli

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"cordon/internal/scope"
)

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// writeReport writes what article 15 of the GDPR asks for, as far as Cordon
// knows it, as plain Markdown: it reads as text, and becomes a letter.
func writeReport(b *bytes.Buffer, p *scope.Person, organisation string, now time.Time) {
	line := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	if b.Len() > 0 {
		line("\n---\n")
	}
	if organisation == "" {
		organisation = "We"
	}
	who := "a person of whom the ledger knows nothing"
	if p.Subject != nil {
		who = *p.Subject
	}
	line("# What third parties hold about you\n")
	line("About: %s  \nAs of: %s\n", who, day(now))
	if len(p.Vendors) == 0 {
		line("%s sent nothing about you to the third parties that are recorded, and knows of nothing that they held before. What was sent before it was recorded, or while it was not, this cannot tell.", organisation)
		return
	}
	line("%s gave personal data about you to %s. This is what each of them got, or is known to have held before that was recorded.", organisation, count(len(p.Vendors), "recipient", "recipients"))
	for _, v := range p.Vendors {
		name := v.Name
		if name == "" {
			name = string(v.Vendor)
		}
		line("\n## %s\n", name)
		item := func(what, value string) {
			if value != "" {
				line("- %s: %s", what, value)
			}
		}
		item("Role", map[string]string{"processor": "processor, who acts on our instructions", "controller": "controller, who decides by itself what it does with the data"}[v.Role])
		item("Country", v.Country)
		item("Purposes", strings.Join(v.Purposes, ", "))
		item("Data in the clear", plainly(v.Categories))
		protected := make([]string, 0, len(v.Protected))
		for _, key := range sortedKeys(v.Protected) {
			protected = append(protected, plainly([]string{key})+" ("+v.Protected[key]+")")
		}
		item("Data in protected form only", strings.Join(protected, ", "))
		if v.Disclosures > 0 {
			item("Messages", fmt.Sprintf("%s between %s and %s", count(int(v.Disclosures), "message", "messages"), day(v.First), day(v.Last)))
		}
		if d := v.Declared; d != nil {
			since := "since before records began"
			if !d.HeldSince.IsZero() {
				since = "since " + day(d.HeldSince)
			}
			item("Held before messages were recorded", plainly(append(slices.Clone(d.Categories), sortedKeys(d.Protected)...))+", "+since)
		}
		item("Recorded", recordedWhen(&v))
		for _, a := range v.Attestations {
			if a.Withdrawn {
				continue
			}
			what := "everything"
			if a.Route != "" {
				what = "what it got by " + a.Route
			}
			item("Deletion", fmt.Sprintf("it states that %s from before %s was deleted on %s", what, day(a.SentBefore), day(a.DeletedAt)))
		}
		if v.MayHold {
			line("- It may still hold this data.")
		} else {
			line("- By its own statement it holds none of this any more.")
		}
	}
}

// recordedWhen is when messages to a recipient were recorded: of other times the
// letter cannot speak, and must not seem to.
func recordedWhen(v *scope.PersonVendor) string {
	if v.CoveredSince == nil {
		return "messages to this recipient never were; this letter tells only what we know otherwise"
	}
	text := "messages to this recipient since " + minute(*v.CoveredSince)
	for i, g := range v.Gaps {
		between := ", and from "
		if i == 0 {
			between = ", but not from "
		}
		text += between + minute(g.From) + " to " + minute(g.To)
	}
	return text + "; what was sent at another time is not in this letter unless it says so"
}

func minute(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// plainly reads keys of categories as words: user.contact.phone_number is
// "contact: phone number".
func plainly(keys []string) string {
	words := make([]string, 0, len(keys))
	for _, key := range keys {
		parts := strings.Split(strings.ReplaceAll(strings.TrimPrefix(key, "user."), "_", " "), ".")
		text := parts[0]
		if len(parts) > 1 {
			text += ": " + strings.Join(parts[1:], ", ")
		}
		words = append(words, text)
	}
	return strings.Join(words, "; ")
}
