package ledger

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"cordon/evidence"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Names under the prefix store.Meta.
const (
	metaFormat   = "format"   // formatVersion
	metaKeys     = "keys"     // fingerprint of the keys
	metaOrigin   = "origin"   // of the checkpoints
	metaOrdinals = "ordinals" // how many are handed out (8)
	metaPending  = "pending"  // see pending
)

const formatVersion = "cordon ledger 2"

func metaKey(name string) []byte { return append([]byte{store.Meta}, name...) }

// Open opens the ledger in o.Dir, or makes one where there never was one. It
// refuses, with a store.Refusal, whatever it cannot vouch for.
func Open(o Options) (*Ledger, error) { return open(o, store.Options{}) }

// open lets tests choose the disk under the store.
func open(o Options, so store.Options) (*Ledger, error) {
	l, err := prepare(o)
	if err != nil {
		return nil, err
	}
	reaches, fresh, err := l.readReaches(o, so.FS)
	if err != nil {
		return nil, err
	}
	if !o.ReadOnly {
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the data directory: %w", err)
		}
		// The file of heads is there before the store is: so a store without it has lost it.
		if l.heads, err = openHeads(headsPath(o.Dir), reaches[0]); err != nil {
			return nil, err
		}
		if o.Failover != "" {
			l.heads.decouple()
		}
	}
	so.Create, so.ReadOnly, so.Log, so.Failover = fresh && !o.ReadOnly, o.ReadOnly, l.log, o.Failover
	if l.store, err = store.Open(filepath.Join(o.Dir, "store"), so); err != nil {
		l.closeHeads()
		return nil, err
	}
	if err := l.load(reaches, fresh); err != nil {
		l.closeHeads()
		_ = l.store.Close() // the reason to refuse is err
		return nil, err
	}
	if o.ReadOnly {
		return l, nil
	}
	if o.Before != nil {
		if err := o.Before(l); err != nil {
			l.closeHeads()
			_ = l.store.Close() // the reason to refuse is err
			return nil, err
		}
	}
	if err := l.start(fresh); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// prepare makes what needs no disk.
