package directory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// ImportFile imports the file at path.
func ImportFile(ctx context.Context, path string, sink Sink, o Options) (*Answer, error) {
	in, err := Open(ctx, path, "")
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return Import(ctx, in.Format, in, sink, o)
}

// row is what one line says, by column, before anything is checked.
type row struct {
	line   uint64
	values [columns]string
	// more are further values of a column, where the format has lists.
	more []value

	fields []string // of a CSV
	text   string   // of JSON lines
}

func (r *row) begin() { r.values, r.more = [columns]string{}, r.more[:0] }

type value struct {
	column column
	text   string
}

// rows reads a file block by block.
type rows interface {
	// next returns nil at the end.
	next() (*lines, error)
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
	return ImportBlocks(ctx, format, r, func(ctx context.Context, src Source) (Stored, error) {
		return sink(ctx, func(yield func(Person, error) bool) {
			for {
				block, err := src.Next()
				if err != nil {
					yield(Person{}, err)
					return
				}
				if block == nil {
					return
				}
				if block(func(p *Person) error {
					own := *p // what the block has is used again
					own.Identifiers, own.Values = slices.Clone(p.Identifiers), slices.Clone(p.Values)
					if !yield(own, nil) {
						return errStop
					}
					return nil
				}) != nil {
					return
				}
			}
		})
	}, o)
}

var errStop = errors.New("no more is wanted")

// ImportBlocks is Import for a sink that takes blocks of people, several at once
// if it likes.
func ImportBlocks(ctx context.Context, format Format, r io.Reader, sink BlockSink, o Options) (*Answer, error) {
	in, err := open(format, r)
	if err != nil {
		return nil, err
	}
	return importRows(ctx, in, sink, o)
}

func importRows(ctx context.Context, in rows, sink BlockSink, o Options) (*Answer, error) {
	now := o.Now
	if now.IsZero() {
		now = time.Now()
	}
	a := &Answer{Rejected: []Rejected{}, Ignored: []string{}}
	s := &source{ctx: ctx, in: in, o: o, answer: a, now: now}
	s.checkers.New = func() any { return newChecker(s.now) }
	stored, err := sink(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("importing the directory: %w", err)
	}
	for _, line := range stored.Repeated {
		s.reject(line, "the id stands on an earlier line too; that one was kept")
		a.People--
	}
	a.trim()
	a.WentOnBehind, a.BegunAnew = stored.Behind, stored.Anew
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

// utf16 refuses what Windows programs call Unicode: read as bytes it would be
// nothing but rejected lines.
func utf16(begin []byte) error {
	if bytes.HasPrefix(begin, []byte{0xff, 0xfe}) || bytes.HasPrefix(begin, []byte{0xfe, 0xff}) {
		return errors.New("the file is UTF-16; save it as UTF-8")
	}
	return nil
}

var byteOrderMark = []byte{0xef, 0xbb, 0xbf}
