package scope

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"cordon/internal/exposure"
)

// message is a disclosure as the index keeps it while its outcome is open: the
// instant, the way, and what it carried about whom. Empty sets are gone: what
// was dropped was not exposed.
type message struct {
	seq        uint64
	at         int64
	pathway    pathwayID
	people     []personSet
	nobody     []setID // each once
	incomplete []exposure.Reason
	declared   bool // no message: at is since when it is held
}

type personSet struct {
	who exposure.Ordinal
	set setID
}

// sinceEver is the instant of what was declared without one: before everything.
const sinceEver = math.MinInt64

// instant is when what a Disclosed entry tells of came to the vendor.
func (e *Entry) instant() int64 {
	switch {
	case !e.Declared:
		return e.At.UnixNano()
	case e.HeldSince.IsZero():
		return sinceEver
	default:
		return e.HeldSince.UnixNano()
	}
}

// message reads a Disclosed entry. The entry's slices are not kept.
func (n *names) message(e *Entry) (*message, error) {
	p, err := n.pathway(e.Pathway)
	if err != nil {
		return nil, err
	}
	v := n.pathways[p].vendor
	m := &message{seq: e.Seq, at: e.instant(), pathway: p, incomplete: slices.Clone(e.Incomplete), declared: e.Declared}
	for _, x := range e.Exposures {
		switch {
		case x.Set.Empty():
		case x.Ordinal == exposure.Nobody:
			n.set(v, x.Set, func(s setID) {
				if !slices.Contains(m.nobody, s) {
					m.nobody = append(m.nobody, s)
				}
			})
		default:
			n.set(v, x.Set, func(s setID) { m.people = append(m.people, personSet{x.Ordinal, s}) })
		}
	}
	return m, nil
}

func (m *message) encode() []byte {
	b := binary.AppendVarint(nil, m.at)
	b = binary.AppendUvarint(b, uint64(m.pathway))
	b = binary.AppendUvarint(b, uint64(len(m.people)))
	for _, p := range m.people {
		b = binary.AppendUvarint(b, uint64(p.who))
		b = binary.AppendUvarint(b, uint64(p.set))
	}
	b = binary.AppendUvarint(b, uint64(len(m.nobody)))
	for _, s := range m.nobody {
		b = binary.AppendUvarint(b, uint64(s))
	}
	b = binary.AppendUvarint(b, uint64(len(m.incomplete)))
	for _, r := range m.incomplete {
		b = binary.AppendUvarint(b, uint64(len(r)))
		b = append(b, r...)
	}
	return b
}

func decodeMessage(seq uint64, b []byte) (*message, error) {
	r := reader{b: b}
	m := &message{seq: seq, at: r.varint(), pathway: pathwayID(r.uvarint())}
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		m.people = append(m.people, personSet{exposure.Ordinal(r.uvarint()), setID(r.uvarint())})
	}
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		m.nobody = append(m.nobody, setID(r.uvarint()))
	}
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		m.incomplete = append(m.incomplete, exposure.Reason(r.bytes(r.uvarint())))
	}
	if r.bad || len(r.b) > 0 {
		return nil, errors.New("an open intent of the scope index is cut short")
	}
	return m, nil
}