func prepare(o Options) (*Ledger, error) {
	k := o.Keys
	switch {
	case k.Verifier == nil || k.Contact == nil || len(k.ID) == 0 || k.Identity == [32]byte{} || k.Directory == [32]byte{}:
		return nil, errors.New("opening the ledger: a key is missing")
	case k.Signer == nil && !o.ReadOnly:
		return nil, errors.New("opening the ledger: the signing key is missing")
	case k.Signer != nil && k.Signer.Name() != k.Verifier.Name():
		return nil, errors.New("opening the ledger: the signing and the verifying key have different names")
	}
	l := &Ledger{
		dir: o.Dir, keys: k, witness: o.Witness, origin: k.Verifier.Name(), readOnly: o.ReadOnly, now: o.Now, log: o.Log,
		hasher: newHasher(k.Identity), words: newWordKey(k.Identity), queue: newQueue(), headsFile: headsPath(o.Dir),
	}
	l.gateway = evidence.GatewayOf(l.origin)
	if err := l.days.init(k.Identity); err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	l.holds.byName = map[string]Hold{}
	l.stopping, l.stop = context.WithCancel(context.Background())
	if l.now == nil {
		l.now = time.Now
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	block, err := aes.NewCipher(k.Directory[:])
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	if l.seal, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	if err := l.openTokens(k.Tokens); err != nil {
		return nil, err
	}
	if err := l.openSealedTexts(); err != nil {
		return nil, err
	}
	if o.Mirror != "" {
		l.mirror = mirrorPath(o.Mirror, l.gateway)
	}
	l.durable.Store(&extent{})
	return l, nil
}

// readReaches reads what the files of heads say, first the one beside the
// store, and whether a ledger is to be made.
func (l *Ledger) readReaches(o Options, testFS vfs.FS) (reaches []reach, fresh bool, err error) {
	paths := []string{headsPath(o.Dir)}
	if l.mirror != "" {
		paths = append(paths, l.mirror)
	}
	here := false
	for i, path := range paths {
		r, err := readHeads(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			r.Missing = true
		case err != nil:
			return nil, false, fmt.Errorf("reading the heads: %w", err)
		}
		reaches = append(reaches, r)
		here = here || i == 0 && !r.Missing
	}
	exists := testFS == nil && store.Exists(filepath.Join(o.Dir, "store"))
	if testFS != nil {
		list, _ := testFS.List(filepath.Join(o.Dir, "store"))
		exists = len(list) > 0
	}
	if exists {
		if !here {
			return nil, false, &store.Refusal{
				What: "the file of heads " + paths[0] + " is missing: nobody can say whether the store is complete",
				Step: "copy it from the mirror or a backup: the mirror keeps the same file under the name " + filepath.Base(mirrorPath("", l.gateway)),
			}
		}
		return reaches, false, nil
	}
	for _, r := range reaches {
		if r.Batches > 0 || r.Checkpoint != "" || r.Damaged {
			return nil, false, &store.Refusal{
				What: fmt.Sprintf("%s speaks of a ledger with %d entries, but there is no store in %s", r.Path, r.Entries, o.Dir),
				Step: "restore the store from a backup; a new ledger is never made over an old head",
			}
		}
	}
	return reaches, true, nil
}

// load reads the state of the ledger from the store and compares it with the heads.
func (l *Ledger) load(reaches []reach, fresh bool) error {
	l.ids = newIdentities(l.store.DB())
	if fresh {
		return l.mark()
	}
	if err := l.checkMarks(); err != nil {
		return err
	}
	batches, err := l.countBatches()
	if err != nil {
		return damaged(err)
	}
	for _, r := range reaches {
		if err := l.checkReach(r, batches); err != nil {
			return err
		}
	}
	if err := errors.Join(l.days.load(l.store.DB()), l.holds.load(l.store.DB())); err != nil {
		return damaged(err)
	}
	if err := l.loadCosigned(); err != nil {
		return damaged(err)
	}
	end := &extent{batches: batches}
	if end.edge, err = loadEdge(l.store.DB(), batches); err != nil {
		return damaged(err)
	}
	var events []uint64 // of those that are read
	if batches > 0 {
		// The last ones are read whole: if the end of the log was cut or a flush
		// was lost, it shows here.
		from := batches - min(batches, checkedAtStart)
		err := l.checkBatches(from, batches, func(_ uint64, r *record) error {
			end.entries = r.first + uint64(r.count) - 1
			return r.each(func(i uint32, _ []byte, e *evidence.Entry) error {
				if listed(e) {
					events = append(events, r.first+uint64(i))
				}
				return nil
			})
		})
		if err != nil {
			return damaged(err)
		}
	}
	if err := l.dict.load(l.store.DB()); err != nil {
		return damaged(err)
	}
	if err := l.tokens.epochs.load(l.store.DB()); err != nil {
		return damaged(err)
	}
	if l.listedEvents, err = l.loadEvents(end, events); err != nil {
		return damaged(err)
	}
	if err := l.openBase(); err != nil {
		return err
	}
	l.durable.Store(end)
	l.reportTail(reaches, end)
	return nil
}

// checkedAtStart is the number of last batches that Open verifies.
const checkedAtStart = 4096

func damaged(err error) error {
	return &store.Refusal{
		What: "the ledger is damaged", Err: err,
		Step: "keep a copy of the data directory as it is, then restore the newest backup and compare with the mirrored head",
	}
}

// mark makes a new ledger.
func (l *Ledger) mark() error {
	b := l.store.DB().NewBatch()
	for name, value := range map[string][]byte{metaFormat: []byte(formatVersion), metaKeys: l.keys.ID, metaOrigin: []byte(l.origin), metaEvents: nil} {
		if err := b.Set(metaKey(name), value, nil); err != nil {
			return fmt.Errorf("making the ledger: %w", err)
		}
	}
	if l.readOnly {
		return fmt.Errorf("opening the ledger: there is none yet")
	}
	return l.store.Apply(b)
}

func (l *Ledger) checkMarks() error {
	for _, m := range []struct{ name, want, what, step string }{
		{metaFormat, formatVersion, "the ledger was written by another version of cordon", "use the version that wrote it"},
		{metaKeys, string(l.keys.ID), "these are not the keys of this ledger", "restore its keys from the backup of the keys (cordon keys backup); new ones cannot read it"},
		{metaOrigin, l.origin, "the checkpoint key has another name than this ledger's", "restore the ledger's keys from the backup of the keys"},
	} {
		var got string
		err := view(l.store.DB(), metaKey(m.name), func(v []byte) error { got = string(v); return nil })
		switch {
		case errors.Is(err, pebble.ErrNotFound) && m.name == metaFormat && l.emptyStore():
			// The process died between making the store and marking it.
			if l.readOnly {
				return errors.New("opening the ledger: there is none yet")
			}
			return l.mark()
		case errors.Is(err, pebble.ErrNotFound):
			return damaged(fmt.Errorf("its mark %q is missing", m.name))
		case err != nil:
			return damaged(err)
		case got != m.want:
			return &store.Refusal{What: m.what, Step: m.step}
		}
	}
	return nil
}

func (l *Ledger) emptyStore() bool {
	it, err := l.store.DB().NewIter(nil)
	if err != nil {
		return false
	}
	defer it.Close()
	return !it.First() && it.Error() == nil
}

// countBatches finds the last batch.
func (l *Ledger) countBatches() (uint64, error) {
	prefix := []byte{store.Journal}
	it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return 0, err
	}
	defer it.Close()
	if !it.Last() {
		return 0, it.Error()
	}
	return binary.BigEndian.Uint64(it.Key()[1:]) + 1, nil
}

