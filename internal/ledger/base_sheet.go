package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
)

// A sheet is one file of the base: blocks of 4 KiB under a CRC-32C each, which is
// compared when a block is first read, and chunks of 1 MiB under SHA-256, which
// Verify compares.
const (
	sheetBlock = 4 << 10
	sheetChunk = 1 << 20
)

type sheet struct {
	name    string
	path    string
	f       *os.File
	data    []byte // the file, mapped; nil: it is read through f
	size    int64
	sums    []uint32
	chunks  [][32]byte
	checked []atomic.Uint64 // by block, a bit: it was right
}

// baseManifest says what a generation consists of.
type baseManifest struct {
	Version     int            `json:"version"`
	Generation  uint64         `json:"generation"`
	People      uint64         `json:"people"`      // with a record
	Identifiers uint64         `json:"identifiers"` // entries of ids
	Ordinals    uint64         `json:"ordinals"`    // length of the columns
	Countries   []string       `json:"countries"`   // index 0 is ""
	States      []string       `json:"states"`
	Languages   []string       `json:"languages"`
	Files       []baseFileInfo `json:"files"` // sums last
}

type baseFileInfo struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	// SHA256 of the file sums, hex; of others it is in sums.
	SHA256 string `json:"sha256,omitempty"`
}

const (
	manifestName = "manifest.json"
	sumsName     = "sums"
)

func (m *baseManifest) file(name string) baseFileInfo {
	if i := slices.IndexFunc(m.Files, func(f baseFileInfo) bool { return f.Name == name }); i >= 0 {
		return m.Files[i]
	}
	return baseFileInfo{Name: name, Bytes: -1}
}

func readManifest(dir string) (m baseManifest, digest [32]byte, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return m, digest, err
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, digest, fmt.Errorf("%s: %w", manifestName, err)
	}
	if m.Version != 1 {
		return m, digest, fmt.Errorf("%s is of version %d", manifestName, m.Version)
	}
	return m, sha256.Sum256(raw), nil
}

// sheetSums are the sums of one file, as they lie in the file sums: for each file
// in the manifest's order its CRCs (4 each), then its chunks' digests (32 each).
type sheetSums struct {
	crcs   []uint32
	chunks [][32]byte
}

func blocksOf(size int64) int { return int((size + sheetBlock - 1) / sheetBlock) }
func chunksOf(size int64) int { return int((size + sheetChunk - 1) / sheetChunk) }

func readSums(dir string, m *baseManifest) (map[string]sheetSums, error) {
	raw, err := os.ReadFile(filepath.Join(dir, sumsName))
	if err != nil {
		return nil, err
	}
	want := m.file(sumsName)
	if digest := sha256.Sum256(raw); want.Bytes != int64(len(raw)) || want.SHA256 != hex.EncodeToString(digest[:]) {
		return nil, errors.New("the file sums is not the one that the manifest names")
	}
	all := map[string]sheetSums{}
	for _, f := range m.Files {
		if f.Name == sumsName {
			continue
		}
		blocks, chunks := blocksOf(f.Bytes), chunksOf(f.Bytes)
		if f.Bytes < 0 || len(raw) < 4*blocks+32*chunks {
			return nil, errors.New("the file sums is too short")
		}
		s := sheetSums{make([]uint32, blocks), make([][32]byte, chunks)}
		for i := range s.crcs {
			s.crcs[i] = binary.BigEndian.Uint32(raw[4*i:])
		}
		raw = raw[4*blocks:]
		for i := range s.chunks {
			copy(s.chunks[i][:], raw[32*i:])
		}
		raw = raw[32*chunks:]
		all[f.Name] = s
	}
	return all, nil
}

func appendSums(b []byte, s sheetSums) []byte {
	for _, c := range s.crcs {
		b = binary.BigEndian.AppendUint32(b, c)
	}
	for _, c := range s.chunks {
		b = append(b, c[:]...)
	}
	return b
}

func openSheet(dir string, info baseFileInfo, sums map[string]sheetSums, mapped bool) (*sheet, error) {
	if info.Bytes < 0 {
		return nil, fmt.Errorf("the manifest does not name the file %s", info.Name)
	}
	s := &sheet{name: info.Name, path: filepath.Join(dir, info.Name), size: info.Bytes}
	s.sums, s.chunks = sums[info.Name].crcs, sums[info.Name].chunks
	s.checked = make([]atomic.Uint64, (len(s.sums)+63)/64)
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	s.f = f
	st, err := f.Stat()
	if err == nil && st.Size() != info.Bytes {
		err = fmt.Errorf("the file %s has %d bytes, it should have %d", info.Name, st.Size(), info.Bytes)
	}
	if err == nil && mapped && s.size > 0 {
		s.data, err = mapFile(f, s.size)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

func (s *sheet) close() {
	unmap(s.data)
	s.data = nil
	s.f.Close()
}

// read gives n bytes at off, checked. They lie in buf, or in the file as it is
// mapped: valid as long as the sheet is open.
func (s *sheet) read(off int64, n int, buf []byte) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if off < 0 || off+int64(n) > s.size {
		return nil, fmt.Errorf("%s of the base of people ends before what should be there", s.name)
	}
	first, last := int(off/sheetBlock), int((off+int64(n)-1)/sheetBlock)
	if s.data != nil {
		for b := first; b <= last; b++ {
			if !s.isChecked(b) {
				if err := s.check(b, s.data[int64(b)*sheetBlock:min(s.size, int64(b+1)*sheetBlock)]); err != nil {
					return nil, err
				}
			}
		}
		return s.data[off : off+int64(n)], nil
	}
	sure := true
	for b := first; b <= last; b++ {
		sure = sure && s.isChecked(b)
	}
	if sure {
		buf = slices.Grow(buf[:0], n)[:n]
		_, err := s.f.ReadAt(buf, off)
		return buf, err
	}
	start := int64(first) * sheetBlock
	whole := slices.Grow(buf[:0], int(min(s.size, int64(last+1)*sheetBlock)-start))
	whole = whole[:min(s.size, int64(last+1)*sheetBlock)-start]
	if _, err := s.f.ReadAt(whole, start); err != nil {
		return nil, fmt.Errorf("reading %s of the base of people: %w", s.name, err)
	}
	for b := first; b <= last; b++ {
		from := int64(b-first) * sheetBlock
		if err := s.check(b, whole[from:min(int64(len(whole)), from+sheetBlock)]); err != nil {
			return nil, err
		}
	}
	return whole[off-start:][:n], nil
}

func (s *sheet) isChecked(b int) bool { return s.checked[b/64].Load()&(1<<(b%64)) != 0 }

func (s *sheet) check(b int, content []byte) error {
	if crc32.Checksum(content, castagnoli) != s.sums[b] {
		return fmt.Errorf("block %d of %s is damaged", b, s.path)
	}
	s.checked[b/64].Or(1 << (b % 64))
	return nil
}
