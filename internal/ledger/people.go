package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"

	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// People holds the attributes of everyone by ordinal, as arrays, so that scope
// can count cohorts in one pass. It is a snapshot. All slices but the tables
// have the same length; an ordinal at or past it is a stranger without attributes.
type People struct {
	Countries, States, Languages []string // tables; index 0 is ""
	Country                      []uint8  // index into Countries
	State                        []uint16
	Language                     []uint8
	MinorUntil                   []uint16 // days since 1970-01-01, 0 for adults
	directory                    bitmap
}

// InDirectory reports whether the directory names the ordinal.
func (p *People) InDirectory(o exposure.Ordinal) bool { return p.directory.has(o) }

// DirectoryBits has one bit per ordinal: the directory names the person.
func (p *People) DirectoryBits() []uint64 { return p.directory.words }

type bitmap struct{ words []uint64 }

func (b *bitmap) set(o exposure.Ordinal) {
	w := int(o / 64)
	if w >= len(b.words) {
		b.words = append(b.words, make([]uint64, w+1-len(b.words))...)
	}
	b.words[w] |= 1 << (o % 64)
}

func (b *bitmap) has(o exposure.Ordinal) bool {
	w := int(o / 64)
	return w < len(b.words) && b.words[w]&(1<<(o%64)) != 0
}

// People reads the attributes of everyone who is or was in the directory: the
// columns of the base as they are mapped, with what the store has over them.
func (l *Ledger) People() (*People, error) {
	p := &People{Countries: []string{""}, States: []string{""}, Languages: []string{""}}
	err := l.ids.withBase(func(b *base) error {
		if b == nil {
			return nil
		}
		return b.columns(p)
	})
	if err != nil {
		return nil, fmt.Errorf("reading people: %w", err)
	}
	prefix := []byte{store.Person}
	it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, fmt.Errorf("reading people: %w", err)
	}
	defer it.Close()
	if it.Last() { // keys are in order of ordinals: the last says how long the arrays are
		o, _, err := personAt(it)
		if err != nil {
			return nil, err
		}
		if n := int(o) + 1; n > len(p.Country) {
			p.Country, p.State, p.Language, p.MinorUntil = longer(p.Country, n), longer(p.State, n), longer(p.Language, n), longer(p.MinorUntil, n)
			p.directory.words = longer(p.directory.words, n/64+1)
		}
	}
	countries, states, languages := intern(&p.Countries, 255), intern(&p.States, 65535), intern(&p.Languages, 255)
	for it.First(); it.Valid(); it.Next() {
		o, row, err := personAt(it)
		if err != nil {
			return nil, err
		}
		p.Country[o] = uint8(countries.index(row.country))
		p.State[o] = uint16(states.index(row.state))
		p.Language[o] = uint8(languages.index(row.language))
		p.MinorUntil[o] = row.minorUntil
		p.directory.words[o/64] &^= 1 << (o % 64)
		if row.inDirectory {
			p.directory.set(o)
		}
	}
	if err := it.Error(); err != nil {
		return nil, fmt.Errorf("reading people: %w", err)
	}
	if err := errors.Join(countries.check("countries"), states.check("states"), languages.check("languages")); err != nil {
		return nil, err
	}
	return p, nil
}

// longer copies a column into a longer one.
func longer[T any](column []T, n int) []T {
	if n <= len(column) {
		return column
	}
	return append(make([]T, 0, n), column...)[:n]
}

func personAt(it *pebble.Iterator) (exposure.Ordinal, personRow, error) {
	k := it.Key()
	if len(k) != 5 {
		return 0, personRow{}, errors.New("reading people: a key has the wrong length")
	}
	v, err := it.ValueAndErr()
	if err != nil {
		return 0, personRow{}, fmt.Errorf("reading people: %w", err)
	}
	row, err := parsePerson(v)
	return exposure.Ordinal(binary.BigEndian.Uint32(k[1:])), row, err
}

// interner gives strings indexes in a table of bounded length.
type interner struct {
	table *[]string
	seen  map[string]int
	limit int
}

func intern(table *[]string, limit int) interner {
	t := interner{table, map[string]int{}, limit}
	for i, s := range *table {
		t.seen[s] = i
	}
	return t
}

func (t *interner) index(s string) int {
	if s == "" {
		return 0
	}
	i, ok := t.seen[s]
	if !ok {
		i = len(*t.table)
		t.seen[s] = i
		*t.table = append(*t.table, s)
	}
	return i
}

func (t *interner) check(what string) error {
	if len(*t.table)-1 > t.limit {
		return fmt.Errorf("the directory names %d different %s, at most %d fit", len(*t.table)-1, what, t.limit)
	}
	return nil
}
