package ledger

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
)

// spill is rows on disk, in parts, on their way through an import: written in
// whatever order they come, read part by part. What lies there is hashed or
// sealed like everything in the data directory.
type spill struct {
	dir, name string
	mu        sync.Mutex
	parts     []*spillPart
}

type spillPart struct {
	mu   sync.Mutex
	f    *os.File
	size int64
	crc  uint32
}

func (s *spill) path(k int) string { return filepath.Join(s.dir, fmt.Sprintf("%s-%05d", s.name, k)) }

func (s *spill) part(k int) *spillPart {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.parts) <= k {
		s.parts = append(s.parts, &spillPart{})
	}
	return s.parts[k]
}

func (s *spill) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.parts)
}

// add appends rows to a part.
func (s *spill) add(k int, rows []byte) error {
	p := s.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.f == nil {
		f, err := os.OpenFile(s.path(k), os.O_CREATE|os.O_RDWR, 0o600)
		if err == nil {
			_, err = f.Seek(p.size, 0)
		}
		if err != nil {
			return fmt.Errorf("setting rows of the import aside: %w", err)
		}
		p.f = f
	}
	if _, err := p.f.Write(rows); err != nil {
		return fmt.Errorf("setting rows of the import aside: %w", err)
	}
	p.size += int64(len(rows))
	p.crc = crc32.Update(p.crc, castagnoli, rows)
	return nil
}

// load reads a part whole into buf, or into new memory.
func (s *spill) load(k int, buf []byte) ([]byte, error) {
	p := s.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.size == 0 {
		return buf[:0], nil
	}
	if int64(cap(buf)) < p.size {
		buf = make([]byte, p.size+p.size/8)
	}
	buf = buf[:p.size]
	f := p.f
	if f == nil {
		var err error
		if f, err = os.Open(s.path(k)); err != nil {
			return nil, fmt.Errorf("reading rows of the import: %w", err)
		}
		defer f.Close()
	}
	if _, err := f.ReadAt(buf, 0); err != nil {
		return nil, fmt.Errorf("reading rows of the import: %w", err)
	}
	if crc32.Checksum(buf, castagnoli) != p.crc {
		return nil, fmt.Errorf("rows of the import in %s are damaged; import again", s.path(k))
	}
	return buf, nil
}

// drop gives back the room of a part.
func (s *spill) drop(k int) {
	p := s.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.f != nil {
		p.f.Close()
	}
	if p.size > 0 {
		_ = os.Remove(s.path(k)) // the folder goes with the import
	}
	p.f, p.size, p.crc = nil, 0, 0
}

func (s *spill) close() {
	for k := range s.count() {
		if p := s.part(k); p.f != nil {
			p.f.Close()
			p.f = nil
		}
	}
}

// spillBuffer gathers one worker's rows, so that a part is written in large pieces.
type spillBuffer struct {
	to   *spill
	size int
	rows [][]byte
}

func (b *spillBuffer) room(k int) *[]byte {
	for len(b.rows) <= k {
		b.rows = append(b.rows, nil)
	}
	return &b.rows[k]
}

// add appends a row to a part; it may lie in memory until flush.
func (b *spillBuffer) add(k int, row []byte) error {
	r := b.room(k)
	if len(*r)+len(row) > cap(*r) && len(*r) > 0 && len(*r)+len(row) > b.size {
		if err := b.to.add(k, *r); err != nil {
			return err
		}
		*r = (*r)[:0]
	}
	if *r == nil {
		*r = make([]byte, 0, b.size)
	}
	*r = append(*r, row...)
	return nil
}

func (b *spillBuffer) flush() error {
	var errs []error
	for k := range b.rows {
		if len(b.rows[k]) > 0 {
			errs = append(errs, b.to.add(k, b.rows[k]))
			b.rows[k] = b.rows[k][:0]
		}
	}
	return errors.Join(errs...)
}
