package ledger

import (
	"encoding/json"
	"fmt"

	"cordon/internal/exposure"
)

// maxEvent bounds an event in bytes of JSON: events are facts, not documents.
const maxEvent = 64 << 10

type eventJSON struct {
	Kind   EventKind         `json:"kind"`
	Vendor exposure.VendorID `json:"vendor,omitempty"`
	Actor  string            `json:"actor,omitempty"`
	Fields map[string]any    `json:"fields,omitempty"`
}

func encodeEvent(e Event) ([]byte, error) {
	if e.Kind == "" {
		return nil, fmt.Errorf("event without a kind")
	}
	text, err := json.Marshal(eventJSON{e.Kind, e.Vendor, e.Actor, e.Fields})
	if err != nil {
		return nil, fmt.Errorf("encoding event %q: %w", e.Kind, err)
	}
	if len(text) > maxEvent {
		return nil, fmt.Errorf("event %q has %d bytes, at most %d are taken", e.Kind, len(text), maxEvent)
	}
	return text, nil
}

func decodeEvent(text []byte, e *Event) error {
	var j eventJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("decoding an event: %w", err)
	}
	*e = Event{Kind: j.Kind, Vendor: j.Vendor, Actor: j.Actor, Fields: j.Fields}
	return nil
}
