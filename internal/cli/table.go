package cli

import (
	"strings"
	"unicode/utf8"
)

// table aligns rows for people. Columns named with a leading ">" are numbers
// and stand right-aligned.
type table struct {
	env    *Env
	header []string
	rows   [][]string
}

func (e *Env) table(header ...string) *table { return &table{env: e, header: header} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print() {
	right := make([]bool, len(t.header))
	head := make([]string, len(t.header))
	width := make([]int, len(t.header))
	for i, name := range t.header {
		head[i], right[i] = strings.CutPrefix(name, ">")
		width[i] = printedWidth(head[i])
	}
	for _, row := range t.rows {
		for i, cell := range row {
			width[i] = max(width[i], printedWidth(cell))
		}
	}
	line := func(cells []string, style string) {
		var b strings.Builder
		for i, cell := range cells {
			pad := strings.Repeat(" ", width[i]-printedWidth(cell))
			if style != "" {
				cell = t.env.Colour(style, cell)
			}
			if right[i] {
				cell = pad + cell
			} else if i < len(cells)-1 {
				cell += pad
			}
			if i > 0 {
				b.WriteString("  ")
			}
			b.WriteString(cell)
		}
		t.env.Print("%s", strings.TrimRight(b.String(), " "))
	}
	line(head, dim)
	for _, row := range t.rows {
		line(row, "")
	}
}

// printedWidth counts characters, without the colours around them.
func printedWidth(s string) int {
	n := utf8.RuneCountInString(s)
	for {
		start := strings.Index(s, "\x1b[")
		if start < 0 {
			return n
		}
		end := strings.IndexByte(s[start:], 'm')
		if end < 0 {
			return n
		}
		n -= end + 1
		s = s[start+end+1:]
	}
}
