package ledger

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"cordon/evidence"
)

// typical is the body of a batch as traffic makes it: disclosures about one
// person each, mixed with the outcomes of those a little before.
func typical(pairs int) (body []byte) {
	const start = 1_700_000_000_000
	for i := range pairs {
		e := evidence.Entry{Kind: evidence.Disclosure, Time: start + 40 + int64(i/200), Pathway: uint32(1 + rand.IntN(6)),
			Subjects: []evidence.Subject{{Ordinal: rand.Uint32() >> 7, Set: uint32(1 + rand.IntN(9))}}}
		body = e.Append(body, start)
		o := evidence.Entry{Kind: evidence.Outcome, Time: start + 40 + int64(i/200), Distance: uint64(200 + rand.IntN(100)),
			Result: evidence.ResultSent, Status: 202, Bytes: uint64(600 + rand.IntN(400))}
		body = o.Append(body, start)
	}
	return body
}

func sealedBatch(tb testing.TB, l *Ledger, body []byte, count int) []byte {
	const start = 1_700_000_000_000
	r := record{first: 1, count: uint32(count), start: start, end: start + 100}
	day := utcDay(start)
	pb := l.store.DB().NewBatch()
	defer pb.Close()
	_, key, err := l.days.forBatch(pb, day, 1)
	if err != nil {
		tb.Fatal(err)
	}
	return r.seal(nil, body, nil, key, 0, &sealer{})
}

// BenchmarkSealedBatch says what sealing and opening a batch cost, and what a
// disclosure with its outcome takes in it.
func BenchmarkSealedBatch(b *testing.B) {
	for _, pairs := range []int{1, 16, 128, 1024} {
		l := mustOpen(b, b.TempDir())
		body := typical(pairs)
		v := sealedBatch(b, l, body, 2*pairs)
		var in room
		r, err := l.openRecord(v, &in)
		if err != nil || !bytes.Equal(r.body, body) {
			b.Fatalf("opened wrongly: %v", err)
		}
		b.Run(fmt.Sprintf("seal/%d", pairs), func(b *testing.B) {
			_, key, err := l.days.forBatch(nil, utcDay(r.start), 1)
			if err != nil {
				b.Fatal(err)
			}
			var s sealer
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				out = r.seal(out[:0], body, nil, key, 0, &s)
			}
			b.ReportMetric(float64(len(v))/float64(pairs), "bytes/disclosure")
			b.ReportMetric(float64(len(body))/float64(pairs), "plain/disclosure")
		})
		b.Run(fmt.Sprintf("open/%d", pairs), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.openRecord(v, &in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
