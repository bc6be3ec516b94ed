package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"sync"

	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// The base of people holds what a large import brought, outside of the store:
// sorted files that are mapped into memory, of which a look-up touches one page.
// The rows of the store (Identity, Person, Known) come first and override it; a
// row that says "nobody" or "nothing" hides what the base has.
//
// A generation of the base is a folder, DIR/people/NUMBER, and is never changed
// but by forget:
//
//	manifest.json  what there is, the tables of countries, states and languages
//	sums           CRC-32C of every block of every other file, SHA-256 of every chunk
//	ids            identifiers in order of their keyed hash: hash (12) ordinal (4)
//	fences         the first 8 bytes of each block of ids, to find the block in memory
//	owns           the directory's own ids in order of their keyed hash: hash (12) ordinal (4)
//	               keyed digest of all that the import said of the person (8), see rowDigest
//	ownfences      the first 8 bytes of every 128th of owns
//	records        by ordinal, sixteen to a group: sealed directory id, needles
//	index          where each group of records begins (8)
//	country, state, language, minor, directory
//	               by ordinal: index into its table (1, 2, 1), day of coming of age (2), one bit
//
// Numbers are big-endian in ids, fences, index and records, as in the store, and
// little-endian in the columns, so that they can be used where they are mapped.
//
// The store names the generation in force together with the SHA-256 of its
// manifest (keyspace Base), and the import's entry in the journal has the same
// digest: whoever exchanges the files would have to forge the entry. Everything
// of a generation is on disk before it is named, so a crash leaves the old one
// or the new one. Blocks are checked when they are first read, all of it by Verify.
type base struct {
	dir    string
	m      baseManifest
	digest [32]byte

	ids, owns, records, index              *sheet
	country, state, language, minor, named *sheet
	fences, ownFences                      []uint64
	use                                    sync.RWMutex // held for reading while something mapped is looked at
	closed                                 bool         // guarded by use
}

const (
	idEntry      = 16 // bytes of an entry of ids
	idsPerBlock  = sheetBlock / idEntry
	ownEntry     = 24
	ownsPerFence = 128
	recordGroup  = 16 // ordinals in a group of records
	groupHeader  = 3 * recordGroup
	peopleFolder = "people"
)

// baseRow is what the store says of the base: which folder, and the digest of
// its manifest.
//
//	version 1 | generation (8) | digest (32)
type baseRow struct {
	generation uint64
	digest     [32]byte
}

// Names under the prefix store.Base.
const (
	baseNamed  = "named"  // baseRow
	baseForget = "forget" // see base_forget.go
)

func baseKey(name string) []byte { return append([]byte{store.Base}, name...) }

func (r baseRow) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(append(b, 1), r.generation)
	return append(b, r.digest[:]...)
}

func parseBaseRow(b []byte) (r baseRow, err error) {
	if len(b) != 41 || b[0] != 1 {
		return r, errors.New("the row that names the base of people is damaged")
	}
	r.generation = binary.BigEndian.Uint64(b[1:])
	copy(r.digest[:], b[9:])
	return r, nil
}

func (l *Ledger) baseRow() (r baseRow, ok bool, err error) {
	err = view(l.store.DB(), baseKey(baseNamed), func(v []byte) (err error) {
		r, err = parseBaseRow(v)
		return err
	})
	if errors.Is(err, pebble.ErrNotFound) {
		return r, false, nil
	}
	return r, err == nil, err
}

func (l *Ledger) peopleDir() string { return filepath.Join(l.dir, peopleFolder) }

func (l *Ledger) generationDir(n uint64) string {
	return filepath.Join(l.peopleDir(), fmt.Sprintf("%06d", n))
}

// openBase opens the generation that the store names, if it names one, and
// removes what a replaced generation left behind, and an interrupted import that
// cannot be gone on with.
func (l *Ledger) openBase() error {
	row, ok, err := l.baseRow()
	if err != nil {
		return err
	}
	if ok {
		if row, err = l.finishForget(row); err != nil {
			return err
		}
		b, err := openBase(l.generationDir(row.generation), row, true)
		if err != nil {
			return err
		}
		l.setBase(b)
	}
	if !l.readOnly {
		l.sweepGenerations(row.generation)
		l.reserved = l.keepLeftover(ok)
	}
	return nil
}

// sweepGenerations removes the generations that are not in force. What cannot
// be removed costs room and nothing else.
func (l *Ledger) sweepGenerations(inForce uint64) {
	list, err := os.ReadDir(l.peopleDir())
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.warn("the folder of people %s cannot be read: %v", l.peopleDir(), err)
		}
		return
	}
	for _, d := range list {
		var n uint64
		if _, err := fmt.Sscanf(d.Name(), "%06d", &n); err != nil || n == inForce || !d.IsDir() {
			continue
		}
		if err := os.RemoveAll(filepath.Join(l.peopleDir(), d.Name())); err != nil {
			l.warn("an old generation of people cannot be removed: %v", err)
		}
	}
}

