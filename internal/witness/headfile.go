package witness

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

// headFile keeps the newest cosigned head of one log.
//
// Two slots of two pages each hold the same head. A write goes to one slot, is
// synced, goes to the other, is synced; only then may the cosignature leave.
// So a torn write leaves the head before, which nobody was answered beyond,
// and damage to either slot later leaves the head itself. The second write can
// tear too: then the first slot holds a head that nobody was told of, which is
// as good, for the log had signed it.
//
//	slot: crc32c over the rest (4) | length (4) | generation (8) | cosigned checkpoint
type headFile struct {
	f           *os.File
	generations [2]uint64 // of the slots; 0 for a damaged one
	broken      error     // a write failed: what is on disk is in doubt until a restart
	Head        string    // "" before the first
}

const (
	slotSize = 8192
	slotHead = 16
	// maxHead bounds a cosigned head.
	maxHead = slotSize - slotHead
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errLost says that the newest cosigned head of a log is not known any more.
var errLost = errors.New("what it cosigned last is not known any more")

// makeHeadFile makes the file of a log that was never cosigned.
func makeHeadFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	h := &headFile{f: f}
	return h.write("")
}

func openHeadFile(path string) (*headFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLost, err)
	}
	h, err := readHeadFile(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

func readHeadFile(f *os.File) (*headFile, error) {
	h := &headFile{f: f}
	newest := uint64(0)
	for i := range h.generations {
		slot := make([]byte, slotSize)
		if _, err := f.ReadAt(slot, int64(i)*slotSize); err != nil {
			continue // cut short; or a disk that fails, which the other slot will show
		}
		n := binary.BigEndian.Uint32(slot[4:])
		if n < 8 || n > slotSize-8 || crc32.Checksum(slot[4:8+n], castagnoli) != binary.BigEndian.Uint32(slot) {
			continue
		}
		g := binary.BigEndian.Uint64(slot[8:])
		if h.generations[i] = g; g > newest {
			newest, h.Head = g, string(slot[slotHead:8+n])
		}
	}
	if newest == 0 {
		return nil, errLost
	}
	return h, nil
}

// Damaged reports whether a slot is; the next write mends it.
func (h *headFile) Damaged() bool { return min(h.generations[0], h.generations[1]) == 0 }

// write makes head the newest one, on disk when it returns. After an error
// nothing more is written: nobody knows what the disk holds.
func (h *headFile) write(head string) (err error) {
	if h.broken != nil {
		return h.broken
	}
	if len(head) > maxHead {
		return fmt.Errorf("a head of %d bytes is not kept, at most %d", len(head), maxHead)
	}
	next := max(h.generations[0], h.generations[1]) + 1
	slot := make([]byte, slotSize)
	binary.BigEndian.PutUint64(slot[8:], next)
	n := 8 + copy(slot[slotHead:], head)
	binary.BigEndian.PutUint32(slot[4:], uint32(n))
	binary.BigEndian.PutUint32(slot, crc32.Checksum(slot[4:8+n], castagnoli))
	// First the older slot, should they differ after a crash: at no instant are
	// both of them in doubt.
	order := []int{0, 1}
	if h.generations[0] > h.generations[1] {
		order = []int{1, 0}
	}
	for _, i := range order {
		_, err := h.f.WriteAt(slot, int64(i)*slotSize)
		if err == nil {
			err = h.f.Sync()
		}
		if err != nil {
			h.broken = fmt.Errorf("keeping a head: %w", err)
			return h.broken
		}
		h.generations[i] = next
	}
	h.Head = head
	return nil
}

// writeFile writes a small file that is there whole, with its name, or not at all.
func writeFile(path string, data []byte, mode os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // nothing, once it was renamed
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", dir, err)
	}
	return nil
}
