package ledger

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// An import of any size goes the same way.
//
//  1. The file is taken in by several goroutines, block by block. Who is in the
//     base and is said to be exactly as they are there is only counted. Of all
//     others the identifiers (tuples) and the rest (rows) are set aside on disk.
//  2. The tuples, sorted by hash, are held against the base and the store. Most
//     people have nothing in common with anybody: nobody else in the file has one
//     of their identifiers, and nobody in the ledger. The others are entangled.
//  3. People who are not entangled become a new generation of the base, together
//     with what was in the old one. It is put on disk, then named.
//  4. Entangled people go through the committer, in the order of the file, by
//     the same rules as everything that makes an identifier somebody's. They
//     would not come out otherwise if all went that way, since who is not
//     entangled has no part in any decision.
//
// A file with few news is all step 4: it is not worth a new generation.

// Source gives the people of a directory in blocks.
type Source interface {
	// Next gives the next block, nil at the end. It is called by one goroutine
	// at a time.
	Next() (Block, error)
}

// Block calls take for each of its people, at most MaxBlock, in the order of
// the file. It may run on any goroutine, beside other blocks. A Person is valid
// during the call, the strings in it for good.
type Block func(take func(*Person) error) error

// MaxBlock is the greatest number of people in a block.
const MaxBlock = 4096

const (
	slab        = 4096 // ordinals that a worker takes at once
	partBits    = 18   // ordinals, and rows, that make a part
	fewNews     = 20_000
	spillBytes  = 32 << 10
	hashParts   = 256
	maxBlocks   = 1 << 20
	lookAhead   = 4
	peopleSpill = "import"
)

type bulk struct {
	l       *Ledger
	dir     string
	old     *base // read without mapping it: the whole of it would become resident
	today   uint16
	workers int

	tuples, rows, knots, entangled spill // by first byte; by ordinal; tuples of the entangled by ordinal; whole people by row

	words       [3]words        // countries, states, languages
	claims      []atomic.Uint64 // by ordinal of the base: the first row that is theirs, +1, and its line
	inDirectory []byte          // by ordinal of the base, a bit
	touched     bitmap
	present     shareBitmap
	knot        shareBitmap // ordinals of the entangled
	moved       shareBitmap // ordinals of the base who are not as they were
	greatest    atomic.Uint64

	emitted, people, known atomic.Uint64 // rows set aside; taken; of those set aside, known to the base

	mu       sync.Mutex
	repeated map[uint32]uint64 // rows that came before in the file, and their lines
	taken    []slabRange       // ordinals, from the count on

	// See bulk_resume.go.
	source    string // digest of what can be gone on with; "" for what cannot
	asOf      time.Time
	back      *waypoint      // where this import goes on
	passed    bool           // and is behind it
	anew      error          // why it does not, though one was interrupted
	pointed   uint32         // blocks at the last waypoint
	pointing  sync.Mutex     // held while one is on its way to the disk
	syncing   sync.WaitGroup // the same, to wait for
	kept      *waypoint      // the last one on disk
	keep      bool           // the folder stays
	collected bool           // nobody is set aside any more
}

type slabRange struct{ from, to uint64 }

// shareBitmap is a bitmap that several goroutines set.
type shareBitmap struct{ words []atomic.Uint64 }

func newShareBitmap(n uint64) shareBitmap { return shareBitmap{make([]atomic.Uint64, n/64+1)} }

func (b *shareBitmap) set(o exposure.Ordinal)   { b.words[o/64].Or(1 << (o % 64)) }
func (b *shareBitmap) unset(o exposure.Ordinal) { b.words[o/64].And(^(uint64(1) << (o % 64))) }
func (b *shareBitmap) has(o exposure.Ordinal) bool {
	return int(o/64) < len(b.words) && b.words[o/64].Load()&(1<<(o%64)) != 0
}

// grow makes room for n ordinals; nobody else may look meanwhile.
func (b *shareBitmap) grow(n uint64) {
	if want := int(n/64 + 1); want > len(b.words) {
		words := make([]atomic.Uint64, want+want/8)
		for i := range b.words {
			words[i].Store(b.words[i].Load())
		}
		b.words = words
	}
}

// words gives strings numbers; index 0 is "".
type words struct {
	mu    sync.RWMutex
	what  string
	limit int
	table []string
	index map[string]uint16
}

func (w *words) begin(what string, limit int, table []string) {
	w.what, w.limit, w.table, w.index = what, limit, slices.Clone(table), map[string]uint16{}
	if len(w.table) == 0 {
		w.table = []string{""}
	}
	for i, s := range w.table {
		w.index[s] = uint16(i)
	}
}

