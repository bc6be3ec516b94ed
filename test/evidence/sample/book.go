// Package sample makes small evidence bundles over a ledger in memory, for
// tests that change them byte by byte. What it writes it writes with package
// evidence; bitmaps come from the Roaring library, which evidence does not use.
package sample

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"cordon/evidence"
)

// Origin is that of every sample.
const Origin = "photos.example/cordon"

// Start is when every sample begins.
var Start = time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC)

// Book is a ledger in memory, with keys that never change.
type Book struct {
	Signer  note.Signer
	Key     string
	Witness *evidence.Cosigner // cosigns checkpoints; nil: none does

	batches []batch
	hashes  map[int64]tlog.Hash
	next    uint64
}

type batch struct {
	header  evidence.Header
	seed    [evidence.SaltSize]byte
	entries [][]byte
}

// NewBook begins a ledger, with a witness or without.
func NewBook(witnessed bool) *Book {
	b := &Book{hashes: map[int64]tlog.Hash{}, next: 1}
	b.Signer = signer("ledger")
	seed := sha256.Sum256([]byte("ledger"))
	var err error
	if b.Key, err = note.NewEd25519VerifierKey(Origin, ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)); err != nil {
		panic(err)
	}
	if witnessed {
		b.Witness = witness("witness.example/w1")
	}
	return b
}

// signer signs in the name of Origin, with a key of that word.
func signer(word string) note.Signer {
	seed := sha256.Sum256([]byte(word))
	public := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	hash := sha256.Sum256(append([]byte(Origin+"\n\x01"), public...))
	s, err := note.NewSigner("PRIVATE+KEY+" + Origin + fmt.Sprintf("+%x+", hash[:4]) + base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...)))
	if err != nil {
		panic(err)
	}
	return s
}

func witness(name string) *evidence.Cosigner {
	seed := sha256.Sum256([]byte(name))
	public := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	hash := sha256.Sum256(append([]byte(name+"\n\x04"), public...))
	c, err := evidence.ParseCosigner("PRIVATE+KEY+"+name+fmt.Sprintf("+%x+", hash[:4])+base64.StdEncoding.EncodeToString(append([]byte{4}, seed[:]...)),
		func() time.Time { return Start.Add(time.Hour) })
	if err != nil {
		panic(err)
	}
	return c
}

// Append adds one batch and returns the number of its first entry.
func (b *Book) Append(entries ...evidence.Entry) uint64 {
	n := uint64(len(b.batches))
	x := batch{header: evidence.Header{
		Gateway: evidence.GatewayOf(Origin), Batch: n, First: b.next, Count: uint32(len(entries)),
		Start: entries[0].Time, End: entries[len(entries)-1].Time,
	}}
	binary.BigEndian.PutUint64(x.seed[:], n+1)
	if n > 0 {
		x.header.Previous = b.batches[n-1].header.LeafHash()
	}
	for _, e := range entries {
		x.entries = append(x.entries, e.Append(nil, x.header.Start))
	}
	x.header.Root = evidence.Root(x.leaves())
	added, err := tlog.StoredHashesForRecordHash(int64(n), x.header.LeafHash(), b)
	if err != nil {
		panic(err)
	}
	for i, h := range added {
		b.hashes[tlog.StoredHashIndex(0, int64(n))+int64(i)] = h
	}
	b.batches = append(b.batches, x)
	first := b.next
	b.next += uint64(len(entries))
	return first
}

func (x *batch) leaves() []tlog.Hash {
	var leaves []tlog.Hash
	for i, e := range x.entries {
		leaves = append(leaves, evidence.EntryHash(evidence.Salt(x.seed, uint32(i)), e))
	}
	return leaves
}

// ReadHashes makes a Book a tlog.HashReader.
func (b *Book) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		h, ok := b.hashes[i]
		if !ok {
			return nil, fmt.Errorf("hash %d is missing", i)
		}
		out = append(out, h)
	}
	return out, nil
}

// Checkpoint signs the ledger as it is now.
func (b *Book) Checkpoint() (size uint64, signed string) {
	size = uint64(len(b.batches))
	root, err := tlog.TreeHash(int64(size), b)
	if err != nil {
		panic(err)
	}
	if signed, err = (evidence.Checkpoint{Origin: Origin, Size: size, Root: root}).Sign(b.Signer); err != nil {
		panic(err)
	}
	if b.Witness != nil {
		signed = Cosign(signed, b.Witness)
	}
	return size, signed
}

// Cosign adds a signature line.
func Cosign(signed string, by note.Signer) string {
	text, _, _ := bytes.Cut([]byte(signed), []byte("\n\n"))
	out, err := note.Sign(&note.Note{Text: string(text) + "\n"}, by)
	if err != nil {
		panic(err)
	}
	return signed + string(out[len(text)+2:])
}

// Show proves entries, given by rising number, under the checkpoint of that size.
// personal are those that go into parts that may be left out.
func (b *Book) Show(size uint64, personal func(seq uint64) bool, seqs ...uint64) []evidence.Batch {
	var out []evidence.Batch
	for _, x := range b.batches[:size] {
		var shown []evidence.Shown
		for _, seq := range seqs {
			if x.header.Holds(seq) {
				i := int(seq - x.header.First)
				shown = append(shown, evidence.Shown{Seq: seq, Salt: evidence.Salt(x.seed, uint32(i)), Entry: x.entries[i],
					Inner: evidence.Path(x.leaves(), i), Personal: personal != nil && personal(seq)})
			}
		}
		if len(shown) == 0 {
			continue
		}
		path, err := tlog.ProveRecord(int64(size), int64(x.header.Batch), b)
		if err != nil {
			panic(err)
		}
		out = append(out, evidence.Batch{Header: x.header.Append(nil), Path: path, Entries: shown})
	}
	return out
}
