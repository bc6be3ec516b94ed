package scope

import (
	"context"
	"math"
	"slices"
	"time"

	"cordon/internal/exposure"
)

// # What an attested deletion changes
//
// A vendor's letter says: what we got before one instant (by one route, or by
// all), we had deleted at another. On the basis Held a question about a time
// that begins at or after the deletion leaves those disclosures out: they were
// not held at any instant of it. A question that begins earlier, or has no
// beginning, leaves nothing out, and so does the basis SentWithin, which asks
// what was sent and not what became of it.
//
// Only such a letter excludes. What a contract promises about retention
// excludes nobody: a promise is no deletion.
//
// What was declared counts as got when it is said to have been held since, so
// that a letter about all routes covers it; one about a single route does not,
// since by which way it came nobody knows, and none covers what was declared
// without an instant: nobody said that it came before the one in the letter. A
// declaration that was written after
// the letter stands against it: somebody who knew of the letter, or could have,
// says that the vendor holds it nevertheless.

// letters are the attestations about a vendor that stand.
func letters(stated []Statement, v exposure.VendorID) []Statement {
	withdrawn := map[uint64]bool{}
	for _, s := range stated {
		if s.Kind == Attestation && s.Withdraws != 0 {
			withdrawn[s.Withdraws] = true
		}
	}
	var out []Statement
	for _, s := range stated {
		if s.Kind == Attestation && s.Vendor == v && s.Withdraws == 0 && !withdrawn[s.Seq] && !s.SentBefore.IsZero() && !s.DeletedAt.IsZero() {
			out = append(out, s)
		}
	}
	return out
}

// deleted is the instant before which what came by a pathway was gone when the
// question begins; MinInt64: nothing was.
func (q *Query) deleted(letters []Statement, p pathway) int64 {
	gone := int64(math.MinInt64)
	if q.Basis != Held || q.Since.IsZero() {
		return gone
	}
	for _, s := range letters {
		switch {
		case s.DeletedAt.After(q.Since):
		case s.Route != "" && s.Route != p.Route:
		case p.Route == exposure.DeclaredRoute && declaredIn(p.Credential) > s.Seq:
		default:
			gone = max(gone, s.SentBefore.UnixNano())
		}
	}
	return gone
}

// sides are what a question takes in and what attested deletions leave out of
// it, as picks of two plans.
func (q *Query) sides(ways []pathway, stated []Statement) (in, out []pick) {
	w := q.window()
	if len(q.applied(stated)) == 0 {
		return []pick{{q.selects, w}}, nil
	}
	letters := letters(stated, q.Vendor)
	gone, instants := map[exposure.Pathway]int64{}, map[int64]bool{}
	for _, p := range ways {
		if q.selects(p) {
			at := q.deleted(letters, p)
			gone[p.Pathway], instants[at] = at, true
		}
	}
	for at := range instants {
		takes := func(p pathway) bool {
			its, ok := gone[p.Pathway]
			return ok && its == at
		}
		if at > w.from {
			dated := func(p pathway) bool { return !p.declared() && takes(p) }
			out = append(out, pick{dated, span{w.from, min(at, w.to)}})
			if declared := func(p pathway) bool { return p.declared() && takes(p) }; slices.ContainsFunc(ways, declared) {
				const since = sinceEver + 1
				in = append(in, pick{declared, span{sinceEver, since}})
				out = append(out, pick{declared, span{since, min(at, w.to)}})
			}
		}
		if at < w.to {
			in = append(in, pick{takes, span{max(at, w.from), w.to}})
		}
	}
	return in, out
}

// Excluded are people who are not counted, with the reason.
type Excluded struct {
	// Reason is a word of this package: "attested-deleted".
	Reason   string `json:"reason"`
	Subjects uint64 `json:"subjects"`
	// Entries are the letters that say so.
	Entries []uint64 `json:"entries"`
}

// AttestedDeleted is the reason of those whose disclosures a vendor attested to
// have deleted before the window began.
const AttestedDeleted = "attested-deleted"

// applied are the numbers of the letters that a question counts on.
func (q *Query) applied(stated []Statement) []uint64 {
	list := []uint64{}
	for _, s := range letters(stated, q.Vendor) {
		if q.Basis == Held && !q.Since.IsZero() && !s.DeletedAt.After(q.Since) && (q.Route == "" || s.Route == "" || s.Route == q.Route) {
			list = append(list, s.Seq)
		}
	}
	return list
}

// Attested is a letter as answers about vendors and people list it.
type Attested struct {
	Entry      uint64    `json:"entry"`
	At         time.Time `json:"at"` // when it was recorded
	By         string    `json:"by"`
	Route      string    `json:"route,omitempty"`
	SentBefore time.Time `json:"sent_before"`
	DeletedAt  time.Time `json:"deleted_at"`
	SHA256     string    `json:"statement_sha256"`
	Withdrawn  bool      `json:"withdrawn,omitzero"`
}

// Attestations lists the letters of a vendor, those that were withdrawn too.
func (x *Index) Attestations(ctx context.Context, v exposure.VendorID) ([]Attested, error) {
	list, err := x.Statements(ctx, Attestation, v)
	return attested(list, v), err
}

func attested(stated []Statement, v exposure.VendorID) []Attested {
	stand := letters(stated, v)
	list := []Attested{}
	for _, s := range stated {
		if s.Kind != Attestation || s.Vendor != v || s.Withdraws != 0 {
			continue
		}
		list = append(list, Attested{Entry: s.Seq, At: s.At, By: s.Actor, Route: s.Route, SentBefore: s.SentBefore, DeletedAt: s.DeletedAt,
			SHA256: s.SHA256, Withdrawn: !slices.ContainsFunc(stand, func(o Statement) bool { return o.Seq == s.Seq })})
	}
	return list
}
