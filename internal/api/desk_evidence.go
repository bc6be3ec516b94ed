package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"cordon/evidence"
	"cordon/internal/incident"
	"cordon/internal/ledger"
	"cordon/internal/scope"
)

// EvidenceRequest says what a bundle is to hold.
type EvidenceRequest struct {
	Incident string
	// Redacted leaves out what is about people: bitmaps, entries with ordinals,
	// words that somebody chose.
	Redacted bool
	// Disclosures adds the messages to the vendor in the incident's window.
	Disclosures bool
}

// maxDisclosures bounds the entries about messages in one bundle: it is laid
// out in memory.
const maxDisclosures = 1_000_000

// waitForWitness is how long an export waits for the cosignature of its entry.
const waitForWitness = 5 * time.Second

// ExportEvidence writes the bundle of an incident to w. begin is called before
// the first byte with the size of the file. The export is recorded before.
func (d *Desk) ExportEvidence(ctx context.Context, r EvidenceRequest, begin func(size int64), w io.Writer) error {
	actor, err := may(ctx, HandOutEvidence)
	if err != nil {
		return err
	}
	if err := d.needServer("cordon evidence export"); err != nil {
		return err
	}
	if err := d.Fold.Cases.Follow(); err != nil {
		return unavailable("reading the incidents", err)
	}
	k, ok := d.Fold.Cases.Get(r.Incident)
	if !ok {
		return problem(http.StatusNotFound, "unknown-incident", "see `cordon incident list`", "there is no incident %q", r.Incident)
	}
	if err := d.limit().take(actor, 5, d.Now()); err != nil {
		return err
	}
	contents, size, err := d.evidenceOf(ctx, k, r)
	if err != nil {
		return err
	}
	draft, err := contents.Draft()
	if err != nil {
		return unavailable("laying out the evidence", err)
	}
	seal, err := d.seal(ctx, actor, k, r, draft, size)
	if err != nil {
		return err
	}
	n, err := draft.Size(seal, r.Redacted)
	if err != nil {
		return err
	}
	begin(n)
	return draft.Write(w, seal, r.Redacted)
}

// evidenceOf gathers what there is about a case, all under one checkpoint, and
// returns its size.
func (d *Desk) evidenceOf(ctx context.Context, k incident.Case, r EvidenceRequest) (*evidence.Contents, uint64, error) {
	c := &evidence.Contents{
		Origin: d.Config.Origin(), Key: d.LedgerKey, Incident: k.ID, Vendor: string(k.Vendor), Manifests: map[string][]byte{},
	}
	for _, witness := range d.Ledger.Witnesses() {
		c.Witnesses = append(c.Witnesses, witness.String())
	}
	absent := func(what, why string) { c.Absent = append(c.Absent, evidence.Absent{What: what, Why: why}) }
	seqs, manifests, err := d.entriesAbout(k)
	if err != nil {
		return nil, 0, unavailable("reading the ledger", err)
	}
	var size uint64
	if c.Checkpoint, size, err = d.checkpointOver(ctx, slices.Max(seqs)); err != nil {
		return nil, 0, err
	}
	if r.Disclosures {
		more, err := d.Ledger.Disclosed(ctx, k.Vendor, window(k), size, maxDisclosures)
		if errors.Is(err, ledger.ErrTooMany) {
			return nil, 0, problem(http.StatusUnprocessableEntity, "too-many-disclosures",
				"leave --disclosures out: the frozen scope says who was exposed", "there are more than %d messages in the incident's window", maxDisclosures)
		}
		if err != nil {
			return nil, 0, unavailable("reading the ledger", err)
		}
		seqs = append(seqs, more...)
	} else {
		absent("disclosures", "the messages to the vendor were not asked for; the scopes say whom they reached")
	}
	if c.Batches, err = d.Ledger.ProveAll(ctx, size, seqs, personalEntry); err != nil {
		return nil, 0, unavailable("proving the entries", err)
	}
	if err := d.frozenOf(k, c); err != nil {
		return nil, 0, err
	}
	if len(c.Scopes) == 0 {
		absent("scopes", "none was frozen")
	}
	if spec, err := d.spec(string(k.Vendor)); err == nil && slices.Contains(manifests, spec.Digest()) {
		c.Manifests[string(k.Vendor)] = spec.Text()
	} else {
		absent("manifest", "the file that was in force is not the one of today; the coverage-start entries hold its hash")
	}
	absent("notices", "none was sent by this version")
	absent("laws", "this version works out no duties, so no rules of law were applied")
	return c, size, nil
}

// window is the incident's, as its scopes have it.
func window(k incident.Case) (w ledger.Window) {
	if k.Since != nil {
		w.Since = *k.Since
	}
	if k.Until != nil {
		w.Until = *k.Until
	}
	return w
}

// entriesAbout are the case's own entries, and what is needed to understand
// them: the vendor's gate, coverage and manifests, restarts, what it attested
// and what was declared. Of what came before the window the last of each kind.
// manifests are the hashes of those that were in force.
func (d *Desk) entriesAbout(k incident.Case) (seqs []uint64, manifests []string, err error) {
	seqs = slices.Clone(k.Entries)
	from := window(k).Since
	before := map[ledger.EventKind]ledger.Entry{}
	take := func(e ledger.Entry) {
		seqs = append(seqs, e.Seq)
		if m, _ := e.Event.Fields["manifest"].(string); e.Event.Kind == ledger.EventCoverageStart && m != "" {
			manifests = append(manifests, m)
		}
	}
	for e, err := range d.Ledger.Events(1) {
		if err != nil {
			return nil, nil, err
		}
		of := e.Event.Vendor == k.Vendor || e.Event.Vendor == ""
		switch e.Event.Kind {
		case ledger.EventAttest, ledger.EventBackfill:
			if of {
				take(e)
			}
		case ledger.EventGate, ledger.EventCoverageStart, ledger.EventCoverageStop, ledger.EventRestart, ledger.EventConfig:
			switch {
			case !of:
			case !from.IsZero() && e.At.Before(from):
				before[e.Event.Kind] = e
			default:
				take(e)
			}
		}
	}
	for _, e := range before {
		take(e)
	}
	return seqs, manifests, nil
}

