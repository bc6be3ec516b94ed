package ledger

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"cordon/evidence"

	"golang.org/x/mod/sumdb/tlog"
)

// tilesOf reads a ledger's tiles as golang.org/x/mod reads those of any log.
type tilesOf struct {
	l    *Ledger
	read int
}

func (t *tilesOf) Height() int { return tileHeight }

func (t *tilesOf) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, tile := range tiles {
		b, err := t.l.Tile(tile.L, uint64(tile.N), tile.W)
		if err != nil {
			return nil, err
		}
		out[i] = b
		t.read++
	}
	return out, nil
}

func (t *tilesOf) SaveTiles([]tlog.Tile, [][]byte) {}

// longLedger is a ledger whose tree has tiles of two levels.
func longLedger(t testing.TB, batches int) *Ledger {
	t.Helper()
	l := mustOpen(t, t.TempDir())
	for l.durable.Load().batches < uint64(batches) {
		mustAppend(t, l, Event{Kind: EventConfig, Actor: "test"})
	}
	if err := l.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTilesAreTheTreeThatIsSigned(t *testing.T) {
	l := longLedger(t, 520)
	signed := l.PublishedHead()
	head, err := evidence.OpenCheckpoint(signed, l.keys.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	tree := tlog.Tree{N: int64(head.Size), Hash: head.Root}
	tiles := &tilesOf{l: l}
	reader := tlog.TileHashReader(tree, tiles) // checks every tile against the root
	for n := int64(0); n < tree.N; n++ {
		h, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		if err != nil {
			t.Fatalf("leaf %d: %v", n, err)
		}
		proof, err := tlog.ProveRecord(tree.N, n, reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, h[0]); err != nil {
			t.Fatalf("leaf %d: %v", n, err)
		}
		if n > 8 {
			n += 36
		}
	}
	for _, old := range []int64{1, 255, 256, 257, 511, 512} {
		proof, err := tlog.ProveTree(tree.N, old, reader)
		if err != nil {
			t.Fatal(err)
		}
		e, err := loadEdge(l.store.DB(), uint64(old))
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, e.root()); err != nil {
			t.Errorf("from %d: %v", old, err)
		}
	}
	if tiles.read == 0 {
		t.Error("no tile was read")
	}
}

func TestBundlesHashToTheLeaves(t *testing.T) {
	l := longLedger(t, 300)
	_, size := l.Head()
	for _, b := range []struct {
		index uint64
		width int
	}{{0, 256}, {0, 1}, {0, 17}, {1, int(size - 256)}, {1, 3}} {
		bundle, err := l.Headers(b.index, b.width)
		if err != nil {
			t.Fatal(err)
		}
		tile, err := l.Tile(0, b.index, b.width)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.width {
			n := binary.BigEndian.Uint16(bundle)
			entry := bundle[2 : 2+n]
			bundle = bundle[2+n:]
			if h := tlog.RecordHash(entry); string(h[:]) != string(tile[i*32:(i+1)*32]) {
				t.Fatalf("entry %d of bundle %d is not the leaf", i, b.index)
			}
			if h, err := evidence.ParseHeader(entry); err != nil || h.Batch != b.index*256+uint64(i) {
				t.Fatalf("entry %d of bundle %d: %+v %v", i, b.index, h, err)
			}
		}
		if len(bundle) > 0 {
			t.Errorf("%d bytes too many", len(bundle))
		}
	}
}

func TestNothingBeyondTheSignedHeadIsPublished(t *testing.T) {
	l := longLedger(t, 300)
	_, size := l.Head()
	for name, c := range map[string]struct {
		level int
		index uint64
		width int
	}{
		"a full tile that is not full": {0, 1, 256},
		"one wider than the head":      {0, 1, int(size-256) + 1},
		"behind the end":               {0, 2, 1},
		"far behind":                   {0, 1 << 40, 1},
		"so far that numbers wrap":     {0, 1<<56 - 1, 256},
		"a hash over leaves to come":   {1, 0, 2},
		"a level that nothing reaches": {2, 0, 1},
		"a level that cannot be":       {8, 0, 1},
		"a level below the leaves":     {-1, 0, 1},
		"of no width":                  {0, 0, 0},
		"too wide":                     {0, 0, 257},
	} {
		if _, err := l.Tile(c.level, c.index, c.width); !errors.Is(err, ErrNoTile) {
			t.Errorf("%s: %v", name, err)
		}
		if c.level == 0 {
			if _, err := l.Headers(c.index, c.width); !errors.Is(err, ErrNoTile) {
				t.Errorf("%s, bundle: %v", name, err)
			}
		}
	}
	if b, err := l.Tile(1, 0, 1); err != nil || len(b) != 32 {
		t.Errorf("the first hash of level 1: %d bytes, %v", len(b), err)
	}
}

func TestPublishedHeadIsTheCosignedOneWhileTheWitnessIsInTime(t *testing.T) {
	c, with := witnessed(t)
	l := mustOpen(t, t.TempDir(), with)
	if l.PublishedHead() != "" {
		t.Error("a head before the first")
	}
	grow := func() string {
		t.Helper()
		mustAppend(t, l, Event{Kind: EventConfig, Actor: "test"})
		if err := l.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		head, _ := l.Head()
		return head
	}
	if head := grow(); l.PublishedHead() != head {
		t.Error("before the first cosignature it is the signed head")
	}
	grow()
	note := mustCosign(t, l, c)
	grow()
	if l.PublishedHead() != note {
		t.Error("a newer head takes the cosigned one's place at once")
	}
	if err := l.SetWitnessLate(true); err != nil {
		t.Fatal(err)
	}
	head := grow()
	if l.PublishedHead() != head {
		t.Error("followers wait for a witness that is late")
	}
	if err := l.SetWitnessLate(false); err != nil {
		t.Fatal(err)
	}
	if got := l.PublishedHead(); got == note || !strings.Contains(got, "\n") {
		t.Error("the published head went back")
	}
}
