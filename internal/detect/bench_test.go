package detect_test

import (
	"strings"
	"testing"
	"time"

	"cordon/internal/detect"
	"cordon/internal/detect/detecttest"
)

func BenchmarkVendorMessages(b *testing.B) {
	docs := detecttest.Corpus(2500, 20261124)
	size := 0
	for _, d := range docs {
		size += len(d.Text)
	}
	dst := make([]detect.Hit, 0, 64)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for i := range docs {
			dst = detect.Append(dst[:0], docs[i].Text, detect.Context{})
		}
	}
}

func BenchmarkLargeBodies(b *testing.B) {
	var all strings.Builder
	for _, d := range detecttest.Corpus(80, 7) {
		all.WriteString(d.Text)
	}
	dst := make([]detect.Hit, 0, 1024)
	b.SetBytes(int64(all.Len()))
	b.ReportAllocs()
	for b.Loop() {
		dst = detect.Append(dst[:0], all.String(), detect.Context{})
	}
}

var hostile = []string{"1.", "1 ", "11 ", "1:", "a:", "::1", "@", "a@", "a@b.", "1-", "(1", "+1", "0171 ", "1.1.1.1 ", "4111 ", "4111111111111111 ", "DE89 ", "de12", "%40", "%2B1", "A1", "é1", "12345678 ", "1,", "9_", "f", "1x1", "tel ", "415-555-", "00 ", "(0) ", "1/", "\\n1", "<a@b.c>", "//a:b@c.de", "."}

// Whoever sends a body decides what stands in it, never how long it takes: at
// most some thirty times what ordinary messages of that length do. The bound
// leaves room for a busy machine.
func TestRepetitionsCostNoMoreThanText(t *testing.T) {
	var ordinary strings.Builder
	for _, d := range detecttest.Corpus(80, 5) {
		ordinary.WriteString(d.Text)
	}
	bound := 150 * fastest(ordinary.String()[:48<<10], "phone")
	for _, unit := range hostile {
		text := strings.Repeat(unit, 48<<10/len(unit))
		if best := fastest(text, "phone"); best > bound {
			t.Errorf("%q: %v, more than %v", unit, best, bound)
		}
	}
}

// Once such a body held another detector up for three seconds
// (microsoft/agent-governance-toolkit#3566).
func TestARowOfVersionsTakesLessThanAMillisecond(t *testing.T) {
	if best := fastest(strings.Repeat("1.", 24<<10), ""); best > time.Millisecond {
		t.Error(best)
	}
}

// fastest is the shortest of a few times that a text takes.
func fastest(text, key string) time.Duration {
	best := time.Hour
	dst := make([]detect.Hit, 0, 64<<10)
	for range 20 {
		start := time.Now()
		dst = detect.Append(dst[:0], text, detect.Context{Key: key})
		best = min(best, time.Since(start))
	}
	return best
}

func TestNothingIsAllocated(t *testing.T) {
	docs := detecttest.Corpus(60, 3)
	dst := make([]detect.Hit, 0, 64)
	if n := testing.AllocsPerRun(20, func() {
		for i := range docs {
			dst = detect.Append(dst[:0], docs[i].Text, detect.Context{Key: "body"})
		}
	}); n > float64(len(docs))/3 { // none, but under the race detector a pool forgets some
		t.Errorf("%v allocations for %d messages", n, len(docs))
	}
}
