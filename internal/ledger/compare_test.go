package ledger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"cordon/internal/exposure"
)

// What a comparison counts is what the import after it does, in the store as in
// a base of people: who is back, who shares an id, strangers who get a name.
func TestComparisonCountsWhatTheImportDoes(t *testing.T) {
	for _, from := range []uint64{1 << 40, 1} { // never a base, always one
		r := rand.New(rand.NewPCG(7, from))
		l := mustOpen(t, t.TempDir())
		l.baseFrom = from
		for i := range 20 { // strangers
			mustRecord(t, l, mail(about(exposure.Set{}, email(i))))
		}
		for round := range 8 {
			var people []Person
			for i := range 60 {
				if r.IntN(3) > 0 {
					people = append(people, Person{ID: fmt.Sprint("u", i), Identifiers: []exposure.Identifier{email(i)}, Line: uint64(len(people) + 2)})
				}
			}
			twice := people[r.IntN(len(people))]
			twice.Line = uint64(len(people) + 2)
			people = append(people, twice)
			c, err := l.Compare()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range people {
				if err := c.Add(&p); err != nil {
					t.Fatal(err)
				}
			}
			want := c.Done()
			got, err := l.Import(t.Context(), peopleSeq(people...))
			if err != nil {
				t.Fatal(err)
			}
			if got.New != want.New || got.Left != want.Left || !slices.Equal(got.Repeated, want.Repeated) {
				t.Errorf("base from %d, round %d: compared %+v, imported %+v", from, round, want, got)
			}
		}
	}
}
