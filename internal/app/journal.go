package app

import (
	"context"
	"iter"
	"sync"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/scope"
)

// journal shows the ledger to the scope index, which knows nothing of events.
type journal struct {
	*ledger.Ledger

	mu sync.Mutex // guards people
	// people is the last snapshot, nil once an import went by: reading it anew
	// takes seconds with millions, and a page asks every second.
	people *scope.People
}

// Journal shows a ledger to a scope index.
func Journal(l *ledger.Ledger) interface {
	scope.Source
	scope.Scanner
} {
	return &journal{Ledger: l}
}

func (j *journal) Size() uint64 { return j.Status().Size }

// Scan is scope.Scanner.
func (j *journal) Scan(ctx context.Context, first, last uint64, takes func(exposure.Pathway) bool, who exposure.Ordinal, take func(*scope.Entry) error) error {
	var exposures []scope.Exposure
	return j.Ledger.Scan(ctx, first, last, ledger.Probe{Takes: takes, Who: who}, func(e *ledger.Entry) error {
		exposures = exposures[:0]
		out := scopeEntry(*e, &exposures)
		return take(&out)
	})
}

func (j *journal) Entries(from uint64) iter.Seq2[scope.Entry, error] {
	return func(yield func(scope.Entry, error) bool) {
		// One slice for all entries: the index reads it before it asks for the
		// next one.
		var exposures []scope.Exposure
		for e, err := range j.Ledger.Entries(from) {
			if err != nil {
				yield(scope.Entry{}, err)
				return
			}
			if e.Kind == ledger.KindEvent && (e.Event.Kind == ledger.EventImport || e.Event.Kind == ledger.EventErase) {
				j.mu.Lock()
				j.people = nil
				j.mu.Unlock()
			}
			exposures = exposures[:0]
			if !yield(scopeEntry(e, &exposures), nil) {
				return
			}
		}
	}
}

var scopeResults = map[ledger.Result]scope.Result{
	ledger.Unknown: scope.Unknown, ledger.Sent: scope.Sent, ledger.NotSent: scope.NotSent,
}

var scopeEvents = map[ledger.EventKind]scope.EntryKind{
	ledger.EventRestart: scope.Restarted, ledger.EventCoverageStart: scope.CoverageStart, ledger.EventCoverageStop: scope.CoverageStop,
	ledger.EventAttest: scope.Stated, ledger.EventAccessed: scope.Stated, ledger.EventScope: scope.Stated,
}

func scopeEntry(e ledger.Entry, exposures *[]scope.Exposure) scope.Entry {
	out := scope.Entry{Seq: e.Seq, At: e.At}
	switch e.Kind {
	case ledger.KindDisclosure:
		out.Kind, out.Pathway, out.Incomplete = scope.Disclosed, e.Pathway, e.Incomplete
		out.Declared, out.HeldSince = e.Declared, e.HeldSince
		for _, s := range e.Subjects {
			*exposures = append(*exposures, scope.Exposure{Ordinal: s.Ordinal, Set: s.Set})
		}
		out.Exposures = *exposures
	case ledger.KindOutcome:
		out.Kind, out.Of, out.Result = scope.Settled, e.Of, scopeResults[e.Outcome.Result]
	case ledger.KindEvent:
		out.Kind, out.Vendor = scopeEvents[e.Event.Kind], e.Event.Vendor // scope.Other for all the rest
		if out.Kind == scope.Stated {
			out.Statement = statement(&e.Event)
		}
	}
	return out
}

// statement reads the fields that the desk wrote. One that is missing or no
// time is left zero: an attestation without its instants excludes nobody.
func statement(e *ledger.Event) scope.Statement {
	text := func(key string) string { s, _ := e.Fields[key].(string); return s }
	at := func(key string) time.Time {
		t, _ := time.Parse(time.RFC3339Nano, text(key))
		return t
	}
	s := scope.Statement{Kind: scope.StatementKind(e.Kind), Vendor: e.Vendor, Actor: e.Actor,
		Route: text("route"), SentBefore: at("sent_before"), DeletedAt: at("deleted_at"),
		SHA256: text("file_sha256"), ID: text("scope"), Digest: text("digest"), Incident: text("incident"), Proof: text("proof")}
	if list := text("list"); list != "" {
		s.ID = list
	}
	if n, ok := e.Fields["withdraws"].(float64); ok {
		s.Withdraws = uint64(n)
	}
	return s
}

// People shows the directory's attributes, which both sides keep as arrays.
func (j *journal) People() (*scope.People, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.people != nil {
		return j.people, nil
	}
	p, err := j.Ledger.People()
	if err != nil {
		return nil, err
	}
	j.people = &scope.People{
		Countries: p.Countries, States: p.States, Languages: p.Languages,
		Country: p.Country, State: p.State, Language: p.Language, MinorUntil: p.MinorUntil, Directory: p.DirectoryBits(),
	}
	return j.people, nil
}
