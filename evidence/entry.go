package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Kind is the kind of an entry, as stored.
type Kind uint8

const (
	Disclosure Kind = 0
	Outcome    Kind = 1
	Event      Kind = 2
	Definition Kind = 3
)

// Results of an outcome, as stored.
const (
	ResultUnknown uint8 = 0
	ResultSent    uint8 = 1
	ResultNotSent uint8 = 2
)

// Dictionaries of definitions, as stored.
const (
	DictPathway uint8 = 1
	DictSet     uint8 = 2
	DictReason  uint8 = 3
)

// Subject is one person of a disclosure: 0 for nobody known, and the id of
// the category set that the message carried about them.
type Subject struct {
	Ordinal uint32
	Set     uint32
}

// Entry is an entry as encoded: names are ids of definitions, other entries
// are distances.
type Entry struct {
	Kind Kind
	Time int64 // milliseconds since 1970 UTC

	// Disclosure
	Pathway  uint32
	Subjects []Subject
	Reasons  []uint32 // why it is incomplete; empty if it was fully read
	Shadow   bool
	Retry    uint64 // distance to the earlier attempt, 0 for none
	// Declared says that nothing was sent: the vendor is said to have held this
	// since HeldSince (milliseconds since 1970; 0: not known, since ever).
	Declared  bool
	HeldSince int64

	// Outcome
	Distance uint64 // to the disclosure
	Result   uint8
	Status   int
	Bytes    uint64

	// Event
	JSON []byte

	// Definition
	Dict uint8
	ID   uint32
	Text string
}

// Flags of the first byte; which are allowed depends on the kind.
const (
	flagTime = 0x04

	flagShadow     = 0x08
	flagIncomplete = 0x10
	flagRetry      = 0x20
	flagSingle     = 0x40
	flagDeclared   = 0x80

	flagStatus  = 0x08
	flagBytes   = 0x10
	shiftResult = 5
)

// Append appends the encoded entry to b. start is the header's start and must
// not be later than the entry's time.
func (e *Entry) Append(b []byte, start int64) []byte {
	at := len(b)
	b = append(b, byte(e.Kind))
	flags := byte(0)
	if d := uint64(e.Time) - uint64(start); d != 0 && e.Kind != Definition {
		flags |= flagTime
		b = binary.AppendUvarint(b, d)
	}
	switch e.Kind {
	case Disclosure:
		b = binary.AppendUvarint(b, uint64(e.Pathway))
		if e.Shadow {
			flags |= flagShadow
		}
		if e.Retry != 0 {
			flags |= flagRetry
			b = binary.AppendUvarint(b, e.Retry)
		}
		if len(e.Reasons) > 0 {
			flags |= flagIncomplete
			b = binary.AppendUvarint(b, uint64(len(e.Reasons)))
			for _, r := range e.Reasons {
				b = binary.AppendUvarint(b, uint64(r))
			}
		}
		if e.Declared {
			flags |= flagDeclared
			b = binary.AppendVarint(b, e.HeldSince)
		}
		if len(e.Subjects) == 1 {
			flags |= flagSingle
		} else {
			b = binary.AppendUvarint(b, uint64(len(e.Subjects)))
		}
		for _, s := range e.Subjects {
			b = binary.AppendUvarint(b, uint64(s.Ordinal))
			b = binary.AppendUvarint(b, uint64(s.Set))
		}
	case Outcome:
		flags |= e.Result << shiftResult
		b = binary.AppendUvarint(b, e.Distance)
		if e.Status != 0 {
			flags |= flagStatus
			b = binary.AppendVarint(b, int64(e.Status)-200)
		}
		if e.Bytes != 0 {
			flags |= flagBytes
			b = binary.AppendUvarint(b, e.Bytes)
		}
	case Event:
		b = binary.AppendUvarint(b, uint64(len(e.JSON)))
		b = append(b, e.JSON...)
	case Definition:
		b = append(b, e.Dict)
		b = binary.AppendUvarint(b, uint64(e.ID))
		b = binary.AppendUvarint(b, uint64(len(e.Text)))
		b = append(b, e.Text...)
	}
	b[at] |= flags
	return b
}

var allowedFlags = [4]byte{
	Disclosure: flagTime | flagShadow | flagIncomplete | flagRetry | flagSingle | flagDeclared,
	Outcome:    flagTime | flagStatus | flagBytes | 3<<shiftResult,
	Event:      flagTime,
	Definition: 0,
}

// ParseEntry decodes the entry at the beginning of b and returns what follows it.
func ParseEntry(b []byte, start int64) (e Entry, rest []byte, err error) {
	if len(b) == 0 {
		return e, nil, errors.New("entry is missing")
	}
	e.Kind = Kind(b[0] & 3)
	flags := b[0] &^ 3
	if flags&^allowedFlags[e.Kind] != 0 {
		return e, nil, fmt.Errorf("entry of kind %d has unknown flags %#02x", e.Kind, flags)
	}
	r := reader{b: b[1:]}
	e.Time = start
	if flags&flagTime != 0 {
		e.Time = int64(uint64(start) + r.positive())
	}
	switch e.Kind {
	case Disclosure:
		e.Pathway = r.uint32()
		e.Shadow = flags&flagShadow != 0
		if flags&flagRetry != 0 {
			e.Retry = r.positive()
		}
		if flags&flagIncomplete != 0 {
			n := r.count()
			if n == 0 {
				r.fail()
			}
			e.Reasons = make([]uint32, 0, n)
			for range n {
				e.Reasons = append(e.Reasons, r.uint32())
			}
		}
		if flags&flagDeclared != 0 {
			e.Declared, e.HeldSince = true, r.varint()
			if flags&(flagShadow|flagIncomplete|flagRetry) != 0 { // all three are of messages
				r.fail()
			}
		}
		n := 1
		if flags&flagSingle == 0 {
			if n = r.count(); n == 1 {
				r.fail()
			}
		}
		e.Subjects = make([]Subject, 0, n)
		for range n {
			e.Subjects = append(e.Subjects, Subject{r.uint32(), r.uint32()})
		}
	case Outcome:
		e.Result = flags >> shiftResult & 3
		e.Distance = r.uvarint()
		if flags&flagStatus != 0 {
			status := r.varint() + 200
			if status != int64(int32(status)) || status == 0 {
				r.fail()
			}
			e.Status = int(status)
		}
		if flags&flagBytes != 0 {
			e.Bytes = r.positive()
		}
		if e.Result > ResultNotSent || e.Distance == 0 {
			r.fail()
		}
	case Event:
		e.JSON = r.bytes(r.count())
	case Definition:
		if d := r.bytes(1); len(d) == 1 {
			e.Dict = d[0]
		}
		e.ID = r.uint32()
		e.Text = string(r.bytes(r.count()))
	}
	if r.bad {
		return e, nil, fmt.Errorf("entry of kind %d is cut short or out of range", e.Kind)
	}
	return e, r.b, nil
}

// reader reads varints and remembers the first failure, so that a parser
// reads like the format.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.bad, r.b = true, nil }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// positive reads what is left out when it is zero: each entry has one encoding.
func (r *reader) positive() uint64 {
	v := r.uvarint()
	if v == 0 {
		r.fail()
	}
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uint32() uint32 {
	v := r.uvarint()
	if v > math.MaxUint32 {
		r.fail()
		return 0
	}
	return uint32(v)
}

// count reads a number of things of at least one byte each, so that a
// damaged count cannot ask for more memory than there are bytes.
func (r *reader) count() int {
	v := r.uvarint()
	if v > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(v)
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.b) {
		r.fail()
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}
