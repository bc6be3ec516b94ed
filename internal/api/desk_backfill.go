package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/roll"
)

// Backfill declares what a vendor held before Cordon stood in its way: a file
// with the directory's identifiers, since when, and which categories. It is
// written between two entries, of which the second says how many people and
// from which file; a file that breaks off leaves what was read until then.
func (d *Desk) Backfill(ctx context.Context, q BackfillQuery, r io.Reader) (Backfilled, error) {
	answer := Backfilled{Vendor: q.Vendor, DryRun: q.DryRun}
	actor, err := may(ctx, DeclareHoldings)
	if err != nil {
		return answer, err
	}
	if _, err := d.spec(q.Vendor); err != nil {
		return answer, err
	}
	if err := d.needLedger(); err != nil {
		return answer, err
	}
	if !q.DryRun {
		if err := d.needServer("cordon ledger backfill"); err != nil {
			return answer, err
		}
	}
	var of exposure.Set
	if q.Categories != "" {
		if of, err = roll.ParseCategories(q.Categories); err != nil {
			return answer, problem(http.StatusUnprocessableEntity, "category-unknown",
				"name fideslang's keys, parted by commas: user.contact.email,user.name", "%v", err)
		}
	}
	if !d.importing.TryLock() {
		return answer, problem(http.StatusConflict, "import-running", "wait until it is done", "another import runs")
	}
	defer d.importing.Unlock()

	v, sum := exposure.VendorID(q.Vendor), sha256.New()
	o := roll.Options{Vendor: v, Categories: true, Now: d.Now()}
	people := func(yield func(ledger.Declared, error) bool) {
		for row, err := range roll.Read(ctx, io.TeeReader(r, sum), o, &answer.Problems) {
			if err != nil {
				yield(ledger.Declared{}, err)
				return
			}
			p := ledger.Declared{Set: row.Set, HeldSince: row.HeldSince}
			if p.Set.Empty() {
				p.Set = of
			}
			if p.Set.Empty() {
				answer.Reject(row.Line, "says nothing of what was held; give a column categories, or --categories")
				continue
			}
			for _, name := range row.Names {
				p.Identifiers = append(p.Identifiers, name.Readings...)
			}
			if len(p.Identifiers) == 0 {
				answer.Reject(row.Line, "names nobody by an identifier")
				continue
			}
			if !yield(p, nil) {
				return
			}
		}
	}
	if q.DryRun {
		for p, err := range people {
			if err != nil {
				return answer, unreadable(err)
			}
			who, err := d.Ledger.Whom(p.Identifiers)
			if err != nil {
				return answer, unavailable("looking people up", err)
			}
			answer.People++
			if len(who) == 0 {
				answer.New++
			}
		}
		answer.FileSHA256 = finish(sum, r)
		answer.Warnings = d.takenBefore(ledger.EventBackfill, v, answer.FileSHA256, 0)
		return answer, nil
	}
	event := func(fields map[string]any) (uint64, error) {
		return d.Ledger.Append(ctx, ledger.Event{Kind: ledger.EventBackfill, Vendor: v, At: d.Now(), Actor: actor.Name, Fields: fields})
	}
	begun, err := event(map[string]any{"what": "begun", "categories": of.String()})
	if err != nil {
		return answer, unavailable("declaring what the vendor held", err)
	}
	answer.Entry = begun
	done, err := d.Ledger.Declare(ctx, v, begun, people)
	answer.People, answer.New = done.People, done.New
	fields := map[string]any{"what": "done", "begun": begun, "people": done.People, "new": done.New, "rejected": answer.RejectedRows}
	if err != nil {
		fields["what"] = "broken off" // what was read stays; the reason may quote the file
		ctx = context.WithoutCancel(ctx)
	} else {
		answer.FileSHA256 = finish(sum, r)
		fields["file_sha256"] = answer.FileSHA256
	}
	if done.People > 0 {
		fields["first"], fields["last"] = done.First, done.Last
	}
	_, ended := event(fields)
	switch {
	case err != nil && errors.Is(err, ledger.ErrUnavailable) || ended != nil:
		return answer, unavailable("declaring what the vendor held", errors.Join(err, ended))
	case err != nil:
		return answer, unreadable(err)
	}
	answer.Warnings = d.takenBefore(ledger.EventBackfill, v, answer.FileSHA256, begun)
	return answer, nil
}

// takenBefore warns of an entry before another one (0: of any) that took in the
// very same file about the same vendor. It is taken all the same: a vendor may
// have sent the same list twice, and that it did is a fact too.
func (d *Desk) takenBefore(kind ledger.EventKind, v exposure.VendorID, sha256 string, before uint64) []string {
	for e, err := range d.Ledger.Events(1) {
		if err != nil || before != 0 && e.Seq >= before {
			return nil
		}
		if e.Event.Kind == kind && e.Event.Vendor == v && e.Event.Fields["file_sha256"] == sha256 {
			return []string{fmt.Sprintf("this very file was taken in before, by entry %d", e.Seq)}
		}
	}
	return nil
}

// finish reads to the end, so that the hash is of the whole file.
func finish(sum hash.Hash, r io.Reader) string {
	_, _ = io.Copy(sum, r) // the list was read; what follows it only has to be hashed
	return hex.EncodeToString(sum.Sum(nil))
}

// unreadable is a list that cannot be read to its end.
func unreadable(err error) error {
	if errors.Is(err, ledger.ErrUnavailable) || errors.Is(err, context.Canceled) {
		return unavailable("reading the list", err)
	}
	return problem(http.StatusUnprocessableEntity, "list-unreadable",
		"the first line of a CSV names the columns, as a directory does: id,email,phone,username, and held_since, categories", "%v", err)
}

// instantText is how entries hold an instant.
func instantText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
