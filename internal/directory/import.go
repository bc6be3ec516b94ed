package directory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Format is how a directory is written.
type Format string

const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
)

// FormatOf tells the format by the name of a file. What cannot be read yet is
// refused with what to do instead.
func FormatOf(source string) (Format, error) {
	if scheme, _, ok := strings.Cut(source, "://"); ok {
		return "", fmt.Errorf("a directory at %s:// cannot be read yet; export it to CSV or JSON lines and name the file", scheme)
	}
	switch ext := strings.ToLower(filepath.Ext(source)); ext {
	case ".csv", ".tsv", ".txt":
		return CSV, nil
	case ".jsonl", ".ndjson":
		return JSONL, nil
	case ".parquet":
		return "", errors.New("a directory in Parquet cannot be read yet; export it to CSV or JSON lines")
	default:
		return "", fmt.Errorf("cannot tell what kind of directory %q is; name a file that ends in .csv or .jsonl", filepath.Base(source))
	}
}

// ImportFile imports the file at path.
func ImportFile(ctx context.Context, path string, sink Sink, o Options) (*Answer, error) {
	format, err := FormatOf(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the directory: %w", err)
	}
	defer f.Close()
	return Import(ctx, format, f, sink, o)
}

// row is what one line says, by column, before anything is checked.
type row struct {
	line   uint64
	values [columns]string
	// more are further values of a column, where the format has lists.
	more []value
}

type value struct {
	column column
	text   string
}

// rows reads a file row by row.
type rows interface {
	// next returns io.EOF at the end, a problem for a row that cannot be read
	// (the next call goes on behind it), and any other error for good. The
	// line is where the row began, with a problem too.
	next(*row) error
	// read says how far it got.
	read() (bytes int64, lines uint64)
	// ignored are the columns that were met and are not known.
	ignored() []string
}

// problem is why one row is not taken. It holds no personal value.
type problem string

func (p problem) Error() string { return string(p) }

// progressEvery is the number of rows between two calls of Options.Progress.
const progressEvery = 1024

// Import reads people and hands them to the sink, which sees them in the order
// of the file. An error means that the file could not be read to its end or
// not be stored; what the sink stored until then stays.
func Import(ctx context.Context, format Format, r io.Reader, sink Sink, o Options) (*Answer, error) {
	now := o.Now
	if now.IsZero() {
		now = time.Now()
	}
	in, err := open(format, r)
	if err != nil {
		return nil, err
	}
	a := &Answer{Rejected: []Rejected{}, Ignored: []string{}}
	stored, err := sink(ctx, a.people(ctx, in, checker{now: now}, o.Progress))
	if err != nil {
		return nil, fmt.Errorf("importing the directory: %w", err)
	}
	for _, line := range stored.Repeated {
		a.reject(line, "the id stands on an earlier line too; that one was kept")
		a.People--
	}
	slices.SortStableFunc(a.Rejected, func(x, y Rejected) int { return cmp.Compare(x.Line, y.Line) })
	a.New, a.Changed, a.Left = stored.New, stored.Changed, stored.Left
	a.Ignored = append(a.Ignored, in.ignored()...)
	return a, nil
}

func open(format Format, r io.Reader) (rows, error) {
	switch format {
	case CSV:
		return openCSV(r)
	case JSONL:
		return openJSONL(r)
	default:
		return nil, fmt.Errorf("no such format of a directory: %q", format)
	}
}

// people gives the rows that can be taken and writes the others into a.
func (a *Answer) people(ctx context.Context, in rows, check checker, progress func(int64, uint64)) iter.Seq2[Person, error] {
	return func(yield func(Person, error) bool) {
		var r row
		for n := 1; ; n++ {
			if n%progressEvery == 0 {
				if err := ctx.Err(); err != nil {
					yield(Person{}, err)
					return
				}
				if progress != nil {
					progress(in.read())
				}
			}
			r = row{}
			err := in.next(&r)
			var p Person
			if err == nil {
				p, err = check.person(&r)
			}
			var why problem
			switch {
			case errors.Is(err, io.EOF):
				if progress != nil {
					progress(in.read())
				}
				return
			case errors.As(err, &why):
				a.reject(r.line, string(why))
				continue
			case err != nil:
				yield(Person{}, fmt.Errorf("reading line %d: %w", r.line, err))
				return
			}
			a.People++
			if !yield(p, nil) {
				return
			}
		}
	}
}

// utf16 refuses what Windows programs call Unicode: read as bytes it would be
// nothing but rejected lines.
func utf16(begin []byte) error {
	if bytes.HasPrefix(begin, []byte{0xff, 0xfe}) || bytes.HasPrefix(begin, []byte{0xfe, 0xff}) {
		return errors.New("the file is UTF-16; save it as UTF-8")
	}
	return nil
}

var byteOrderMark = []byte{0xef, 0xbb, 0xbf}
