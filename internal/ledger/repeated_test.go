package ledger

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
)

func TestTheFirstPersonWithAnIDIsTaken(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	// More than one chunk, with the repetition in the same chunk, in a later
	// one, and of somebody whom an earlier import brought.
	directory := func(country string) iter.Seq2[Person, error] {
		return func(yield func(Person, error) bool) {
			for i := range 2*chunkSize + 10 {
				if !yield(Person{ID: fmt.Sprint("u", i), Country: country, Line: uint64(i + 2)}, nil) {
					return
				}
				if i == 5 || i == chunkSize+7 {
					for _, again := range []string{"u1", "u5"} {
						if !yield(Person{ID: again, Country: "XX", Line: uint64(1_000_000 + i)}, nil) {
							return
						}
					}
				}
			}
		}
	}
	for round, country := range []string{"DE", "FR"} {
		done, err := l.Import(context.Background(), directory(country))
		if err != nil {
			t.Fatal(err)
		}
		want := []uint64{1_000_005, 1_000_005, 1_000_000 + chunkSize + 7, 1_000_000 + chunkSize + 7}
		if !slices.Equal(done.Repeated, want) || done.People != 2*chunkSize+10 {
			t.Fatalf("round %d: %+v", round, done)
		}
		people, err := l.People()
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(people.Countries, "XX") || !slices.Contains(people.Countries, country) {
			t.Fatalf("round %d: countries %q", round, people.Countries)
		}
	}
}