// setBase makes b the base in force; the one before is closed once nobody
// looks at it any more.
func (l *Ledger) setBase(b *base) {
	if old := l.ids.base.Swap(b); old != nil {
		old.close()
	}
}

// withBase lets f look at the base in force, nil when there is none. It stays
// mapped as long as f runs.
func (ids *identities) withBase(f func(*base) error) error {
	for {
		b := ids.base.Load()
		if b == nil {
			return f(nil)
		}
		b.use.RLock()
		if !b.closed {
			defer b.use.RUnlock()
			return f(b)
		}
		b.use.RUnlock() // replaced meanwhile
	}
}

func damagedBase(dir string, err error) error {
	return &store.Refusal{
		What: "the base of people in " + dir + " is damaged or not complete", Err: err,
		Step: "restore the folder from a backup, or the whole data directory; then import the directory again",
	}
}

// openBase opens the generation that a row names.
// Without mapped every read goes through the file.
func openBase(dir string, row baseRow, mapped bool) (b *base, err error) {
	b = &base{dir: dir}
	damaged := func(err error) error { return damagedBase(dir, err) }
	if b.m, b.digest, err = readManifest(dir); err != nil {
		return nil, damaged(err)
	}
	if b.m.Generation != row.generation || b.digest != row.digest {
		return nil, damaged(errors.New("its manifest is not the one that the store names"))
	}
	sums, err := readSums(dir, &b.m)
	if err != nil {
		return nil, damaged(err)
	}
	opened := b // what is returned with an error is nil
	defer func() {
		if err != nil {
			opened.close()
		}
	}()
	for name, into := range b.sheets() {
		if *into, err = openSheet(dir, b.m.file(name), sums, mapped || name == "owns"); err != nil { // what every import looks at all over
			return nil, damaged(err)
		}
	}
	for name, into := range map[string]*[]uint64{"fences": &b.fences, "ownfences": &b.ownFences} {
		if *into, err = readFences(dir, b.m.file(name), sums); err != nil {
			return nil, damaged(err)
		}
	}
	if len(b.fences) != blocksOf(b.ids.size) || int64(len(b.ownFences)) != (b.owns.size/ownEntry+ownsPerFence-1)/ownsPerFence {
		return nil, damaged(errors.New("the fences do not fit the identifiers"))
	}
	return b, nil
}

func readFences(dir string, info baseFileInfo, sums map[string]sheetSums) ([]uint64, error) {
	s, err := openSheet(dir, info, sums, false)
	if err != nil {
		return nil, err
	}
	defer s.close()
	raw, err := s.read(0, int(s.size), nil)
	if err != nil {
		return nil, err
	}
	fences := make([]uint64, len(raw)/8)
	for i := range fences {
		fences[i] = binary.BigEndian.Uint64(raw[8*i:])
	}
	return fences, nil
}

// sheets are the files that are read block by block.
func (b *base) sheets() map[string]**sheet {
	return map[string]**sheet{
		"ids": &b.ids, "owns": &b.owns, "records": &b.records, "index": &b.index,
		"country": &b.country, "state": &b.state, "language": &b.language, "minor": &b.minor, "directory": &b.named,
	}
}

// close waits until nobody looks at it.
func (b *base) close() {
	b.use.Lock()
	defer b.use.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	for _, s := range b.sheets() {
		if *s != nil {
			(*s).close()
		}
	}
}

// find gives the ordinal of an identifier, Nobody if the base does not have it.
// buf is only for a base that is not mapped, and may be nil.
func (b *base) find(h idHash, buf []byte) (exposure.Ordinal, error) {
	key := binary.BigEndian.Uint64(h[:])
	for at := fenceOf(b.fences, key); at >= 0; at-- {
		off := int64(at) * sheetBlock
		n := int(min(sheetBlock, b.ids.size-off))
		block, err := b.ids.read(off, n, buf)
		if err != nil {
			return exposure.Nobody, err
		}
		if o, ok := findInBlock(block, h); ok {
			return o, nil
		}
		if b.fences[at] != key { // else the block before may end with the same eight bytes
			break
		}
	}
	return exposure.Nobody, nil
}

