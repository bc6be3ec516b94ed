package directory

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// parquetTable reads a Parquet file row by row. Columns are the top ones of the
// schema; one that repeats, or a list, is a list of values.
type parquetTable struct {
	f      *os.File
	file   *parquet.File
	groups []parquet.RowGroup
	rows   parquet.Rows
	buf    []parquet.Row
	read   []parquet.Row // of buf, not given yet
	titles []string
	leaves []parquetLeaf
	values [][]byte
}

// parquetLeaf is how the values of a leaf column are written.
type parquetLeaf struct {
	column int
	list   bool
	kind   parquetKind
}

type parquetKind uint8

const (
	parquetPlain  parquetKind = iota
	parquetDate               // days since 1970
	parquetMillis             // since 1970; the day is taken
	parquetMicros
	parquetNanos
)

func openParquet(path string) (t *parquetTable, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("opening the directory: it is no Parquet file that can be read: %v", p)
		}
	}()
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the directory: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("opening the directory: %w", err)
	}
	t = &parquetTable{f: f, buf: make([]parquet.Row, 256)}
	if t.file, err = parquet.OpenFile(f, info.Size()); err != nil {
		f.Close()
		return nil, fmt.Errorf("opening the directory: it is no Parquet file that can be read: %w", err)
	}
	t.groups = t.file.RowGroups()
	schema := t.file.Schema()
	for _, path := range schema.Columns() {
		leaf, ok := schema.Lookup(path...)
		if !ok {
			continue
		}
		title := path[0]
		if len(t.titles) == 0 || t.titles[len(t.titles)-1] != title {
			t.titles = append(t.titles, title)
		} else if _, known := columnOf(title); known {
			f.Close()
			return nil, fmt.Errorf("the column %s of the directory is a structure; it must be a value or a list of values", title)
		}
		l := parquetLeaf{column: len(t.titles) - 1, list: leaf.MaxRepetitionLevel > 0}
		if lt := leaf.Node.Type().LogicalType(); lt != nil {
			l.kind = parquetKindOf(lt.Value)
		}
		t.leaves = append(t.leaves, l)
	}
	t.values = make([][]byte, len(t.titles))
	return t, nil
}

func parquetKindOf(v format.LogicalTypeValue) parquetKind {
	switch v := v.(type) {
	case *format.DateType:
		return parquetDate
	case *format.TimestampType:
		switch v.Unit.Value.(type) {
		case *format.MilliSeconds:
			return parquetMillis
		case *format.MicroSeconds:
			return parquetMicros
		default:
			return parquetNanos
		}
	}
	return parquetPlain
}

func (t *parquetTable) names() []string { return t.titles }

func (t *parquetTable) next() ([][]byte, error) {
	for len(t.read) == 0 {
		if t.rows == nil {
			if len(t.groups) == 0 {
				return nil, io.EOF
			}
			t.rows, t.groups = t.groups[0].Rows(), t.groups[1:]
		}
		n, err := t.rows.ReadRows(t.buf)
		t.read = t.buf[:n]
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("reading the directory: %w", err)
		}
		if errors.Is(err, io.EOF) || n == 0 {
			if err := t.rows.Close(); err != nil {
				return nil, fmt.Errorf("reading the directory: %w", err)
			}
			t.rows = nil
		}
	}
	row := t.read[0]
	t.read = t.read[1:]
	for i := range t.values {
		t.values[i] = nil
	}
	for _, v := range row {
		l := &t.leaves[v.Column()]
		if v.IsNull() {
			continue
		}
		at := &t.values[l.column]
		switch {
		case !l.list:
			*at = l.append(*at, v)
		case *at == nil:
			*at = append(l.append([]byte{'['}, v), ']')
		default:
			(*at)[len(*at)-1] = ','
			*at = append(l.append(*at, v), ']')
		}
	}
	return t.values, nil
}

// append appends a value as JSON.
func (l *parquetLeaf) append(b []byte, v parquet.Value) []byte {
	switch l.kind {
	case parquetDate:
		return appendDay(b, time.Unix(int64(v.Int32())*86400, 0))
	case parquetMillis:
		return appendDay(b, time.UnixMilli(v.Int64()))
	case parquetMicros:
		return appendDay(b, time.UnixMicro(v.Int64()))
	case parquetNanos:
		return appendDay(b, time.Unix(0, v.Int64()))
	}
	switch v.Kind() {
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return quoteJSON(b, v.ByteArray())
	case parquet.Int32:
		return strconv.AppendInt(b, int64(v.Int32()), 10)
	case parquet.Int64:
		return strconv.AppendInt(b, v.Int64(), 10)
	default:
		return append(b, "true"...) // of a kind that is no value of a person's; the row says which column
	}
}

func appendDay(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), time.DateOnly), '"')
}

func (t *parquetTable) Close() error { return t.f.Close() }
