package witness

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"cordon/evidence"
)

// fakeLog is a ledger in memory: a tree whose leaves are words.
type fakeLog struct {
	signer note.Signer
	vkey   string

	mu     sync.Mutex
	hashes []tlog.Hash
	leaves int64
	kept   []string // by KeepCosigned
}

const logName = "photos.example/cordon"

// seeded is randomness that is the same in every process.
type seeded struct {
	h [32]byte
	n int
}

func (s *seeded) Read(p []byte) (int, error) {
	for i := range p {
		if s.n%32 == 0 {
			s.h = sha256.Sum256(s.h[:])
		}
		p[i] = s.h[s.n%32]
		s.n++
	}
	return len(p), nil
}

var _ io.Reader = (*seeded)(nil)

func newLog(t testing.TB, seed byte) *fakeLog {
	t.Helper()
	skey, vkey, err := note.GenerateKey(&seeded{h: [32]byte{seed}}, logName)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeLog{signer: s, vkey: vkey}
}

// rewritten is another log with the same key whose first leaves are the same.
func (l *fakeLog) rewritten(t testing.TB, shared int, more ...string) *fakeLog {
	t.Helper()
	other := &fakeLog{signer: l.signer, vkey: l.vkey}
	for i := range shared {
		other.grow(t, fmt.Sprintf("leaf %d", i))
	}
	other.grow(t, more...)
	return other
}

func (l *fakeLog) grow(t testing.TB, leaves ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, leaf := range leaves {
		h, err := tlog.StoredHashes(l.leaves, []byte(leaf), tlog.HashReaderFunc(l.read))
		if err != nil {
			t.Fatal(err)
		}
		l.hashes = append(l.hashes, h...)
		l.leaves++
	}
}

// growTo adds the usual leaves until there are n.
func (l *fakeLog) growTo(t testing.TB, n int) {
	t.Helper()
	for int(l.leaves) < n {
		l.grow(t, fmt.Sprintf("leaf %d", l.leaves))
	}
}

func (l *fakeLog) read(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		out[i] = l.hashes[n]
	}
	return out, nil
}

func (l *fakeLog) headAt(t testing.TB, size int) string {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	root, err := tlog.TreeHash(int64(size), tlog.HashReaderFunc(l.read))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := evidence.Checkpoint{Origin: logName, Size: uint64(size), Root: root}.Sign(l.signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (l *fakeLog) request(t testing.TB, old, size int) Request {
	t.Helper()
	proof, err := l.Consistency(uint64(old), uint64(size))
	if err != nil {
		t.Fatal(err)
	}
	return Request{uint64(old), proof, l.headAt(t, size)}
}

// What a Feed asks of a ledger.

func (l *fakeLog) Head() (string, uint64) {
	l.mu.Lock()
	n := l.leaves
	l.mu.Unlock()
	if n == 0 {
		return "", 0
	}
	return l.headAt(noTest{}, int(n)), uint64(n)
}

func (l *fakeLog) Consistency(old, size uint64) ([]tlog.Hash, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old == 0 || old == size {
		return nil, nil
	}
	return tlog.ProveTree(int64(size), int64(old), tlog.HashReaderFunc(l.read))
}

func (l *fakeLog) KeepCosigned(cosigned string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, cosigned)
	return nil
}

func (l *fakeLog) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.kept)
}

func (l *fakeLog) Agrees(checkpoint string) (string, error) {
	v, _ := note.NewVerifier(l.vkey)
	head, err := evidence.OpenCheckpoint(checkpoint, v)
	if err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if head.Size > uint64(l.leaves) {
		return "the ledger was cut short", nil
	}
	if root, _ := tlog.TreeHash(int64(head.Size), tlog.HashReaderFunc(l.read)); root != head.Root {
		return "the ledger was rewritten", nil
	}
	return "", nil
}

// noTest panics where a test would fail: inside a goroutine of a feed.
type noTest struct{ testing.TB }

func (noTest) Helper()           {}
func (noTest) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// clock is a time that the test sets.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}
