package scope

import (
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"cordon/internal/exposure"
)

// tally is what is counted per pathway and day besides people, and where in
// time and in the journal that day lies.
type tally struct {
	disclosures uint64 // messages that carried something about somebody
	incomplete  uint64 // messages that could not be read fully
	reasons     map[exposure.Reason]uint64
	nobody      map[setID]uint64 // messages that carried the set about nobody known

	// minAt and maxAt are the first and last instants, in nanoseconds since
	// 1970; a window that holds both holds the whole day.
	minAt, maxAt int64
	// first and last are entry numbers: every disclosure of the day and its
	// outcome lie between them.
	first, last uint64
}

func newTally() *tally {
	return &tally{minAt: math.MaxInt64, maxAt: math.MinInt64, first: math.MaxUint64,
		reasons: map[exposure.Reason]uint64{}, nobody: map[setID]uint64{}}
}

// count adds one message.
func (t *tally) count(m *message) {
	carried := len(m.people) > 0 || len(m.nobody) > 0
	if carried && !m.declared {
		t.disclosures++
	}
	if len(m.incomplete) > 0 {
		t.incomplete++
		for _, r := range m.incomplete {
			t.reasons[r]++
		}
	}
	for _, s := range m.nobody {
		t.nobody[s]++
	}
}

// extend makes the tally's range hold the message and its outcome.
func (t *tally) extend(at int64, first, last uint64) {
	t.minAt, t.maxAt = min(t.minAt, at), max(t.maxAt, at)
	t.first, t.last = min(t.first, first), max(t.last, last)
}

// add merges another tally of the same day and pathway, or of others when only
// the counts matter.
func (t *tally) add(o *tally) {
	t.disclosures += o.disclosures
	t.incomplete += o.incomplete
	for r, n := range o.reasons {
		t.reasons[r] += n
	}
	for s, n := range o.nobody {
		t.nobody[s] += n
	}
	t.minAt, t.maxAt = min(t.minAt, o.minAt), max(t.maxAt, o.maxAt)
	t.first, t.last = min(t.first, o.first), max(t.last, o.last)
}

// encode writes the tally; the same tally gives the same bytes.
func (t *tally) encode() []byte {
	var b []byte
	for _, n := range []uint64{t.disclosures, t.incomplete, t.first, t.last - t.first} {
		b = binary.AppendUvarint(b, n)
	}
	b = binary.AppendVarint(b, t.minAt)
	b = binary.AppendVarint(b, t.maxAt)
	b = binary.AppendUvarint(b, uint64(len(t.reasons)))
	for _, r := range slices.Sorted(maps.Keys(t.reasons)) {
		b = binary.AppendUvarint(b, uint64(len(r)))
		b = append(b, r...)
		b = binary.AppendUvarint(b, t.reasons[r])
	}
	b = binary.AppendUvarint(b, uint64(len(t.nobody)))
	for _, s := range slices.Sorted(maps.Keys(t.nobody)) {
		b = binary.AppendUvarint(b, uint64(s))
		b = binary.AppendUvarint(b, t.nobody[s])
	}
	return b
}

var errTally = errors.New("a tally of the scope index is cut short")

func decodeTally(b []byte) (*tally, error) {
	r := reader{b: b}
	t := newTally()
	t.disclosures, t.incomplete = r.uvarint(), r.uvarint()
	t.first = r.uvarint()
	t.last = t.first + r.uvarint()
	t.minAt, t.maxAt = r.varint(), r.varint()
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		reason := exposure.Reason(r.bytes(r.uvarint()))
		t.reasons[reason] = r.uvarint()
	}
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		s := setID(r.uvarint())
		t.nobody[s] = r.uvarint()
	}
	if r.bad || len(r.b) > 0 {
		return nil, errTally
	}
	return t, nil
}

// reader takes numbers off a value; after the first shortage all are zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }
