package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"cordon/evidence"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/mod/sumdb/tlog"
)

// Keys under the prefix store.Cosigned.
const (
	cosignedNewest = 'h' // key hash (4) name of a witness -> the newest checkpoint that it cosigned
	cosignedLate   = 'l' // -> nothing: the witness was late when this was written
	cosignedOther  = 'x' // size (8) root (32) -> a checkpoint of ours over another tree
)

// Cosigned is the newest head that a witness cosigned.
type Cosigned struct {
	Note string // checkpoint with our signature and the witness's; "" for none
	Size uint64 // batches
	// At is when, by the clock of the configured witness; zero if it is another's.
	At   time.Time
	Late bool // as SetWitnessLate noted it
}

type cosigned struct {
	mu    sync.Mutex // guards the rest
	now   Cosigned
	shown uint64 // size of the head that was published last
}

// restore takes what a file of heads holds, if it is newer.
func (c *cosigned) restore(note string, head evidence.Checkpoint) {
	if c.now.Note == "" || head.Size > c.now.Size {
		c.now.Note, c.now.Size = note, head.Size
	}
}

// Cosigned gives the newest cosigned head. It never blocks for long.
func (l *Ledger) Cosigned() Cosigned {
	l.cosigned.mu.Lock()
	defer l.cosigned.mu.Unlock()
	return l.cosigned.now
}

// loadCosigned completes what the files of heads said from the store.
func (l *Ledger) loadCosigned() error {
	c := &l.cosigned.now
	if l.witness != nil && c.Note != "" {
		// One of a witness that was configured before still binds us; but its
		// time is not this witness's.
		if at, err := l.witness.Cosigned(c.Note); err == nil {
			c.At = at
		}
	}
	err := view(l.store.DB(), []byte{store.Cosigned, cosignedLate}, func([]byte) error { c.Late = true; return nil })
	if err != nil && !errors.Is(err, pebble.ErrNotFound) {
		return err
	}
	return nil
}

// Head is the newest signed head, "" before the first.
func (l *Ledger) Head() (checkpoint string, size uint64) {
	l.status.mu.Lock()
	defer l.status.mu.Unlock()
	return l.status.checkpoint, l.status.signed
}

// Consistency proves that the first old batches are a prefix of the first size.
func (l *Ledger) Consistency(old, size uint64) ([]tlog.Hash, error) {
	if old == 0 || old > size || size > l.durable.Load().batches {
		return nil, fmt.Errorf("there is no proof from %d batches to %d of %d", old, size, l.durable.Load().batches)
	}
	if err := l.hold(); err != nil {
		return nil, err
	}
	defer l.reads.RUnlock()
	return l.Growth(old, size)
}

// KeepCosigned makes a head that the witness cosigned durable: in the file of
// heads and in the mirror, where it says at every start how far the store must
// reach, and in the store. A head smaller than the one kept changes nothing.
func (l *Ledger) KeepCosigned(note string) error {
	if err := l.writable(); err != nil {
		return err
	}
	if l.witness == nil {
		return errors.New("no witness is configured")
	}
	head, err := evidence.OpenCheckpoint(note, l.keys.Verifier)
	if err != nil {
		return err
	}
	at, err := l.witness.Cosigned(note)
	if err != nil {
		return err
	}
	s := l.signer
	s.mu.Lock()
	defer s.mu.Unlock()
	if head.Size < l.Cosigned().Size {
		return nil
	}
	if err := l.heads.cosign(note); err != nil {
		l.store.Fail(err) // as with a signature: what the disk of the heads holds is in doubt
		return l.unavailable(err)
	}
	key := binary.BigEndian.AppendUint32([]byte{store.Cosigned, cosignedNewest}, l.witness.KeyHash())
	if err := l.setLazy(append(key, l.witness.Name()...), []byte(note)); err != nil {
		return err
	}
	l.cosigned.mu.Lock()
	l.cosigned.now.Note, l.cosigned.now.Size, l.cosigned.now.At = note, head.Size, at
	l.cosigned.mu.Unlock()
	if l.mirror == "" {
		return nil
	}
	return s.mirrored(func(h *heads) error { return h.cosign(note) })
}

// SetWitnessLate notes whether the witness is late, for the next start.
func (l *Ledger) SetWitnessLate(late bool) error {
	l.cosigned.mu.Lock()
	l.cosigned.now.Late = late
	l.cosigned.mu.Unlock()
	if late {
		return l.setLazy([]byte{store.Cosigned, cosignedLate}, nil)
	}
	b := l.store.DB().NewBatch()
	if err := b.Delete([]byte{store.Cosigned, cosignedLate}, nil); err != nil {
		return err
	}
	return l.store.ApplyLazy(b)
}

func (l *Ledger) setLazy(key, value []byte) error {
	b := l.store.DB().NewBatch()
	if err := b.Set(key, value, nil); err != nil {
		return err
	}
	return l.store.ApplyLazy(b)
}

// Agrees compares a checkpoint that somebody else kept, a witness say, with
// this ledger. A contradiction means that our own key signed it and that it is
// over another tree than ours: entries were cut off or replaced, or a second
// ledger is kept with our key. It is kept as evidence. An error means only that
// it could not be compared.
func (l *Ledger) Agrees(checkpoint string) (contradiction string, err error) {
	head, err := evidence.OpenCheckpoint(checkpoint, l.keys.Verifier)
	if err != nil {
		return "", err
	}
	if err := l.hold(); err != nil {
		return "", err
	}
	defer l.reads.RUnlock()
	switch end := l.durable.Load(); {
	case head.Size > end.batches:
		contradiction = fmt.Sprintf("a head of %d batches was signed with this ledger's key, the ledger has %d: the rest was cut off, or is in another copy", head.Size, end.batches)
	default:
		e, err := loadEdge(l.store.DB(), head.Size)
		if err != nil {
			return "", err
		}
		if e.root() == head.Root {
			return "", nil
		}
		contradiction = fmt.Sprintf("a head of %d batches was signed with this ledger's key, and the first %d batches of the ledger are others: it was rewritten, or two are kept with one key", head.Size, head.Size)
	}
	if !l.readOnly {
		key := binary.BigEndian.AppendUint64([]byte{store.Cosigned, cosignedOther}, head.Size)
		err = l.setLazy(append(key, head.Root[:]...), []byte(checkpoint))
	}
	return contradiction, err
}

// collectCosigned gives every cosigned checkpoint of the store to add, checks the
// cosignatures of the configured witness, and names what Agrees found.
func (v *verification) collectCosigned(add func(signed, from string)) {
	prefix := []byte{store.Cosigned}
	it, err := v.l.store.DB().NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		v.problem("reading cosigned checkpoints: %v", err)
		return
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		k, note := it.Key(), string(it.Value())
		switch {
		case len(k) > 6 && k[1] == cosignedNewest:
			name := string(k[6:])
			add(note, "the store, cosigned by "+name)
			w := v.l.witness
			if w != nil && w.Name() == name && w.KeyHash() == binary.BigEndian.Uint32(k[2:]) {
				if _, err := w.Cosigned(note); err != nil {
					v.problem("the newest cosigned checkpoint: %v", err)
				}
			}
		case len(k) > 2 && k[1] == cosignedOther:
			v.problem("this ledger's key signed a head of %d batches over another tree; the checkpoint is:\n%s", binary.BigEndian.Uint64(k[2:]), note)
		}
	}
	if err := it.Error(); err != nil {
		v.problem("reading cosigned checkpoints: %v", err)
	}
}
