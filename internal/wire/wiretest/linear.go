package wiretest

import (
	"testing"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// Linear checks that a document sixteen times as long takes about sixteen times
// as long, not 256 times. doc gives the document of n units. One good run
// suffices, since the machine has other things to do; what is quadratic has none.
func Linear(t *testing.T, name string, read func(string, wire.Visitor), doc func(n int) string) {
	t.Helper()
	const few, many = 1 << 10, 1 << 14
	var short, long time.Duration
	for range 8 {
		short, long = best(read, doc(few)), best(read, doc(many))
		if long < 30*time.Millisecond || long < 80*short {
			return
		}
	}
	t.Errorf("%s: %d units took %v, %d took %v", name, few, short, many, long)
}

// Bench measures a reader with the decoding of every value.
func Bench(b *testing.B, text string, read func(string, wire.Visitor)) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		read(text, blind{text})
	}
}

func best(read func(string, wire.Visitor), text string) time.Duration {
	least := time.Hour
	for range 3 {
		start := time.Now()
		read(text, blind{text})
		least = min(least, time.Since(start))
	}
	return least
}

// blind decodes every value and keeps nothing, so that the reader is timed.
type blind struct{ text string }

func (blind) Enter(string) {}
func (blind) Element(int)  {}
func (blind) Leave()       {}
func (b blind) Leaf(l wire.Leaf) bool {
	l.Codec.Decode(b.text[l.Start:l.End])
	return true
}
func (blind) Problem(exposure.Reason) {}
