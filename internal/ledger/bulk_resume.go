package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// An import that is interrupted leaves what it set aside, and the next import of
// the same source goes on behind it.
//
// Every pointEvery blocks the workers stop for a moment with no block in hand.
// What they hold in memory goes to the files, and how long each file is and its
// checksum are noted: that is a waypoint. The files are synced beside the further
// work, and only then is the waypoint written; so what it says is there.
//
// Going on reads the source from its beginning: rows before the waypoint are
// split, checked and counted again, which finds the same rejected lines, but are
// not hashed, sealed or set aside. Parsing is the small part.
//
// Only an import into a ledger without a base can go on. With one, what was set
// aside depends on who had been touched since, and most rows are found unchanged:
// there is little to lose.
//
// Ordinals of people set aside are not handed out meanwhile, see keepLeftover.
// What lies there is hashed or sealed like everything else; an erasure removes it
// all the same, and so does a disk that runs full.

// Again is a Source that gives the same blocks when it is read once more.
type Again interface {
	Source
	// Version names the present state of the source, and everything on which it
	// depends what it gives. "" for what cannot be read once more.
	Version() string
	// AsOf is the instant at which rows are looked at: a birthday may lie ahead.
	AsOf() time.Time
	// GoOn is called before the first Next: rows are looked at as of that
	// instant, and of the people of the first blocks only Line matters.
	GoOn(asOf time.Time, blocks uint32)
}

const (
	pointEvery   = 2048 // blocks: about two million rows
	waypointName = "resume.json"
	waypointForm = 1
	leftoverLife = 30 * 24 * time.Hour
)

// waypoint says how far an import got, and what of its files counts.
type waypoint struct {
	Form     int           `json:"form"`
	Source   string        `json:"source"` // keyed digest of Again.Version
	Keys     string        `json:"keys"`   // fingerprint
	AsOf     time.Time     `json:"as_of"`
	Blocks   uint32        `json:"blocks"`
	People   uint64        `json:"people"` // in those blocks
	Line     uint64        `json:"line"`   // of the last of them
	Emitted  uint64        `json:"emitted"`
	Greatest uint64        `json:"greatest"`
	Used     uint64        `json:"used"`  // the count of ordinals
	Taken    [][2]uint64   `json:"taken"` // those of them that are the import's
	Words    [3][]string   `json:"words"`
	Tuples   []spillExtent `json:"tuples"`
	Rows     []spillExtent `json:"rows"`
	taken    int           // slabs of bulk.taken
}

// spillExtent is what counts of one part.
type spillExtent struct {
	Bytes int64  `json:"bytes"`
	CRC   uint32 `json:"crc"` // Castagnoli
}

func (l *Ledger) leftoverDir() string { return filepath.Join(l.peopleDir(), peopleSpill) }

func (l *Ledger) waypointMAC(b []byte) []byte {
	key := deriveKey(l.keys.Identity, "interrupted import")
	m := hmac.New(sha256.New, key[:])
	m.Write(b)
	return m.Sum(nil)
}

func (l *Ledger) sourceDigest(version string) string {
	return hex.EncodeToString(l.waypointMAC([]byte("source " + version)))
}

// write puts the waypoint in force: a line with its authentication, then JSON.
func (w *waypoint) write(l *Ledger, dir string) error {
	text, err := json.Marshal(w)
	if err != nil {
		return err
	}
	content := append(hex.AppendEncode(nil, l.waypointMAC(text)), '\n')
	if err := replaceFile(filepath.Join(dir, waypointName), append(content, text...)); err != nil {
		return err
	}
	return syncFolders(dir, filepath.Dir(dir))
}

var (
	errLeftDamaged = errors.New("what it left behind is damaged")
	errLeftKeys    = errors.New("it was done with other keys")
	errLeftSource  = errors.New("the source or the options are not the same any more")
	errLeftBase    = errors.New("people were imported since")
	errLeftOld     = errors.New("it is more than 30 days old")
	errLeftOnce    = errors.New("this source cannot be read from where it stopped")
)

