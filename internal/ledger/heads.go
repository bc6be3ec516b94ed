package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// heads is a small file outside the store that remembers how far the store
// must reach: the newest signed checkpoint, and the newest batch that was
// acknowledged. A store that was cut short in a way that looks like a crash
// (the last chunk of a log damaged, a log deleted) is found out by it.
//
// The file has six slots of one page. A write goes to the older slot of its
// pair, so that a torn write leaves the other one. The acknowledged batch is
// written after each commit without a sync: that is enough for a process that
// is killed, and for a disk that rots. After a loss of power it may be up to
// a second behind the store, never before it, since checkpoints sync the file.
//
//	slot: crc32c over the rest (4) | length (4) | payload
//	slots 0, 1: generation (8) | signed checkpoint
//	slots 2, 3: batches (8) | entries (8) | leaf hash of the last batch (32)
//	slots 4, 5: generation (8) | checkpoint that the witness cosigned
//
// Files made before there were witnesses end after slot 3.
type heads struct {
	f    *os.File
	path string

	generation uint64
	headSlot   int64  // to write next, 0 or 1
	cosigned   uint64 // generation of the newest cosigned checkpoint
	buf        []byte
	aside      *aside // nil: acknowledge waits for the disk
}

const (
	slotSize  = 4096
	slots     = 6
	slotsOnce = 4 // before there were witnesses
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// reach is what a heads file said when it was read.
type reach struct {
	Path             string
	Checkpoint       string // signed; "" if none yet
	Batches          uint64 // acknowledged
	Entries          uint64
	Leaf             tlog.Hash
	Damaged          bool   // a slot did not match its checksum; the other one of its pair was taken
	Empty            bool   // nothing in it at all, not even damage
	Missing          bool   // there is no such file
	Cosigned         string // the newest checkpoint that a witness cosigned; "" if none yet
	gen, cosignedGen uint64
}

func headsPath(dir string) string { return filepath.Join(dir, "heads") }

func mirrorPath(mirror string, gateway [16]byte) string {
	return filepath.Join(mirror, fmt.Sprintf("%x.heads", gateway))
}

// readHeads reads a file of heads; os.ErrNotExist if there is none.
func readHeads(path string) (reach, error) {
	r := reach{Path: path}
	b, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if len(b) < slots*slotSize { // cut off, what is missing counts as damaged; or older
		r.Damaged = len(b) != slotsOnce*slotSize
		b = append(b, make([]byte, slots*slotSize-len(b))...)
	}
	written := 0
	for i := range slots {
		slot := b[i*slotSize : (i+1)*slotSize]
		n := binary.BigEndian.Uint32(slot[4:])
		if n == 0 && binary.BigEndian.Uint32(slot) == 0 && allZero(slot) {
			continue
		}
		written++
		if n > slotSize-8 || crc32.Checksum(slot[4:8+n], castagnoli) != binary.BigEndian.Uint32(slot) || !allZero(slot[8+n:]) {
			r.Damaged = true
			continue
		}
		p := slot[8 : 8+n]
		switch {
		case i < 2 && n >= 8:
			if g := binary.BigEndian.Uint64(p); g > r.gen || r.Checkpoint == "" {
				r.gen, r.Checkpoint = g, string(p[8:])
			}
		case i >= 4 && n >= 8:
			if g := binary.BigEndian.Uint64(p); g > r.cosignedGen || r.Cosigned == "" {
				r.cosignedGen, r.Cosigned = g, string(p[8:])
			}
		case i >= 2 && i < 4 && n == 16+tlog.HashSize:
			if batches := binary.BigEndian.Uint64(p); batches >= r.Batches {
				r.Batches, r.Entries, r.Leaf = batches, binary.BigEndian.Uint64(p[8:]), tlog.Hash(p[16:])
			}
		default:
			r.Damaged = true
		}
	}
	r.Empty = written == 0 && !r.Damaged
	return r, nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// openHeads opens the file for writing, making it if there is none. A
// file just made is on disk, with its name, when openHeads returns.
func openHeads(path string, was reach) (*heads, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the file of heads: %w", err)
	}
	h := &heads{f: f, path: path, generation: was.gen, headSlot: int64(was.gen+1) % 2, cosigned: was.cosignedGen}
	if st, err := f.Stat(); err == nil && st.Size() < slots*slotSize {
		// Real blocks rather than a hole: a full disk must not stop a head.
		_, err = f.WriteAt(make([]byte, slots*slotSize-st.Size()), st.Size())
		if err == nil {
			err = f.Sync()
		}
		if err == nil {
			err = syncDir(filepath.Dir(path))
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("making the file of heads: %w", err)
		}
	}
	return h, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// acknowledge notes that so many batches are on disk. Called by one goroutine.
func (h *heads) acknowledge(batches, entries uint64, leaf tlog.Hash) error {
	p := append(h.buf[:0], make([]byte, 8)...)
	p = binary.BigEndian.AppendUint64(p, batches)
	p = binary.BigEndian.AppendUint64(p, entries)
	p = append(p, leaf[:]...)
	h.buf = p
	if h.aside != nil {
		return h.aside.write(2+int64(batches%2), p)
	}
	return writeSlot(h.f, 2+int64(batches%2), p)
}

// sign notes a signed checkpoint and waits until it is on disk, together with
// every acknowledgement so far. Called by one goroutine, which may be another.
func (h *heads) sign(checkpoint string) error {
	if err := h.writeNote(h.headSlot, h.generation+1, checkpoint); err != nil {
		return err
	}
	h.generation++
	h.headSlot ^= 1
	return h.f.Sync()
}

// cosign notes a checkpoint that the witness cosigned, like sign and never at
// the same time.
func (h *heads) cosign(checkpoint string) error {
	if err := h.writeNote(4+int64(h.cosigned+1)%2, h.cosigned+1, checkpoint); err != nil {
		return err
	}
	h.cosigned++
	return h.f.Sync()
}

func (h *heads) writeNote(slot int64, generation uint64, checkpoint string) error {
	if len(checkpoint) > slotSize-16 {
		return errors.New("the signed checkpoint is too long for the file of heads")
	}
	p := make([]byte, 8, slotSize)
	p = binary.BigEndian.AppendUint64(p, generation)
	p = append(p, checkpoint...)
	// A shorter note must not leave the end of a longer one behind it.
	p = append(p, make([]byte, slotSize-len(p))...)
	return writeSlotLen(h.f, slot, p, 8+len(checkpoint))
}

// writeSlot fills in the first eight bytes of p and writes it.
func writeSlot(w io.WriterAt, slot int64, p []byte) error { return writeSlotLen(w, slot, p, len(p)-8) }

func writeSlotLen(w io.WriterAt, slot int64, p []byte, payload int) error {
	binary.BigEndian.PutUint32(p[4:], uint32(payload))
	binary.BigEndian.PutUint32(p, crc32.Checksum(p[4:8+payload], castagnoli))
	if _, err := w.WriteAt(p, slot*slotSize); err != nil {
		return fmt.Errorf("writing the file of heads: %w", err)
	}
	return nil
}

func (h *heads) close() error {
	if h.aside != nil && !h.aside.stop() {
		return nil // a write that never ends has the file
	}
	return h.f.Close()
}
