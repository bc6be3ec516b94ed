package main

import (
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"fmt"
	"io/fs"
	"iter"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/minimize"
	"cordon/internal/vendor"
	"cordon/test/rig"
)

// A book is the real ledger with a directory of people, and messages about them ready to be recorded.
type book struct {
	*ledger.Ledger
	dir      string
	spec     *vendor.Spec
	classify *classify.Classifier
	route    vendor.Route
	people   int

	// Cleared messages made beforehand: classifying is not the ledger's work.
	ready []*minimize.Cleared
}

func openBook(dir string, people int) (*book, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	keys, err := newKeys()
	if err != nil {
		return nil, err
	}
	l, err := ledger.Open(ledger.Options{Dir: filepath.Join(dir, "data"), Mirror: filepath.Join(dir, "mirror"), Keys: keys})
	if err != nil {
		return nil, err
	}
	b := &book{Ledger: l, dir: dir, people: people}
	if b.spec, err = acmeMail(); err != nil {
		return nil, err
	}
	if b.classify, err = classify.Compile(b.spec); err != nil {
		return nil, err
	}
	b.route = b.spec.Match("POST", "/v3/mail/send")
	if _, err := l.Import(context.Background(), directory(people)); err != nil {
		return nil, fmt.Errorf("importing the directory: %w", err)
	}
	for range min(people, 8192) {
		c, err := b.clear(mrand.IntN(people))
		if err != nil {
			return nil, err
		}
		b.ready = append(b.ready, c)
	}
	return b, nil
}

func newKeys() (k ledger.Keys, err error) {
	rand.Read(k.Identity[:])
	rand.Read(k.Directory[:])
	k.ID = []byte("bench")
	secret, public, err := note.GenerateKey(rand.Reader, "photos.example/cordon")
	if err != nil {
		return k, err
	}
	if k.Signer, err = note.NewSigner(secret); err != nil {
		return k, err
	}
	if k.Verifier, err = note.NewVerifier(public); err != nil {
		return k, err
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return k, err
	}
	k.Contact, err = hpke.NewDHKEMPublicKey(private.PublicKey())
	return k, err
}

// manifest maps what the recorded messages carry; classifying is not what is measured here.
const manifest = `vendor: acme-mail
name: Acme Mail, Inc.
upstream: https://api.sendgrid.com
country: US
mapping:
  - on: POST /v3/mail/send
    subjects: personalizations[].to[]
    fields: {email: user.contact.email, name: user.name}
minimize: {default: allow}
`

func acmeMail() (*vendor.Spec, error) {
	spec, problems := vendor.Parse("acme-mail.yaml", []byte(manifest))
	if len(problems) > 0 {
		return nil, fmt.Errorf("the manifest: %v", problems[0])
	}
	return spec, nil
}

func directory(people int) iter.Seq2[ledger.Person, error] {
	return func(yield func(ledger.Person, error) bool) {
		for n := range people {
			email := exposure.Identifier{Kind: exposure.KindEmail, Value: rig.Address(n)}
			if !yield(ledger.Person{ID: rig.ID(n), Identifiers: []exposure.Identifier{email}, Country: "US", Language: "en"}, nil) {
				return
			}
		}
	}
}

// clear makes the message about person n ready to be recorded, as the gateway would.
func (b *book) clear(n int) (*minimize.Cleared, error) {
	m := &classify.Message{
		Method: "POST", Path: "/v3/mail/send",
		Header: map[string][]string{"Content-Type": {"application/json"}},
		Body:   rig.Mail(rig.Address(n)),
	}
	f := b.classify.Classify(b.route, m)
	c, d := minimize.Clear(&f, b.spec, nil)
	if d.Verdict != exposure.Pass {
		return nil, fmt.Errorf("the message did not pass: %v", d)
	}
	return &c, nil
}

func (b *book) record(int) error { return b.recordOne(b.ready[mrand.IntN(len(b.ready))]) }

func (b *book) recordOne(c *minimize.Cleared) error {
	r, err := b.Record(context.Background(), ledger.Disclosure{
		Pathway: exposure.Pathway{Vendor: b.spec.ID, Route: b.route.Name, App: "bench"}, Cleared: c,
	})
	if err != nil {
		return err
	}
	b.Settle(r, ledger.Outcome{Result: ledger.Sent, Status: 202, Bytes: int64(len(c.Outgoing().Body))})
	return nil
}

func (b *book) close() error {
	if err := b.Close(); err != nil {
		return err
	}
	return os.RemoveAll(b.dir)
}

// weight is what disclosures cost on disk.
type weight struct {
	Disclosures int     `json:"disclosures"`
	People      int     `json:"people"`
	InFlight    int     `json:"in_flight"`
	Directory   int64   `json:"directory_bytes"` // before the first disclosure
	Total       int64   `json:"total_bytes"`     // after the last
	Each        float64 `json:"bytes_per_disclosure"`
	Seconds     float64 `json:"seconds"`
}

func (w weight) String() string {
	return fmt.Sprintf("%d disclosures about %d people, %d in flight, in %.0f s: the data directory grew from %d to %d bytes, **%.1f bytes a disclosure** (journal, outcomes, tree; as it lay there after a clean stop).",
		w.Disclosures, w.People, w.InFlight, w.Seconds, w.Directory, w.Total, w.Each)
}

// weigh writes disclosures about random people and weighs the data directory after a clean stop.
func weigh(dir string, people, disclosures int) (weight, error) {
	const inFlight = 128
	b, err := openBook(dir, people)
	if err != nil {
		return weight{}, err
	}
	w := weight{Disclosures: disclosures, People: people, InFlight: inFlight, Directory: size(dir)}
	var (
		wg     sync.WaitGroup
		left   atomic.Int64
		failed atomic.Pointer[error]
		begun  = time.Now()
	)
	left.Store(int64(disclosures))
	for range inFlight {
		wg.Go(func() {
			for left.Add(-1) >= 0 && failed.Load() == nil {
				c, err := b.clear(mrand.IntN(people))
				if err == nil {
					err = b.recordOne(c)
				}
				if err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return w, *err
	}
	w.Seconds = time.Since(begun).Seconds()
	if err := b.Close(); err != nil {
		return w, err
	}
	w.Total = size(dir)
	w.Each = float64(w.Total-w.Directory) / float64(disclosures)
	return w, os.RemoveAll(dir)
}

// size is the disk space that the files of a folder occupy.
func size(dir string) (n int64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}
