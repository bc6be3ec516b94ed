// Package csv reads tables of separated values (RFC 4180 and what programs make
// of it).
//
// Read: separators comma, semicolon, tab and bar, found by trying them on the
// first records; Excel's "sep=" line; a byte order mark; quoted cells with
// doubled quotes and line ends inside; CRLF and LF. A first line that is
// plainly one of names names the columns ("rows|csv[].email"); without one the
// columns are "1", "2" and so on and the first line is a row, because a person
// taken for a heading would not be counted.
//
// Not read, and said to be incomplete: bare quotes, text behind a closing
// quote (a backslash before a quote among it), bare carriage returns, rows
// longer than the heading, two columns of one name, a table that two separators
// fit equally, and what is not UTF-8.
//
// An empty cell is no leaf. A cell cannot go, as the columns behind it would
// move; it is emptied.
package csv

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// Read tells v of every cell: an element a row, under the name that the
// heading gives the column.
func Read(text string, v wire.Visitor) {
	if !utf8.ValidString(text) {
		v.Problem(exposure.IncompleteUTF8)
	}
	c := cells{text: text}
	if strings.HasPrefix(text, byteOrderMark) {
		c.pos = len(byteOrderMark)
	}
	var clear bool
	if c.sep, clear = separator(&c); !clear {
		v.Problem(exposure.IncompleteSyntax)
	}
	t := table{cells: c, v: v}
	t.heading()
	for row := 0; t.more(); {
		if t.blankLine() {
			continue
		}
		v.Element(row)
		ok := t.row()
		v.Leave()
		if !ok {
			return
		}
		row++
	}
}

const (
	byteOrderMark = "\ufeff"
	separators    = ",;\t|"
)

// table is the reading of one text.
type table struct {
	cells
	v       wire.Visitor
	columns []string // nil: numbered
	flagged bool
}

// heading reads the first record as names, or leaves it to be read as a row.
func (t *table) heading() {
	for t.more() && t.blankLine() {
		continue
	}
	ahead := t.cells
	names := ahead.record()
	sample := ahead
	if !heading(names, &sample) {
		return
	}
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if name == "" {
			name = strconv.Itoa(i + 1)
		}
		if seen[name] {
			t.v.Problem(exposure.IncompleteDuplicateKey)
		}
		seen[name] = true
		t.columns = append(t.columns, name)
	}
	if ahead.odd {
		t.flag()
	}
	t.pos = ahead.pos
	t.width = len(t.columns)
}

// row reads one record; false when the visitor wants no more.
func (t *table) row() bool {
	for i := 0; ; i++ {
		at := t.next()
		if t.odd || t.columns != nil && i == len(t.columns) {
			t.flag()
		}
		if raw := strings.Trim(t.text[at.start:at.end], " \t"); raw != "" && raw != `""` {
			t.v.Enter(t.column(i))
			ok := t.v.Leaf(wire.Leaf{
				Start: at.start, End: at.end, Member: -1,
				Codec: cell{alone: i == 0 && at.last},
			})
			t.v.Leave()
			if !ok {
				return false
			}
		}
		if at.last {
			return true
		}
	}
}

func (t *table) column(i int) string {
	if i < len(t.columns) {
		return t.columns[i]
	}
	return strconv.Itoa(i + 1)
}

func (t *table) flag() {
	if !t.flagged {
		t.flagged = true
		t.v.Problem(exposure.IncompleteSyntax)
	}
}
