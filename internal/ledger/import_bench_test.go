package ledger

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"cordon/internal/classify"
	"cordon/internal/exposure"
)

// BenchmarkImport loads a directory of 100,000 into an empty ledger, and again
// with nothing changed, and says what a person costs in time and, compacted, in
// bytes. Run it with -benchtime 1x.
func BenchmarkImport(b *testing.B) {
	const people = 100_000
	var hash func(string) uint64
	directory := func(yield func(Person, error) bool) {
		for i := range people {
			phone := fmt.Sprintf("%010d", 3_000_000_000+i*7919)
			p := Person{ID: fmt.Sprintf("u-%d", i), Country: "DE", State: "BE", Language: "de", Identifiers: []exposure.Identifier{
				email(i),
				{Kind: exposure.KindPhone, Value: "+49" + phone}, {Kind: exposure.KindPhone, Value: "0" + phone},
				{Kind: exposure.KindUsername, Value: fmt.Sprintf("person%d", i)},
			}}
			for c, words := range map[exposure.Category]string{
				exposure.Name: fmt.Sprint("person ", i), exposure.LastName: fmt.Sprint(i), exposure.Street: fmt.Sprint("main street ", i),
				exposure.City: "berlin", exposure.BirthDate: "1990 1 2", exposure.Phone: phone, exposure.Username: fmt.Sprint("person", i),
			} {
				p.Needles = append(p.Needles, classify.Needle{Hash: hash(words), Words: 2, Category: c})
			}
			slices.SortFunc(p.Needles, func(a, b classify.Needle) int { return int(a.Category) - int(b.Category) })
			if !yield(p, nil) {
				return
			}
		}
	}
	for range b.N {
		dir := b.TempDir()
		l := mustOpen(b, dir)
		hash = l.Hash
		for _, round := range []string{"first", "again"} {
			start, cpu := time.Now(), processor()
			if _, err := l.Import(context.Background(), directory); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(time.Since(start).Microseconds())/people, round+"-us/person")
			b.ReportMetric(float64((processor()-cpu).Microseconds())/people, round+"-cpu-us/person")
		}
		if err := l.store.DB().Compact(context.Background(), []byte{0}, []byte{0xff}, true); err != nil {
			b.Fatal(err)
		}
		l.Close()
		var size int64
		tables, err := filepath.Glob(filepath.Join(dir, "store", "*.sst"))
		if err != nil {
			b.Fatal(err)
		}
		for _, t := range tables {
			if info, err := os.Stat(t); err == nil {
				size += info.Size()
			}
		}
		b.ReportMetric(float64(size)/people, "bytes/person")
	}
	b.ReportMetric(0, "ns/op")
}

// processor is the time that this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
