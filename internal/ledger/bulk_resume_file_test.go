package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"cordon/internal/api"
	"cordon/internal/config"
	"cordon/internal/directory"
	"cordon/internal/exposure"
	"cordon/internal/ledger"
)

// breaking is a file that cannot be read beyond a point.
type breaking struct {
	in   io.Reader
	left int
}

var errBroken = errors.New("the line is dead")

func (b *breaking) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errBroken
	}
	n, err := b.in.Read(p[:min(len(p), b.left, 70_001)]) // pieces of another size must make no difference
	b.left -= n
	return n, err
}

// A real file with rows that are not taken, quotes that never close, ids that
// come twice and people who come of age: broken off and gone on with it gives the
// very answer of an import that ran through, line by line.
func TestAFileThatBrokeOffGivesTheAnswerOfTheWholeFile(t *testing.T) {
	now := time.Now()
	for _, format := range []directory.Format{directory.CSV, directory.JSONL} {
		t.Run(string(format), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "people."+string(format))
			if err := os.WriteFile(path, fileOf(format, now), 0o600); err != nil {
				t.Fatal(err)
			}
			load := func(l *ledger.Ledger, asOf time.Time, bytes int) (*directory.Answer, error) {
				in, err := directory.Open(t.Context(), path, "")
				if err != nil {
					t.Fatal(err)
				}
				defer in.Close()
				return directory.ImportBlocks(context.Background(), in.Format, &breaking{in, bytes}, api.People(l, config.Directory{}), directory.Options{Now: asOf, Version: in.Version})
			}
			open := func() *ledger.Ledger {
				l, err := ledger.OpenTest(t, t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { l.Close() })
				l.PointsEvery(2, func(uint32) {})
				return l
			}
			want, err := load(open(), now, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			if want.RejectedRows < 40 || want.People < 5000 || len(want.Ignored) != 1 {
				t.Fatalf("this is no test: %+v", want)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			l := open()
			if _, err := load(l, now, int(info.Size())/2); !errors.Is(err, errBroken) {
				t.Fatalf("the import ended with %v", err)
			}
			got, err := load(l, now.AddDate(0, 0, 2), 1<<30) // later: birthdays that lay ahead do not any more
			if err != nil {
				t.Fatal(err)
			}
			if got.WentOnBehind < 2000 || got.WentOnBehind > 5000 || got.BegunAnew != "" {
				t.Errorf("went on behind %d, %s", got.WentOnBehind, got.BegunAnew)
			}
			if got.WentOnBehind = 0; !reflect.DeepEqual(got, want) {
				t.Errorf("the answer is\n%+v, want\n%+v", got, want)
			}
			for n := range 6000 {
				id := exposure.Identifier{Kind: exposure.KindEmail, Value: fmt.Sprintf("p%d@mail.example", n)}
				if l.Knows(id) == (n%150 == 149 || n%500 == 321) {
					t.Fatalf("person %d: known %v", n, l.Knows(id))
				}
				if needles := l.Needles([]exposure.Identifier{id}, nil); (len(needles) > 0) == (n%150 == 149 || n%500 == 321) {
					t.Fatalf("person %d: %v is searched for", n, needles)
				}
			}

			// The same bytes with another time are another file.
			l = open()
			if _, err := load(l, now, int(info.Size())/2); !errors.Is(err, errBroken) {
				t.Fatalf("the import ended with %v", err)
			}
			if err := os.Chtimes(path, now, now.Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			got, err = load(l, now, 1<<30)
			if err != nil || got.WentOnBehind != 0 || got.BegunAnew == "" {
				t.Fatalf("a changed file: %+v, %v", got, err)
			}
			if got.BegunAnew = ""; !reflect.DeepEqual(got, want) {
				t.Errorf("the answer is\n%+v, want\n%+v", got, want)
			}
		})
	}
}

func fileOf(format directory.Format, now time.Time) []byte {
	var b bytes.Buffer
	red := strings.Repeat("red ", 120) // more than is looked at for the header
	if format == directory.CSV {
		b.WriteString("id,email,name,country,birth_date,colour\n")
	}
	for n := range 6000 {
		id, country, born := fmt.Sprint("p", n), "DE", "1990-01-02"
		switch {
		case n%150 == 149:
			country = "Germany"
		case n%500 == 321:
			id = fmt.Sprint("p", n-7)
		}
		row := "{\"id\":%q,\"email\":\"p%d@mail.example\",\"name\":\"Ann %d\",\"country\":%q,\"birth_date\":%q,\"colour\":\"%s\"}\n"
		if format == directory.CSV {
			row = "%s,p%d@mail.example,\"Ann %d\",%s,%s,%s\n"
		}
		fmt.Fprintf(&b, row, id, n, n, country, born, red)
		if n%700 == 650 { // born the day after the import
			fmt.Fprintf(&b, row, fmt.Sprint("tomorrow", n), 10_000+n, n, "DE", now.AddDate(0, 0, 1).Format(time.DateOnly), red)
		}
		if n == 777 && format == directory.CSV {
			b.WriteString("x,\"a quote, and no end\nof it\n")
		}
	}
	return b.Bytes()
}
