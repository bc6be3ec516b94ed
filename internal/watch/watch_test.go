package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/store"
	"cordon/internal/vendor"
)

// tape keeps events in memory and can be told to fail.
type tape struct {
	mu     sync.Mutex
	events []ledger.Event
	texts  map[uint64]string // sealed beside the events
	broken bool
}

func (t *tape) AppendSealed(ctx context.Context, e ledger.Event, group, text string) (uint64, error) {
	seq, err := t.Append(ctx, e)
	if err == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.texts == nil {
			t.texts = map[uint64]string{}
		}
		t.texts[seq] = group + ": " + text
	}
	return seq, err
}

func (t *tape) Append(_ context.Context, e ledger.Event) (uint64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.broken {
		return 0, ledger.ErrUnavailable
	}
	t.events = append(t.events, e)
	return uint64(len(t.events)), nil
}

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// bed is a watch over a store in memory, with a mail vendor whose mapping names
// one address and nothing else.
type bed struct {
	t        *testing.T
	fs       vfs.FS
	store    *store.Store
	tape     *tape
	findings *Findings
	watch    *Watch
	spec     *vendor.Spec
	reader   *classify.Classifier
	mu       sync.Mutex
	people   map[exposure.Identifier]exposure.Ordinal
}

func newBed(t *testing.T) *bed {
	b := &bed{t: t, fs: vfs.NewMem(), tape: &tape{}, people: map[exposure.Identifier]exposure.Ordinal{}}
	b.spec = specOf(t)
	var err error
	if b.reader, err = classify.Compile(b.spec); err != nil {
		t.Fatal(err)
	}
	b.findings = NewFindings(b.tape, func() time.Time { return monday })
	b.open()
	t.Cleanup(func() { b.close() })
	return b
}

func (b *bed) open() {
	var err error
	if b.store, err = store.Open("store", store.Options{Create: true, FS: b.fs}); err != nil {
		b.t.Fatal(err)
	}
	b.watch, err = Open(Options{Store: b.store, Findings: b.findings, Now: func() time.Time { return monday }, FlushEvery: time.Hour,
		Who: func(id exposure.Identifier) (exposure.Ordinal, bool, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.people[id] == 0 {
				b.people[id] = exposure.Ordinal(len(b.people) + 1)
			}
			return b.people[id], true, nil
		}})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) close() {
	if b.watch == nil {
		return
	}
	if err := b.watch.Close(); err != nil {
		b.t.Error(err)
	}
	b.watch = nil
	if err := b.store.Close(); err != nil {
		b.t.Error(err)
	}
}

func (b *bed) send(at time.Time, body string) {
	b.t.Helper()
	f := b.reader.Classify(b.spec.Match("POST", "/send"), &classify.Message{
		Method: "POST", Path: "/send", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body),
	})
	f.Search(nil)
	b.watch.Recorded(&f, b.spec.ID, "POST /send", at)
}

// settle waits until everything shown was counted.
func (b *bed) settle() { b.close(); b.open() }

