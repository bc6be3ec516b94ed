package ledger

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"sync"
	"unsafe"
)

// columns gives the columns of the base, mapped so that what the store has over
// them can be written into them: the file does not change. The mapping stays as
// long as the process, since nobody counts who still looks at a snapshot; what
// was replaced costs addresses and, until the end, the room on the disk.
func (b *base) columns(p *People) error {
	p.Countries, p.States, p.Languages = slices.Clone(b.m.Countries), slices.Clone(b.m.States), slices.Clone(b.m.Languages)
	var country, state, language, minor, named []byte
	var tasks sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for _, c := range []struct {
		s    *sheet
		into *[]byte
	}{{b.state, &state}, {b.minor, &minor}, {b.country, &country}, {b.language, &language}, {b.named, &named}} {
		tasks.Go(func() {
			data, err := c.s.private()
			*c.into = data
			if err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
		})
	}
	tasks.Wait()
	if failed != nil {
		return failed
	}
	p.Country, p.Language = country, language
	p.State, p.MinorUntil = asNumbers[uint16](state), asNumbers[uint16](minor)
	p.directory.words = asNumbers[uint64](append(named, make([]byte, -len(named)&7)...))
	return nil
}

// private maps a sheet for writing past the file, and checks it.
func (s *sheet) private() ([]byte, error) {
	if s.size == 0 {
		return nil, nil
	}
	f, err := os.Open(s.path) // the sheet may not be mapped
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Checked as it is read, not where it is mapped: page by page that would take
	// several times as long.
	buf := make([]byte, 64*sheetBlock)
	for block := 0; block < len(s.sums); block += 64 {
		start := int64(block) * sheetBlock
		run := buf[:min(int64(len(buf)), s.size-start)]
		if _, err := f.ReadAt(run, start); err != nil {
			return nil, fmt.Errorf("reading %s: %w", s.path, err)
		}
		for i := 0; i < len(run); i += sheetBlock {
			if err := s.check(block+i/sheetBlock, run[i:min(len(run), i+sheetBlock)]); err != nil {
				return nil, fmt.Errorf("reading the base of people: %w", err)
			}
		}
	}
	return mapPrivate(f, s.size)
}

// asNumbers shows little-endian bytes as numbers, where they lie if the machine
// is little-endian too.
func asNumbers[T uint16 | uint64](data []byte) []T {
	width := int(unsafe.Sizeof(T(0)))
	n := len(data) / width
	if n == 0 {
		return nil
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return unsafe.Slice((*T)(unsafe.Pointer(&data[0])), n)
	}
	list := make([]T, n)
	for i := range list {
		for j := range width {
			list[i] |= T(data[i*width+j]) << (8 * j)
		}
	}
	return list
}
