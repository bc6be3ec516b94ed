package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync/atomic"

	"cordon/internal/exposure"
)

// sheetWriter writes a sheet from its beginning to its end.
type sheetWriter struct {
	f       *os.File
	buf     []byte // what has not made a chunk yet
	size    int64
	sums    sheetSums
	err     error
	syncing atomic.Bool
	behind  int64 // written since the last sync began
}

// syncEvery spreads the writing over the import: otherwise its end waits for
// gigabytes.
const syncEvery = 128 << 20

func newSheetWriter(path string) (*sheetWriter, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	return &sheetWriter{f: f, buf: make([]byte, 0, sheetChunk)}, err
}

// write keeps the first error for finish.
func (w *sheetWriter) write(b []byte) {
	for len(b) > 0 {
		n := min(len(b), cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, b[:n]...)
		if b = b[n:]; len(w.buf) == cap(w.buf) {
			w.flush()
		}
	}
}

func (w *sheetWriter) flush() {
	if w.err != nil || len(w.buf) == 0 {
		return
	}
	w.sums.chunks = append(w.sums.chunks, sha256.Sum256(w.buf))
	for b := w.buf; len(b) > 0; b = b[min(len(b), sheetBlock):] {
		w.sums.crcs = append(w.sums.crcs, crc32.Checksum(b[:min(len(b), sheetBlock)], castagnoli))
	}
	_, w.err = w.f.Write(w.buf)
	w.size += int64(len(w.buf))
	w.behind += int64(len(w.buf))
	w.buf = w.buf[:0]
	if w.behind >= syncEvery && w.syncing.CompareAndSwap(false, true) {
		w.behind = 0
		go func() {
			_ = w.f.Sync() // finish syncs again, and says so if it cannot
			w.syncing.Store(false)
		}()
	}
}

func (w *sheetWriter) finish() error {
	w.flush()
	if w.err == nil {
		w.err = w.f.Sync()
	}
	if err := w.f.Close(); w.err == nil {
		w.err = err
	}
	return w.err
}

// baseWriter writes a generation. People come in order of their ordinals,
// identifiers in order of their hashes, and the two at the same time.
type baseWriter struct {
	dir   string
	m     baseManifest
	files map[string]*sheetWriter
	ids, fences, owns, ownFences, records, index,
	country, state, language, minor, directory *sheetWriter
	owned int64 // entries of owns
}

// baseFiles is their order in the manifest.
var baseFiles = []string{"ids", "fences", "owns", "ownfences", "records", "index", "country", "state", "language", "minor", "directory"}