// checkpointOver is a signed head that covers the entry: the newest that the
// witness cosigned, if it does.
func (d *Desk) checkpointOver(ctx context.Context, seq uint64) (checkpoint string, size uint64, err error) {
	for _, cosigned := range []bool{true, false} {
		if !cosigned {
			// A mirror that is not there is an error of its own, reported elsewhere.
			err = d.Ledger.Checkpoint(ctx)
		}
		checkpoint, size, entries, failed := d.Ledger.Shared(cosigned)
		if failed == nil && entries >= seq {
			return checkpoint, size, nil
		}
		err = errors.Join(err, failed)
	}
	if err == nil {
		err = errors.New("the head does not cover the newest entry")
	}
	return "", 0, unavailable("signing the head", err)
}

// personalEntry decides what may be left out of a bundle. What is not known to
// be harmless counts as personal.
func personalEntry(e ledger.Entry) bool {
	switch e.Kind {
	case ledger.KindDefinition:
		return false
	case ledger.KindDisclosure, ledger.KindOutcome:
		return true
	}
	switch e.Event.Kind {
	case ledger.EventGate, ledger.EventCoverageStart, ledger.EventCoverageStop, ledger.EventRestart, ledger.EventConfig,
		ledger.EventIncident, ledger.EventScope, ledger.EventAccessed, ledger.EventAttest, ledger.EventBackfill,
		ledger.EventTokenEpoch, ledger.EventLegalHold:
	default:
		return true // a finding names a leaf of a message, an erasure an ordinal
	}
	what, _ := e.Event.Fields["what"].(string)
	if e.Event.Kind == ledger.EventScope || e.Event.Kind == ledger.EventIncident && what == "open" {
		return false // the bundle's claims rest on these; they hold no words
	}
	return worded(e.Event.Fields)
}

// worded reports whether a text among the values looks like one that a person
// wrote, or like an address.
func worded(v any) bool {
	switch v := v.(type) {
	case string:
		return len(v) > 256 || strings.Contains(v, "@")
	case map[string]any:
		for _, x := range v {
			if worded(x) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, worded)
	}
	return false
}

// frozenOf adds the frozen scopes of a case, and where their bitmaps lie.
func (d *Desk) frozenOf(k incident.Case, c *evidence.Contents) error {
	owner := map[string]string{} // of a bitmap: a scope that holds it
	for _, id := range k.Scopes {
		s, err := d.Index.Frozen(id)
		if err != nil {
			return unavailable("reading the scope "+id, err)
		}
		for _, b := range append([]evidence.ScopeBitmap{s.Certain, s.Excluded}, cohortBitmaps(s)...) {
			owner[b.SHA256] = id
		}
		c.Scopes = append(c.Scopes, s)
	}
	c.Bitmap = func(sum string) ([]byte, error) { return frozenBitmap(d.Index, owner[sum], sum) }
	return nil
}

func cohortBitmaps(s evidence.Scope) (list []evidence.ScopeBitmap) {
	for _, c := range s.Cohorts {
		list = append(list, c.ScopeBitmap)
	}
	return list
}

func frozenBitmap(x *scope.Index, id, sum string) ([]byte, error) {
	r, err := x.FrozenBitmap(id, sum)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// seal records the export and proves that entry. The record comes first: what
// was handed out and is not in the ledger must not exist.
func (d *Desk) seal(ctx context.Context, actor Actor, k incident.Case, r EvidenceRequest, draft *evidence.Draft, from uint64) (s evidence.Seal, err error) {
	head := draft.Head()
	variant := "whole"
	if r.Redacted {
		variant = "redacted"
	}
	seq, err := d.Ledger.Append(ctx, ledger.Event{
		Kind: ledger.EventIncident, Vendor: k.Vendor, At: d.Now(), Actor: actor.Name,
		Fields: map[string]any{"incident": k.ID, "what": "export", "digest": head.SHA256, "variant": variant, "disclosures": r.Disclosures},
	})
	if err != nil {
		return s, unavailable("recording the export", err)
	}
	checkpoint, size, err := d.checkpointOver(ctx, seq)
	if err != nil {
		return s, err
	}
	if len(d.Ledger.Witnesses()) > 0 {
		checkpoint, size = d.awaitWitness(ctx, seq, checkpoint, size)
	}
	shown, err := d.Ledger.ProveAll(ctx, size, []uint64{seq}, nil)
	if err != nil {
		return s, unavailable("proving the export", err)
	}
	s = evidence.Seal{Export: shown[0], Checkpoint: checkpoint}
	if s.Consistency, err = d.Ledger.Consistency(from, size); err != nil {
		return s, unavailable("proving the export", err)
	}
	if s.Head, err = d.Ledger.SignBundle(head); err != nil {
		return s, unavailable("signing the bundle", err)
	}
	return s, nil
}

// awaitWitness gives the witness a moment to cosign the export's head. A
// bundle without it is valid, and says that no witness cosigned.
func (d *Desk) awaitWitness(ctx context.Context, seq uint64, checkpoint string, size uint64) (string, uint64) {
	ctx, stop := context.WithTimeout(ctx, waitForWitness)
	defer stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if note, n, entries, err := d.Ledger.Shared(true); err == nil && entries >= seq {
			return note, n
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return checkpoint, size
		}
	}
}
