package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"cordon/internal/exposure"
)

// export writes what other engines load to answer the same questions about the
// first vendor: facts.bin, for each message day (2 bytes), set (2), ordinal (4),
// little-endian (of the messages in the index alone, then of those in the ledger);
// countries.bin, one byte for each ordinal, from 1, an index into
// countries.csv.
func (s *opened) export(dir string) error {
	m := s.model
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "facts.bin"))
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	put := func(d int, set uint16, o exposure.Ordinal) error {
		var b [8]byte
		binary.LittleEndian.PutUint16(b[:], uint16(d))
		binary.LittleEndian.PutUint16(b[2:], set)
		binary.LittleEndian.PutUint32(b[4:], uint32(o))
		_, err := w.Write(b[:])
		return err
	}
	for block := range m.blocks() {
		active := m.active(block)
		for d := range m.Days {
			for _, fact := range withoutEdges(m, d, m.facts(0, d, block, active, nil)) {
				if err := put(d, fact.Set, fact.Ordinal); err != nil {
					return err
				}
			}
		}
	}
	numbers := map[exposure.Set]uint16{}
	for i := range m.Sets {
		numbers[m.set(i)] = uint16(i)
	}
	err = m.recorded(s.ledger, 0, func(d int, o exposure.Ordinal, set exposure.Set) error {
		n, ok := numbers[set]
		if !ok {
			return fmt.Errorf("the ledger has the set %q", set)
		}
		return put(d, n, o)
	})
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	p := m.people()
	if err := os.WriteFile(filepath.Join(dir, "countries.bin"), p.Country, 0o644); err != nil {
		return err
	}
	csv := "number,country\n"
	for i, c := range p.Countries {
		csv += fmt.Sprintf("%d,%s\n", i, c)
	}
	if err := os.WriteFile(filepath.Join(dir, "countries.csv"), []byte(csv), 0o644); err != nil {
		return err
	}
	csv = "number,categories\n"
	for i := range m.Sets {
		csv += fmt.Sprintf("%d,%q\n", i, m.set(i).String())
	}
	return os.WriteFile(filepath.Join(dir, "sets.csv"), []byte(csv), 0o644)
}