func (w *words) of(s string) (uint16, error) {
	w.mu.RLock()
	i, ok := w.index[s]
	w.mu.RUnlock()
	if ok {
		return i, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if i, ok := w.index[s]; ok {
		return i, nil
	}
	if len(w.table) > w.limit {
		return 0, fmt.Errorf("the directory names more than %d different %s", w.limit, w.what)
	}
	i = uint16(len(w.table))
	s = strings.Clone(s) // not the block that it lies in
	w.table, w.index[s] = append(w.table, s), i
	return i, nil
}

// newBulk prepares an import of src. It holds l.importing.
func (l *Ledger) newBulk(src Source) (*bulk, error) {
	b := &bulk{l: l, dir: l.leftoverDir(), today: personDay(l.now()), workers: max(1, runtime.GOMAXPROCS(0)), repeated: map[uint32]uint64{}}
	for name, s := range map[string]*spill{"tuples": &b.tuples, "rows": &b.rows, "knots": &b.knots, "entangled": &b.entangled} {
		s.dir, s.name = b.dir, name
	}
	var m baseManifest
	row, ok, err := l.baseRow()
	if err != nil {
		return nil, err
	}
	if ok {
		if b.old, err = openBase(l.generationDir(row.generation), row, false); err != nil {
			return nil, err
		}
		m = b.old.m
		b.claims = make([]atomic.Uint64, m.Ordinals)
		if b.inDirectory, err = b.old.named.read(0, int(b.old.named.size), nil); err != nil {
			b.close()
			return nil, err
		}
		if err := b.touch(); err != nil {
			b.close()
			return nil, err
		}
	}
	b.words[0].begin("countries", 255, m.Countries)
	b.words[1].begin("states", 65535, m.States)
	b.words[2].begin("languages", 255, m.Languages)
	if err := b.takeUp(src); err != nil {
		b.close()
		return nil, err
	}
	if b.back == nil {
		err = os.RemoveAll(b.dir)
	}
	if err := errors.Join(err, os.MkdirAll(b.dir, 0o700)); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bulk) close() {
	b.syncing.Wait()
	for _, s := range []*spill{&b.tuples, &b.rows, &b.knots, &b.entangled} {
		s.close()
	}
	if b.old != nil {
		b.old.close()
	}
	if !b.keep {
		_ = os.RemoveAll(b.dir) // else the next import does it
	}
}

// touch finds those in the base of whom the store knows something else: what
// the base says of them is not all.
func (b *bulk) touch() error {
	db := b.l.store.DB()
	for _, space := range []byte{store.Identity, store.Person, store.Known} {
		it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{space}, UpperBound: []byte{space + 1}})
		if err != nil {
			return err
		}
		for it.First(); it.Valid(); it.Next() {
			k := it.Key()[1:]
			if space != store.Identity {
				b.touched.set(exposure.Ordinal(binary.BigEndian.Uint32(k)))
				continue
			}
			o, err := b.old.find(idHash(k), nil)
			if err != nil {
				it.Close()
				return err
			}
			if o != exposure.Nobody {
				b.touched.set(o)
			}
		}
		if err := errors.Join(it.Error(), it.Close()); err != nil {
			return fmt.Errorf("reading people: %w", err)
		}
	}
	return nil
}

// collect takes in the whole source.
func (b *bulk) collect(ctx context.Context, src Source) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all []*collector
	for range b.workers {
		all = append(all, newCollector(b))
	}
	var mu sync.Mutex         // guards the next three
	var inHand sync.WaitGroup // blocks
	blocks, ended := uint32(0), false
	next := func() (block Block, n uint32, err error) {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return nil, 0, nil
		}
		if block, err = src.Next(); err != nil {
			ended = true
			return nil, 0, err
		}
		// Only now, since the last block before an error is cut short.
		if b.pointDue(blocks) {
			inHand.Wait()
			if ctx.Err() != nil { // a block was not taken to its end
				return nil, 0, nil
			}
			if err := b.point(blocks, all); err != nil {
				ended = true
				return nil, 0, err
			}
		}
		if block == nil {
			ended = true
			return nil, 0, nil
		}
		if blocks >= maxBlocks {
			return nil, 0, errors.New("the directory is too large")
		}
		n = blocks
		blocks++
		inHand.Add(1)
		return block, n, nil
	}
	var tasks sync.WaitGroup
	for _, c := range all {
		tasks.Go(func() {
			for ctx.Err() == nil {
				block, n, err := next()
				if err != nil {
					stop(err)
					return
				}
				if block == nil {
					break
				}
				if err = b.room(); err == nil {
					err = c.block(block, n)
				}
				if err != nil {
					stop(err) // before anybody makes a waypoint
				}
				inHand.Done()
			}
			if err := c.end(); err != nil {
				stop(err)
			}
		})
	}
	tasks.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	b.collected = true
	switch {
	case b.back != nil && !b.passed:
		return errNotTheSame
	case b.source != "" && blocks > b.pointed && b.emitted.Load() >= b.l.worthABase(b.old):
		b.syncing.Wait()
		return b.point(blocks, all)
	}
	return nil
}