// readWaypoint gives nil where no import was interrupted, or not far enough.
func (l *Ledger) readWaypoint() (*waypoint, error) {
	raw, err := os.ReadFile(filepath.Join(l.leftoverDir(), waypointName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sum, text, _ := bytes.Cut(raw, []byte{'\n'})
	w := new(waypoint)
	if json.Unmarshal(text, w) == nil && w.Form == waypointForm && w.Keys != hex.EncodeToString(l.keys.ID) {
		return nil, errLeftKeys
	}
	if hex.EncodeToString(l.waypointMAC(text)) != string(sum) || w.Form != waypointForm {
		return nil, errLeftDamaged
	}
	return w, nil
}

// keepLeftover decides at the start whether what an interrupted import left is
// kept. It gives the count of ordinals below which none is handed out: people who
// were set aside have theirs.
func (l *Ledger) keepLeftover(based bool) (used uint64) {
	w, err := l.readWaypoint()
	switch {
	case err == nil && w == nil, based: // a base came of it, or of another
	case err != nil:
		l.log.Warn("an interrupted import cannot be gone on with: " + err.Error())
	case l.now().Sub(w.AsOf) > leftoverLife:
		l.log.Warn("an interrupted import is not gone on with: " + errLeftOld.Error())
	default:
		return w.Used
	}
	_ = os.RemoveAll(l.leftoverDir()) // else the next import does it
	return 0
}

// dropLeftover removes what an interrupted import left. The waypoint goes first,
// and for good: its ordinals may be handed out again from here on. The caller
// holds importing.
func (l *Ledger) dropLeftover() error {
	w, werr := l.readWaypoint()
	if w != nil || werr != nil {
		if err := os.Remove(filepath.Join(l.leftoverDir(), waypointName)); err != nil {
			return err
		}
		if err := syncFolders(l.leftoverDir()); err != nil {
			return err
		}
	}
	if w != nil && l.ids.base.Load() == nil { // else they may be people of the base
		l.giveBack(w.ranges())
	}
	return os.RemoveAll(l.leftoverDir())
}

func (w *waypoint) ranges() (list []slabRange) {
	for _, r := range w.Taken {
		list = append(list, slabRange{r[0], r[1]})
	}
	return list
}

// takeUp goes on behind what an earlier import of the source left, or notes why
// not and removes it.
func (b *bulk) takeUp(src Source) error {
	l := b.l
	again, _ := src.(Again)
	if again != nil && again.Version() != "" && b.old == nil {
		b.source, b.asOf = l.sourceDigest(again.Version()), again.AsOf()
		b.today = personDay(b.asOf)
	}
	w, why := l.readWaypoint()
	if w == nil && why == nil {
		return nil
	}
	switch {
	case why != nil:
	case b.old != nil:
		why = errLeftBase
	case b.source == "":
		why = errLeftOnce
	case w.Source != b.source:
		why = errLeftSource
	case l.now().Sub(w.AsOf) > leftoverLife:
		why = errLeftOld
	default:
		if why = b.restore(w); why == nil {
			again.GoOn(w.AsOf, w.Blocks)
			l.log.Info(fmt.Sprintf("going on behind row %d of the interrupted import", w.Line))
			return nil
		}
		b.tuples.parts, b.rows.parts = nil, nil
	}
	b.anew = why
	l.log.Warn("the interrupted import cannot be gone on with, all is read anew: " + why.Error())
	return l.dropLeftover()
}

// restore checks every part and cuts off what was written behind the waypoint.
func (b *bulk) restore(w *waypoint) error {
	for s, parts := range map[*spill][]spillExtent{&b.tuples: w.Tuples, &b.rows: w.Rows} {
		for k, e := range parts {
			p := s.part(k)
			p.size, p.crc = e.Bytes, e.CRC
		}
		err := b.eachPart(len(parts), func(k int, pw *partWorker) (err error) {
			if parts[k].Bytes == 0 {
				return nil
			}
			if pw.raw, err = s.load(k, pw.raw); err != nil {
				return err
			}
			return os.Truncate(s.path(k), parts[k].Bytes)
		})
		if err != nil {
			return errLeftDamaged
		}
	}
	b.back, b.kept, b.pointed, b.asOf, b.today = w, w, w.Blocks, w.AsOf, personDay(w.AsOf)
	b.emitted.Store(w.Emitted)
	b.greatest.Store(w.Greatest)
	b.taken = w.ranges()
	w.taken = len(b.taken)
	for i, what := range [3]string{"countries", "states", "languages"} {
		b.words[i].begin(what, b.words[i].limit, w.Words[i])
	}
	return nil
}

var errNotTheSame = errors.New("the source has not the people any more that it had when its import was interrupted; import it again")

// pointDue reports whether the workers are to stop before this block.
func (b *bulk) pointDue(blocks uint32) bool {
	every := uint32(pointEvery)
	if b.l.pointEvery > 0 {
		every = b.l.pointEvery
	}
	return b.source != "" && (b.back != nil && !b.passed && blocks == b.back.Blocks || blocks > b.pointed && blocks-b.pointed >= every)
}

// point makes a waypoint. No worker has a block in hand.
func (b *bulk) point(blocks uint32, all []*collector) error {
	people, line := b.people.Load(), uint64(0)
	for _, c := range all {
		people, line = people+c.people, max(line, c.line)
	}
	if b.back != nil && !b.passed {
		if b.passed = true; people != b.back.People {
			return errNotTheSame
		}
		return nil
	}
	if !b.pointing.TryLock() {
		return nil // the one before is still on its way to the disk
	}
	for _, c := range all {
		if err := errors.Join(c.tuples.flush(), c.rows.flush()); err != nil {
			b.pointing.Unlock()
			return err
		}
	}
	b.pointed = blocks
	w := &waypoint{
		Form: waypointForm, Source: b.source, Keys: hex.EncodeToString(b.l.keys.ID), AsOf: b.asOf, Blocks: blocks, People: people, Line: line,
		Emitted: b.emitted.Load(), Greatest: b.greatest.Load(), taken: len(b.taken),
	}
	j := b.l.j
	j.mu.Lock()
	w.Used = j.used
	j.mu.Unlock()
	for _, s := range b.taken {
		if n := len(w.Taken); n > 0 && w.Taken[n-1][1] == s.from {
			w.Taken[n-1][1] = s.to
		} else {
			w.Taken = append(w.Taken, [2]uint64{s.from, s.to})
		}
	}
	for i := range b.words {
		w.Words[i] = b.words[i].table[:len(b.words[i].table):len(b.words[i].table)]
	}
	var files []*os.File
	w.Tuples, files = b.tuples.extents(files)
	w.Rows, files = b.rows.extents(files)
	b.syncing.Go(func() {
		defer b.pointing.Unlock()
		for _, f := range files {
			if err := f.Sync(); err != nil {
				b.l.log.Warn("how far the import is could not be noted", "error", err)
				return
			}
		}
		if err := w.write(b.l, b.dir); err != nil {
			b.l.log.Warn("how far the import is could not be noted", "error", err)
			return
		}
		b.kept = w
	})
	if b.l.atPoint != nil {
		b.syncing.Wait()
		b.l.atPoint(blocks)
	}
	return nil
}

// extents gives what of each part is written, and the files.
func (s *spill) extents(files []*os.File) (list []spillExtent, _ []*os.File) {
	for k := range s.count() {
		p := s.part(k)
		p.mu.Lock()
		list = append(list, spillExtent{p.size, p.crc})
		if p.f != nil {
			files = append(files, p.f)
		}
		p.mu.Unlock()
	}
	return list, files
}

// leave ends an import that could not be finished. What the next one can go on
// from stays, unless the disk is full: gateways need the room more.
func (b *bulk) leave(err error) {
	b.syncing.Wait()
	full := errors.Is(err, errFull) || errors.Is(err, syscall.ENOSPC) || b.l.store.Full() || b.l.low.Load()
	useless := b.l.ids.base.Load() != nil || errors.Is(err, errNotTheSame) || errors.Is(err, errRunDamaged)
	switch w := b.kept; {
	case w != nil && !full && !useless:
		b.keep = true
		b.taken = b.taken[w.taken:] // those before it are people's
	case b.settle() != nil:
		return // the ordinals may still be somebody's
	}
	if !b.collected {
		b.l.giveBack(b.taken)
	}
}

// settle has no waypoint any more, so that the ordinals may be given back.
func (b *bulk) settle() error {
	b.syncing.Wait()
	if b.kept == nil {
		return nil
	}
	b.kept = nil
	if err := os.Remove(filepath.Join(b.dir, waypointName)); err != nil {
		return fmt.Errorf("forgetting how far the import was: %w", err)
	}
	return syncFolders(b.dir)
}