func specOf(t *testing.T) *vendor.Spec {
	t.Helper()
	dir := t.TempDir()
	const manifest = `vendor: acme
upstream: https://api.acme.example
mapping:
  - on: POST /send
    fields: {to: user.contact.email, text: user.content.private}
`
	if err := os.WriteFile(filepath.Join(dir, "acme.yaml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	specs, problems := vendor.LoadDir(dir)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return specs[0]
}

func TestANewLeafOnAKnownRouteIsAFindingAndOnANewRouteIsNot(t *testing.T) {
	b := newBed(t)
	for range 3 {
		b.send(monday, `{"to":"ada@example.org","plan":"pro"}`)
	}
	b.settle()
	if n := len(b.findings.List()); n != 0 {
		t.Fatalf("what a route carried on its first day gave %d findings", n)
	}
	tuesday := monday.Add(25 * time.Hour)
	for i := range 50 {
		b.send(tuesday.Add(time.Duration(i)*time.Minute), fmt.Sprintf(`{"to":"p%d@example.org","traits":{"birthday":"1990-01-0%d"}}`, i%10, i%9+1))
	}
	b.settle()
	list := b.findings.List()
	if len(list) != 1 || list[0].Kind != Drift || list[0].Path != "traits.birthday" || !list[0].Raised.Equal(tuesday.Add(2*time.Minute)) {
		t.Fatalf("findings are %+v", list)
	}
	for _, c := range b.watch.Counts() {
		switch c.Path {
		case "plan":
			if !c.First.Equal(monday) || c.Messages != 3 {
				t.Errorf("plan: %+v", c)
			}
		case "traits.birthday":
			if !c.First.Equal(tuesday) || c.Messages != 50 || c.People != 10 {
				t.Errorf("birthday: %+v", c)
			}
		default:
			t.Errorf("also counted: %+v", c)
		}
	}
}

func TestAnAddressInAFreeTextIsAFindingOnce(t *testing.T) {
	b := newBed(t)
	for range 3 {
		b.send(monday, `{"to":"ada@example.org","text":"write to bob.the.builder@example.net, please"}`)
	}
	b.settle()
	list := b.findings.List()
	if len(list) != 1 || list[0].Kind != Undeclared || list[0].Category != exposure.Email || list[0].Path != "text" {
		t.Fatalf("findings are %+v", list)
	}
	if len(b.tape.events) != 1 {
		t.Errorf("%d entries were written", len(b.tape.events))
	}
	for _, e := range b.tape.events {
		if text := fmt.Sprint(e); strings.Contains(text, "builder") || strings.Contains(text, "ada@") {
			t.Errorf("an entry holds an address: %s", text)
		}
	}
}

func TestKeysThatAreAddressesNeverStandInATemplate(t *testing.T) {
	b := newBed(t)
	b.send(monday, `{"to":"ada@example.org","merge":{"Carol-Jones":1}}`) // once: may be a name
	b.settle()
	for range 3 {
		b.send(monday, `{"to":"ada@example.org","merge":{"bob@example.net":{"score":1},"+4930123456":2,"10.0.0.1":3}}`)
	}
	b.settle()
	for _, c := range b.watch.Counts() {
		if strings.ContainsAny(c.Path, "@+0123456789") || strings.Contains(c.Path, "Carol") {
			t.Errorf("template %q", c.Path)
		}
	}
	if len(b.watch.Counts()) == 0 {
		t.Error("nothing was counted")
	}
}

func TestARouteThatSendsDataAsKeysDoesNotFillTheMemory(t *testing.T) {
	b := newBed(t)
	for i := range 40 {
		var body strings.Builder
		body.WriteString(`{"to":"ada@example.org"`)
		for j := range 30 {
			fmt.Fprintf(&body, `,"k%s%s":1`, word(i), word(j))
		}
		body.WriteString("}")
		for range 3 {
			b.send(monday, body.String())
		}
	}
	b.settle()
	counts := b.watch.Counts()
	rest := 0
	for _, c := range counts {
		if c.Path == restOfPaths {
			rest++
		}
	}
	if len(counts) > maxPaths+2 || rest != 1 {
		t.Errorf("%d paths are counted, %d of them as the rest", len(counts), rest)
	}
}

// word spells a number in letters: a key with digits would be "*" already.
func word(n int) string { return string([]byte{byte('a' + n/26), byte('a' + n%26)}) }

func TestAClosedFindingStaysClosedAndIsFoldedBack(t *testing.T) {
	b := newBed(t)
	b.send(monday, `{"to":"ada@example.org","text":"bob@example.net"}`)
	b.settle()
	id := b.findings.List()[0].ID
	if _, err := b.findings.Close(t.Context(), id, "carol", "a shared mailbox"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.findings.Close(t.Context(), id, "carol", "again"); err == nil {
		t.Error("it was closed twice")
	}
	b.send(monday, `{"to":"ada@example.org","text":"bob@example.net"}`)
	b.settle()
	again := NewFindings(b.tape, time.Now)
	for i, e := range b.tape.events {
		again.Fold(ledger.Entry{Seq: uint64(i + 1), Kind: ledger.KindEvent, At: e.At, Event: e})
	}
	for _, s := range []*Findings{b.findings, again} {
		f, err := s.Get(id)
		if err != nil || f.ClosedBy != "carol" || b.tape.texts[f.ClosedSeq] != id+": a shared mailbox" {
			t.Errorf("%+v, %v", f, err)
		}
		if text := fmt.Sprint(b.tape.events); strings.Contains(text, "mailbox") {
			t.Errorf("why it was closed stands in the clear: %s", text)
		}
		if n := len(s.List()); n != 1 {
			t.Errorf("%d findings", n)
		}
	}
}

func TestAFindingThatCouldNotBeRecordedIsRaisedAtTheNextSighting(t *testing.T) {
	b := newBed(t)
	b.tape.broken = true
	b.send(monday, `{"to":"ada@example.org","text":"bob@example.net"}`)
	b.settle()
	if n := len(b.findings.List()); n != 0 {
		t.Fatalf("%d findings without an entry", n)
	}
	b.tape.broken = false
	b.send(monday, `{"to":"ada@example.org","text":"bob@example.net"}`)
	b.settle()
	if n := len(b.findings.List()); n != 1 {
		t.Errorf("%d findings", n)
	}
}