// checkReach refuses a store that does not reach as far as a file of heads
// says, or that tells another story.
func (l *Ledger) checkReach(r reach, batches uint64) error {
	const step = "keep a copy of the data directory as it is, then restore the newest backup"
	if r.Missing {
		l.warn("the copy of the heads %s is missing; it is written anew", r.Path)
		return nil
	}
	if r.Damaged {
		l.warn("%s is damaged; what could be read of it agrees with the store", r.Path)
	}
	if batches > 0 && r.Batches == 0 && r.Path == l.headsFile && (r.Damaged || r.Checkpoint != "" || batches > 1) {
		return &store.Refusal{What: r.Path + " does not say any more how far the ledger reaches", Step: "copy it from the mirror or a backup"}
	}
	if r.Batches > batches {
		return &store.Refusal{
			What: fmt.Sprintf("acknowledged entries are missing: %s says %d batches with %d entries, the store ends with batch %d", r.Path, r.Batches, r.Entries, batches),
			Step: step,
		}
	}
	tree := treeReader{l.store.DB()}
	if r.Batches > 0 {
		leaf, err := tree.hash(0, r.Batches-1)
		if err != nil {
			return damaged(err)
		}
		if leaf != r.Leaf {
			return &store.Refusal{What: fmt.Sprintf("batch %d is not the one that %s says was acknowledged", r.Batches-1, r.Path), Step: step}
		}
	}
	if r.Checkpoint != "" {
		head, err := l.checkSigned(r.Checkpoint, "head in "+r.Path, batches)
		if err != nil {
			return err
		}
		if head.Size > l.status.signed || l.status.checkpoint == "" {
			l.status.signed, l.status.checkpoint = head.Size, r.Checkpoint
		}
	}
	if r.Cosigned != "" {
		head, err := l.checkSigned(r.Cosigned, "cosigned head in "+r.Path, batches)
		if err != nil {
			return err
		}
		l.cosigned.restore(r.Cosigned, head)
	}
	return nil
}