func newBaseWriter(dir string, generation uint64) (*baseWriter, error) {
	if err := os.RemoveAll(dir); err != nil { // of an import that was interrupted
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	w := &baseWriter{dir: dir, m: baseManifest{Version: 1, Generation: generation}, files: map[string]*sheetWriter{}}
	for _, name := range baseFiles {
		f, err := newSheetWriter(filepath.Join(dir, name))
		if err != nil {
			w.abandon()
			return nil, err
		}
		w.files[name] = f
	}
	w.ids, w.fences, w.owns, w.ownFences, w.records, w.index = w.files["ids"], w.files["fences"], w.files["owns"], w.files["ownfences"], w.files["records"], w.files["index"]
	w.country, w.state, w.language, w.minor, w.directory = w.files["country"], w.files["state"], w.files["language"], w.files["minor"], w.files["directory"]
	return w, nil
}

func (w *baseWriter) abandon() {
	for _, f := range w.files {
		f.f.Close()
	}
	_ = os.RemoveAll(w.dir) // else the next start does it
}

// addIDs adds entries of ids, in order.
func (w *baseWriter) addIDs(entries []byte) {
	at := int(w.m.Identifiers % idsPerBlock)
	for off := (idsPerBlock - at) % idsPerBlock * idEntry; off < len(entries); off += sheetBlock {
		w.fences.write(entries[off : off+8])
	}
	w.ids.write(entries)
	w.m.Identifiers += uint64(len(entries) / idEntry)
}

// addOwns adds entries of owns, in order.
func (w *baseWriter) addOwns(entries []byte) {
	at := int(w.owned % ownsPerFence)
	for off := (ownsPerFence - at) % ownsPerFence * ownEntry; off < len(entries); off += ownsPerFence * ownEntry {
		w.ownFences.write(entries[off : off+8])
	}
	w.owns.write(entries)
	w.owned += int64(len(entries) / ownEntry)
}

// basePerson is somebody as the base keeps them; nobody while sealed is nil.
type basePerson struct {
	sealed, needles []byte
	country         uint8
	state           uint16
	language        uint8
	minorUntil      uint16
	inDirectory     bool
}

// addGroup adds the people of the next sixteen ordinals.
func (w *baseWriter) addGroup(group *[recordGroup]basePerson, scratch []byte) []byte {
	b := binary.BigEndian.AppendUint64(scratch[:0], uint64(w.records.size)+uint64(len(w.records.buf)))
	w.index.write(b)
	b = b[:0]
	some := false
	for i := range group {
		p := &group[i]
		b = binary.BigEndian.AppendUint16(b, uint16(len(p.sealed)))
		b = append(b, byte(len(p.needles)/needleSize))
		some = some || p.sealed != nil
	}
	if !some {
		b = b[:0]
	}
	for i := range group {
		b = append(b, group[i].sealed...)
		b = append(b, group[i].needles...)
	}
	w.records.write(b)
	b = b[:0]
	var columns [2 * recordGroup]byte
	for i := range group {
		columns[i], columns[recordGroup+i] = group[i].country, group[i].language
	}
	w.country.write(columns[:recordGroup])
	w.language.write(columns[recordGroup:])
	for i := range group {
		b = binary.LittleEndian.AppendUint16(b, group[i].state)
	}
	w.state.write(b)
	b = b[:0]
	var named [recordGroup / 8]byte
	for i := range group {
		b = binary.LittleEndian.AppendUint16(b, group[i].minorUntil)
		if group[i].sealed != nil {
			w.m.People++
		}
		if group[i].inDirectory {
			named[i/8] |= 1 << (i % 8)
		}
	}
	w.minor.write(b)
	w.directory.write(named[:])
	w.m.Ordinals += recordGroup
	return b
}

// finish puts everything on disk, the manifest last, and gives its digest.
func (w *baseWriter) finish() (digest [32]byte, err error) {
	var end [8]byte
	binary.BigEndian.PutUint64(end[:], uint64(w.records.size)+uint64(len(w.records.buf)))
	w.index.write(end[:])
	all := map[string]sheetSums{}
	for _, name := range baseFiles {
		f := w.files[name]
		if err := f.finish(); err != nil {
			return digest, fmt.Errorf("writing the base of people: %w", err)
		}
		w.m.Files = append(w.m.Files, baseFileInfo{Name: name, Bytes: f.size})
		all[name] = f.sums
	}
	return writeManifest(w.dir, w.m, all)
}

// writeManifest writes sums and manifest, each in one step, so that a crash
// leaves an old one or a new one.
func writeManifest(dir string, m baseManifest, all map[string]sheetSums) (digest [32]byte, err error) {
	raw := allSums(&m, all)
	files := []baseFileInfo{}
	for _, f := range m.Files {
		if f.Name != sumsName {
			files = append(files, f)
		}
	}
	sum := sha256.Sum256(raw)
	m.Files = append(files, baseFileInfo{Name: sumsName, Bytes: int64(len(raw)), SHA256: hex.EncodeToString(sum[:])})
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return digest, err
	}
	if err := replaceFile(filepath.Join(dir, sumsName), raw); err != nil {
		return digest, err
	}
	if err := replaceFile(filepath.Join(dir, manifestName), text); err != nil {
		return digest, err
	}
	return sha256.Sum256(text), syncFolders(dir, filepath.Dir(dir), filepath.Dir(filepath.Dir(dir)))
}

