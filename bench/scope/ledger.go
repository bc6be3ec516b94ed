package main

import (
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/minimize"
	"cordon/internal/scope"
	"cordon/internal/vendor"
)

// An edge is a half hour through which a question cuts. Its messages are in the
// ledger, whereas those of all others are in the index alone.
type edge struct {
	day  int
	half uint8
	cut  time.Duration // after the half hour's beginning
}

// edges are those of the question about 30 days.
func (m model) edges() [2]edge {
	return [2]edge{{max(0, m.Days-37), 18, 11*time.Minute + 7*time.Second}, {m.Days - 8, 31, 19*time.Minute + 51*time.Second}}
}

func (e edge) instant(m model) time.Time {
	return m.day(e.day).Add(time.Duration(e.half)*30*time.Minute + e.cut)
}

func (m model) edge(day int, half uint8) bool {
	for _, e := range m.edges() {
		if e.day == day && e.half == half {
			return true
		}
	}
	return false
}

func openLedger(dir string, seed uint64) (*ledger.Ledger, error) {
	random := mrand.NewChaCha8(sha256.Sum256([]byte(fmt.Sprint("bench/scope ", seed))))
	var k ledger.Keys
	for _, key := range []*[32]byte{&k.Identity, &k.Directory, &k.Tokens} {
		random.Read(key[:])
	}
	k.ID = []byte("bench")
	skey, vkey, err := note.GenerateKey(io.Reader(random), "bench.example/scope")
	if err != nil {
		return nil, err
	}
	if k.Signer, err = note.NewSigner(skey); err != nil {
		return nil, err
	}
	if k.Verifier, err = note.NewVerifier(vkey); err != nil {
		return nil, err
	}
	scalar := sha256.Sum256([]byte("contact"))
	private, err := ecdh.X25519().NewPrivateKey(scalar[:])
	if err != nil {
		return nil, err
	}
	if k.Contact, err = hpke.NewDHKEMPublicKey(private.PublicKey()); err != nil {
		return nil, err
	}
	return ledger.Open(ledger.Options{Dir: filepath.Join(dir, "data"), Keys: k})
}

// manifest maps an address and every optional category, each under its own name.
func manifest(v exposure.VendorID) string {
	fields := "email: user.contact.email"
	for i, c := range optional {
		fields += fmt.Sprintf(", f%d: %s", i, c.Key())
	}
	return "vendor: " + string(v) + "\nname: Bench\nupstream: https://api.bench.example\nmapping:\n  - on: POST /send\n    subjects: to[]\n    fields: {" +
		fields + "}\nminimize: {default: allow}\nunclassified: pass\n"
}

// known is how many people the messages of the edges are about.
const known = 20_000

func address(o exposure.Ordinal) string { return fmt.Sprintf("person%d@mail.example", uint32(o)%known) }

// record writes the messages of the edges into the ledger, as a gateway does.
func (m model) record(l *ledger.Ledger) error {
	specs := make([]*vendor.Spec, m.Vendors)
	classifiers := make([]*classify.Classifier, m.Vendors)
	for v := range specs {
		spec, problems := vendor.Parse("bench.yaml", []byte(manifest(m.vendor(v))))
		if len(problems) > 0 {
			return fmt.Errorf("the manifest: %v", problems[0])
		}
		c, err := classify.Compile(spec)
		if err != nil {
			return err
		}
		specs[v], classifiers[v] = spec, c
	}
	for _, e := range m.edges() {
		type message struct {
			vendor int
			fact   scope.BulkFact
		}
		var all []message
		var facts []scope.BulkFact
		for block := range m.blocks() {
			active := m.active(block)
			for v := range m.Vendors {
				facts = m.facts(v, e.day, block, active, facts[:0])
				for _, f := range facts {
					if f.HalfHour == e.half {
						all = append(all, message{v, f})
					}
				}
			}
		}
		random := mrand.New(mrand.NewPCG(m.Seed, uint64(e.day)))
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		begin := m.day(e.day).Add(time.Duration(e.half) * 30 * time.Minute)
		work := make(chan int, 512)
		failed := make(chan error, 256)
		var workers sync.WaitGroup
		for range 256 {
			workers.Go(func() {
				for i := range work {
					f := all[i].fact
					body := `{"to":[{"email":"` + address(f.Ordinal) + `"`
					for j, c := range optional {
						if m.set(int(f.Set)).Has(c, exposure.Clear) {
							body += fmt.Sprintf(`,"f%d":"%s"`, j, strings.Repeat("x", 5))
						}
					}
					spec := specs[all[i].vendor]
					found := classifiers[all[i].vendor].Classify(spec.Match("POST", "/send"), &classify.Message{Method: "POST", Path: "/send",
						Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body + "}]}")})
					cleared, decision := minimize.Clear(&found, spec, nil)
					if decision.Verdict != exposure.Pass {
						failed <- fmt.Errorf("not cleared: %s", decision.Reason)
						return
					}
					r, err := l.Record(context.Background(), ledger.Disclosure{
						Pathway: m.pathway(all[i].vendor, int(f.Way)), Cleared: &cleared,
						At: begin.Add(30 * time.Minute * time.Duration(i) / time.Duration(len(all))).Truncate(time.Millisecond),
					})
					if err != nil {
						failed <- err
						return
					}
					l.Settle(r, ledger.Outcome{Result: ledger.Sent, Status: 202, Bytes: 900})
				}
			})
		}
		for i := range all {
			select {
			case work <- i:
			case err := <-failed:
				return err
			}
		}
		close(work)
		workers.Wait()
		select {
		case err := <-failed:
			return err
		default:
		}
	}
	_, err := l.Append(context.Background(), ledger.Event{Kind: ledger.EventFinding})
	return err
}

// recorded are the ledger's messages to one vendor, as facts of a day of the model.
func (m model) recorded(l *ledger.Ledger, v int, take func(day int, o exposure.Ordinal, set exposure.Set) error) error {
	name := m.vendor(v)
	for e, err := range l.Entries(1) {
		if err != nil {
			return err
		}
		if e.Kind != ledger.KindDisclosure || e.Pathway.Vendor != name {
			continue
		}
		for _, s := range e.Subjects {
			if err := take(int(e.At.Sub(firstDay)/(24*time.Hour)), s.Ordinal, s.Set); err != nil {
				return err
			}
		}
	}
	return nil
}

func withoutEdges(m model, day int, facts []scope.BulkFact) []scope.BulkFact {
	for _, e := range m.edges() {
		if e.day == day {
			return slices.DeleteFunc(facts, func(f scope.BulkFact) bool { return m.edge(day, f.HalfHour) })
		}
	}
	return facts
}
