package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"cordon/evidence"
	"cordon/internal/store"
)

const (
	signEvery = time.Second
	// lowWater: below this much free space disclosures are refused, before a
	// write fails; above twice as much they are taken again.
	lowWater = 16 << 20
)

// signer signs the head of the tree each second when it grew, and on demand.
type signer struct {
	l      *Ledger
	mu     sync.Mutex // one signature at a time; guards the rest
	mirror *heads     // nil: none, or not reachable at the moment
	ended  chan struct{}
	end    context.CancelFunc
}

func (l *Ledger) startSigner() {
	ctx, cancel := context.WithCancel(context.Background())
	l.signer = &signer{l: l, ended: make(chan struct{}), end: cancel}
	go l.signer.run(ctx)
}

func (s *signer) run(ctx context.Context) {
	defer close(s.ended)
	tick := time.NewTicker(signEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.sign(); err != nil && s.l.store.Err() == nil {
				s.l.log.Error("the head could not be signed", "error", err)
			}
			s.l.checkSpace()
		case <-s.l.store.Failed():
			return
		case <-ctx.Done():
			return
		}
	}
}

// stop signs what is there and ends.
func (s *signer) stop() {
	s.end()
	<-s.ended
	if err := s.sign(); err != nil && s.l.store.Err() == nil {
		s.l.log.Error("the last head could not be signed", "error", err)
	}
	if s.mirror != nil {
		_ = s.mirror.close() // each write was synced
	}
}

// Checkpoint signs the head now, unless it is signed already, and returns when
// the signature is on disk and in the mirror.
func (l *Ledger) Checkpoint(ctx context.Context) error {
	if err := l.writable(); err != nil {
		return err
	}
	return l.signer.sign()
}

func (s *signer) sign() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.l
	end := l.durable.Load()
	l.status.mu.Lock()
	signed := l.status.signed
	l.status.mu.Unlock()
	if end.batches == signed {
		return nil
	}
	if err := l.store.Err(); err != nil {
		return l.unavailable(err)
	}
	note, err := evidence.Checkpoint{Origin: l.origin, Size: end.batches, Root: end.edge.root()}.Sign(l.keys.Signer)
	if err != nil {
		return err
	}
	// First the file: once a head was shown to anybody the store must reach it
	// for ever, and it is this file that says so at the next start.
	if err := l.heads.sign(note); err != nil {
		l.store.Fail(err)
		return l.unavailable(err)
	}
	// In the store for verification: the last one of each day.
	b := l.store.DB().NewBatch()
	if err := b.Set(checkpointKey(l.now()), []byte(note), nil); err != nil {
		return fmt.Errorf("storing a checkpoint: %w", err)
	}
	if err := l.store.ApplyLazy(b); err != nil {
		return l.unavailable(err)
	}
	l.status.mu.Lock()
	l.status.checkpoint, l.status.signed, l.status.lastSync = note, end.batches, l.now()
	l.status.mu.Unlock()
	return s.copy(note, end)
}

// copy writes the head to the mirror. A mirror that cannot be reached is
// warned of and tried again; it does not stop the ledger.
func (s *signer) copy(note string, end *extent) error {
	l := s.l
	if l.mirror == "" {
		return nil
	}
	return s.mirrored(func(h *heads) error {
		if err := h.acknowledge(end.batches, end.entries, end.edge.last); err != nil {
			return err
		}
		return h.sign(note)
	})
}

// mirrored writes to the mirror, opening it if need be.
func (s *signer) mirrored(write func(*heads) error) error {
	l := s.l
	err := func() error {
		if s.mirror == nil {
			if err := os.MkdirAll(filepath.Dir(l.mirror), 0o700); err != nil {
				return err
			}
			was, err := readHeads(l.mirror)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			if s.mirror, err = openHeads(l.mirror, was); err != nil {
				return err
			}
		}
		return write(s.mirror)
	}()
	if err != nil {
		if s.mirror != nil {
			_ = s.mirror.close() // it is broken already
			s.mirror = nil
		}
		return fmt.Errorf("copying the head to the mirror: %w", err)
	}
	return nil
}

func checkpointKey(t time.Time) []byte {
	return binary.BigEndian.AppendUint32([]byte{store.Checkpoint}, uint32(t.Unix()/86400))
}

// checkSpace stops disclosures before the disk is full, and lets them go on
// when there is room again: nothing has failed yet, so nothing is in doubt.
func (l *Ledger) checkSpace() {
	free, err := l.store.Free()
	if err != nil {
		return // a store in memory, or a disk that will fail by itself
	}
	switch {
	case free < lowWater && !l.low.Swap(true):
		l.log.Error("little space is left: no disclosures are recorded, nothing is forwarded", "free", free)
		if l.importing.TryLock() { // a running import ends by itself
			if err := l.dropLeftover(); err != nil {
				l.log.Warn("an interrupted import could not be removed", "error", err)
			}
			l.importing.Unlock()
		}
	case free > 2*lowWater && l.low.Swap(false):
		l.log.Info("there is space again", "free", free)
	}
}
