package evidence

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Proof shows that one entry is in the ledger that a checkpoint commits to.
// It reveals nothing about the other entries of the batch but their count.
type Proof struct {
	Seq        uint64      `json:"seq"`
	Entry      []byte      `json:"entry"`  // encoded
	Salt       []byte      `json:"salt"`   // 16 bytes
	Inner      []tlog.Hash `json:"inner"`  // audit path in the batch's own tree, bottom up
	Header     []byte      `json:"header"` // encoded batch header
	Path       []tlog.Hash `json:"path"`   // audit path of the header in the log, bottom up
	Checkpoint string      `json:"checkpoint"`
}

// Verify checks the proof against the ledger's public key and returns what it
// proves: the entry and the header of its batch.
func (p *Proof) Verify(v note.Verifier) (Entry, Header, error) {
	none := func(err error) (Entry, Header, error) { return Entry{}, Header{}, err }
	head, err := OpenCheckpoint(p.Checkpoint, v)
	if err != nil {
		return none(err)
	}
	h, err := ParseHeader(p.Header)
	if err != nil {
		return none(err)
	}
	if h.Gateway != GatewayOf(head.Origin) {
		return none(fmt.Errorf("batch %d is another ledger's", h.Batch))
	}
	if h.Batch >= head.Size {
		return none(fmt.Errorf("batch %d is not among the %d of the checkpoint", h.Batch, head.Size))
	}
	if err := tlog.CheckRecord(p.Path, int64(head.Size), head.Root, int64(h.Batch), tlog.RecordHash(p.Header)); err != nil {
		return none(fmt.Errorf("batch %d is not under the checkpoint's root: %w", h.Batch, err))
	}
	if !h.Holds(p.Seq) {
		return none(fmt.Errorf("batch %d holds entries %d to %d, not %d", h.Batch, h.First, h.First+uint64(h.Count)-1, p.Seq))
	}
	if len(p.Salt) != SaltSize {
		return none(errors.New("salt has not 16 bytes"))
	}
	leaf := EntryHash([SaltSize]byte(p.Salt), p.Entry)
	if err := tlog.CheckRecord(p.Inner, int64(h.Count), h.Root, int64(p.Seq-h.First), leaf); err != nil {
		return none(fmt.Errorf("entry %d is not under its batch's root: %w", p.Seq, err))
	}
	e, rest, err := ParseEntry(p.Entry, h.Start)
	if err != nil {
		return none(fmt.Errorf("entry %d: %w", p.Seq, err))
	}
	if len(rest) > 0 {
		return none(fmt.Errorf("entry %d is followed by %d bytes that are not its own", p.Seq, len(rest)))
	}
	return e, h, nil
}
