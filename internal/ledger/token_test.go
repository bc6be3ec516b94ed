package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/minimize"
	"cordon/internal/store"
	"cordon/internal/token"
)

var testMaker = token.New(sha256.Sum256([]byte("tokens")), "photos.example")

func minted(t testing.TB, c exposure.Category, value string, of []exposure.Identifier) minimize.Minted {
	t.Helper()
	made, err := testMaker.Make(mailPath.Vendor, c, 0, value, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	return minimize.Minted{Token: made, Category: c, Value: value, Identifiers: of}
}

// withTokens lets a message carry tokens of its first person.
func withTokens(t testing.TB, l *Ledger, m message, list ...minimize.Minted) message {
	t.Helper()
	m, err := tryTokens(l, m, list...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func tryTokens(l *Ledger, m message, list ...minimize.Minted) (message, error) {
	var people []minimize.Exposure
	for _, e := range m.exposed {
		people = append(people, minimize.Exposure{Identifiers: e.identifiers, Set: e.set})
	}
	var err error
	m.tokens, err = l.lookUpTokens(&Disclosure{Pathway: m.pathway}, list, people)
	return m, err
}

func mustResolve(t testing.TB, l *Ledger, k token.Key) Resolved {
	t.Helper()
	r, ok, err := l.Resolve(mailPath.Vendor, k)
	if err != nil || !ok {
		t.Fatalf("a token is not resolved: %v", err)
	}
	return r
}

func TestTokenStandsForItsValueAtItsVendorOnly(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	ada := about(justMail, email(1))
	one := minted(t, exposure.Email, email(1).Value, ada.identifiers)
	two := minted(t, exposure.Street, "Rue de l'Exemple 1", nil) // nobody's
	r := mustRecord(t, l, withTokens(t, l, mail(ada), one, two))
	check := func() {
		t.Helper()
		got := mustResolve(t, l, one.Key)
		if got.Value != one.Value || got.Category != exposure.Email || len(got.Ordinals) != 1 || got.Ordinals[0] != r.Ordinals()[0] {
			t.Errorf("stands for %+v", got)
		}
		if got = mustResolve(t, l, two.Key); got.Value != two.Value || got.Category != exposure.Street || len(got.Ordinals) != 0 {
			t.Errorf("stands for %+v", got)
		}
		if _, ok, err := l.Resolve("somebody-else", one.Key); ok || err != nil {
			t.Errorf("another vendor resolves it: %v", err)
		}
	}
	check()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, dir)
	check()
	mustVerify(t, l)
}

// Whom a message names without saying which of them loses its token with any.
func TestTokenOfSeveralIsShreddedWithAnyOfThem(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	mustRecord(t, l, mail(about(justMail, email(1)), about(justMail, userID(1))))
	both := about(justMail, email(1), userID(1))
	one := minted(t, exposure.Email, email(1).Value, both.identifiers)
	mustRecord(t, l, withTokens(t, l, mail(both), one))
	if got := mustResolve(t, l, one.Key); len(got.Ordinals) != 2 {
		t.Fatalf("stands for %+v, want two people's", got)
	}
	if _, err := l.Shred(context.Background(), userID(1), Event{Actor: "t"}); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := l.Resolve(mailPath.Vendor, one.Key); ok || err != nil {
		t.Errorf("still resolved: %v", err)
	}
}

func TestShreddingIsForGoodAndALaterMessageBeginsAnew(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	ada := about(justMail, email(1))
	one := minted(t, exposure.Email, email(1).Value, ada.identifiers)
	mustRecord(t, l, withTokens(t, l, mail(ada), one))
	stale := withTokens(t, l, mail(ada), one) // looked up before the key goes
	if s, err := l.PlanShred(email(2)); !errors.Is(err, ErrUnknown) {
		t.Errorf("nobody known: %+v, %v", s, err)
	}
	s, err := l.Shred(context.Background(), email(1), Event{Actor: "t"})
	if err != nil || s.Keys != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	if e := entryAt(t, l, s.Entry); e.Event.Kind != EventTokenShred || e.Event.Fields["person"] != float64(s.Ordinal) {
		t.Errorf("on record: %+v", e.Event)
	}
	if _, ok, err := l.value(slotKey(personSlot(s.Ordinal))); ok || err != nil {
		t.Errorf("the key is still there: %v", err)
	}
	if _, ok, _ := l.Resolve(mailPath.Vendor, one.Key); ok {
		t.Error("still resolved")
	}
	mustRecord(t, l, stale)
	if got := mustResolve(t, l, one.Key); got.Value != one.Value {
		t.Errorf("a message that was on its way left a token that stands for %+v", got)
	}
}

// Of two values for one short token the second is refused: before it is
// recorded, and when both come in one batch.
func TestSecondValueOfAShortTokenIsRefused(t *testing.T) {
	l := mustOpen(t, t.TempDir())
	first := minted(t, exposure.Phone, "+15555550100", nil)
	second := minted(t, exposure.Phone, "+15555550101", nil)
	second.Key, second.Text = first.Key, first.Text
	if first.Bits >= token.Strong {
		t.Fatal("the token is long")
	}
	var refused, recorded int
	var mu sync.Mutex
	var both sync.WaitGroup
	for _, m := range []message{withTokens(t, l, mail(), first), withTokens(t, l, mail(), second)} {
		both.Go(func() {
			_, err := l.record(context.Background(), m)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				recorded++
			case errors.Is(err, ErrTokenTaken):
				refused++
			default:
				t.Error(err)
			}
		})
	}
	both.Wait()
	if refused != 1 || recorded != 1 {
		t.Errorf("%d recorded, %d refused", recorded, refused)
	}
	got := mustResolve(t, l, first.Key)
	loser := first
	if got.Value == first.Value {
		loser = second
	}
	if _, err := tryTokens(l, mail(), loser); !errors.Is(err, ErrTokenTaken) {
		t.Errorf("the other one is looked up with %v", err)
	}
	if free, err := l.TokenFree(mailPath.Vendor, &loser.Token); free || err != nil {
		t.Errorf("free for the other one: %v, %v", free, err)
	}
	if n := len(allEntries(t, l)); n > 3 { // pathway, set, one disclosure
		t.Errorf("%d entries: the refused one is on record", n)
	}
}

func TestWithoutKeysTokensAreRefused(t *testing.T) {
	l := mustOpen(t, t.TempDir(), func(o *Options) { o.Keys.Tokens = [32]byte{} })
	if _, err := tryTokens(l, mail(), minted(t, exposure.Email, "a@b.example", nil)); err == nil {
		t.Error("tokens without keys are recorded")
	}
}

// What a token costs on disk, compressed as the store keeps it.
func TestBytesOfATokenOnDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("writes thousands of tokens")
	}
	l := mustOpen(t, t.TempDir())
	const people = 6_000
	var done sync.WaitGroup
	for w := range 64 {
		done.Go(func() {
			for i := w; i < people; i += 64 {
				who := about(justMail, email(i))
				m, err := tryTokens(l, mail(who), minted(t, exposure.Email, email(i).Value, who.identifiers))
				if err == nil {
					_, err = l.record(context.Background(), m)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	db := l.store.DB()
	if err := errors.Join(db.Flush(), db.Compact(context.Background(), []byte{0}, []byte{0xff}, false)); err != nil {
		t.Fatal(err)
	}
	size := func(space byte) float64 {
		n, err := db.EstimateDiskUsage([]byte{space}, []byte{space + 1})
		if err != nil {
			t.Fatal(err)
		}
		return float64(n) / people
	}
	row, key := size(store.Token), size(store.PersonKey)
	t.Logf("a token takes %.0f bytes, a person's key %.0f", row, key)
	if row > 130 || key > 80 {
		t.Errorf("a token takes %.0f bytes, a person's key %.0f", row, key)
	}
}

func TestPinsAreKeptForADayAndThenDeleted(t *testing.T) {
	now := time.Date(2026, 2, 3, 22, 0, 0, 0, time.UTC)
	l := mustOpen(t, t.TempDir(), func(o *Options) { o.Now = func() time.Time { return now } })
	pin := func(key string) *Pin {
		t.Helper()
		p, err := l.PinEpoch(mailPath.Vendor, "web", key, now)
		if err != nil {
			t.Fatal(err)
		}
		m := mail()
		if m.tokens, err = l.lookUpTokens(&Disclosure{Pathway: mailPath, Epoch: p.Epoch, Pin: p}, nil, nil); err != nil {
			t.Fatal(err)
		}
		mustRecord(t, l, m)
		return p
	}
	pins := func() (n int) {
		it, err := l.store.DB().NewIter(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer it.Close()
		for it.SeekGE([]byte{store.Pin}); it.Valid() && it.Key()[0] == store.Pin; it.Next() {
			n++
		}
		return n
	}
	for i := range 5 {
		pin(fmt.Sprint(i))
	}
	if _, _, err := l.RotateTokens(context.Background(), Event{Vendor: mailPath.Vendor}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(4 * time.Hour) // the next day
	if p := pin("0"); p.Epoch != 0 {
		t.Errorf("epoch %d after four hours", p.Epoch)
	}
	if p := pin("new"); p.Epoch != 1 || pins() != 6 {
		t.Errorf("a new key in epoch %d, %d pins", p.Epoch, pins())
	}
	now = now.Add(48 * time.Hour)
	if p := pin("0"); p.Epoch != 1 || pins() != 1 {
		t.Errorf("after days epoch %d, %d pins", p.Epoch, pins())
	}
}
