package directory

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Format is how a directory is written.
type Format string

const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
)

// Kinds of source that Open reads; what is no text becomes JSON lines.
const (
	parquetFile = "parquet"
	database    = "postgres"
)

// FormatOf tells the format that Open gives of a file or database.
func FormatOf(source string) (Format, error) {
	kind, err := kindOf(source)
	switch kind {
	case parquetFile, database:
		return JSONL, nil
	}
	return Format(kind), err
}

func kindOf(source string) (string, error) {
	if scheme, _, ok := strings.Cut(source, "://"); ok {
		if scheme == "postgres" || scheme == "postgresql" {
			return database, nil
		}
		return "", fmt.Errorf("a directory at %s:// cannot be read; name a postgres:// database, or export it to CSV or JSON lines and name the file", scheme)
	}
	switch ext := strings.ToLower(filepath.Ext(source)); ext {
	case ".csv", ".tsv", ".txt":
		return string(CSV), nil
	case ".jsonl", ".ndjson":
		return string(JSONL), nil
	case ".parquet":
		return parquetFile, nil
	default:
		return "", fmt.Errorf("cannot tell what kind of directory %q is; name a file that ends in .csv, .jsonl or .parquet, or a postgres:// database", filepath.Base(source))
	}
}

// Opened is a directory that can be read.
type Opened struct {
	io.ReadCloser
	Format Format
	// Bytes is how many there are to read, 0 if nobody knows.
	Bytes int64
	// Rows is how many there are, 0 if nobody knows.
	Rows int64
	// Version names the file in its present state, so that an import of it that is
	// interrupted can be gone on with; "" for what is no regular file.
	Version string
}

// Open opens a file, or asks a database the query. What has columns of its own is
// read as JSON lines, one a row, so that the number of a line is that of a row.
func Open(ctx context.Context, source, query string) (*Opened, error) {
	kind, err := kindOf(source)
	if err != nil {
		return nil, err
	}
	if query != "" && kind != database {
		return nil, errors.New("only a database is asked a query")
	}
	switch kind {
	case database:
		t, err := openPostgres(ctx, source, query)
		if err != nil {
			return nil, err
		}
		return pipe(t, 0), nil
	case parquetFile:
		t, err := openParquet(source)
		if err != nil {
			return nil, err
		}
		in := pipe(t, t.file.NumRows())
		in.Version = versionOf(t.f)
		return in, nil
	}
	f, err := os.Open(source)
	if err != nil {
		return nil, fmt.Errorf("opening the directory: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("opening the directory: %w", err)
	}
	return &Opened{ReadCloser: f, Format: Format(kind), Bytes: info.Size(), Version: versionOf(f)}, nil
}

// versionOf tells two states of a file apart: by size, time, and what stands in its
// first and last mebibyte. "" if it is not a regular one, or cannot be read there.
func versionOf(f *os.File) string {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	const end = 1 << 20
	h := sha256.New()
	for _, from := range []int64{0, max(0, info.Size()-end)} {
		if _, err := io.Copy(h, io.NewSectionReader(f, from, end)); err != nil {
			return ""
		}
	}
	return fmt.Sprintf("%d %d %x", info.Size(), info.ModTime().UnixNano(), h.Sum(nil))
}

// table is rows with columns of their own.
type table interface {
	// names are those of the columns.
	names() []string
	// next gives a row: the JSON text of each column, nil for none. io.EOF at the end.
	next() ([][]byte, error)
	io.Closer
}

// pipe writes a table as JSON lines. Columns that Cordon does not know are named
// once, so that they are reported, and their values are not read.
func pipe(t table, rows int64) *Opened {
	r, w := io.Pipe()
	go func() {
		w.CloseWithError(writeLines(w, t))
		t.Close()
	}()
	return &Opened{ReadCloser: r, Format: JSONL, Rows: rows}
}

func writeLines(to io.Writer, t table) (err error) {
	defer func() {
		if p := recover(); p != nil { // a reader of somebody else's format must not end the process
			err = fmt.Errorf("reading the directory: %v", p)
		}
	}()
	w := bufio.NewWriterSize(to, 256<<10)
	names := t.names()
	var keys [][]byte
	var known []bool
	for _, n := range names {
		key, err := jsontext.AppendQuote(nil, n)
		if err != nil {
			return errors.New("reading the directory: the name of a column is not UTF-8 text")
		}
		_, ok := columnOf(n)
		keys, known = append(keys, append(key, ':')), append(known, ok)
	}
	if !slices.ContainsFunc(names, func(n string) bool { at, ok := columnOf(n); return ok && at == columnID }) {
		return errors.New("the directory has no column id; give the columns names such as id, email, phone")
	}
	var line []byte
	for first := true; ; first = false {
		values, err := t.next()
		if errors.Is(err, io.EOF) {
			return w.Flush()
		}
		if err != nil {
			return err
		}
		line = append(line[:0], '{')
		for i, v := range values {
			switch {
			case !known[i] && !first || known[i] && v == nil:
				continue
			case !known[i]:
				v = []byte("null")
			}
			if len(line) > 1 {
				line = append(line, ',')
			}
			line = append(append(line, keys[i]...), v...)
		}
		if _, err := w.Write(append(line, '}', '\n')); err != nil {
			return err
		}
	}
}

// quoteJSON appends text as JSON. What is not UTF-8 stays so: that row is rejected.
func quoteJSON(b, text []byte) []byte {
	quoted, err := jsontext.AppendQuote(b, text)
	if err != nil {
		return append(append(append(b, '"'), 0xff), '"')
	}
	return quoted
}
