// Command evidence measures what proofs cost: making one from the ledger, making many at once, and checking a bundle
// offline, entry by entry and with a scope of many people. The ledger is a real one in a temporary folder; the check is
// what cordon-verify does, and nothing of it knows the ledger.
//
//	go run ./bench/evidence -entries 100000 -people 35000000
package main

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sys/unix"

	"cordon/evidence"
	"cordon/internal/ledger"
)

const (
	origin   = "photos.example/cordon"
	inFlight = 16 // so many entries share a batch, at most
)

type settings struct {
	out     string
	entries int
	people  int
	cohorts int
}

// A figure is one line of the report; Goal is 0 where none was set.
type figure struct {
	Name string  `json:"name"`
	Took float64 `json:"us"`
	Goal float64 `json:"goal_us,omitempty"`
}

func main() {
	var s settings
	flag.StringVar(&s.out, "out", "bench/out", "folder for evidence.md and evidence.json")
	flag.IntVar(&s.entries, "entries", 100_000, "entries in the ledger")
	flag.IntVar(&s.people, "people", 35_000_000, "people of the frozen scope")
	flag.IntVar(&s.cohorts, "cohorts", 12, "its cohorts")
	flag.Parse()
	if err := measure(s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(s settings) error {
	dir, err := os.MkdirTemp("", "cordon-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b, err := open(filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.fill(s.entries); err != nil {
		return err
	}
	size := b.Status().Signed
	fmt.Fprintf(os.Stderr, "%d entries in %d batches\n", s.entries, size)

	var report []figure
	one := make([]time.Duration, 0, 2000)
	for i := range cap(one) {
		began := time.Now()
		if _, err := b.Prove(uint64(1 + i*7919%s.entries)); err != nil {
			return err
		}
		one = append(one, time.Since(began))
	}
	slices.Sort(one)
	report = append(report, figure{"a proof from the ledger, p50", micros(one[len(one)/2]), 1000}, figure{"a proof from the ledger, p99", micros(one[len(one)*99/100]), 0})

	all := make([]uint64, s.entries)
	for i := range all {
		all[i] = uint64(i + 1)
	}
	began := time.Now()
	batches, err := b.ProveAll(context.Background(), size, all, nil)
	if err != nil {
		return err
	}
	report = append(report, figure{"a proof among all entries", micros(time.Since(began)) / float64(s.entries), 0})

	data, err := b.bundle(batches, nil, nil)
	if err != nil {
		return err
	}
	took, err := verify(data)
	if err != nil {
		return err
	}
	report = append(report, figure{fmt.Sprintf("offline check of an entry, all %d shown", s.entries), micros(took) / float64(s.entries), 10})

	for i := range batches {
		batches[i].Entries = batches[i].Entries[:1]
	}
	if data, err = b.bundle(batches, nil, nil); err != nil {
		return err
	}
	if took, err = verify(data); err != nil {
		return err
	}
	report = append(report, figure{fmt.Sprintf("offline check of an entry, one of each of %d batches", len(batches)), micros(took) / float64(len(batches)), 0})

	// The proof alone, without the file around it and with the signature once.
	if took, err = b.checkAlone(batches); err != nil {
		return err
	}
	report = append(report, figure{"of which the two Merkle paths", micros(took) / float64(len(batches)), 10})

	scope, bitmaps, err := freeze(s)
	if err != nil {
		return err
	}
	if data, err = b.bundle(batches[:1], scope, bitmaps); err != nil {
		return err
	}
	if took, err = verify(data); err != nil {
		return err
	}
	report = append(report, figure{fmt.Sprintf("offline check of a scope of %d people in %d cohorts (%d MB)", s.people, s.cohorts, len(data)>>20), micros(took), 0})
	return write(s, report)
}

// used is the processor time of this process so far: checking waits for nothing, and neighbours shall not count.
func used() time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

func verify(data []byte) (best time.Duration, err error) {
	for range 3 {
		runtime.GC()
		began := used()
		if _, err := evidence.Verify(bytes.NewReader(data), int64(len(data)), evidence.Trust{}); err != nil {
			return 0, err
		}
		if took := used() - began; best == 0 || took < best {
			best = took
		}
	}
	return best, nil
}

// A book is the real ledger with its public key.
type book struct {
	*ledger.Ledger
	key      string
	verifier note.Verifier
}

func open(dir string) (*book, error) {
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, err
	}
	k := ledger.Keys{ID: []byte("bench")}
	rand.Read(k.Identity[:])
	rand.Read(k.Directory[:])
	rand.Read(k.Tokens[:])
	if k.Signer, err = note.NewSigner(secret); err != nil {
		return nil, err
	}
	if k.Verifier, err = note.NewVerifier(public); err != nil {
		return nil, err
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	contact, err := hpke.NewDHKEMPrivateKey(private)
	if err != nil {
		return nil, err
	}
	k.Contact = contact.PublicKey()
	l, err := ledger.Open(ledger.Options{Dir: dir, Keys: k})
	if err != nil {
		return nil, err
	}
	return &book{l, public, k.Verifier}, nil
}

// fill writes an incident's opening and as many gate changes as there is room for.
func (b *book) fill(n int) error {
	ctx := context.Background()
	if _, err := b.record(ledger.EventIncident, map[string]any{"incident": "inc-1", "what": "open"}); err != nil {
		return err
	}
	var wg sync.WaitGroup
	failed := make(chan error, inFlight)
	for w := range inFlight {
		wg.Go(func() {
			for i := w + 1; i < n; i += inFlight {
				e := ledger.Event{Kind: ledger.EventGate, Vendor: "acme-mail", Actor: "ada", Fields: map[string]any{"gate": "cut", "route": "", "n": i}}
				if _, err := b.Append(ctx, e); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	return b.Checkpoint(ctx)
}

// bundle makes one of the batches, and of a scope whose entry it writes first.
func (b *book) bundle(batches []evidence.Batch, s *evidence.Scope, bitmaps map[string][]byte) ([]byte, error) {
	ctx := context.Background()
	c := evidence.Contents{Origin: origin, Key: b.key, Incident: "inc-1", Vendor: "acme-mail", Batches: batches}
	_, size, _, err := b.Shared(false)
	if err != nil {
		return nil, err
	}
	if s != nil {
		digest, err := s.Digest()
		if err != nil {
			return nil, err
		}
		seq, err := b.record(ledger.EventScope, map[string]any{"incident": "inc-1", "scope": s.ID, "digest": digest})
		if err != nil {
			return nil, err
		}
		if _, size, _, err = b.Shared(false); err != nil {
			return nil, err
		}
		open := uint64(0)
		for e, err := range b.Events(1) {
			if err != nil {
				return nil, err
			}
			if e.Event.Kind == ledger.EventIncident {
				open = e.Seq
				break
			}
		}
		if c.Batches, err = b.ProveAll(ctx, size, []uint64{open, seq}, nil); err != nil {
			return nil, err
		}
		c.Scopes = []evidence.Scope{*s}
		c.Bitmap = func(sum string) ([]byte, error) { return bitmaps[sum], nil }
	} else {
		// Later entries changed the head: the proofs are made anew under it.
		var seqs []uint64
		for _, x := range batches {
			for _, e := range x.Entries {
				seqs = append(seqs, e.Seq)
			}
		}
		if c.Batches, err = b.ProveAll(ctx, size, seqs, nil); err != nil {
			return nil, err
		}
	}
	if c.Checkpoint, _, _, err = b.Shared(false); err != nil {
		return nil, err
	}
	d, err := c.Draft()
	if err != nil {
		return nil, err
	}
	seq, err := b.record(ledger.EventIncident, map[string]any{"incident": "inc-1", "what": "export", "digest": d.Head().SHA256})
	if err != nil {
		return nil, err
	}
	checkpoint, later, _, err := b.Shared(false)
	if err != nil {
		return nil, err
	}
	shown, err := b.ProveAll(ctx, later, []uint64{seq}, nil)
	if err != nil {
		return nil, err
	}
	seal := evidence.Seal{Export: shown[0], Checkpoint: checkpoint}
	if seal.Consistency, err = b.Consistency(size, later); err != nil {
		return nil, err
	}
	if seal.Head, err = b.SignBundle(d.Head()); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = d.Write(&out, seal, false)
	return out.Bytes(), err
}

func (b *book) record(kind ledger.EventKind, fields map[string]any) (uint64, error) {
	seq, err := b.Append(context.Background(), ledger.Event{Kind: kind, Vendor: "acme-mail", Actor: "ada", Fields: fields})
	if err != nil {
		return 0, err
	}
	return seq, b.Checkpoint(context.Background())
}

// checkAlone checks the paths of each batch and of its first entry.
func (b *book) checkAlone(batches []evidence.Batch) (time.Duration, error) {
	checkpoint, size, _, err := b.Shared(false)
	if err != nil {
		return 0, err
	}
	var seqs []uint64
	for _, x := range batches {
		seqs = append(seqs, x.Entries[0].Seq)
	}
	if batches, err = b.ProveAll(context.Background(), size, seqs, nil); err != nil {
		return 0, err
	}
	head, err := evidence.OpenCheckpoint(checkpoint, b.verifier)
	if err != nil {
		return 0, err
	}
	began := used()
	for i := range batches {
		if err := batches[i].Check(head); err != nil {
			return 0, err
		}
	}
	return used() - began, nil
}

// freeze makes a scope: everybody is in one cohort, by a mixed order of numbers.
func freeze(s settings) (*evidence.Scope, map[string][]byte, error) {
	sets := make([]*roaring.Bitmap, s.cohorts)
	lists := make([][]uint32, s.cohorts)
	x := uint32(1)
	for i := range s.people {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		at := x % uint32(s.cohorts)
		lists[at] = append(lists[at], uint32(i))
	}
	bitmaps := map[string][]byte{}
	scope := &evidence.Scope{ID: "scope-1", Incident: "inc-1", Query: json.RawMessage(`{"vendor":"acme-mail"}`)}
	type cohort struct {
		Categories []string `json:"categories"`
		Subjects   uint64   `json:"subjects"`
	}
	var cohorts []cohort
	for i := range sets {
		sets[i] = roaring.BitmapOf(lists[i]...)
		sets[i].RunOptimize()
		data, err := sets[i].ToBytes()
		if err != nil {
			return nil, nil, err
		}
		sum := sha256.Sum256(data)
		name := hex.EncodeToString(sum[:])
		bitmaps[name] = data
		c := cohort{[]string{fmt.Sprintf("user.category_%d", i)}, uint64(len(lists[i]))}
		scope.Cohorts = append(scope.Cohorts, evidence.ScopeCohort{ID: fmt.Sprint(i), Categories: c.Categories,
			ScopeBitmap: evidence.ScopeBitmap{Subjects: c.Subjects, SHA256: name}})
		cohorts = append(cohorts, c)
	}
	answer, err := json.Marshal(map[string]any{"subjects": s.people, "certain": 0, "possible": s.people, "cohorts": cohorts})
	scope.Answer = answer
	return scope, bitmaps, err
}

func write(s settings, report []figure) error {
	var md bytes.Buffer
	fmt.Fprintf(&md, "| evidence, %d entries | µs (checks: processor time) | goal |\n|---|---:|---:|\n", s.entries)
	for _, f := range report {
		goal := ""
		if f.Goal > 0 {
			goal = fmt.Sprintf("≤ %g", f.Goal)
		}
		fmt.Fprintf(&md, "| %s | %.1f | %s |\n", f.Name, f.Took, goal)
	}
	os.Stdout.Write(md.Bytes())
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.out, "evidence.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.out, "evidence.md"), md.Bytes(), 0o644)
}
