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
	data, err := mapPrivate(f, s.size)
	if err != nil {
		return nil, err
	}
	for block := range s.sums {
		if s.isChecked(block) {
			continue
		}
		if err := s.check(block, data[int64(block)*sheetBlock:min(s.size, int64(block+1)*sheetBlock)]); err != nil {
			unmap(data)
			return nil, fmt.Errorf("reading the base of people: %w", err)
		}
	}
	return data, nil
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
