package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"cordon/evidence"
)

func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// print says what was checked, in the order of the checks, then what was not.
func print(w io.Writer, r *evidence.Report) {
	line := func(format string, args ...any) { fmt.Fprintln(w, oneLine(fmt.Sprintf(format, args...))) }
	line("VERIFIED: %s about %s, from the ledger of %s", r.Incident, r.Vendor, r.Origin)
	line("")
	line("  whole      %s, each with the size and the hash that the ledger signed", count(r.Parts, "part", "parts"))
	if r.KeyGiven {
		line("  signed     with the ledger's key that you gave")
	} else {
		line("  signed     with the key that the bundle brings along (trust on first use)")
	}
	line("             fingerprint %s", r.Fingerprint)
	for _, x := range r.Witnesses {
		whose := "whose key you gave"
		if !x.Given {
			whose = "whose key the bundle brings along"
		}
		line("  cosigned   by the witness %s, %s, on %s", x.Name, whose, instant(x.At))
	}
	line("  recorded   %s of %s in the ledger's checkpoint of size %d",
		count(r.Entries, "entry", "entries"), count(r.Batches, "batch", "batches"), r.Checkpoint.Size)
	if r.Disclosures > 0 {
		line("             %s among them", count(r.Disclosures, "message to the vendor", "messages to the vendor"))
	}
	for _, s := range r.Scopes {
		how := "counted one by one"
		if !s.Counted {
			how = "as the ledger recorded, not counted"
		}
		line("  scope      %s, frozen by entry %d: %s in %s, %d certain, %d excluded; %s",
			s.Scope, s.Entry, count(int(s.Subjects), "person", "people"), count(s.Cohorts, "cohort", "cohorts"), s.Certain, s.Excluded, how)
	}
	for _, v := range r.Manifests {
		line("  manifest   of %s, as the ledger recorded it in force", v)
	}
	line("  exported   by %s on %s, entry %d", r.Export.Actor, instant(r.Export.At), r.Export.Entry)
	if len(r.Redacted) > 0 {
		line("")
		line("Left out (redacted):")
		for _, name := range r.Redacted {
			line("  %s", name)
		}
	}
	if len(r.Absent) > 0 {
		line("")
		line("Not in the bundle:")
		for _, a := range r.Absent {
			line("  %s: %s", a.What, a.Why)
		}
	}
	line("")
	line("Not proved by this bundle:")
	for _, u := range r.Unchecked {
		line("  %s", u)
	}
}

// timeline prints the events, as the ledger holds them.
func timeline(w io.Writer, r *evidence.Report) {
	fmt.Fprintf(w, "\nTimeline (as the gateway's clock said):\n")
	for _, e := range r.Timeline {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
			value := e.Fields[name]
			var text string
			if json.Unmarshal(value, &text) != nil {
				var b bytes.Buffer
				_ = json.Compact(&b, value) // it was read as JSON before
				text = b.String()
			}
			if text != "" {
				parts = append(parts, quoted(name)+"="+quoted(text))
			}
		}
		who := e.Actor
		if who == "" {
			who = "-"
		}
		fmt.Fprintln(w, oneLine(fmt.Sprintf("  %s  %8d  %-14s %-12s %s %s", e.At.UTC().Format("2006-01-02 15:04:05.000"), e.Seq, quoted(e.Kind), quoted(who), quoted(e.Vendor), strings.Join(parts, " "))))
	}
}

// oneLine writes out what would move the cursor, turn the text around or begin
// another line: names, reasons and origins are the words of whoever made the
// bundle, and must not pass for a line of ours.
func oneLine(s string) string {
	var b strings.Builder
	for at, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			_, size := utf8.DecodeRuneInString(s[at:])
			text := strconv.Quote(s[at : at+size])
			b.WriteString(text[1 : len(text)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// quoted keeps what a stranger wrote from moving the cursor.
func quoted(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Sprintf("%q", s)
	}
	return s
}
