package scope

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"cordon/internal/exposure"
)

// Opener opens the directory's id of a person; ok is false for a stranger.
type Opener func(exposure.Ordinal) (id string, ok bool, err error)

// ExportHeader is the first line of an export.
var ExportHeader = []string{"id", "cohort", "categories", "protected", "country", "language"}

// Export writes everybody whom q exposes as CSV, one line each, and returns
// how many. The column id is the directory's, also of somebody who left it; it
// is empty for strangers, who have none, so that the lines always add up to the
// answer's subjects. cohort
// is Cohort.ID; categories are separated by spaces, protected ones written
// category=form. People come in the order of their ordinals, which says nothing.
// They are written as they are met: memory does not grow with their number.
func (x *Index) Export(ctx context.Context, q Query, w io.Writer, open Opener) (uint64, error) {
	r, err := x.ask(ctx, &q)
	if err != nil {
		return 0, err
	}
	defer r.close()
	people := r.people
	out := csv.NewWriter(w)
	if err := out.Write(ExportHeader); err != nil {
		return 0, err
	}
	var n uint64
	var columns [][3]string // cohort, categories, protected, by union
	row := make([]string, len(ExportHeader))
	_, err = r.s.walk(ctx, tour{plans: []*plan{r.in}, ordered: true}, one(func(g group) error {
		for u := len(columns); u <= g.union; u++ {
			columns = append(columns, cohortColumns(g.unions.set(u)))
		}
		c := columns[g.union]
		for left := g.people; left != 0; left &= left - 1 {
			o := g.first + exposure.Ordinal(bits.TrailingZeros64(left))
			row[0], row[1], row[2], row[3], row[4], row[5] = "", c[0], c[1], c[2], "", ""
			if int(o) < len(people.Country) {
				id, ok, err := open(o)
				if err != nil {
					return fmt.Errorf("opening a directory id: %w", err)
				}
				if ok {
					row[0] = id
				}
				row[4], row[5] = entryAt(people.Countries, int(people.Country[o])), entryAt(people.Languages, int(people.Language[o]))
			}
			if err := out.Write(row); err != nil {
				return err
			}
			n++
		}
		return nil
	}))
	if err != nil {
		return n, err
	}
	out.Flush()
	return n, out.Error()
}

func cohortColumns(s exposure.Set) [3]string {
	categories, protected := shown(s)
	forms := make([]string, 0, len(protected))
	for _, key := range slices.Sorted(maps.Keys(protected)) {
		forms = append(forms, key+"="+protected[key])
	}
	return [3]string{cohortID(s), strings.Join(categories, " "), strings.Join(forms, " ")}
}