// room refuses to go on when little space is left: what is left is for the
// record of messages, which an import must not bring to a halt.
func (b *bulk) room() error {
	if b.l.store.Full() || b.l.low.Load() {
		return b.l.unavailable(errFull)
	}
	return nil
}

// collector is one worker's part of step 1.
type collector struct {
	b       *bulk
	ids     *idHasher
	rowKey  wordKey
	tuples  spillBuffer
	rows    spillBuffer
	slab    slabRange
	nonces  []byte
	found   []tuple // of the person at hand
	text    []byte  // what the row digest is of
	needles []byte
	sealed  []byte
	row     []byte
	aad     [5]byte
	plain   []byte
	people  uint64
	line    uint64               // of the last of them
	words   [3]map[string]uint16 // as far as this worker met them
}

func newCollector(b *bulk) *collector {
	c := &collector{b: b, ids: newIDHasher(b.l.keys.Identity), rowKey: newRowKey(b.l.keys.Identity)}
	c.tuples = spillBuffer{to: &b.tuples, size: spillBytes}
	c.rows = spillBuffer{to: &b.rows, size: spillBytes}
	for i := range c.words {
		c.words[i] = map[string]uint16{"": 0}
	}
	return c
}

func (c *collector) block(block Block, n uint32) error {
	i := uint32(0)
	return block(func(p *Person) error {
		if i == MaxBlock {
			return errors.New("a block of the directory has too many people")
		}
		i++
		c.line = max(c.line, p.Line)
		if c.b.back != nil && n < c.b.back.Blocks { // set aside before
			c.people++
			return nil
		}
		return c.person(p, n*MaxBlock+i-1)
	})
}

func (c *collector) end() error {
	c.b.people.Add(c.people)
	c.people = 0
	return errors.Join(c.tuples.flush(), c.rows.flush())
}

// ordinal gives the next one of this worker's.
func (c *collector) ordinal() (exposure.Ordinal, error) {
	for {
		if c.slab.from == c.slab.to {
			j := c.b.l.j
			j.mu.Lock()
			c.slab = slabRange{j.used, j.used + slab}
			j.used += slab
			j.mu.Unlock()
			c.b.mu.Lock()
			c.b.taken = append(c.b.taken, c.slab)
			c.b.mu.Unlock()
			if c.slab.to > 1<<32 {
				return exposure.Nobody, errOrdinalsUsedUp
			}
		}
		o := c.b.l.j.perm.at(c.slab.from)
		c.slab.from++
		if o != exposure.Nobody {
			return o, nil
		}
	}
}

// person sets one person aside, or counts them as unchanged.
func (c *collector) person(p *Person, row uint32) error {
	if err := checkPerson(p); err != nil {
		return err
	}
	if err := c.hash(p); err != nil {
		return err
	}
	r := runRow{row: row, line: p.Line}
	r.inDirectory = true
	if !p.MinorUntil.IsZero() {
		if day := personDay(p.MinorUntil); day > c.b.today {
			r.minorUntil = day
		}
	}
	var number [3]uint16
	for i, s := range [3]string{p.Country, p.State, p.Language} {
		n, ok := c.words[i][s]
		if !ok {
			var err error
			if n, err = c.b.words[i].of(s); err != nil {
				return err
			}
			c.words[i][strings.Clone(s)] = n
		}
		number[i] = n
	}
	r.country, r.state, r.language = uint8(number[0]), number[1], uint8(number[2])
	var err error
	if c.needles, err = appendKnown(c.needles[:0], p.Needles); err != nil {
		return err
	}
	r.needles = c.needles
	r.digest = c.digest(&r, p)
	c.people++

	known, done, err := c.claim(&r)
	if err != nil || done {
		return err
	}
	mark := uint8(0)
	if r.known = known; known {
		mark = tupleKnown
		c.b.known.Add(1)
	} else if r.ordinal, err = c.ordinal(); err != nil {
		return err
	}
	c.b.emitted.Add(1)
	for {
		g := c.b.greatest.Load()
		if uint64(r.ordinal) <= g || c.b.greatest.CompareAndSwap(g, uint64(r.ordinal)) {
			break
		}
	}
	c.seal(&r, p.ID)
	for i := range c.found {
		t := &c.found[i]
		h := t.hash()
		c.row = appendTuple(c.row[:0], &h, r.ordinal, t.place, t.kind|mark, row, r.digest)
		if err := c.tuples.add(int(h[0]), c.row); err != nil {
			return err
		}
	}
	c.row = r.append(c.row[:0])
	return c.rows.add(int(r.ordinal>>partBits), c.row)
}