// checkSigned refuses a store that a checkpoint of ours does not fit.
func (l *Ledger) checkSigned(signed, what string, batches uint64) (evidence.Checkpoint, error) {
	const step = "keep a copy of the data directory as it is, then restore the newest backup"
	head, err := evidence.OpenCheckpoint(signed, l.keys.Verifier)
	if err != nil {
		return head, &store.Refusal{What: "the " + what + " is not signed by this ledger's key", Step: "restore the ledger's keys from the backup of the keys", Err: err}
	}
	if head.Size > batches {
		return head, &store.Refusal{
			What: fmt.Sprintf("signed batches are missing: the %s covers %d, the store ends with %d", what, head.Size, batches),
			Step: step,
		}
	}
	e, err := loadEdge(l.store.DB(), head.Size)
	if err != nil {
		return head, damaged(err)
	}
	if e.root() != head.Root {
		return head, &store.Refusal{
			What: fmt.Sprintf("the first %d batches are not those that the %s was signed over", head.Size, what),
			Step: step,
		}
	}
	return head, nil
}

// reportTail warns of batches that no head covers: they are there, and their
// own hashes are right, but nothing outside the store vouches for them.
func (l *Ledger) reportTail(reaches []reach, end *extent) {
	if n := end.batches - l.status.signed; n > 0 {
		first := uint64(1)
		if l.status.signed > 0 {
			_ = view(l.store.DB(), journalKey(l.status.signed), func(v []byte) error { // read a moment ago
				r, err := parseRecord(v)
				first = r.first
				return err
			})
		}
		l.warn("entries %d to %d were written after the last signed head: the ledger was not closed in good order", first, end.entries)
	}
	if r := reaches[0]; end.batches > r.Batches {
		l.warn("%d batches on disk were not acknowledged before the ledger stopped", end.batches-r.Batches)
	}
}

func (l *Ledger) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.status.mu.Lock()
	defer l.status.mu.Unlock()
	l.status.warnings = append(l.status.warnings, text)
	l.log.Warn(text)
}

// start begins to write and gives an outcome to every disclosure that a
// crash left without one.
func (l *Ledger) start(fresh bool) error {
	end := l.durable.Load()
	j := &journal{
		l: l, next: end.batches, seq: end.entries, edge: end.edge, events: l.listedEvents,
		perm:  newPermutation(deriveKey(l.keys.Identity, "ordinals")),
		ended: make(chan struct{}),
	}
	j.build.fresh, j.build.rows = map[idHash]written{}, map[idHash]identityRow{}
	err := view(l.store.DB(), metaKey(metaOrdinals), func(v []byte) error {
		if len(v) != 8 {
			return errors.New("the count of ordinals has not 8 bytes")
		}
		j.used = binary.BigEndian.Uint64(v)
		return nil
	})
	if err != nil && !errors.Is(err, pebble.ErrNotFound) {
		return damaged(err)
	}
	j.used = max(j.used, l.reserved)
	pending, err := l.loadPending()
	if err != nil {
		return damaged(err)
	}
	lost := pending.sorted()
	signed, warnings := l.status.signed, l.status.warnings
	j.pending = pending
	l.j = j
	go j.run()
	go j.ahead()
	l.startSigner()
	l.chore(l.resumeExpiries)
	l.chore(l.resumeErasures)
	if fresh {
		return nil
	}
	for _, seq := range lost {
		l.queue.add(job{outcome: &settlement{of: seq, outcome: Outcome{Result: Unknown}, at: l.nowMS()}}, false)
	}
	_, err = l.appendEvent(context.Background(), Event{Kind: EventRestart, Fields: map[string]any{
		"unknown": len(lost), "unsigned_batches": end.batches - signed, "warnings": len(warnings),
	}})
	if err != nil {
		return err
	}
	// The tail is under a head again before anything is added to it, and the
	// mirror is there from the start.
	if err := l.signer.sign(); err != nil {
		if l.store.Err() != nil {
			return err
		}
		l.warn("the head could not be signed or mirrored: %v", err)
	}
	return nil
}

func (l *Ledger) closeHeads() {
	if l.heads != nil {
		_ = l.heads.close() // nothing was written
	}
}
