// Package roll reads lists of people that somebody else wrote: what a vendor
// held before Cordon, whom an intruder's trace names, what a vendor's log shows.
//
// Such a file comes as it comes: CSV with columns named in many ways, JSON
// lines, or one identifier a line. It is read as a stream. A line that cannot be
// taken is named by its number and a sentence without a personal value, and
// reading goes on: of a leaked list every line that can be read counts.
package roll

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"cordon/internal/directory"
	"cordon/internal/exposure"
	"cordon/internal/strict"
)

// Row is one line of a list.
type Row struct {
	Line uint64
	// Names are what the line names somebody by. Each is a list of readings, the
	// likeliest first: of a typed column the spellings of one value, of a bare
	// word the kinds of identifier that it may be.
	Names []Name
	// Set and HeldSince are what the columns categories and held_since say.
	Set       exposure.Set
	HeldSince time.Time
	// Text is the line itself, for whoever looks for more in it; valid until the
	// next row.
	Text string
}

// Name is one value of a row.
type Name struct {
	Readings []exposure.Identifier
	// Typed says that a column named the kind: all readings are true.
	Typed bool
	// Token is set instead: the value stands in a column of tokens.
	Token string
}

// Options of a reading.
type Options struct {
	// Vendor scopes pseudonyms.
	Vendor exposure.VendorID
	// Bare takes a list without named columns: one identifier a line.
	Bare bool
	// Categories asks for the columns categories and held_since too.
	Categories bool
	// Anything gives also rows that name nobody by a column, for their Text.
	Anything bool
	// Now bounds held_since.
	Now time.Time
}

// Problems lists the lines that were not taken, as an import's answer does.
type Problems struct {
	Rejected     []directory.Rejected `json:"rejected"`
	RejectedRows uint64               `json:"rejected_rows"`
	// Ignored are the columns that nobody knows.
	Ignored []string `json:"ignored"`
}

// Reject adds one.
func (p *Problems) Reject(line uint64, why string) {
	p.RejectedRows++
	if len(p.Rejected) < directory.MaxRejected {
		p.Rejected = append(p.Rejected, directory.Rejected{Line: line, Problem: why})
	}
}

// maxLine bounds a line, and a record that quotes join over several.
const maxLine = 1 << 20

// problem is why one line is not taken. It holds no personal value.
type problem string

func (p problem) Error() string { return string(p) }

// source gives raw rows of one format: cells by column. It returns io.EOF at the
// end, a problem for what cannot be read, any other error for good.
type source interface {
	next(*raw) error
	ignored() []string
}

// raw is a row before it is checked.
type raw struct {
	line  uint64
	text  string
	cells [columns]string
	more  []cell // further values of a column
	bare  string // of a list without columns
}

type cell struct {
	column column
	value  string
}

