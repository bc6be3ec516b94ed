package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// To forget people is the one change that is made to a generation in place. An
// identifier is overwritten by its neighbour, which keeps the order and says
// nothing of what was there; the record and the columns by zeros.
//
// What is to be written where is put into the store first (keyspace Base, name
// baseForget), then done to the files, then sums and manifest, then the store
// names the new manifest and drops the plan. Whatever of it a crash leaves
// undone is done again at the next start: every write says what will be there,
// not what to change.

// identityGone is the row of an identifier that the base has and that is nobody's
// any more: whoever comes with it next is somebody new.
var identityGone = []byte{0, 0, 0, 0}

// noNeedles is the row of Known that hides those of the base.
var noNeedles = []byte{knownVersion}

// forgetPlan is what a forgetting writes.
type forgetPlan struct {
	Generation uint64        `json:"generation"`
	Writes     []forgetWrite `json:"writes"`
	// SumsBefore and SumsAfter are SHA-256 of the file sums, hex.
	SumsBefore string `json:"sums_before"`
	SumsAfter  string `json:"sums_after"`
}

type forgetWrite struct {
	File  string `json:"file"`
	At    int64  `json:"at"`
	Bytes []byte `json:"bytes"`
}

// forgetAtOnce bounds a plan.
const forgetAtOnce = 10_000

// baseIdentifiers gives the hashes under which the base of people knows each of
// these, in one pass over all identifiers; nothing where there is no base. Rows
// of the store that override it are not among them.
func (l *Ledger) baseIdentifiers(people map[exposure.Ordinal]bool) (map[exposure.Ordinal][]idHash, error) {
	found := map[exposure.Ordinal][]idHash{}
	err := l.ids.withBase(func(b *base) error {
		if b == nil {
			return nil
		}
		return b.ids.scan(idEntry, people, func(_ int64, e []byte) {
			o := exposure.Ordinal(binary.BigEndian.Uint32(e[12:]))
			found[o] = append(found[o], idHash(e))
		})
	})
	return found, err
}

// scan calls take for each entry of ids or owns that is one of these people's.
func (s *sheet) scan(width int, people map[exposure.Ordinal]bool, take func(at int64, entry []byte)) error {
	if len(people) == 0 {
		return nil
	}
	var wanted bitmap
	for o := range people {
		wanted.set(o)
	}
	step := int64(sheetBlock * width) // whole blocks, and whole entries
	for off := int64(0); off < s.size; off += step {
		run, err := s.read(off, int(min(step, s.size-off)), nil)
		if err != nil {
			return err
		}
		for i := 0; i < len(run); i += width {
			if wanted.has(exposure.Ordinal(binary.BigEndian.Uint32(run[i+12:]))) {
				take(off+int64(i), run[i:i+width])
			}
		}
	}
	return nil
}

// forgetInBase overwrites what the base of people has of each of these, and
// gives its digest after that; "" where there is no base. Before it is called
// rows of the store hide all of it (identities as identityGone, the person's
// row, noNeedles), durably: only they are in force until it returns. A crash in
// between is made good at the next start. The caller holds l.importing.
func (l *Ledger) forgetInBase(people ...exposure.Ordinal) (digest string, err error) {
	b := l.ids.base.Load() // nobody exchanges it while importing is held
	if b == nil {
		return "", nil
	}
	for len(people) > 0 {
		n := min(len(people), forgetAtOnce)
		some := map[exposure.Ordinal]bool{}
		for _, o := range people[:n] {
			some[o] = true
		}
		people = people[n:]
		if err := l.forgetSome(b, some); err != nil {
			return "", fmt.Errorf("forgetting people in the base: %w", err)
		}
	}
	return hex.EncodeToString(b.digest[:]), nil
}

func (l *Ledger) forgetSome(b *base, people map[exposure.Ordinal]bool) error {
	writes, err := b.forgetWrites(people)
	if err != nil || len(writes) == 0 {
		return err
	}
	plan := forgetPlan{Generation: b.m.Generation, Writes: writes, SumsBefore: b.m.file(sumsName).SHA256}
	sums, err := b.sumsAfter(writes)
	if err != nil {
		return err
	}
	after := sha256.Sum256(allSums(&b.m, sums))
	plan.SumsAfter = hex.EncodeToString(after[:])
	text, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	pb := l.store.DB().NewBatch()
	if err := pb.Set(baseKey(baseForget), text, nil); err != nil {
		return err
	}
	if err := l.store.Apply(pb); err != nil {
		return err
	}
	if err := b.overwrite(writes, sums); err != nil {
		return err
	}
	return l.forgotten(b.m.Generation, b.digest)
}