// fenceOf finds the last fence at or before key; -1 for none. Hashes are spread
// evenly, so where it lies is known to within a few.
func fenceOf(fences []uint64, key uint64) int {
	n := len(fences)
	if n == 0 || fences[0] > key {
		return -1
	}
	guess, _ := bits.Mul64(key, uint64(n))
	lo, hi := int(guess), int(guess)
	for step := 16; lo > 0 && fences[lo] > key; step *= 2 {
		lo = max(0, lo-step)
	}
	for step := 16; hi < n && fences[hi] <= key; step *= 2 {
		hi = min(n, hi+step)
	}
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if fences[mid] <= key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

// findOwn finds the person whose own id in the directory it is, and the digest
// of what the last import said of them.
func (b *base) findOwn(h idHash) (o exposure.Ordinal, digest uint64, err error) {
	key := binary.BigEndian.Uint64(h[:])
	for at := fenceOf(b.ownFences, key); at >= 0; at-- {
		off := int64(at) * ownsPerFence * ownEntry
		run, err := b.owns.read(off, int(min(ownsPerFence*ownEntry, b.owns.size-off)), nil)
		if err != nil {
			return exposure.Nobody, 0, err
		}
		lo, hi := 0, len(run)/ownEntry
		for lo < hi {
			mid := (lo + hi) / 2
			if string(run[mid*ownEntry:mid*ownEntry+12]) < string(h[:]) {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		if lo < len(run)/ownEntry && string(run[lo*ownEntry:lo*ownEntry+12]) == string(h[:]) {
			e := run[lo*ownEntry:]
			return exposure.Ordinal(binary.BigEndian.Uint32(e[12:])), binary.BigEndian.Uint64(e[16:]), nil
		}
		if b.ownFences[at] != key {
			break
		}
	}
	return exposure.Nobody, 0, nil
}

func findInBlock(block []byte, h idHash) (exposure.Ordinal, bool) {
	key, rest := binary.BigEndian.Uint64(h[:]), binary.BigEndian.Uint32(h[8:])
	lo, hi := 0, len(block)/idEntry
	for lo < hi {
		mid := (lo + hi) / 2
		e := block[mid*idEntry : mid*idEntry+idEntry]
		k, r := binary.BigEndian.Uint64(e), binary.BigEndian.Uint32(e[8:])
		switch {
		case k == key && r == rest:
			return exposure.Ordinal(binary.BigEndian.Uint32(e[12:])), true
		case k < key || k == key && r < rest:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return exposure.Nobody, false
}

// record gives what lies under an ordinal: the sealed directory id, nil if the
// base does not have the person, and the needles as of a row of Known without
// its version. Both are copies.
func (b *base) record(o exposure.Ordinal) (sealed, needles []byte, err error) {
	if uint64(o) >= b.m.Ordinals {
		return nil, nil, nil
	}
	ends, err := b.index.read(int64(o/recordGroup)*8, 16, nil)
	if err != nil {
		return nil, nil, err
	}
	from, to := binary.BigEndian.Uint64(ends), binary.BigEndian.Uint64(ends[8:])
	if from > to || to > uint64(b.records.size) || to-from > 1<<20 || from != to && to-from < groupHeader {
		return nil, nil, errors.New("the index of the base of people is damaged")
	}
	if from == to {
		return nil, nil, nil
	}
	group, err := b.records.read(int64(from), int(to-from), nil)
	if err != nil {
		return nil, nil, err
	}
	at := groupHeader
	for i := range int(o % recordGroup) {
		s, n := recordLengths(group, i)
		at += s + n
	}
	s, n := recordLengths(group, int(o%recordGroup))
	if at+s+n > len(group) {
		return nil, nil, errors.New("a record of the base of people is damaged")
	}
	if s == 0 || bytes.Count(group[at:at+s], []byte{0}) == s { // nobody, or forgotten
		return nil, nil, nil
	}
	return append([]byte(nil), group[at:at+s]...), append([]byte(nil), group[at+s:at+s+n]...), nil
}

// recordLengths reads the head of a group: length of the sealed id (2), number
// of needles (1).
func recordLengths(group []byte, i int) (sealed, needles int) {
	return int(binary.BigEndian.Uint16(group[3*i:])), int(group[3*i+2]) * needleSize
}

// person gives the row that the store would have.
func (b *base) person(o exposure.Ordinal) (row personRow, ok bool, err error) {
	if row.sealed, _, err = b.record(o); err != nil || row.sealed == nil {
		return row, false, err
	}
	at := func(s *sheet, width int) (v uint16) {
		if err != nil {
			return 0
		}
		var c []byte
		if c, err = s.read(int64(o)*int64(width), width, nil); err == nil {
			if v = uint16(c[0]); width == 2 {
				v = binary.LittleEndian.Uint16(c)
			}
		}
		return v
	}
	word := func(table []string, i uint16) string {
		if int(i) >= len(table) {
			err = errors.New("a column of the base of people is damaged")
			return ""
		}
		return table[i]
	}
	country, state, language := at(b.country, 1), at(b.state, 2), at(b.language, 1)
	row.minorUntil = at(b.minor, 2)
	bits, err2 := b.named.read(int64(o/8), 1, nil)
	if err = errors.Join(err, err2); err != nil {
		return row, false, err
	}
	row.inDirectory = bits[0]&(1<<(o%8)) != 0
	row.country, row.state, row.language = word(b.m.Countries, country), word(b.m.States, state), word(b.m.Languages, language)
	return row, err == nil, err
}
