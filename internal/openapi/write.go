package openapi

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// YAML writes the draft as a manifest that `cordon check` accepts, with a
// comment behind every line.
func (draft *Draft) YAML() []byte {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	proposed := 0
	for _, m := range draft.Mappings {
		proposed += len(m.proposed())
	}
	w("# A draft from the description %s. Confirm every line: a wrong one gives one", oneLine(draft.Title))
	w("# person's data to another, a missing one leaves it unclassified.")
	w("# Operations: %d, values: %d, proposed: %d. Not proposed:", draft.Operations, draft.Values, proposed)
	for _, why := range slices.Sorted(maps.Keys(draft.NotProposed)) {
		w("#   %5d  %s", draft.NotProposed[why], why)
	}
	if draft.Cut > 0 {
		w("#   %5d  schemas that lead back to themselves: what lies further in was not looked at", draft.Cut)
	}
	if draft.Lost > 0 {
		w("#   %5d  references to other files, which were not read", draft.Lost)
	}
	w("vendor: %s", draft.Vendor)
	if draft.Upstream != "" {
		w("upstream: %s", draft.Upstream)
	} else {
		w("upstream: https://%s.invalid   # the description does not say where the API is", draft.Vendor)
	}
	if proposed == 0 {
		w("mapping: []")
		return []byte(b.String())
	}
	w("mapping:")
	for _, m := range draft.Mappings {
		m.write(w)
	}
	return []byte(b.String())
}

// proposed are the fields that are more than comments.
func (m *Mapping) proposed() []Field {
	return slices.DeleteFunc(slices.Clone(m.Fields), func(f Field) bool { return f.Certainty == string(ours) })
}

func (m *Mapping) write(w func(string, ...any)) {
	sign := ""
	if len(m.proposed()) == 0 {
		sign = "#"
	}
	w("%s  - on: %s", sign, scalar(m.On))
	if m.In != "" {
		w("%s    in: %s", sign, m.In)
	}
	if m.Subjects != "." {
		comment := ""
		if m.Other {
			comment = "   # maybe another person than around it"
		}
		w("%s    subjects: %s%s", sign, scalar(m.Subjects), comment)
	}
	w("%s    fields:", sign)
	longest := 0
	for _, f := range m.Fields {
		longest = max(longest, len(scalar(f.Path))+len(f.Category))
	}
	var deliver, render []string
	for _, f := range m.Fields {
		line := fmt.Sprintf("      %s: %s", scalar(f.Path), f.Category)
		pad := strings.Repeat(" ", max(0, longest-len(scalar(f.Path))-len(f.Category)))
		if f.Certainty == string(ours) {
			w("#%s%s   # %s: most likely the organisation's own; then write none", line, pad, oneLine(f.Why))
			continue
		}
		w("%s%s   # %s: %s", line, pad, f.Certainty, oneLine(f.Why))
		if f.Deliver {
			deliver = append(deliver, scalar(f.Path))
		}
		if f.Render {
			render = append(render, scalar(f.Path))
		}
	}
	for _, mark := range []struct {
		key, why string
		paths    []string
	}{{"deliver", "the vendor sends to it", deliver}, {"render", "the vendor shows it", render}} {
		if len(mark.paths) == 0 {
			continue
		}
		w("    %s:   # guess: %s", mark.key, mark.why)
		for _, p := range mark.paths {
			w("      - %s", p)
		}
	}
}

var plainScalar = regexp.MustCompile(`^[A-Za-z0-9_/$][A-Za-z0-9_/$.\[\]{}|*+@-]*( /[A-Za-z0-9_/$.{}*+@:~!(),'-]*)?$`)

// words that YAML takes for something else than text.
var notText = regexp.MustCompile(`^(?i:true|false|yes|no|on|off|null|y|n|~|[0-9][0-9_.,:eExX+-]*)$`)

// scalar writes a plain scalar of YAML's block style where one can stand.
func scalar(s string) string {
	if plainScalar.MatchString(s) && !notText.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// oneLine keeps a description's text in a comment.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || r == 0x85 }), " ")
}