// overwrite does what was planned, and changes sums and manifest.
func (b *base) overwrite(writes []forgetWrite, sums map[string]sheetSums) error {
	// Whoever looks meanwhile waits: a block and its sum change together.
	b.use.Lock()
	err := writeForgotten(b.dir, writes)
	if err == nil {
		for name, s := range b.sheets() {
			(*s).sums, (*s).chunks = sums[name].crcs, sums[name].chunks
		}
		b.fences, err = readFences(b.dir, b.m.file("fences"), sums)
		if err == nil {
			b.ownFences, err = readFences(b.dir, b.m.file("ownfences"), sums)
		}
	}
	b.use.Unlock()
	if err != nil {
		return err
	}
	if _, err = writeManifest(b.dir, b.m, sums); err != nil {
		return err
	}
	m, digest, err := readManifest(b.dir)
	if err != nil {
		return err
	}
	b.use.Lock()
	b.m, b.digest = m, digest
	b.use.Unlock()
	return nil
}

// forgotten names the manifest as it is now, and drops the plan.
func (l *Ledger) forgotten(generation uint64, digest [32]byte) error {
	pb := l.store.DB().NewBatch()
	err := errors.Join(
		pb.Set(baseKey(baseNamed), baseRow{generation, digest}.append(nil), nil),
		pb.Delete(baseKey(baseForget), nil))
	if err != nil {
		return err
	}
	return l.store.Apply(pb)
}

// forgetWrites plans.
func (b *base) forgetWrites(people map[exposure.Ordinal]bool) (writes []forgetWrite, err error) {
	add := func(file string, at int64, content []byte) {
		writes = append(writes, forgetWrite{file, at, bytes.Clone(content)})
	}
	for _, list := range []struct {
		s      *sheet
		width  int64
		fences string
		every  int64 // entries from fence to fence
	}{{b.ids, idEntry, "fences", idsPerBlock}, {b.owns, ownEntry, "ownfences", ownsPerFence}} {
		var at []int64
		if err := list.s.scan(int(list.width), people, func(off int64, _ []byte) { at = append(at, off) }); err != nil {
			return nil, err
		}
		var before []byte
		last := int64(-1)
		for i, off := range at {
			switch {
			case off > 0 && last == off-list.width: // its neighbour goes too: what stands for that one
			case off > 0:
				if before, err = list.s.read(off-list.width, int(list.width), nil); err != nil {
					return nil, err
				}
				before = bytes.Clone(before)
			default: // at the very beginning: the first that stays
				next := off
				for j := i; j < len(at) && at[j] == next; j++ {
					next += list.width
				}
				before = make([]byte, list.width)
				if next < list.s.size {
					if before, err = list.s.read(next, int(list.width), nil); err != nil {
						return nil, err
					}
					before = bytes.Clone(before)
				}
			}
			last = off
			add(list.s.name, off, before)
			if n := off / list.width; n%list.every == 0 {
				add(list.fences, n/list.every*8, before[:8])
			}
		}
	}
	for o := range people {
		if uint64(o) >= b.m.Ordinals {
			continue
		}
		at, n, err := b.recordAt(o)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			continue
		}
		add("records", at, make([]byte, n))
		add("country", int64(o), make([]byte, 1))
		add("language", int64(o), make([]byte, 1))
		add("state", 2*int64(o), make([]byte, 2))
		add("minor", 2*int64(o), make([]byte, 2))
	}
	named := map[int64]byte{}
	for o := range people {
		if uint64(o) >= b.m.Ordinals {
			continue
		}
		i := int64(o / 8)
		if _, ok := named[i]; !ok {
			raw, err := b.named.read(i, 1, nil)
			if err != nil {
				return nil, err
			}
			named[i] = raw[0]
		}
		named[i] &^= 1 << (o % 8)
	}
	for i, v := range named {
		add("directory", i, []byte{v})
	}
	return writes, nil
}

// recordAt is where the sealed id and the needles of an ordinal lie.
func (b *base) recordAt(o exposure.Ordinal) (at int64, n int, err error) {
	ends, err := b.index.read(int64(o/recordGroup)*8, 16, nil)
	if err != nil {
		return 0, 0, err
	}
	from, to := binary.BigEndian.Uint64(ends), binary.BigEndian.Uint64(ends[8:])
	if from == to {
		return 0, 0, nil
	}
	group, err := b.records.read(int64(from), groupHeader, nil)
	if err != nil {
		return 0, 0, err
	}
	at = int64(from) + groupHeader
	for i := range int(o % recordGroup) {
		s, k := recordLengths(group, i)
		at += int64(s + k)
	}
	s, k := recordLengths(group, int(o%recordGroup))
	return at, s + k, nil
}

