package ledger

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestSealedTextIsReadByItsEntryAndLiesNowhereInTheClear(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	const secret = "Ada Lovelace called from Acme"
	type one struct {
		seq         uint64
		group, text string
	}
	var mu sync.Mutex
	var all []one
	var writers sync.WaitGroup
	for i := range 40 { // many in one batch, also the first of their group
		writers.Go(func() {
			o := one{group: fmt.Sprintf("inc-%d", i%3), text: fmt.Sprintf("%s %d", secret, i)}
			seq, err := l.AppendSealed(t.Context(), Event{Kind: EventIncident, Fields: map[string]any{"n": i}}, o.group, o.text)
			if err != nil {
				t.Error(err)
			}
			o.seq = seq
			mu.Lock()
			all = append(all, o)
			mu.Unlock()
		})
	}
	writers.Wait()
	check := func(gone string) {
		t.Helper()
		for _, o := range all {
			got, ok, err := l.SealedText(o.seq)
			if err != nil || ok != (o.group != gone) || ok && got != o.text {
				t.Fatalf("entry %d of %s: %q, %t, %v", o.seq, o.group, got, ok, err)
			}
			if digest := entryAt(t, l, o.seq).Event.Fields["text_digest"]; digest != l.Digest(o.text) {
				t.Fatalf("entry %d has the digest %v", o.seq, digest)
			}
		}
	}
	check("")
	if _, ok, err := l.SealedText(all[0].seq + 1000); ok || err != nil {
		t.Errorf("a text of no entry: %t, %v", ok, err)
	}
	l.Close()
	l = mustOpen(t, dir)
	check("")
	it, err := l.store.DB().NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for it.First(); it.Valid(); it.Next() {
		if bytes.Contains(it.Value(), []byte("Lovelace")) {
			t.Fatalf("in the clear under %q", it.Key())
		}
	}
	it.Close()

	// Shredded, and gone for good; the same group may go on with another key.
	if _, err := l.ShredTexts(t.Context(), "inc-1", Event{Kind: EventIncident}); err != nil {
		t.Fatal(err)
	}
	check("inc-1")
	seq, err := l.AppendSealed(t.Context(), Event{Kind: EventIncident}, "inc-1", "new")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = mustOpen(t, dir)
	check("inc-1")
	if got, ok, err := l.SealedText(seq); got != "new" || !ok || err != nil {
		t.Errorf("%q, %t, %v", got, ok, err)
	}
	mustVerify(t, l)

	// A text is bound to its entry.
	a, _, _ := l.value(sealedTextKey(all[0].seq))
	b := l.store.DB().NewBatch()
	if err := b.Set(sealedTextKey(seq+5), a, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.store.Apply(b); err != nil {
		t.Fatal(err)
	}
	if text, ok, err := l.SealedText(seq + 5); ok || err != nil && !strings.Contains(err.Error(), "text of entry") {
		t.Errorf("moved to another entry: %q, %v", text, err)
	}
}
