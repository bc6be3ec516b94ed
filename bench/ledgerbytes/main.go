// Command ledgerbytes measures what a disclosure costs on disk, with
// everything included but scope's index: journal, tree, dictionaries, the
// outcome, what Pebble adds, and apart from that what a person costs.
//
//	go run ./bench/ledgerbytes [-n 1000000] [-people 50000] [-inflight 256]
package main

import (
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"flag"
	"fmt"
	"io/fs"
	"log"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/minimize"
	"cordon/internal/vendor"

	"golang.org/x/mod/sumdb/note"
)

const manifest = `vendor: acme-mail
name: Acme Mail
upstream: https://api.acme-mail.example
mapping:
  - on: POST /send
    subjects: to[]
    fields: {email: user.contact.email, name: user.name}
minimize: {default: allow}
unclassified: pass
`

func main() {
	n := flag.Int("n", 1_000_000, "disclosures")
	people := flag.Int("people", 50_000, "people in the directory")
	inFlight := flag.Int("inflight", 256, "requests at a time")
	flag.Parse()
	if err := run(*n, *people, *inFlight); err != nil {
		log.Fatal(err)
	}
}

func run(n, people, inFlight int) error {
	dir, err := os.MkdirTemp("", "ledgerbytes")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	keys, err := newKeys()
	if err != nil {
		return err
	}
	l, err := ledger.Open(ledger.Options{Dir: filepath.Join(dir, "data"), Keys: keys})
	if err != nil {
		return err
	}
	if _, err := l.Import(context.Background(), directory(people)); err != nil {
		return err
	}
	before, err := settled(l, dir)
	if err != nil {
		return err
	}
	clear, err := clearer(filepath.Join(dir, "vendors"))
	if err != nil {
		return err
	}
	start := time.Now()
	if err := disclose(l, clear, n, people, inFlight); err != nil {
		return err
	}
	took := time.Since(start)
	after, err := settled(l, dir)
	if err != nil {
		return err
	}
	s := l.Status()
	fmt.Printf("%d disclosures with outcomes in %.1f s, %d entries in %d batches (%.0f a batch)\n",
		n, took.Seconds(), s.Size, s.Batches, float64(s.Size)/float64(s.Batches))
	fmt.Printf("bytes a disclosure: %.2f\n", float64(after-before)/float64(n))
	fmt.Printf("bytes a person of the directory (two identifiers, attributes, sealed id): %.1f\n", float64(before)/float64(people))
	return l.Close()
}

// settled compacts the store and returns the bytes of its tables: what lies
// in logs is on its way there.
func settled(l *ledger.Ledger, dir string) (total int64, err error) {
	time.Sleep(50 * time.Millisecond) // outcomes nobody waits for
	db := l.Store().DB()
	if err := db.Flush(); err != nil {
		return 0, err
	}
	if err := db.Compact(context.Background(), []byte{0}, []byte{0xff}, false); err != nil {
		return 0, err
	}
	time.Sleep(time.Second) // deletion of what was compacted away
	err = filepath.WalkDir(filepath.Join(dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".sst") {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}

func disclose(l *ledger.Ledger, clear func(email string) (*minimize.Cleared, error), n, people, inFlight int) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, inFlight)
	for range inFlight {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				c, err := clear(email(mrand.IntN(people)))
				if err != nil {
					failed <- err
					return
				}
				r, err := l.Record(context.Background(), ledger.Disclosure{
					Pathway: exposure.Pathway{Vendor: "acme-mail", Route: "POST /send", App: "app" + strconv.Itoa(mrand.IntN(5))},
					Cleared: c,
				})
				if err != nil {
					failed <- err
					return
				}
				l.Settle(r, ledger.Outcome{Result: ledger.Sent, Status: 202, Bytes: int64(500 + mrand.IntN(1000))})
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

func email(i int) string { return "person" + strconv.Itoa(i) + "@mail.example" }

func directory(n int) func(func(ledger.Person, error) bool) {
	return func(yield func(ledger.Person, error) bool) {
		for i := range n {
			id, err := exposure.Canonical(exposure.KindEmail, email(i))
			p := ledger.Person{
				ID: "u-" + strconv.Itoa(i), Identifiers: []exposure.Identifier{id},
				Country: []string{"DE", "US", "FR", "JP"}[i%4], Language: "en",
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// clearer makes messages through the real classifier and policy.
func clearer(dir string) (func(email string) (*minimize.Cleared, error), error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "acme-mail.yaml"), []byte(manifest), 0o600); err != nil {
		return nil, err
	}
	specs, problems := vendor.LoadDir(dir)
	if len(problems) > 0 {
		return nil, fmt.Errorf("manifest: %v", problems)
	}
	classifier, err := classify.Compile(specs[0])
	if err != nil {
		return nil, err
	}
	route := specs[0].Match("POST", "/send")
	return func(email string) (*minimize.Cleared, error) {
		body := `{"to":[{"email":"` + email + `"`
		if mrand.IntN(2) == 0 {
			body += `,"name":"Ada"`
		}
		found := classifier.Classify(route, &classify.Message{
			Method: "POST", Path: "/send", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body + `}]}`),
		})
		cleared, decision := minimize.Clear(&found, specs[0], nil)
		if decision.Verdict != exposure.Pass {
			return nil, fmt.Errorf("not cleared: %s", decision.Reason)
		}
		return &cleared, nil
	}, nil
}

func newKeys() (k ledger.Keys, err error) {
	skey, vkey, err := note.GenerateKey(rand.Reader, "bench.example/ledgerbytes")
	if err != nil {
		return k, err
	}
	if k.Signer, err = note.NewSigner(skey); err != nil {
		return k, err
	}
	if k.Verifier, err = note.NewVerifier(vkey); err != nil {
		return k, err
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return k, err
	}
	if k.Contact, err = hpke.NewDHKEMPublicKey(private.PublicKey()); err != nil {
		return k, err
	}
	k.ID = []byte("bench")
	_, err = rand.Read(k.Identity[:])
	if err == nil {
		_, err = rand.Read(k.Directory[:])
	}
	return k, err
}
