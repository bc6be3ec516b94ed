package scope

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/exposure"
	"cordon/internal/store"
)

// TestSealedDaysAreCountedOrAnErrorIsSaid: whatever of the index is lost, a day
// that nothing else tells of is never left out in silence, nor built over.
func TestSealedDaysAreCountedOrAnErrorIsSaid(t *testing.T) {
	now := epoch.AddDate(0, 0, 40)
	for name, c := range map[string]struct {
		harm    func(*pebble.DB) error
		opens   bool // and is then right about pay and mail
		refuses exposure.VendorID
	}{
		"its position is missing": {func(d *pebble.DB) error { return d.Delete(positionKey, pebble.Sync) }, true, ""},
		"another version wrote it": {func(d *pebble.DB) error {
			v, err := get(d, positionKey)
			if err != nil {
				return err
			}
			v[0]--
			return d.Set(positionKey, v, pebble.Sync)
		}, false, ""},
		"a name is missing": {func(d *pebble.DB) error {
			return d.Delete([]byte{store.Scope, keyName, nameVendor, 0, 0, 0, 0}, pebble.Sync)
		}, false, ""},
		"a page is damaged": {func(d *pebble.DB) error {
			return d.Set(pageKey(nil, 1, 0, partHead, dayOf(epoch).in(levelDay)), []byte{headPage, 9, 9, 9}, pebble.Sync)
		}, true, "mail"},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJournal()
			j.disclose(epoch.AddDate(0, 0, -3), ways[3], sent, Exposure{5, exposure.SetOf(exposure.Phone)})
			j.disclose(epoch, ways[0], sent, Exposure{7, exposure.SetOf(exposure.Email)})
			j.disclose(epoch.AddDate(0, 0, 3), ways[0], sent, Exposure{8, exposure.SetOf(exposure.Email)})
			d := db(t)
			x := open(t, j, d, now)
			for _, day := range []time.Time{epoch.AddDate(0, 0, -3), epoch} {
				if _, err := x.Seal(context.Background(), day); err != nil {
					t.Fatal(err)
				}
				j.expire(dayOf(day))
			}
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			if err := c.harm(d); err != nil {
				t.Fatal(err)
			}
			x, err := Open(Options{DB: d, Source: j, Now: func() time.Time { return now }})
			if (err == nil) != c.opens {
				t.Fatalf("opening: %v", err)
			}
			if err != nil {
				return
			}
			defer x.Close()
			for _, when := range []string{"at first", "after a rebuild"} {
				for v, want := range map[exposure.VendorID]uint64{"mail": 2, "pay": 1} {
					a, err := x.Query(context.Background(), Query{Vendor: v})
					switch {
					case (err != nil) != (v == c.refuses):
						t.Errorf("%s, %s: %v", when, v, err)
					case err == nil && (a.Subjects != want || a.Disclosures != want):
						t.Errorf("%s, %s: %d people by %d messages, want %d", when, v, a.Subjects, a.Disclosures, want)
					}
				}
				if err := x.Rebuild(context.Background(), nil); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