// allSums is the content of the file sums.
func allSums(m *baseManifest, all map[string]sheetSums) (raw []byte) {
	for _, f := range m.Files {
		if f.Name != sumsName {
			raw = appendSums(raw, all[f.Name])
		}
	}
	return raw
}

// replaceFile writes a file beside its name and gives it the name when it is on disk.
func replaceFile(path string, content []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	return err
}

func syncFolders(folders ...string) error {
	for _, name := range folders {
		d, err := os.Open(name)
		if err != nil {
			return err
		}
		err = d.Sync()
		d.Close()
		if err != nil {
			return fmt.Errorf("syncing the folder %s: %w", name, err)
		}
	}
	return nil
}

// idsFrom gives the entries whose hash begins with the byte.
func (b *base) idsFrom(first byte) ([]byte, error) {
	return entriesFrom(b.ids, b.fences, idsPerBlock, idEntry, first)
}

func (b *base) ownsFrom(first byte) ([]byte, error) {
	return entriesFrom(b.owns, b.ownFences, ownsPerFence, ownEntry, first)
}

func entriesFrom(s *sheet, fences []uint64, per, width int, first byte) ([]byte, error) {
	from, err := firstAt(s, fences, per, width, uint64(first)<<56)
	if err != nil {
		return nil, err
	}
	to := s.size
	if first < 0xff {
		if to, err = firstAt(s, fences, per, width, uint64(first+1)<<56); err != nil {
			return nil, err
		}
	}
	return s.read(from, int(to-from), nil)
}

// firstAt is where the first entry at or behind key lies.
func firstAt(s *sheet, fences []uint64, per, width int, key uint64) (int64, error) {
	at := fenceOf(fences, key)
	for at > 0 && fences[at] == key {
		at--
	}
	if at < 0 {
		return 0, nil
	}
	off := int64(at) * int64(per*width)
	run, err := s.read(off, int(min(int64(per*width), s.size-off)), nil)
	if err != nil {
		return 0, err
	}
	i := 0
	for i < len(run) && binary.BigEndian.Uint64(run[i:]) < key {
		i += width
	}
	return off + int64(i), nil
}

// peopleFrom gives the base's people of n ordinals from o on, a multiple of
// sixteen, as they are to be written again.
func (b *base) peopleFrom(o exposure.Ordinal, n int, into []basePerson) error {
	n = int(min(int64(n), int64(b.m.Ordinals)-int64(o)))
	if n <= 0 {
		return nil
	}
	var err error
	get := func(s *sheet, off, n int64) []byte {
		if err != nil {
			return nil
		}
		var raw []byte
		raw, err = s.read(off, int(n), nil)
		return raw
	}
	first := int64(o)
	index := get(b.index, first/recordGroup*8, int64(n/recordGroup+1)*8)
	country, language := get(b.country, first, int64(n)), get(b.language, first, int64(n))
	state, minor := get(b.state, first*2, int64(n)*2), get(b.minor, first*2, int64(n)*2)
	named := get(b.named, first/8, int64(n/8))
	if err != nil {
		return err
	}
	start := binary.BigEndian.Uint64(index)
	end := binary.BigEndian.Uint64(index[len(index)-8:])
	records := get(b.records, int64(start), int64(end-start))
	if err != nil {
		return err
	}
	for g := range n / recordGroup {
		from, to := binary.BigEndian.Uint64(index[8*g:])-start, binary.BigEndian.Uint64(index[8*g+8:])-start
		if from == to {
			continue
		}
		group := records[from:to]
		at := groupHeader
		for i := range recordGroup {
			s, k := recordLengths(group, i)
			if s == 0 || bytes.Count(group[at:at+s], []byte{0}) == s {
				at += s + k
				continue
			}
			j := g*recordGroup + i
			into[j] = basePerson{
				sealed: group[at : at+s], needles: group[at+s : at+s+k],
				country: country[j], state: binary.LittleEndian.Uint16(state[2*j:]), language: language[j],
				minorUntil: binary.LittleEndian.Uint16(minor[2*j:]), inDirectory: named[j/8]&(1<<(j%8)) != 0,
			}
			at += s + k
		}
	}
	return nil
}
