package tlog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	modtlog "golang.org/x/mod/sumdb/tlog"
)

func verifier(t *testing.T, vkey string) note.Verifier {
	t.Helper()
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// leafHashes is how Tessera is told to hash the entries of a bundle.
func leafHashes(bundle []byte) ([][]byte, error) {
	var b api.EntryBundle
	if err := b.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, e := range b.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(e))
	}
	return hashes, nil
}

// spoiled is Tessera's fetcher with one byte changed on the way.
type spoiled struct {
	*client.HTTPFetcher
	tile, bundle bool
}

func (s spoiled) ReadTile(ctx context.Context, l, i uint64, p uint8) ([]byte, error) {
	b, err := s.HTTPFetcher.ReadTile(ctx, l, i, p)
	if s.tile && l == 0 && i == 1 && err == nil {
		b[5] ^= 1
	}
	return b, err
}

func (s spoiled) ReadEntryBundle(ctx context.Context, i uint64, p uint8) ([]byte, error) {
	b, err := s.HTTPFetcher.ReadEntryBundle(ctx, i, p)
	if s.bundle && i == 0 && err == nil {
		b[80] ^= 1
	}
	return b, err
}

// modTiles reads tiles for golang.org/x/mod over HTTP.
type modTiles struct{ log string }

func (m modTiles) Height() int { return 8 }

func (m modTiles) SaveTiles([]modtlog.Tile, [][]byte) {}

func (m modTiles) ReadTiles(tiles []modtlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		// x/mod's own path has the height in it and ours, as C2SP has it, not.
		path := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
		r, err := http.Get(m.log + path)
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %d %v", path, r.StatusCode, err)
		}
		out = append(out, b)
	}
	return out, nil
}

func TestForeignVerifiersAcceptTheTree(t *testing.T) {
	g := newGateway(t, "")
	g.start(t)
	g.send(t, 40)
	early := g.checkpoint(t)
	g.send(t, 500)
	v := verifier(t, g.vkey)
	root, err := url.Parse(g.log)
	if err != nil {
		t.Fatal(err)
	}
	fetcher, err := client.NewHTTPFetcher(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(g.checkpoint(t)), note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	head, err := torchwood.ParseCheckpoint(n.Text)
	if err != nil {
		t.Fatal(err)
	}
	if head.N <= 512 {
		t.Fatalf("the tree has %d leaves, too few for what is tested", head.N)
	}

	// As many workers as there are tiles: with fewer, fsck waits for ever for one
	// that has found something.
	t.Run("tessera fsck", func(t *testing.T) {
		if err := fsck.New(origin, v, fetcher, leafHashes, fsck.Opts{N: 32}).Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("tessera fsck finds a changed tile", func(t *testing.T) {
		if err := fsck.New(origin, v, spoiled{fetcher, true, false}, leafHashes, fsck.Opts{N: 32}).Check(t.Context()); err == nil {
			t.Error("accepted")
		}
	})
	t.Run("tessera fsck finds a changed header", func(t *testing.T) {
		if err := fsck.New(origin, v, spoiled{fetcher, false, true}, leafHashes, fsck.Opts{N: 32}).Check(t.Context()); err == nil {
			t.Error("accepted")
		}
	})
	t.Run("tessera follows the growth", func(t *testing.T) {
		tracker, err := client.NewLogStateTracker(t.Context(), fetcher.ReadTile, []byte(early), v, origin, client.UnilateralConsensus(fetcher.ReadCheckpoint))
		if err != nil {
			t.Fatal(err)
		}
		before, _, now, err := tracker.Update(t.Context())
		if err != nil || !bytes.Equal(before, []byte(early)) || bytes.Equal(before, now) {
			t.Errorf("update: %v", err)
		}
	})
	t.Run("tessera proves inclusion", func(t *testing.T) {
		cp, _, _, err := client.FetchCheckpoint(t.Context(), fetcher.ReadCheckpoint, v, origin)
		if err != nil {
			t.Fatal(err)
		}
		builder, err := client.NewProofBuilder(t.Context(), cp.Size, fetcher.ReadTile)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []uint64{0, 255, 256, 511, 512, cp.Size - 1} {
			bundle, err := client.GetEntryBundle(t.Context(), fetcher.ReadEntryBundle, i/256, cp.Size)
			if err != nil {
				t.Fatal(err)
			}
			path, err := builder.InclusionProof(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			leaf := rfc6962.DefaultHasher.HashLeaf(bundle.Entries[i%256])
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, i, cp.Size, leaf, path, cp.Hash); err != nil {
				t.Errorf("entry %d: %v", i, err)
			}
		}
	})
	t.Run("x/mod reads every leaf and checks the growth", func(t *testing.T) {
		reader := modtlog.TileHashReader(head.Tree, modTiles{g.log})
		var all []int64
		for i := range head.N {
			all = append(all, modtlog.StoredHashIndex(0, i))
		}
		if _, err := reader.ReadHashes(all); err != nil {
			t.Error(err)
		}
		n, err := note.Open([]byte(early), note.VerifierList(v))
		if err != nil {
			t.Fatal(err)
		}
		old, err := torchwood.ParseCheckpoint(n.Text)
		if err != nil {
			t.Fatal(err)
		}
		growth, err := modtlog.ProveTree(head.N, old.N, reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := modtlog.CheckTree(growth, head.N, head.Hash, old.N, old.Hash); err != nil {
			t.Error(err)
		}
	})
	t.Run("torchwood reads every header", func(t *testing.T) {
		f, err := torchwood.NewTileFetcher(g.log)
		if err != nil {
			t.Fatal(err)
		}
		c, err := torchwood.NewClient(f)
		if err != nil {
			t.Fatal(err)
		}
		// The chain of headers, as the specification of the ledger has it: each
		// names the gateway, its own number, and the hash of the one before.
		gateway := sha256.Sum256([]byte("cordon gateway\n" + origin))
		previous := make([]byte, 32)
		read := int64(0)
		for i, h := range c.Entries(t.Context(), head.Tree, 0) {
			if len(h) != 117 || !bytes.Equal(h[1:17], gateway[:16]) || !bytes.Equal(h[25:57], previous) {
				t.Fatalf("header %d: %x", i, h)
			}
			sum := sha256.Sum256(append([]byte{0}, h...))
			previous = sum[:]
			read++
		}
		if err := c.Err(); err != nil || read == 0 {
			t.Errorf("read %d: %v", read, err)
		}
		entry, path, err := c.Entry(t.Context(), head.Tree, 300)
		if err != nil {
			t.Fatal(err)
		}
		if err := modtlog.CheckRecord(path, head.N, head.Hash, 300, modtlog.RecordHash(entry)); err != nil {
			t.Error(err)
		}
	})
}
