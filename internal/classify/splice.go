package classify

import (
	"slices"
	"strings"
)

// splice replaces text[start:end].
type splice struct {
	start, end int
	with       string
}

// separators are what stands between the members of a document.
type separators struct {
	before, between, after string
	blank                  string
}

var (
	jsonSeparators = separators{"{[", ",", "}]", " \t\r\n"}
	// A key that is a field itself is followed by an equals sign at most.
	formSeparators = separators{"", "&", "", "="}
)

func (t *editor) add(start, end int, with string) {
	t.splices = append(t.splices, splice{start, end, with})
}

// bareOrQuoted keeps a literal a literal, so that a number may be replaced by
// a number; everything else becomes a string.
func bareOrQuoted(v string) string {
	if v == "true" || v == "false" || v == "null" || number(v) {
		return v
	}
	return `"` + escaped(v) + `"`
}

func (t *editor) dropMember(member int32, start, end int, s separators) {
	d := drop{splice{start, end, ""}, s, start - 1, end}
	if member >= 0 {
		d.start = int(member)
		d.before = d.start - 1
	}
	for d.before >= 0 && strings.IndexByte(s.blank, t.text[d.before]) >= 0 {
		d.before--
	}
	for d.after < len(t.text) && strings.IndexByte(s.blank, t.text[d.after]) >= 0 {
		d.after++
	}
	if s == formSeparators {
		d.end = d.after
	}
	t.drops = append(t.drops, d)
}

func (t *editor) is(pos int, of string) bool {
	return pos >= 0 && pos < len(t.text) && strings.IndexByte(of, t.text[pos]) >= 0
}

// settle turns dropped members into splices. Members that follow one another
// go as one run, so that no comma is left over or taken twice.
func (t *editor) settle() {
	slices.SortFunc(t.drops, func(a, b drop) int { return a.start - b.start })
	for i := 0; i < len(t.drops); {
		run := t.drops[i]
		for i++; i < len(t.drops); i++ {
			if next := &t.drops[i]; next.end <= run.end { // it goes with what is around it
				continue
			} else if next.before == run.after && t.is(run.after, run.between) {
				run.end, run.after = next.end, next.after
				continue
			}
			break
		}
		switch s := run.separators; {
		case t.is(run.after, s.between):
			run.end = run.after + 1
			for t.is(run.end, s.blank) {
				run.end++
			}
		case t.is(run.before, s.between):
			run.start = run.before
		case s.before == "": // the only pair of a form
		case t.is(run.before, s.before) && t.is(run.after, s.after): // the only member
		default: // a document of its own, or a broken one
			run.with = "null"
		}
		t.splices = append(t.splices, run.splice)
	}
}

// changed reports whether anything is to be changed.
func (t *editor) changed() bool { return len(t.splices)+len(t.drops) > 0 }

// settled are all changes in order and apart from one another. Of two that
// overlap the first counts, and what the other one covers besides goes.
func (t *editor) settled() []splice {
	t.settle()
	t.drops = nil
	slices.SortFunc(t.splices, func(a, b splice) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end
	})
	n := 0
	for _, s := range t.splices {
		if n > 0 && s.start < t.splices[n-1].end {
			t.splices[n-1].end = max(t.splices[n-1].end, s.end)
			continue
		}
		t.splices[n] = s
		n++
	}
	t.splices = t.splices[:n]
	return t.splices
}

// apply returns the text with all changes made.
func (t *editor) apply() string {
	if !t.changed() {
		return t.text
	}
	grow := len(t.text)
	splices := t.settled()
	for _, s := range splices {
		grow += len(s.with)
	}
	var b strings.Builder
	b.Grow(grow)
	pos := 0
	for _, s := range splices {
		b.WriteString(t.text[pos:s.start])
		b.WriteString(s.with)
		pos = s.end
	}
	b.WriteString(t.text[pos:])
	return b.String()
}
