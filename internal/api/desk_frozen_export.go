package api

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/scope"
)

// ExportFrozen writes the people of a frozen scope, as ExportScope does those of
// an answer: the same columns, by directory id. Whom it counts is as it was
// frozen; the id, the country and the language are those that the directory
// has now, and empty for somebody who was erased since.
func (d *Desk) ExportFrozen(ctx context.Context, id string, w io.Writer) error {
	actor, err := may(ctx, ReadPeople)
	if err != nil {
		return err
	}
	if err := d.needLedger(); err != nil {
		return err
	}
	s, err := d.Index.Frozen(id)
	if errors.Is(err, scope.ErrNotFrozen) {
		return problem(http.StatusNotFound, "unknown-scope", "cordon ledger tail shows which were frozen", "%v", err)
	}
	if err != nil {
		return unavailable("reading a frozen scope", err)
	}
	a, err := frozenAnswer(s)
	if err != nil {
		return err
	}
	if err := d.limit().take(actor, 10, d.Now()); err != nil {
		return err
	}
	if err := d.record(ctx, actor, a.Vendor, map[string]any{"what": "export", "scope": id}); err != nil {
		return err
	}
	people, err := d.Ledger.People()
	if err != nil {
		return unavailable("reading the directory's attributes", err)
	}
	out := csv.NewWriter(w)
	if err := out.Write(scope.ExportHeader); err != nil {
		return err
	}
	for _, c := range s.Cohorts {
		forms := []string{}
		for _, key := range slices.Sorted(maps.Keys(c.Protected)) {
			forms = append(forms, key+"="+c.Protected[key])
		}
		who, err := d.Index.FrozenPeople(id, c.SHA256)
		if err != nil {
			return unavailable("reading a frozen scope", err)
		}
		for it := who.Iterator(); it.HasNext(); {
			o := it.Next()
			name, known, err := d.Ledger.DirectoryID(exposure.Ordinal(o))
			if err != nil {
				return unavailable("opening a directory id", err)
			}
			if !known {
				name = "" // a stranger has none
			}
			row := []string{name, c.ID, strings.Join(c.Categories, " "), strings.Join(forms, " "), "", ""}
			if int(o) < len(people.Country) {
				row[4], row[5] = entryAt(people.Countries, int(people.Country[o])), entryAt(people.Languages, int(people.Language[o]))
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

func entryAt(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}
