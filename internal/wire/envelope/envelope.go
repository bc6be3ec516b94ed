// Package envelope reads the envelopes of Sentry's clients
// (https://develop.sentry.dev/sdk/data-model/envelopes/): a line of JSON, then
// per item a line of JSON and a payload.
//
// The envelope's own line is the member "header". An item lies under its type as
// an element of a list: "event[]", "transaction[]", "session[]",
// "attachment[]"…; its payload is a leaf whose type is the item's content type,
// or JSON where the protocol says so. An attachment has the members "name" and
// "content", and what an item's line says beside the words of the protocol is a
// leaf under that word. An item that says how long it is ends there, one that
// does not ends with its line; the length changes with the payload.
//
// Said to be incomplete: lines that are no JSON object, a word of the protocol
// given twice, a length that lies, carriage returns at line ends, an item
// without type, and bytes behind the last item.
package envelope

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// Read tells v of the envelope's header and of every item under its type.
func Read(text string, v wire.Visitor) {
	r := reader{text: text, v: v, seen: map[string]int{}}
	start, stop := r.line()
	if !object(text[start:stop]) {
		r.flag(exposure.IncompleteSyntax)
	}
	r.member("header", wire.Leaf{Start: start, End: stop, Member: -1, Codec: line{}, Type: jsonType})
	for r.pos < len(text) && !r.stopped {
		if text[r.pos] == '\n' { // empty lines are allowed behind items
			r.pos++
			continue
		}
		r.item()
	}
}

const jsonType = "application/json"

// reader is the reading of one envelope.
type reader struct {
	text    string
	pos     int
	v       wire.Visitor
	seen    map[string]int // how many items of a type
	flagged bool
	stopped bool
}

func (r *reader) flag(reason exposure.Reason) {
	if !r.flagged && !r.stopped {
		r.flagged = true
		r.v.Problem(reason)
	}
}

func (r *reader) leaf(l wire.Leaf) {
	if !r.stopped {
		r.stopped = !r.v.Leaf(l)
	}
}

func (r *reader) member(key string, l wire.Leaf) {
	if !r.stopped {
		r.v.Enter(key)
		r.leaf(l)
		r.v.Leave()
	}
}

// line passes over a line.
func (r *reader) line() (start, stop int) {
	start = r.pos
	i := strings.IndexByte(r.text[start:], '\n')
	if i < 0 {
		r.pos = len(r.text)
		return start, r.pos
	}
	r.pos = start + i + 1
	return start, start + i
}

// item reads one item's line and payload.
func (r *reader) item() {
	start, stop := r.line()
	h := itemHeader{text: r.text, lengthAt: -1}
	if strings.HasSuffix(r.text[start:stop], "\r") || !h.read(start, stop) {
		r.flag(exposure.IncompleteSyntax)
	}
	if h.kind == "" {
		r.flag(exposure.IncompleteSyntax)
		h.kind = "unknown"
	}
	l := wire.Leaf{Start: r.pos, Member: start, Codec: payload{framed: h.lengthAt >= 0}, Type: h.contentType, Name: h.fileName}
	if h.lengthAt >= 0 {
		l.Length, l.LengthEnd = h.lengthAt, h.lengthEnd
		l.End = r.pos + h.length
		if h.length > len(r.text)-r.pos || l.End < len(r.text) && r.text[l.End] != '\n' {
			// A reader that counts and one that reads lines differ from here on.
			r.flag(exposure.IncompleteSyntax)
			_, l.End = r.line()
		} else {
			r.pos = min(l.End+1, len(r.text))
		}
	} else {
		_, l.End = r.line()
	}
	l.MemberEnd = r.pos
	switch {
	case l.Type != "" || h.kind != "attachment" && raw[h.kind]:
	case h.kind == "attachment":
		l.Type = "application/octet-stream" // the protocol's default
	default:
		l.Type = jsonType
	}
	n := r.seen[h.kind]
	r.seen[h.kind]++
	r.v.Enter(h.kind)
	r.v.Element(n)
	for _, w := range h.words {
		r.member(w.key, wire.Leaf{Start: w.start, End: w.end, Member: -1, Codec: jsonValue{}, Type: w.kind})
	}
	if l.Start < l.End {
		if raw[h.kind] {
			r.member("content", l)
		} else {
			r.leaf(l)
		}
	}
	r.v.Leave()
	r.v.Leave()
}

// raw are the types whose payload is no JSON unless they say so.
var raw = map[string]bool{"attachment": true, "replay_recording": true, "replay_video": true, "statsd": true}

// payload is how an item's payload is written.
type payload struct{ framed bool }

func (payload) Decode(raw string) (string, bool) { return raw, true }

// Encode refuses what would end the item early, or be a line of its own.
func (p payload) Encode(value, raw string) (string, bool) {
	return value, value == raw || p.framed || strings.IndexByte(value, '\n') < 0
}

// line is how the envelope's header is written: on one line.
type line struct{}

func (line) Decode(raw string) (string, bool) { return raw, !strings.HasSuffix(raw, "\r") }
func (line) Encode(value, raw string) (string, bool) {
	return value, value == raw || strings.IndexByte(value, '\n') < 0 && object(value)
}