// Read gives the rows of a list whose format it finds out by itself. What is
// not taken goes into problems, which is complete when the sequence ends.
func Read(ctx context.Context, r io.Reader, o Options, problems *Problems) iter.Seq2[Row, error] {
	problems.Rejected, problems.Ignored = []directory.Rejected{}, []string{}
	return func(yield func(Row, error) bool) {
		src, err := open(r, o)
		if err != nil {
			yield(Row{}, err)
			return
		}
		for n := uint64(0); ; n++ {
			if n%1024 == 0 && ctx.Err() != nil {
				yield(Row{}, ctx.Err())
				return
			}
			var in raw
			err := src.next(&in)
			if errors.Is(err, io.EOF) {
				problems.Ignored = append(problems.Ignored, src.ignored()...)
				return
			}
			row := Row{Line: in.line, Text: in.text}
			if err == nil {
				err = o.check(&in, &row)
			}
			if why, ok := errors.AsType[problem](err); ok {
				problems.Reject(in.line, string(why))
				continue
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// open looks at the beginning of the file.
func open(r io.Reader, o Options) (source, error) {
	in := &lines{in: bufio.NewReaderSize(r, 64<<10)}
	begin, err := in.in.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	switch {
	case len(begin) == 0:
		return nil, errors.New("the list is empty")
	case len(begin) >= 2 && (begin[0] == 0xff && begin[1] == 0xfe || begin[0] == 0xfe && begin[1] == 0xff || begin[0] == 0 || begin[1] == 0):
		return nil, errors.New("the list is not UTF-8 text; save it as UTF-8")
	case bytes.Equal(begin, []byte("\xef\xbb\xbf")):
		in.in.Discard(3)
	}
	first, err := in.first()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(first, "{") {
		return &jsonRows{in: in}, nil
	}
	c := &csvRows{in: in, separator: separatorOf(first)}
	if c.header(first) {
		return c, nil
	}
	if !o.Bare {
		return nil, errors.New("the first line must name the columns, with one of id, email, phone, username among them")
	}
	return &bareRows{in: in}, nil
}

// check makes identifiers of what stands in a row.
func (o *Options) check(in *raw, row *Row) error {
	if in.bare != "" {
		if readings := Readings(in.bare, o.Vendor); len(readings) > 0 {
			row.Names = append(row.Names, Name{Readings: readings})
		} else if !o.Anything {
			return problem("is no identifier")
		}
		return nil
	}
	for at, value := range in.cells {
		if value != "" {
			in.more = append(in.more, cell{column(at), value})
		}
	}
	var bad []string
	for _, c := range in.more {
		if !utf8.ValidString(c.value) {
			return problem("is not UTF-8 text")
		}
		switch c.column {
		case columnToken:
			row.Names = append(row.Names, Name{Token: c.value})
		case columnHeldSince, columnCategories, columnCountry:
		default:
			ids, err := c.column.identifiers(c.value, in.cells[columnCountry], o.Vendor)
			if err != nil {
				bad = append(bad, c.column.String())
				continue
			}
			row.Names = append(row.Names, Name{Readings: ids, Typed: true})
		}
	}
	if len(row.Names) == 0 && !o.Anything {
		if len(bad) > 0 {
			slices.Sort(bad)
			return problem("the column " + bad[0] + " holds no identifier of that kind")
		}
		return problem("names nobody")
	}
	if !o.Categories {
		return nil
	}
	if text := in.cells[columnHeldSince]; text != "" {
		at, ok := instant(text)
		switch {
		case !ok:
			return problem("held_since is no time; write 2026-02-03 or 2026-02-03T10:00:00Z")
		case at.After(o.Now):
			return problem("held_since lies in the future")
		}
		row.HeldSince = at
	}
	if text := in.cells[columnCategories]; text != "" {
		set, err := ParseCategories(text)
		if err != nil {
			return problem("names a category that does not exist")
		}
		row.Set = set
	}
	return nil
}

// ParseCategories reads keys parted by commas, blanks, semicolons or bars; what
// is held only in a form is written "user.name=masked". The error names the key.
func ParseCategories(text string) (exposure.Set, error) {
	var set exposure.Set
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",; |\t", r) }) {
		key, form, _ := strings.Cut(strings.Replace(word, ":", "=", 1), "=")
		c, ok := exposure.LookupCategory(key)
		if !ok {
			keys := []string{}
			for _, c := range exposure.Categories() {
				keys = append(keys, c.Key())
			}
			if near := strict.Nearest(key, keys); near != "" {
				return set, fmt.Errorf("there is no category %q; did you mean %s?", key, near)
			}
			return set, fmt.Errorf("there is no category %q", key)
		}
		f := exposure.Clear
		if form != "" {
			if f, ok = exposure.LookupForm(form); !ok {
				return set, fmt.Errorf("there is no form %q", form)
			}
		}
		set.Add(c, f)
	}
	if set.Empty() {
		return set, errors.New("no category is named")
	}
	return set, nil
}

// Readings are the identifiers that a text may be, the likeliest first.
func Readings(text string, v exposure.VendorID) []exposure.Identifier {
	kinds := []exposure.Kind{exposure.KindEmail, exposure.KindUserID, exposure.KindUsername, exposure.KindPhone,
		exposure.KindEmailSHA256, exposure.KindPhoneSHA256, exposure.KindEmailMD5, exposure.KindPseudonym}
	var out []exposure.Identifier
	for _, k := range kinds {
		id, err := exposure.Canonical(k, text)
		if err != nil || k == exposure.KindPseudonym && v == "" {
			continue
		}
		if k == exposure.KindPseudonym {
			id.Vendor = v
		}
		out = append(out, id)
	}
	return out
}

func instant(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
