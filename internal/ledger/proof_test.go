package ledger

import (
	"context"
	"testing"

	"cordon/evidence"

	"golang.org/x/mod/sumdb/tlog"
)

// The foreign verifier is x/mod/sumdb/tlog: its CheckRecord and CheckTree know
// nothing of how this ledger stores its tree.
func TestForeignVerifierAcceptsEveryProof(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	keys, _ := testKeys(t)
	type head struct {
		size int64
		root tlog.Hash
	}
	var heads []head
	for i := range 700 { // past two tiles
		r := mustRecord(t, l, mail(about(nameMail, email(i%20))))
		l.Settle(r, Outcome{Sent, 202, 1})
		if i%97 == 0 {
			if err := l.Checkpoint(context.Background()); err != nil {
				t.Fatal(err)
			}
			c, err := evidence.OpenCheckpoint(l.Status().Checkpoint, keys.Verifier)
			if err != nil {
				t.Fatal(err)
			}
			heads = append(heads, head{int64(c.Size), c.Root})
		}
	}
	if err := l.Checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	tree := treeReader{l.store.DB()}
	last, err := evidence.OpenCheckpoint(l.Status().Checkpoint, keys.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	if root, err := tlog.TreeHash(int64(last.Size), tree); err != nil || root != last.Root {
		t.Fatalf("tlog computes another root: %v %v", root, err)
	}
	for _, h := range heads {
		p, err := tlog.ProveTree(int64(last.Size), h.size, tree)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckTree(p, int64(last.Size), last.Root, h.size, h.root); err != nil {
			t.Errorf("head of size %d is not a beginning of the last: %v", h.size, err)
		}
	}
	entries := allEntries(t, l)
	for _, e := range entries {
		if e.Seq%7 != 0 && e.Seq > 20 {
			continue
		}
		p, err := l.Prove(e.Seq)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := p.Verify(keys.Verifier)
		if err != nil {
			t.Fatalf("entry %d: %v", e.Seq, err)
		}
		if Kind(got.Kind) != e.Kind || got.Time != e.At.UnixMilli() {
			t.Errorf("entry %d is proved as %+v", e.Seq, got)
		}
	}
}

func TestProofOfSomethingElseIsRefused(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	keys, _ := testKeys(t)
	for i := range 20 {
		l.Note(Event{Kind: EventConfig, Fields: map[string]any{"i": i}})
	}
	seq := mustAppend(t, l, Event{Kind: EventGate})
	if _, err := l.Prove(seq); err == nil {
		t.Error("proved before a checkpoint")
	}
	if err := l.Checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(p *evidence.Proof){
		"another number":      func(p *evidence.Proof) { p.Seq-- },
		"another entry":       func(p *evidence.Proof) { p.Entry[3] ^= 1 },
		"longer entry":        func(p *evidence.Proof) { p.Entry = append(p.Entry, 0) },
		"another salt":        func(p *evidence.Proof) { p.Salt[0] ^= 1 },
		"another header":      func(p *evidence.Proof) { p.Header[40] ^= 1 },
		"another version":     func(p *evidence.Proof) { p.Header[0] = 9 },
		"inner path":          func(p *evidence.Proof) { p.Inner[0][0] ^= 1 },
		"shorter inner path":  func(p *evidence.Proof) { p.Inner = p.Inner[1:] },
		"another checkpoint":  func(p *evidence.Proof) { p.Checkpoint = "x" + p.Checkpoint },
		"unsigned checkpoint": func(p *evidence.Proof) { p.Checkpoint = p.Checkpoint[:len(p.Checkpoint)/2] },
	} {
		p, err := l.Prove(seq)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.Verify(keys.Verifier); err != nil {
			t.Fatal(err)
		}
		change(&p)
		if _, _, err := p.Verify(keys.Verifier); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTreeAgreesWithTlogAtEverySize(t *testing.T) {
	stored := map[int64]tlog.Hash{}
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, i := range indexes {
			hashes = append(hashes, stored[i])
		}
		return hashes, nil
	})
	var e edge
	for n := range int64(1100) {
		leaf := tlog.RecordHash([]byte{byte(n), byte(n >> 8)})
		hashes, err := tlog.StoredHashesForRecordHash(n, leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range hashes {
			stored[tlog.StoredHashIndex(0, n)+int64(i)] = h
		}
		err = e.add(leaf, func(level int, index uint64, h tlog.Hash) error {
			if want := stored[tlog.StoredHashIndex(level, int64(index))]; h != want {
				t.Errorf("level %d, %d differs", level, index)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want, err := tlog.TreeHash(n+1, reader)
		if err != nil {
			t.Fatal(err)
		}
		if e.root() != want {
			t.Fatalf("root of %d leaves differs", n+1)
		}
	}
}
