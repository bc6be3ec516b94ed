package ledger

import (
	"errors"
	"strings"
	"testing"

	"cordon/internal/exposure"

	"github.com/cockroachdb/pebble/v2"
)

func TestLegalHoldSuspendsErasureUntilItIsLifted(t *testing.T) {
	dir := t.TempDir()
	c := &clock{may}
	l := mustOpen(t, dir, c.option)
	recordOn(t, l, c, may, 3)
	o, _, _ := l.Lookup(email(1))
	other, _, _ := l.Lookup(email(2))
	vendors := []exposure.VendorID{"acme-mail"}
	for _, h := range []Hold{{Name: "person", Person: o}, {Name: "vendor", Vendor: "acme-mail"}, {Name: "all"}} {
		h, err := l.SetHold(t.Context(), h, "litigation about Ada", Event{Actor: "counsel"})
		if err != nil || h.Entry == 0 {
			t.Fatalf("setting %s: %v", h.Name, err)
		}
		if _, err := l.SetHold(t.Context(), h, "", Event{}); !errors.Is(err, ErrHoldStands) {
			t.Errorf("setting %s twice: %v", h.Name, err)
		}
		l.Close()
		l = mustOpen(t, dir, c.option)
		_, err = l.Erase(t.Context(), []ToErase{{o, vendors}}, Event{})
		if held, ok := errors.AsType[*HeldError](err); !ok || held.Hold.Name != h.Name {
			t.Errorf("under %s: %v", h.Name, err)
		}
		if _, known, _ := l.Lookup(email(1)); !known {
			t.Fatalf("the person is gone under the hold %s", h.Name)
		}
		mustVerify(t, l)
		if text, ok, err := l.SealedText(h.Entry); !ok || text != "litigation about Ada" || err != nil {
			t.Errorf("the reason reads %q: %v", text, err)
		}
		if h.Name == "person" { // holds nobody else
			if _, err := l.Erase(t.Context(), []ToErase{{other, vendors}}, Event{}); err != nil {
				t.Error(err)
			}
		}
		if h.Name == "all" {
			c.t = may.AddDate(0, 0, 2)
			if err := l.Expire(t.Context(), may, "p", "d"); err == nil || !strings.Contains(err.Error(), "legal hold all") {
				t.Errorf("a day under a hold of everything: %v", err)
			}
		}
		if _, err := l.LiftHold(t.Context(), h.Name, "", Event{}); err != nil {
			t.Fatal(err)
		}
		mustVerify(t, l)
	}
	if _, err := l.LiftHold(t.Context(), "all", "", Event{}); !errors.Is(err, ErrNoSuchHold) {
		t.Errorf("lifting what does not stand: %v", err)
	}
	if _, err := l.Erase(t.Context(), []ToErase{{o, vendors}}, Event{}); err != nil {
		t.Errorf("after all holds are lifted: %v", err)
	}
	if err := l.Expire(t.Context(), may, "p", "d"); err != nil {
		t.Error(err)
	}
}

func TestHoldThatIsTakenAwayFromTheStoreIsNamed(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	if _, err := l.SetHold(t.Context(), Hold{Name: "all"}, "", Event{}); err != nil {
		t.Fatal(err)
	}
	if err := l.store.DB().Delete(holdKey("all"), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = mustOpen(t, dir)
	if r := l.Verify(t.Context(), nil); r.OK || !strings.Contains(r.Problems[0], "the legal hold all of entry") {
		t.Errorf("verify says %q", r.Problems)
	}
}
