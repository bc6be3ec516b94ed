package wiretest

import (
	"testing"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// Linear checks that a document of 32,768 units is read at once: what is
// quadratic takes a second, what is linear a tenth of one. On a busy machine one
// good run of several suffices, and a document sixteen times as long must take
// nearer sixteen times as long than 256 times. doc gives the document of n units.
func Linear(t *testing.T, name string, read func(string, wire.Visitor), doc func(n int) string) {
	t.Helper()
	const few, many = 1 << 11, 1 << 15
	text := doc(many)
	for range 5 {
		if took(read, text) < 250*time.Millisecond {
			return
		}
	}
	short, long := took(read, doc(few)), took(read, text)
	if long > 250*time.Millisecond && long > 100*short {
		t.Errorf("%s: %d units took %v, %d took %v", name, few, short, many, long)
	}
}

func took(read func(string, wire.Visitor), text string) time.Duration {
	start := time.Now()
	read(text, blind{text})
	return time.Since(start)
}

// Bench measures a reader with the decoding of every value.
func Bench(b *testing.B, text string, read func(string, wire.Visitor)) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		read(text, blind{text})
	}
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
