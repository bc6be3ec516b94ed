package classify

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Why a message cannot be changed as asked.
var (
	// ErrPath: another path is another resource, so a person's record would be
	// deleted in place of no one's.
	ErrPath = errors.New("the value stands in the path, which names what the request is about")
	// ErrPartial: what was not read would be lost, or left as it is.
	ErrPartial = errors.New("the body could be read only in part")
	// ErrUnfit: the new value cannot stand in this place.
	ErrUnfit = errors.New("the new value does not fit into its place")
)

// splice replaces text[start:end].
type splice struct {
	start, end int
	with       string
}

// Rewrite applies edits to the message. Every byte that no edit concerns stays,
// and an edit that changes nothing leaves the message's own path, query and
// body. A document that was valid stays valid: a dropped member goes with its
// comma, a dropped pair with its ampersand, a dropped file with its part; a
// document that is nothing but the dropped value becomes null.
func (f *Findings) Rewrite(edits []Edit) (Outgoing, error) {
	m := f.message
	out := Outgoing{Path: m.Path, Query: m.Query, Body: m.Body, Text: f.body}
	if len(edits) == 0 {
		return out, nil
	}
	var body, query editor
	body.text, query.text = f.body, m.Query
	for _, e := range edits {
		at := &f.fields[e.Field]
		if !e.Drop && e.Value == at.Value() {
			continue
		}
		var err error
		switch at.src {
		case inPath:
			err = ErrPath
		case inQuery:
			err = query.edit(at, e)
		case inHeader:
			f.editHeader(&out, at, e)
		default:
			if f.partial {
				err = ErrPartial
			} else {
				err = body.edit(at, e)
			}
		}
		if err != nil {
			return Outgoing{}, fmt.Errorf("rewriting %s: %w", at.Path, err)
		}
	}
	if out.Header != nil {
		settleHeader(out.Header, f.headers)
	}
	out.Query = query.apply()
	if out.Text = body.apply(); out.Text != f.body {
		var err error
		if out.Body, err = zip([]byte(out.Text), f.codings); err != nil {
			return Outgoing{}, err
		}
	}
	return out, nil
}

// editHeader changes one value of a header. The header map is copied once.
func (f *Findings) editHeader(out *Outgoing, at *Field, e Edit) {
	if out.Header == nil {
		out.Header = maps.Clone(f.message.Header)
	}
	h := f.headers[at.start]
	before := f.message.Header[h.name]
	if &out.Header[h.name][0] == &before[0] { // still shared with the message
		out.Header[h.name] = slices.Clone(before)
	}
	// Dropped values become empty ones first, so that the others keep their
	// numbers until all edits are made.
	value := strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(e.Value)
	if e.Drop {
		value = ""
	}
	out.Header[h.name][h.index] = value
}

// settleHeader removes the values that were dropped.
func settleHeader(header map[string][]string, values []headerValue) {
	for _, h := range values {
		var left []string // never in place: an unchanged slice is still the message's
		for _, v := range header[h.name] {
			if v != "" {
				left = append(left, v)
			}
		}
		if header[h.name] = left; len(left) == 0 {
			delete(header, h.name)
		}
	}
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

// editor collects the changes to one text.
type editor struct {
	text    string
	splices []splice
	drops   []drop
}

// drop is a member that goes, with the separators on both sides of it.
type drop struct {
	splice
	separators
	before, after int // positions of the separators; -1 and len(text) at the ends
}

func (t *editor) edit(at *Field, e Edit) error {
	start, end := int(at.start), int(at.start)+len(at.raw)
	value := e.Value
	switch at.enc {
	case jsonString:
		// The value's own quotes stay where they are.
		if e.Drop {
			t.dropMember(at, start-1, min(end+1, len(t.text)), jsonSeparators)
		} else {
			t.add(start, end, string(appendEscaped(nil, value)))
		}
	case jsonBare, jsonSubtree:
		if e.Drop {
			t.dropMember(at, start, end, jsonSeparators)
		} else {
			t.add(start, end, bareOrQuoted(value))
		}
	case formText:
		if e.Drop {
			t.dropMember(at, start, end, formSeparators)
		} else {
			t.add(start, end, url.QueryEscape(value))
		}
	case partText:
		if e.Drop {
			next := end
			if strings.HasPrefix(t.text[next:], "\r") {
				next++
			}
			if strings.HasPrefix(t.text[next:], "\n") {
				next++
			}
			t.add(int(at.member), next, "")
			return nil
		}
		if strings.Contains("\n"+value, "\n--") { // might be a delimiter
			return ErrUnfit
		}
		t.add(start, end, value)
	case fileName:
		if e.Drop {
			value = ""
		}
		t.add(start, end, strings.Map(func(r rune) rune {
			if r < 0x20 || strings.ContainsRune(`"\;`, r) {
				return '_'
			}
			return r
		}, value))
	case within:
		return ErrUnfit
	default: // wholeText
		if e.Drop {
			value = ""
		}
		t.add(start, end, value)
	}
	return nil
}

func (t *editor) add(start, end int, with string) {
	t.splices = append(t.splices, splice{start, end, with})
}

// bareOrQuoted keeps a literal a literal, so that a number may be replaced by
// a number; everything else becomes a string.
func bareOrQuoted(v string) string {
	if v == "true" || v == "false" || v == "null" || number(v) {
		return v
	}
	return `"` + string(appendEscaped(nil, v)) + `"`
}

func (t *editor) dropMember(at *Field, start, end int, s separators) {
	d := drop{splice{start, end, ""}, s, start - 1, end}
	if at.member >= 0 {
		d.start = int(at.member)
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
		for i++; i < len(t.drops) && t.drops[i].before == run.after && t.is(run.after, run.between); i++ {
			run.end, run.after = t.drops[i].end, t.drops[i].after
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

// apply returns the text with all splices made.
func (t *editor) apply() string {
	t.settle()
	if len(t.splices) == 0 {
		return t.text
	}
	slices.SortFunc(t.splices, func(a, b splice) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end
	})
	var b strings.Builder
	b.Grow(len(t.text))
	pos := 0
	for _, s := range t.splices {
		if s.start < pos { // within one that is gone already
			continue
		}
		b.WriteString(t.text[pos:s.start])
		b.WriteString(s.with)
		pos = s.end
	}
	b.WriteString(t.text[pos:])
	return b.String()
}
