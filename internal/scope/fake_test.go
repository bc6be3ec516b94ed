package scope

import (
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"cordon/internal/exposure"
)

// journal is a ledger in memory.
type journal struct {
	mu      sync.Mutex
	entries []Entry
	grown   chan struct{}
	expired map[uint64]bool // entries
	people  *People
	lists   map[string][]exposure.Ordinal // of accessed people, by digest
}

func newJournal() *journal {
	return &journal{grown: make(chan struct{}), lists: map[string][]exposure.Ordinal{}, people: &People{Countries: []string{""}, States: []string{""}, Languages: []string{""}}}
}

func (j *journal) append(e Entry) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.Seq = uint64(len(j.entries) + 1)
	j.entries = append(j.entries, e)
	close(j.grown)
	j.grown = make(chan struct{})
	return e.Seq
}

func (j *journal) Size() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return uint64(len(j.entries))
}

func (j *journal) Entries(from uint64) iter.Seq2[Entry, error] {
	j.mu.Lock()
	entries, gone := j.entries[from-1:], j.expired
	j.mu.Unlock()
	return func(yield func(Entry, error) bool) {
		for _, e := range entries {
			if gone[e.Seq] {
				continue
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (j *journal) Follow() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.grown
}

func (j *journal) People() (*People, error) { return j.people, nil }

// disclose records one message and, unless result is nil, its outcome.
func (j *journal) disclose(at time.Time, way exposure.Pathway, result *Result, people ...Exposure) uint64 {
	seq := j.append(Entry{Kind: Disclosed, At: at, Pathway: way, Exposures: people})
	if result != nil {
		j.append(Entry{Kind: Settled, At: at.Add(time.Millisecond), Of: seq, Result: *result})
	}
	return seq
}

// expire makes the disclosures of a day unreadable, and their outcomes.
func (j *journal) expire(d day) {
	j.mu.Lock()
	defer j.mu.Unlock()
	gone := map[uint64]bool{}
	for seq := range j.expired {
		gone[seq] = true
	}
	for _, e := range j.entries {
		if at, _ := sliceOf(e.instant()); e.Kind == Disclosed && at == d || e.Kind == Settled && gone[e.Of] {
			gone[e.Seq] = true
		}
	}
	j.expired = gone
}

func ptr[T any](v T) *T { return &v }

var (
	sent    = ptr(Sent)
	notSent = ptr(NotSent)
	unknown = ptr(Unknown)
)

func memory() *pebble.Options {
	return &pebble.Options{FS: vfs.NewMem(), FormatMajorVersion: pebble.FormatNewest, Logger: quietly{}}
}

// db is an empty store in memory.
func db(t testing.TB) *pebble.DB {
	t.Helper()
	d, err := pebble.Open("index", memory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// open opens an index that lives as long as the test.
func open(t testing.TB, j *journal, d *pebble.DB, now time.Time) *Index {
	t.Helper()
	x, err := Open(Options{DB: d, Source: j, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// enrol puts people into the directory.
func (p *People) enrol(o exposure.Ordinal, country, state, language string, minorUntil day) {
	for int(o) >= len(p.Country) {
		p.Country, p.State = append(p.Country, 0), append(p.State, 0)
		p.Language, p.MinorUntil = append(p.Language, 0), append(p.MinorUntil, 0)
	}
	for int(o/64) >= len(p.Directory) {
		p.Directory = append(p.Directory, 0)
	}
	p.Directory[o/64] |= 1 << (o % 64)
	p.Country[o] = uint8(place(&p.Countries, country))
	p.State[o] = uint16(place(&p.States, state))
	p.Language[o] = uint8(place(&p.Languages, language))
	p.MinorUntil[o] = uint16(minorUntil)
}

func place(table *[]string, s string) int {
	for i, have := range *table {
		if have == s {
			return i
		}
	}
	*table = append(*table, s)
	return len(*table) - 1
}
