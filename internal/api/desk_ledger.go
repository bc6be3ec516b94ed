package api

import (
	"context"
	"net/http"

	"cordon/evidence"
	"cordon/internal/exposure"
	"cordon/internal/ledger"
)

// VerifyLedger reads the whole ledger and checks what it says of itself.
// Progress may be nil.
func (d *Desk) VerifyLedger(ctx context.Context, progress func(done, total uint64)) (ledger.Report, error) {
	if _, err := may(ctx, SeeFigures); err != nil {
		return ledger.Report{}, err
	}
	if err := d.needLedger(); err != nil {
		return ledger.Report{}, err
	}
	return d.Ledger.Verify(ctx, progress), nil
}

// Prove gives the proof of one entry, which anyone can check offline.
func (d *Desk) Prove(ctx context.Context, seq uint64) (evidence.Proof, error) {
	if _, err := may(ctx, SeeFigures); err != nil {
		return evidence.Proof{}, err
	}
	if err := d.needLedger(); err != nil {
		return evidence.Proof{}, err
	}
	if size := d.Ledger.Status().Size; seq == 0 || seq > size {
		return evidence.Proof{}, problem(http.StatusNotFound, "no-such-entry", "cordon ledger tail",
			"the ledger has no entry %d; entries are numbered from 1 to %d", seq, size)
	}
	proof, err := d.Ledger.Prove(seq)
	if err != nil {
		return evidence.Proof{}, unavailable("proving the entry", err)
	}
	return proof, nil
}

// Tail gives entries from a number on (1 is the first), or with Last the
// newest ones, to each. With follow it goes on until ctx ends or each fails.
func (d *Desk) Tail(ctx context.Context, from, last uint64, follow bool, each func(Entry) error) error {
	if _, err := may(ctx, SeeFigures); err != nil {
		return err
	}
	if err := d.needLedger(); err != nil {
		return err
	}
	if size := d.Ledger.Status().Size; from == 0 {
		from = 1
		if last > 0 && size > last {
			from = size - last + 1
		}
	}
	for {
		grown := d.Ledger.Follow()
		for e, err := range d.Ledger.Entries(from) {
			if err != nil {
				return unavailable("reading the ledger", err)
			}
			from = e.Seq + 1
			if e.Kind == ledger.KindDefinition {
				continue
			}
			if err := each(entryOf(e)); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return nil
			}
		}
		if !follow || !d.Online() {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil
		}
	}
}

var results = map[ledger.Result]string{ledger.Unknown: "unknown", ledger.Sent: "sent", ledger.NotSent: "not sent"}

// entryOf is an entry for people. Token digests stay behind: they are of no
// use to a reader and would let two ledgers be compared.
func entryOf(e ledger.Entry) Entry {
	out := Entry{Seq: e.Seq, At: e.At.UTC()}
	switch e.Kind {
	case ledger.KindDisclosure:
		out.Kind = "disclosure"
		out.Vendor, out.Route, out.App = string(e.Pathway.Vendor), e.Pathway.Route, e.Pathway.App
		var union exposure.Set
		for _, s := range e.Subjects {
			if s.Ordinal != exposure.Nobody {
				out.Subjects++
			}
			union = union.Union(s.Set)
		}
		for _, item := range union.Items() {
			key := item.Category.Key()
			if item.Form != exposure.Clear {
				key += ":" + item.Form.String()
			}
			out.Categories = append(out.Categories, key)
		}
		for _, r := range e.Incomplete {
			out.Incomplete = append(out.Incomplete, string(r))
		}
		out.Shadow, out.Of = e.Shadow, e.Retry
	case ledger.KindOutcome:
		out.Kind = "outcome"
		out.Of, out.Result, out.Status, out.Bytes = e.Of, results[e.Outcome.Result], e.Outcome.Status, e.Outcome.Bytes
	default:
		out.Kind = string(e.Event.Kind)
		out.Vendor, out.Actor = string(e.Event.Vendor), e.Event.Actor
		out.Fields = map[string]any{}
		for name, value := range e.Event.Fields {
			if name != "digest" || e.Event.Kind != ledger.EventUser {
				out.Fields[name] = value
			}
		}
	}
	return out
}
