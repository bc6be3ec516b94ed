package ledger

import (
	"context"
	"testing"

	"cordon/evidence"

	"golang.org/x/mod/sumdb/tlog"
)

// TestManyProofsAtOnceAreThoseOfEach proves entries of many batches in one go
// and compares with the tree that reads every hash by itself.
func TestManyProofsAtOnceAreThoseOfEach(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	keys, _ := testKeys(t)
	ctx := context.Background()
	var events []uint64
	var old evidence.Checkpoint
	for i := range 600 { // past two tiles
		if i%3 == 0 {
			events = append(events, mustAppend(t, l, Event{Kind: EventConfig, Fields: map[string]any{"i": i}}))
			continue
		}
		mustRecord(t, l, mail(about(nameMail, email(i%20))))
		if i == 100 {
			if err := l.Checkpoint(ctx); err != nil {
				t.Fatal(err)
			}
			var err error
			if old, err = evidence.OpenCheckpoint(l.Status().Checkpoint, keys.Verifier); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.Checkpoint(ctx); err != nil {
		t.Fatal(err)
	}
	checkpoint := l.Status().Checkpoint
	head, err := evidence.OpenCheckpoint(checkpoint, keys.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	all := allEntries(t, l)
	seqs := append([]uint64{}, events...)
	for _, e := range all[:100] {
		seqs = append(seqs, e.Seq)
	}
	batches, err := l.ProveAll(ctx, head.Size, seqs, func(e Entry) bool { return e.Kind != KindEvent })
	if err != nil {
		t.Fatal(err)
	}
	shown := map[uint64]bool{}
	for _, b := range batches {
		h, err := evidence.ParseHeader(b.Header)
		if err != nil {
			t.Fatal(err)
		}
		one, err := tlog.ProveRecord(int64(head.Size), int64(h.Batch), treeReader{l.store.DB()})
		if err != nil {
			t.Fatal(err)
		}
		for i := range one {
			if one[i] != b.Path[i] {
				t.Fatalf("batch %d has two paths", h.Batch)
			}
		}
		for _, e := range b.Entries {
			p := evidence.Proof{Seq: e.Seq, Entry: e.Entry, Salt: e.Salt[:], Inner: e.Inner, Header: b.Header, Path: b.Path, Checkpoint: checkpoint}
			got, _, err := p.Verify(keys.Verifier)
			if err != nil {
				t.Fatalf("entry %d: %v", e.Seq, err)
			}
			if e.Personal != (got.Kind != evidence.Event) {
				t.Errorf("entry %d is personal: %t", e.Seq, e.Personal)
			}
			shown[e.Seq] = true
		}
	}
	for _, seq := range seqs {
		if !shown[seq] {
			t.Errorf("entry %d is not shown", seq)
		}
	}
	growth, err := l.Growth(old.Size, head.Size)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckTree(growth, int64(head.Size), head.Root, int64(old.Size), old.Root); err != nil {
		t.Error(err)
	}
	for _, bad := range []uint64{0, all[len(all)-1].Seq + 1} {
		if _, err := l.ProveAll(ctx, head.Size, []uint64{bad}, nil); err == nil {
			t.Errorf("entry %d was proved", bad)
		}
	}
	if _, err := l.ProveAll(ctx, old.Size, events, nil); err == nil {
		t.Error("entries were proved under a checkpoint that is older than they")
	}
}

// BenchmarkProve proves single entries, and many at once, in a ledger whose
// tree has several levels of tiles.
func BenchmarkProve(b *testing.B) {
	l := mustOpen(b, b.TempDir())
	ctx := context.Background()
	const batches = 3 * 256
	var seqs []uint64
	for i := range batches {
		seqs = append(seqs, mustAppend(b, l, Event{Kind: EventConfig, Fields: map[string]any{"i": i}}))
	}
	if err := l.Checkpoint(ctx); err != nil {
		b.Fatal(err)
	}
	b.Run("one", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := l.Prove(seqs[i*101%len(seqs)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("many", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.ProveAll(ctx, l.Status().Signed, seqs, nil); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(seqs)), "ns/entry")
	})
}
