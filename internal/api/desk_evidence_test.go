package api

import (
	"testing"

	"cordon/internal/ledger"
)

// What may stand where it cannot be left out of a bundle is decided by what is
// known to be harmless, not by what is known to be personal.
func TestEntriesAboutPeopleAreLeftOutOfARedactedBundle(t *testing.T) {
	event := func(kind ledger.EventKind, fields map[string]any) ledger.Entry {
		return ledger.Entry{Kind: ledger.KindEvent, Event: ledger.Event{Kind: kind, Fields: fields}}
	}
	for name, c := range map[string]struct {
		entry    ledger.Entry
		personal bool
	}{
		"a message":          {ledger.Entry{Kind: ledger.KindDisclosure}, true},
		"its outcome":        {ledger.Entry{Kind: ledger.KindOutcome}, true},
		"a definition":       {ledger.Entry{Kind: ledger.KindDefinition}, false},
		"a gate":             {event(ledger.EventGate, map[string]any{"gate": "cut", "route": "POST /v3/mail/send"}), false},
		"an address in it":   {event(ledger.EventGate, map[string]any{"found": "ada@photos.example"}), true},
		"an address deep in": {event(ledger.EventIncident, map[string]any{"what": "fact", "facts": map[string]any{"risk": []any{"a@b"}}}), true},
		"a fact":             {event(ledger.EventIncident, map[string]any{"what": "fact", "facts": map[string]any{"risk": "high"}}), false},
		"an opening":         {event(ledger.EventIncident, map[string]any{"what": "open"}), false},
		"a scope":            {event(ledger.EventScope, map[string]any{"scope": "scope-1", "digest": "00"}), false},
		"a finding":          {event(ledger.EventFinding, map[string]any{"path": "ada"}), true},
		"an erasure":         {event(ledger.EventErase, map[string]any{"person": 7.0}), true},
		"a reader":           {event(ledger.EventRead, nil), true},
		"something new":      {event("tomorrow", nil), true},
	} {
		if got := personalEntry(c.entry); got != c.personal {
			t.Errorf("%s: personal %t, want %t", name, got, c.personal)
		}
	}
}
