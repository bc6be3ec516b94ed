package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
)

// SubjectLinks is what `cordon subject IDENTIFIER --links --json` prints: by what
// identifiers became the person's, beside those that the first message about
// them, or the directory, named.
type SubjectLinks struct {
	// Subject is the directory's own id; null for strangers.
	Subject *string       `json:"subject"`
	Links   []SubjectLink `json:"links"`
}

// SubjectLink is one identifier, whose value nobody can tell, and the evidence.
type SubjectLink struct {
	Kind string `json:"kind"`
	// How is message, answer or directory.
	How string `json:"how"`
	// Entry is the number of the disclosure that named both, or whose answer
	// told; of the directory, the last one before.
	Entry uint64    `json:"entry"`
	At    time.Time `json:"at"`
	// Shared: it rests on an address that turned out to be that of many.
	Shared bool `json:"shared"`
}

// SubjectUnlink asks to undo a link.
type SubjectUnlink struct {
	SubjectQuery
	Reason string `json:"reason,omitempty" maxLength:"400"`
	DryRun bool   `json:"dry_run,omitempty"`
}

// SubjectUnlinked says what was undone, or would be.
type SubjectUnlinked struct {
	Kind   string       `json:"kind"`
	Link   *SubjectLink `json:"link"` // null: the first message, or the directory, brought it
	DryRun bool         `json:"dry_run"`
	Entry  uint64       `json:"entry"` // of the ledger; 0 for a dry run
}

func shownLink(k ledger.Link) SubjectLink {
	return SubjectLink{Kind: k.Kind.String(), How: k.How.String(), Entry: k.Entry, At: k.At, Shared: k.Shared}
}

// Links lists by what identifiers became a person's.
func (d *Desk) Links(ctx context.Context, q SubjectQuery) (SubjectLinks, error) {
	answer := SubjectLinks{Links: []SubjectLink{}}
	_, who, _, err := d.person(ctx, ReadPeople, q, "subject-links")
	if err != nil || who == exposure.Nobody {
		return answer, err
	}
	links, err := d.Ledger.Links(who)
	if err != nil {
		return answer, unavailable("reading links", err)
	}
	for _, k := range links {
		answer.Links = append(answer.Links, shownLink(k))
	}
	if name, known, err := d.Ledger.DirectoryID(who); err != nil {
		return answer, unavailable("opening the directory id", err)
	} else if known {
		answer.Subject = &name
	}
	return answer, nil
}

// Unlink gives an identifier to somebody else. What was recorded before stays.
func (d *Desk) Unlink(ctx context.Context, r SubjectUnlink) (SubjectUnlinked, error) {
	id, who, actor, err := d.person(ctx, LoadPeople, r.SubjectQuery, "subject-unlink")
	if err != nil {
		return SubjectUnlinked{}, err
	}
	var u ledger.Unlinked
	switch {
	case who == exposure.Nobody:
		err = ledger.ErrUnknown
	case r.DryRun:
		u, err = d.Ledger.PlanUnlink(id)
	default:
		if err := d.needServer("cordon subject --unlink"); err != nil {
			return SubjectUnlinked{}, err
		}
		fields := map[string]any{}
		if r.Reason != "" {
			fields["reason_digest"] = d.Ledger.Digest(r.Reason)
		}
		u, err = d.Ledger.Unlink(ctx, id, ledger.Event{At: d.Now(), Actor: actor.Name, Fields: fields})
	}
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return SubjectUnlinked{}, problem(http.StatusNotFound, "identifier-unknown", "cordon subject IDENTIFIER", "%v", err)
	case errors.Is(err, ledger.ErrOwnID):
		return SubjectUnlinked{}, problem(http.StatusConflict, "directory-id", "change the directory and import it", "%v", err)
	case err != nil:
		return SubjectUnlinked{}, unavailable("undoing a link", err)
	}
	answer := SubjectUnlinked{Kind: u.Kind.String(), DryRun: r.DryRun, Entry: u.Entry}
	if u.Link != nil {
		k := shownLink(*u.Link)
		answer.Link = &k
	}
	return answer, nil
}

// person finds who is meant, as a read that is recorded.
func (d *Desk) person(ctx context.Context, p Power, q SubjectQuery, what string) (id exposure.Identifier, who exposure.Ordinal, a Actor, err error) {
	if a, err = may(ctx, p); err != nil {
		return id, who, a, err
	}
	if err := d.needLedger(); err != nil {
		return id, who, a, err
	}
	candidates, err := candidates(q)
	if err != nil {
		return id, who, a, err
	}
	if err := d.limit().take(a, 1, d.Now()); err != nil {
		return id, who, a, err
	}
	if err := d.record(ctx, a, "", map[string]any{"what": what}); err != nil {
		return id, who, a, err
	}
	for _, id := range candidates {
		who, found, err := d.Ledger.Lookup(id)
		if err != nil {
			return id, who, a, unavailable("looking the identifier up", err)
		}
		if found {
			return id, who, a, nil
		}
	}
	return id, exposure.Nobody, a, nil
}
