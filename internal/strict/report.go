package strict

import (
	"slices"
	"strings"
)

// Report collects the problems of one file and knows on which line each of its
// keys stands. A path is keys joined by dots and items in brackets:
// "mapping[0].fields".
type Report struct {
	doc    *document
	prefix string
}

// document is what the Reports of one file share.
type document struct {
	file     string
	lines    map[string]int
	problems []Problem
}

// NewReport is a report without lines, for checks that stand outside any file's
// text but are reported with one.
func NewReport(file string) *Report {
	return &Report{doc: &document{file: file, lines: map[string]int{}}}
}

// Add reports a problem with the value at path, which is relative to the
// struct whose Check is called; "" is the struct itself.
func (r *Report) Add(path, problem, fix string) {
	r.doc.problems = append(r.doc.problems, Problem{r.doc.file, r.Line(path), problem, fix})
}

// AddAt adds a problem on a line that the caller knows.
func (r *Report) AddAt(line int, problem, fix string) {
	r.doc.problems = append(r.doc.problems, Problem{r.doc.file, line, problem, fix})
}

// Line is the line of the key at path, or of the nearest key around it; 0 when
// the file has neither.
func (r *Report) Line(path string) int {
	for p := join(r.prefix, path); ; {
		if line, ok := r.doc.lines[p]; ok {
			return line
		}
		if p == "" {
			return 0
		}
		p = p[:max(0, strings.LastIndexAny(p, ".["))]
	}
}

// Has reports whether the file itself has the key, rather than its default.
func (r *Report) Has(path string) bool {
	_, ok := r.doc.lines[join(r.prefix, path)]
	return ok
}

// File is the file's name as problems carry it.
func (r *Report) File() string { return r.doc.file }

// Problems are all problems so far, in the order of their lines.
func (r *Report) Problems() []Problem {
	slices.SortStableFunc(r.doc.problems, func(a, b Problem) int { return a.Line - b.Line })
	return r.doc.problems
}

func (r *Report) at(path string) *Report { return &Report{r.doc, path} }

func join(prefix, path string) string {
	switch {
	case prefix == "":
		return path
	case path == "" || path[0] == '[':
		return prefix + path
	default:
		return prefix + "." + path
	}
}
