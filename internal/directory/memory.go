package directory

import (
	"context"
	"hash/maphash"
	"iter"
	"slices"
	"strings"

	"cordon/internal/classify"
	"cordon/internal/exposure"
)

// Memory is a directory held in memory, for looking at messages where there is
// no ledger yet. It answers as the ledger would after importing the same file.
type Memory struct {
	seed  maphash.Seed
	maker *Needles
	ids   []string // the directory's own, by person
	// needles of all people, one after the other; of person n they end at ends[n].
	needles []classify.Needle
	ends    []int
	// named says whom an identifier names: the first person who has it.
	named map[exposure.Identifier]holder
}

var _ classify.Known = (*Memory)(nil)

type holder struct {
	person int32
	others uint8 // how many further people have it, too
}

// sharedBy is the number of people from whom on an address says nothing any
// more about who is meant; the ledger's rule.
const sharedBy = 4

// MemoryOptions say how a directory is held in memory.
type MemoryOptions struct {
	Options
	// NoValues keeps identifiers only (directory.known_values: off).
	NoValues bool
}

// LoadMemory reads the file at path into memory. The answer tells which lines
// were not taken.
func LoadMemory(ctx context.Context, path string, o MemoryOptions) (*Memory, *Answer, error) {
	m := NewMemory()
	answer, err := ImportFile(ctx, path, m.sink(o.NoValues), o.Options)
	if err != nil {
		return nil, nil, err
	}
	return m, answer, nil
}

// NewMemory holds nobody.
func NewMemory() *Memory {
	m := &Memory{seed: maphash.MakeSeed(), named: map[exposure.Identifier]holder{}}
	m.maker = NewNeedles(m.Hash)
	return m
}

func (m *Memory) sink(noValues bool) Sink {
	return func(_ context.Context, people iter.Seq2[Person, error]) (s Stored, err error) {
		own := map[string]bool{}
		for p, err := range people {
			if err != nil {
				return s, err
			}
			if own[p.ID] {
				s.Repeated = append(s.Repeated, p.Line)
				continue
			}
			own[p.ID] = true
			s.New++
			if noValues {
				p.Values = nil
			}
			m.add(&p)
		}
		return s, nil
	}
}

func (m *Memory) add(p *Person) {
	n := int32(len(m.ids))
	m.ids = append(m.ids, strings.Clone(p.ID))
	m.needles = append(m.needles, m.maker.Of(p)...)
	m.ends = append(m.ends, len(m.needles))
	name := func(id exposure.Identifier) {
		h, taken := m.named[id]
		if !taken {
			id.Value = strings.Clone(id.Value)
			h.person = n
		} else if h.person != n && h.others < sharedBy {
			h.others++
		}
		m.named[id] = h
	}
	name(exposure.Identifier{Kind: exposure.KindUserID, Value: p.ID})
	for _, id := range p.Identifiers {
		name(id)
		for _, hash := range id.Hashes() {
			name(hash)
		}
	}
}

// Hash is keyed anew in every process.
func (m *Memory) Hash(words string) uint64 { return maphash.String(m.seed, words) }

// Knows reports whether somebody in the directory has the identifier.
func (m *Memory) Knows(id exposure.Identifier) bool {
	_, ok := m.named[id]
	return ok
}

// people are those whom the identifiers name. A shared address counts only when
// there is nothing else.
func (m *Memory) people(ids []exposure.Identifier) (people []int32) {
	var shared []int32
	strong := false // something better than a shared address is there, known or not
	for _, id := range ids {
		h, ok := m.named[id]
		switch {
		case !ok:
			strong = true
		case h.others+1 >= sharedBy && id.Kind != exposure.KindUserID && id.Kind != exposure.KindUsername:
			shared = append(shared, h.person)
		default:
			strong = true
			if !slices.Contains(people, h.person) {
				people = append(people, h.person)
			}
		}
	}
	if strong {
		return people
	}
	slices.Sort(shared)
	return slices.Compact(shared)
}

// Needles appends what the directory knows of the people whom the identifiers
// name.
func (m *Memory) Needles(ids []exposure.Identifier, dst []classify.Needle) []classify.Needle {
	for _, n := range m.people(ids) {
		start := 0
		if n > 0 {
			start = m.ends[n-1]
		}
		dst = append(dst, m.needles[start:m.ends[n]]...)
	}
	return dst
}

// PersonID is the directory's own id of the one person whom the identifiers
// name; false when that is nobody, or not certainly one.
func (m *Memory) PersonID(ids []exposure.Identifier) (string, bool, error) {
	people := m.people(ids)
	if len(people) != 1 {
		return "", false, nil
	}
	return m.ids[people[0]], true, nil
}
