package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"cordon/internal/directory"
	"cordon/internal/ledger"
)

// ImportDirectory reads a file of people (name ends in .csv or .jsonl) into the
// ledger. One import runs at a time. Progress may be nil.
func (d *Desk) ImportDirectory(ctx context.Context, name string, r io.Reader, progress func(bytes int64, lines uint64)) (*directory.Answer, error) {
	if _, err := may(ctx, LoadPeople); err != nil {
		return nil, err
	}
	if err := d.needServer("cordon directory import"); err != nil {
		return nil, err
	}
	if !d.importing.TryLock() {
		return nil, problem(http.StatusConflict, "import-running", "wait until it is done", "another import runs")
	}
	defer d.importing.Unlock()
	return Import(ctx, d.Ledger, name, r, d.Now(), progress)
}

// errEnough stops the reader of the directory once the ledger stopped taking.
var errEnough = errors.New("the ledger takes no more people")

// Import joins the reader of the directory, which pushes, with the ledger,
// which pulls. What is new and what changed only the ledger knows.
func Import(ctx context.Context, l *ledger.Ledger, name string, r io.Reader, now time.Time, progress func(int64, uint64)) (*directory.Answer, error) {
	var answer *directory.Answer
	var readErr error
	done, err := l.Import(ctx, func(yield func(ledger.Person, error) bool) {
		answer, readErr = directory.Import(ctx, name, r, sink(yield), directory.Options{Progress: progress, Today: now})
		if readErr != nil && !errors.Is(readErr, errEnough) {
			yield(ledger.Person{}, readErr) // ends the ledger's side too
		}
	})
	if readErr != nil && !errors.Is(readErr, errEnough) {
		return nil, problem(http.StatusUnprocessableEntity, "directory-unreadable",
			"the first line names the columns: id,email,phone,name,country,state,language,birth_date,username", "%v", readErr)
	}
	if err != nil {
		return nil, unavailable("importing the directory", err)
	}
	answer.People, answer.New, answer.Changed = done.People, done.New, done.Changed
	return answer, nil
}

type sink func(ledger.Person, error) bool

// Put implements directory.Sink.
func (s sink) Put(_ context.Context, p directory.Person) (directory.Outcome, error) {
	person := ledger.Person{ID: p.ID, Identifiers: p.Identifiers, Country: p.Country, State: p.State, Language: p.Language}
	if !p.BirthDate.IsZero() {
		// Eighteen years: the Convention on the Rights of the Child, article 1.
		person.MinorUntil = p.BirthDate.AddDate(18, 0, 0)
	}
	if !s(person, nil) {
		return directory.Unchanged, errEnough
	}
	return directory.Unchanged, nil
}
