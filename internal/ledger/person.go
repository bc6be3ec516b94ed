package ledger

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// Person is one person of the directory.
type Person struct {
	// ID is the directory's own id; required. It is also an identifier of kind user_id.
	ID          string
	Identifiers []exposure.Identifier
	Country     string // ISO 3166-1, "" unknown
	State       string // bare: "CA"
	Language    string // BCP 47
	// MinorUntil is the day of the person's coming of age; zero for adults.
	MinorUntil time.Time
	// Needles are what the directory knows of the person, hashed by Ledger.Hash;
	// the values themselves never come here.
	Needles []classify.Needle
	// Line is where the person stands in the source, for Imported.Repeated.
	Line uint64
}

// Imported counts what an import did.
type Imported struct {
	People, New, Changed uint64
	Left                 uint64 // were in the directory before and no longer are
	// Repeated are the lines whose id came before in the same import. The first
	// person with an id was taken, these were not.
	Repeated []uint64
	// Behind is the line behind which an interrupted import was gone on with, 0 if
	// there was none. Anew says why there was one that was not.
	Behind uint64
	Anew   string
}

// personRow is a person as stored: what scope needs in the clear, since it
// tells no name, and the directory's own id sealed.
//
//	version 1 | flags (1: in the directory) | minor-until day | country | state | language (each length, bytes) | nonce (12) sealed id
type personRow struct {
	inDirectory              bool
	minorUntil               uint16
	country, state, language string
	sealed                   []byte
}

const personVersion = 1

func (r *personRow) append(b []byte) []byte {
	flags := byte(0)
	if r.inDirectory {
		flags = 1
	}
	b = append(b, personVersion, flags)
	b = binary.AppendUvarint(b, uint64(r.minorUntil))
	for _, s := range []string{r.country, r.state, r.language} {
		b = append(b, byte(len(s)))
		b = append(b, s...)
	}
	return append(b, r.sealed...)
}

func parsePerson(b []byte) (r personRow, err error) {
	damaged := errors.New("a person's attributes are damaged")
	if len(b) < 3 || b[0] != personVersion {
		return r, damaged
	}
	r.inDirectory = b[1]&1 != 0
	day, n := binary.Uvarint(b[2:])
	if n <= 0 || day > math.MaxUint16 {
		return r, damaged
	}
	r.minorUntil = uint16(day)
	b = b[2+n:]
	for _, s := range []*string{&r.country, &r.state, &r.language} {
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			return r, damaged
		}
		*s, b = string(b[1:1+b[0]]), b[1+b[0]:]
	}
	r.sealed = append([]byte(nil), b...)
	return r, nil
}

// sameAttributes compares all but the seal, which differs each time.
func (r *personRow) sameAttributes(o *personRow) bool {
	return r.inDirectory == o.inDirectory && r.minorUntil == o.minorUntil &&
		r.country == o.country && r.state == o.state && r.language == o.language
}

func (l *Ledger) personRow(o exposure.Ordinal) (row personRow, ok bool, err error) {
	err = view(l.store.DB(), ordinalKey(store.Person, o), func(v []byte) (err error) {
		row, err = parsePerson(v)
		return err
	})
	if errors.Is(err, pebble.ErrNotFound) {
		err = l.ids.withBase(func(b *base) (err error) {
			if b != nil {
				row, ok, err = b.person(o)
			}
			return err
		})
		return row, ok, err
	}
	return row, err == nil, err
}

// DirectoryID opens the directory's own id of a person; false for strangers.
func (l *Ledger) DirectoryID(o exposure.Ordinal) (string, bool, error) {
	row, ok, err := l.personRow(o)
	if err != nil || !ok {
		return "", false, err
	}
	if len(row.sealed) == 0 { // erased; attributes are left
		return "", false, nil
	}
	n := l.seal.NonceSize()
	if len(row.sealed) < n {
		return "", false, errors.New("a person's directory id is damaged")
	}
	id, err := l.seal.Open(nil, row.sealed[:n], row.sealed[n:], ordinalKey(store.Person, o))
	if err != nil {
		return "", false, fmt.Errorf("opening a directory id: %w", err)
	}
	return string(id), true, nil
}

// sealID binds the seal to the ordinal, so that rows cannot be exchanged.
func (l *Ledger) sealID(o exposure.Ordinal, id string) ([]byte, error) {
	nonce := make([]byte, l.seal.NonceSize(), l.seal.NonceSize()+len(id)+l.seal.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("sealing a directory id: %w", err)
	}
	return l.seal.Seal(nonce, nonce, []byte(id), ordinalKey(store.Person, o)), nil
}

func personDay(t time.Time) uint16 {
	day := t.Unix() / 86400
	return uint16(min(max(day, 0), math.MaxUint16))
}

func bigEndian32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
