package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/sys/unix"
)

// recordBytes is one disclosure in the controls: an entry of about a dozen bytes and its share of a batch header,
// rounded up in the ledger's favour to what the earlier measurements used.
const recordBytes = 80

// A group commits for everybody who waits: the first one there writes for all that came meanwhile, then hands on.
type group struct {
	write func(n int) error // makes n records durable

	mu   sync.Mutex
	busy bool
	next *wave
}

// A wave is the callers who will become durable together.
type wave struct {
	n    int
	err  error
	done chan struct{}
	lead chan struct{} // one of them is told to write
}

func newWave() *wave { return &wave{done: make(chan struct{}), lead: make(chan struct{}, 1)} }

func (g *group) record(int) error {
	g.mu.Lock()
	w := g.next
	w.n++
	if g.busy {
		g.mu.Unlock()
		select {
		case <-w.done:
			return w.err
		case <-w.lead:
		}
		g.mu.Lock()
	}
	g.busy = true
	g.next = newWave()
	g.mu.Unlock()

	w.err = g.write(w.n)
	close(w.done)

	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next.n > 0 {
		g.next.lead <- struct{}{}
	} else {
		g.busy = false
	}
	return w.err
}

type control struct {
	*group
	close func() error
}

// openBare is a file that grows: what the disk allows a journal that has nothing else to do.
func openBare(dir string) (*control, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(dir, "journal"))
	if err != nil {
		return nil, err
	}
	buf := make([]byte, 0, recordBytes)
	return &control{&group{next: newWave(), write: func(n int) error {
		for len(buf) < n*recordBytes {
			buf = append(buf, make([]byte, recordBytes)...)
		}
		if _, err := f.Write(buf[:n*recordBytes]); err != nil {
			return err
		}
		return unix.Fdatasync(int(f.Fd()))
	}}, f.Close}, nil
}

// openPebble is the same store that the ledger uses, and nothing of what the ledger does with it.
func openPebble(dir string) (*control, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	db, err := pebble.Open(dir, &pebble.Options{FormatMajorVersion: pebble.FormatNewest, Logger: silent{}})
	if err != nil {
		return nil, err
	}
	var seq uint64
	return &control{&group{next: newWave(), write: func(n int) error {
		b := db.NewBatch()
		defer b.Close()
		seq++
		if err := b.Set(binary.BigEndian.AppendUint64([]byte("j"), seq), make([]byte, n*recordBytes), nil); err != nil {
			return err
		}
		return b.Commit(pebble.Sync)
	}}, db.Close}, nil
}

// silent drops what Pebble says of its own housekeeping.
type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(format string, args ...any) {
	panic("pebble: " + format)
}

// cpuTime is the CPU time of this process, user and system.
func cpuTime() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