// sumsAfter are the sums of all files once the writes are done.
func (b *base) sumsAfter(writes []forgetWrite) (map[string]sheetSums, error) {
	sums, err := readSums(b.dir, &b.m)
	if err != nil {
		return nil, err
	}
	return sums, resum(b.dir, &b.m, writes, sums, true)
}

// resum computes the sums of what the writes concern anew; apply adds them to
// what the files have.
func resum(dir string, m *baseManifest, writes []forgetWrite, sums map[string]sheetSums, apply bool) error {
	byFile := map[string][]forgetWrite{}
	for _, w := range writes {
		byFile[w.File] = append(byFile[w.File], w)
	}
	for name, list := range byFile {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer f.Close()
		size, s := m.file(name).Bytes, sums[name]
		chunks := map[int64][]forgetWrite{}
		for _, w := range list {
			if w.At < 0 || w.At+int64(len(w.Bytes)) > size {
				return errors.New("a plan to forget is damaged")
			}
			for c := w.At / sheetChunk; c <= (w.At+int64(len(w.Bytes))-1)/sheetChunk; c++ {
				chunks[c] = append(chunks[c], w)
			}
		}
		buf := make([]byte, sheetChunk)
		for c, list := range chunks {
			start := c * sheetChunk
			chunk := buf[:min(sheetChunk, size-start)]
			if _, err := f.ReadAt(chunk, start); err != nil {
				return err
			}
			for _, w := range list {
				if !apply {
					break
				}
				from := max(w.At, start)
				copy(chunk[from-start:], w.Bytes[from-w.At:])
			}
			s.chunks[c] = sha256.Sum256(chunk)
			for off := 0; off < len(chunk); off += sheetBlock {
				s.crcs[(start+int64(off))/sheetBlock] = crc32.Checksum(chunk[off:min(len(chunk), off+sheetBlock)], castagnoli)
			}
		}
	}
	return nil
}

func writeForgotten(dir string, writes []forgetWrite) error {
	files := map[string]*os.File{}
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for _, w := range writes {
		f := files[w.File]
		if f == nil {
			var err error
			if f, err = os.OpenFile(filepath.Join(dir, w.File), os.O_RDWR, 0); err != nil {
				return err
			}
			files[w.File] = f
		}
		if _, err := f.WriteAt(w.Bytes, w.At); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// finishForget does what a crash left undone of a forgetting, before the base
// is opened, and gives the row that names it then.
func (l *Ledger) finishForget(row baseRow) (baseRow, error) {
	var plan forgetPlan
	err := view(l.store.DB(), baseKey(baseForget), func(v []byte) error { return json.Unmarshal(v, &plan) })
	if errors.Is(err, pebble.ErrNotFound) {
		return row, nil
	}
	if err != nil {
		return row, damaged(fmt.Errorf("reading what is to be forgotten: %w", err))
	}
	if l.readOnly {
		return row, &store.Refusal{What: "people were being forgotten when the ledger stopped", Step: "start the server once, which ends it"}
	}
	dir := l.generationDir(row.generation)
	m, _, err := readManifest(dir)
	if err != nil {
		return row, damagedBase(dir, err)
	}
	if plan.Generation != row.generation || m.Generation != row.generation {
		return row, damagedBase(dir, errors.New("a plan to forget is of another generation"))
	}
	if err := writeForgotten(dir, plan.Writes); err != nil {
		return row, fmt.Errorf("forgetting people in the base: %w", err)
	}
	// The file of sums is the one from before or the one from after.
	before := m
	raw, err := os.ReadFile(filepath.Join(dir, sumsName))
	if err != nil {
		return row, damagedBase(dir, err)
	}
	is := sha256.Sum256(raw)
	if got := hex.EncodeToString(is[:]); got != plan.SumsBefore && got != plan.SumsAfter {
		return row, damagedBase(dir, errors.New("the file sums is damaged"))
	}
	before.setSums(hex.EncodeToString(is[:]))
	sums, err := readSums(dir, &before)
	if err != nil {
		return row, damagedBase(dir, err)
	}
	if err := resum(dir, &m, plan.Writes, sums, false); err != nil {
		return row, damagedBase(dir, err)
	}
	if after := sha256.Sum256(allSums(&m, sums)); hex.EncodeToString(after[:]) != plan.SumsAfter {
		return row, damagedBase(dir, errors.New("what lies beside what was to be forgotten is damaged"))
	}
	if row.digest, err = writeManifest(dir, m, sums); err != nil {
		return row, err
	}
	return row, l.forgotten(row.generation, row.digest)
}

func (m *baseManifest) setSums(digest string) {
	files := append([]baseFileInfo(nil), m.Files...)
	for i := range files {
		if files[i].Name == sumsName {
			files[i].SHA256 = digest
		}
	}
	m.Files = files
}