// hash leaves the person's identifiers in found, each once, the directory's own
// id first and the forms of each behind it.
func (c *collector) hash(p *Person) error {
	c.found = c.found[:0]
	add := func(kind uint8, h idHash) {
		t := tuple{key: binary.BigEndian.Uint64(h[:]), rest: binary.BigEndian.Uint32(h[8:]), kind: kind, place: uint8(len(c.found))}
		for i := range c.found {
			if sameHash(&c.found[i], &t) {
				return
			}
		}
		c.found = append(c.found, t)
	}
	add(uint8(exposure.KindUserID), c.ids.hash(exposure.KindUserID, "", p.ID))
	for i := range p.Identifiers {
		id := &p.Identifiers[i]
		if uint8(id.Kind) > tupleKind {
			return errors.New("an identifier of an unknown kind")
		}
		before := len(c.found)
		add(uint8(id.Kind), c.ids.hash(id.Kind, id.Vendor, id.Value))
		if len(c.found) > before && reachable(id.Kind) {
			c.ids.forms(id, func(kind exposure.Kind, h idHash) { add(uint8(kind)|tupleForm, h) })
		}
		if len(c.found) > 240 {
			return errors.New("a person has too many identifiers")
		}
	}
	return nil
}

// digest is of everything that the import says of the person.
func (c *collector) digest(r *runRow, p *Person) uint64 {
	b := c.text[:0]
	for _, s := range [3]string{p.Country, p.State, p.Language} {
		b = append(b, byte(len(s)))
		b = append(b, s...)
	}
	b = binary.BigEndian.AppendUint16(b, r.minorUntil)
	for i := range c.found {
		h := c.found[i].hash()
		b = append(append(b, c.found[i].kind), h[:]...)
	}
	b = append(b, r.needles...)
	c.text = b
	return rowDigest(c.rowKey, b)
}

// claim finds out whether the base has the person. done says that nothing is to
// be set aside: the person is as before, or came before in the file.
func (c *collector) claim(r *runRow) (known, done bool, err error) {
	old := c.b.old
	if old == nil {
		return false, false, nil
	}
	o, digest, err := old.findOwn(c.found[0].hash())
	if err != nil || o == exposure.Nobody || c.b.touched.has(o) || uint64(o) >= uint64(len(c.b.claims)) {
		return false, false, err
	}
	r.ordinal = o
	// The first in the file has it, whichever comes here first.
	mine := uint64(r.row+1)<<32 | min(r.line, 1<<32-1)
	for {
		theirs := c.b.claims[o].Load()
		if theirs != 0 && theirs < mine {
			c.b.repeat(r.row, r.line)
			return true, true, nil
		}
		if c.b.claims[o].CompareAndSwap(theirs, mine) {
			if theirs != 0 {
				c.b.repeat(uint32(theirs>>32)-1, theirs&(1<<32-1))
			}
			break
		}
	}
	if digest == r.digest && c.b.inDirectory[o/8]&(1<<(o%8)) != 0 {
		c.b.present.set(o)
		return true, true, nil
	}
	return true, false, nil
}

func (b *bulk) repeat(row uint32, line uint64) {
	b.mu.Lock()
	b.repeated[row] = line
	b.mu.Unlock()
}

// seal seals the directory's own id for the ordinal.
func (c *collector) seal(r *runRow, id string) {
	aead := c.b.l.seal
	n := aead.NonceSize()
	if len(c.nonces) < n {
		c.nonces = slices.Grow(c.nonces[:0], 4096*n)[:4096*n]
		rand.Read(c.nonces) // never fails
	}
	c.aad[0] = store.Person
	binary.BigEndian.PutUint32(c.aad[1:], uint32(r.ordinal))
	c.plain = append(c.plain[:0], id...)
	c.sealed = append(c.sealed[:0], c.nonces[:n]...)
	c.sealed = aead.Seal(c.sealed, c.nonces[:n], c.plain, c.aad[:])
	c.nonces = c.nonces[n:]
	r.sealed = c.sealed
}
