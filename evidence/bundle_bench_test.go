package evidence_test

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"cordon/evidence"
	"cordon/test/evidence/sample"
)

// BenchmarkVerifyEntries gives the cost of one entry of a bundle, all steps of
// checking included, when each stands in a batch of its own.
func BenchmarkVerifyEntries(b *testing.B) {
	for _, each := range []int{1, 64} {
		b.Run(fmt.Sprintf("%d-a-batch", each), func(b *testing.B) {
			const batches = 4096
			c := sample.NewCase(true, 3)
			var seqs []uint64
			for i := range batches {
				var entries []evidence.Entry
				for j := range 64 {
					entries = append(entries, evidence.Entry{Kind: evidence.Disclosure, Time: sample.Start.UnixMilli() + int64(i), Pathway: 1,
						Subjects: []evidence.Subject{{Ordinal: uint32(64*i + j), Set: 1}}})
				}
				first := c.Book.Append(entries...)
				for j := range each {
					seqs = append(seqs, first+uint64(j))
				}
			}
			c.Size, c.Contents.Checkpoint = c.Book.Checkpoint()
			head := c.Contents.Batches
			c.Contents.Batches = nil
			var shown []uint64
			for _, x := range head {
				for _, e := range x.Entries {
					shown = append(shown, e.Seq)
				}
			}
			personal := func(seq uint64) bool { return seq >= seqs[0] || seq == 5 || seq == 6 }
			c.Contents.Batches = c.Book.Show(c.Size, personal, append(shown, seqs...)...)
			data, err := c.Bundle(false)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				r, err := verify(data, evidence.Trust{})
				if err != nil || r.Entries != len(seqs)+len(shown) {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(seqs)), "ns/entry")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkVerifyProof checks one Proof by itself, its checkpoint's signature included.
func BenchmarkVerifyProof(b *testing.B) {
	c := sample.NewCase(false, 3)
	for range 4096 {
		c.Book.Append(sample.Event(sample.Start, "config", "", "cordon", nil))
	}
	size, checkpoint := c.Book.Checkpoint()
	x := c.Book.Show(size, nil, 7)[0]
	p := evidence.Proof{Seq: 7, Entry: x.Entries[0].Entry, Salt: x.Entries[0].Salt[:], Inner: x.Entries[0].Inner, Header: x.Header, Path: x.Path, Checkpoint: checkpoint}
	key, err := note.NewVerifier(c.Book.Key)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := p.Verify(key); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyEvents is one bundle of events, sixteen a batch.
func BenchmarkVerifyEvents(b *testing.B) {
	c := sample.NewCase(true, 3)
	var seqs []uint64
	for _, x := range c.Contents.Batches {
		for _, e := range x.Entries {
			seqs = append(seqs, e.Seq)
		}
	}
	for i := range 1024 {
		var entries []evidence.Entry
		for range 16 {
			entries = append(entries, sample.Event(sample.Start, "gate", "acme-mail", "ada", map[string]any{"gate": "cut", "route": "", "n": i}))
		}
		first := c.Book.Append(entries...)
		for j := range entries {
			seqs = append(seqs, first+uint64(j))
		}
	}
	c.Size, c.Contents.Checkpoint = c.Book.Checkpoint()
	c.Contents.Batches = c.Book.Show(c.Size, func(seq uint64) bool { return seq == 5 || seq == 6 }, seqs...)
	data, err := c.Bundle(false)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := verify(data, evidence.Trust{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(seqs)), "ns/entry")
}
