package directory

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// endless writes people without holding them.
type endless struct {
	n, max int
	buf    []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.buf) == 0 {
		if e.n > e.max {
			return 0, io.EOF
		}
		if e.n == 0 {
			e.buf = []byte("id,email,phone,name,country,language,birth_date\n")
		} else {
			e.buf = fmt.Appendf(e.buf, "u%d,user%d@mail.example,+4930%07d,\"Person, %d\",DE,de,1990-01-%02d\n", e.n, e.n, e.n, e.n, 1+e.n%28)
		}
		e.n++
	}
	n := copy(p, e.buf)
	e.buf = e.buf[n:]
	if len(e.buf) == 0 {
		e.buf = e.buf[:0]
	}
	return n, nil
}

func discard(_ context.Context, people iter.Seq2[Person, error]) (s Stored, err error) {
	for _, err := range people {
		if err != nil {
			return s, err
		}
		s.New++
	}
	return s, nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestMemoryDoesNotGrowWithTheNumberOfPeople(t *testing.T) {
	const people = 50_000
	before := heap()
	var most uint64
	a, err := Import(context.Background(), CSV, &endless{max: people}, discard, Options{Now: now, Progress: func(_ int64, lines uint64) {
		if lines%(10*progressEvery) < 2 {
			most = max(most, heap())
		}
	}})
	if err != nil || a.New != people {
		t.Fatalf("%+v, %v", a, err)
	}
	if grown := int64(most) - int64(before); most == 0 || grown > 24<<20 {
		t.Fatalf("the heap grew by %d bytes", grown)
	}
}

func TestReadsWhatTheStandardLibraryWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.StringOf(rapid.RuneFrom([]rune("ab \",;\t\n\r'é😀")))
		want := [][]string{{"id", "name"}}
		for range rapid.IntRange(0, 8).Draw(t, "rows") {
			want = append(want, []string{field.Draw(t, "id"), field.Draw(t, "name")})
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = rapid.Bool().Draw(t, "crlf")
		if err := w.WriteAll(want); err != nil {
			t.Fatal(err)
		}
		ref, err := csv.NewReader(bytes.NewReader(b.Bytes())).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		c, err := openCSV(slow{bytes.NewReader(b.Bytes())})
		if err != nil {
			t.Fatal(err)
		}
		var got [][2]string
		for {
			block, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			if block == nil {
				break
			}
			err = block.each(&row{}, func(r *row, err error) error {
				got = append(got, [2]string{r.values[columnID], r.values[columnName]})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != len(ref)-1 {
			t.Fatalf("%d rows, want %d", len(got), len(ref)-1)
		}
		for i, fields := range ref[1:] {
			// encoding/csv takes CRLF within quotes for LF; we leave it.
			id, name := strings.ReplaceAll(got[i][0], "\r\n", "\n"), strings.ReplaceAll(got[i][1], "\r\n", "\n")
			if id != fields[0] || name != fields[1] {
				t.Fatalf("row %d: %q and %q, want %q", i, id, name, fields)
			}
		}
		if bytes, _ := c.read(); bytes != int64(b.Len()) {
			t.Fatalf("read %d bytes of %d", bytes, b.Len())
		}
	})
}

// slow gives a byte at a time.
type slow struct{ io.Reader }

func (s slow) Read(p []byte) (int, error) { return s.Reader.Read(p[:min(1, len(p))]) }

func FuzzDirectory(f *testing.F) {
	f.Add(true, "id,email\nu1,\"a@b.example\"\n")
	f.Add(false, `{"id":"u1","email":["a@b.example"]}`)
	f.Fuzz(func(t *testing.T, isCSV bool, text string) {
		format := JSONL
		if isCSV {
			format = CSV
		}
		a, err := Import(context.Background(), format, strings.NewReader(text), (&kept{}).sink, Options{Now: now})
		if err != nil {
			return
		}
		if lines := uint64(strings.Count(text, "\n") + 1); a.People+a.RejectedRows > lines {
			t.Fatalf("%d people and %d rejected from %d lines", a.People, a.RejectedRows, lines)
		}
	})
}

func BenchmarkImport(b *testing.B) {
	for _, c := range []string{"with phones", "without"} {
		b.Run(c, func(b *testing.B) {
			b.ReportAllocs()
			var r io.Reader = &endless{max: b.N}
			if c == "without" {
				r = strings.NewReader("id,email,country\n" + strings.Repeat("u1,user@mail.example,DE\n", b.N))
				b.ResetTimer()
			}
			if _, err := Import(context.Background(), CSV, r, discard, Options{Now: now}); err != nil {
				b.Fatal(err)
			}
		})
	}
}
