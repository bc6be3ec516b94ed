package care

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/isolate"
	"cordon/internal/ledger"

	"golang.org/x/mod/sumdb/note"
)

// house is a data directory with a ledger and two gates.
type house struct {
	t      *testing.T
	root   string
	keys   ledger.Keys
	ledger *ledger.Ledger
	now    time.Time
}

const signingKey = "PRIVATE+KEY+photos.example/cordon+"

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, root: t.TempDir(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	skey, vkey, err := note.GenerateKey(nil, "photos.example/cordon")
	if err != nil {
		t.Fatal(err)
	}
	h.keys = ledger.Keys{Identity: sha256.Sum256([]byte("i")), Directory: sha256.Sum256([]byte("d")), Tokens: sha256.Sum256([]byte("t")), ID: []byte("these keys")}
	if h.keys.Signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	if h.keys.Verifier, err = note.NewVerifier(vkey); err != nil {
		t.Fatal(err)
	}
	seed := sha256.Sum256([]byte("contact"))
	priv, err := ecdh.X25519().NewPrivateKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	contact, err := hpke.NewDHKEMPrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	h.keys.Contact = contact.PublicKey()
	h.write("keys/ledger.key", skey)
	h.open()
	for _, v := range []exposure.VendorID{"acme-mail", "acme-pay"} {
		if _, err := isolate.WriteGate(h.at("data"), v, "", isolate.Open); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func (h *house) at(path string) string { return filepath.Join(h.root, path) }

func (h *house) write(path, text string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.at(path)), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.at(path), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) open() {
	h.t.Helper()
	l, err := ledger.Open(ledger.Options{Dir: h.at("data"), Mirror: h.at("mirror"), Keys: h.keys})
	if err != nil {
		h.t.Fatal(err)
	}
	h.ledger = l
	h.t.Cleanup(func() { l.Close() })
}

// grow adds n events and a signed head over them.
func (h *house) grow(n int) {
	h.t.Helper()
	for i := range n {
		_, err := h.ledger.Append(context.Background(), ledger.Event{Kind: ledger.EventConfig, Fields: map[string]any{"n": i, "text": strings.Repeat("x", 500)}})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	if err := h.ledger.Checkpoint(context.Background()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) house() House {
	return House{Ledger: h.ledger, Data: h.at("data"), KeysAt: []string{h.at("keys")}, Keys: h.keys, Now: func() time.Time { return h.now }}
}

func (h *house) backup(to string, change ...func(*Order)) *Done {
	h.t.Helper()
	h.now = h.now.Add(time.Minute)
	o := Order{To: h.at(to), By: "local"}
	for _, c := range change {
		c(&o)
	}
	d, err := h.house().Backup(context.Background(), o)
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

func (h *house) restore(from, to string, change ...func(*Return)) (*Returned, error) {
	r := Return{From: h.at(from), Data: h.at(to), Mirror: h.at("mirror"), Keys: h.keys, KeysAt: []string{h.at("keys")}, By: "local", Now: h.now, Vendors: []string{"acme-new"}}
	for _, c := range change {
		c(&r)
	}
	return Restore(context.Background(), r)
}

func noMirror(r *Return) { r.Mirror = "" }

func refusal(t *testing.T, err error, words ...string) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) || r.Step == "" {
		t.Fatalf("want a refusal with a next step, got %v", err)
	}
	for _, w := range words {
		if !strings.Contains(r.What+" / "+r.Step, w) {
			t.Errorf("%q does not say %q", r.What+" / "+r.Step, w)
		}
	}
}

func files(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(dir, p)
			paths = append(paths, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestBackupOfARunningLedgerHoldsWhatWasAcknowledged(t *testing.T) {
	for _, to := range []string{"backups", "backup.tar"} {
		t.Run(to, func(t *testing.T) {
			h := newHouse(t)
			h.grow(200)
			stop, stopped := make(chan struct{}), make(chan error, 1)
			go func() { // somebody goes on writing
				for {
					select {
					case <-stop:
						stopped <- nil
						return
					default:
					}
					if _, err := h.ledger.Append(context.Background(), ledger.Event{Kind: ledger.EventConfig}); err != nil {
						stopped <- err
						return
					}
				}
			}()
			before := h.ledger.Status().Size
			d := h.backup(to, func(o *Order) { o.Full = true })
			close(stop)
			if err := <-stopped; err != nil {
				t.Fatal(err)
			}
			if d.Entries < before || d.Verified != "full" || d.Entry == 0 || len(d.Digest) != 64 || d.Files < 6 {
				t.Errorf("with %d entries before: %+v", before, d)
			}
			for e, err := range h.ledger.Entries(d.Entry) {
				if err != nil || e.Event.Kind != ledger.EventBackup || e.Event.Actor != "local" || e.Event.Fields["backup"] != h.now.Format(stamp) {
					t.Errorf("the entry about it: %+v, %v", e, err)
				}
				break
			}
			if left := files(t, h.at("data")); slices.ContainsFunc(left, func(p string) bool { return strings.HasPrefix(p, stageFolder) }) {
				t.Error("the stage is still there")
			}
			r, err := h.restore(to, "data2", noMirror)
			if err != nil {
				t.Fatal(err)
			}
			if r.Entries < before || r.Digest != d.Digest {
				t.Errorf("%+v", r)
			}
			l, err := ledger.Open(ledger.Options{Dir: h.at("data2"), Keys: h.keys})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if report := l.Verify(context.Background(), nil); !report.OK || report.Size < before {
				t.Errorf("%+v", report)
			}
		})
	}
}

func TestBackupHoldsNoKey(t *testing.T) {
	h := newHouse(t)
	h.grow(50)
	d := h.backup("backups")
	secret, err := os.ReadFile(h.at("keys/ledger.key"))
	if err != nil {
		t.Fatal(err)
	}
	_, material, _ := bytes.Cut(secret, []byte("+cordon+"))
	needles := [][]byte{secret, h.keys.Identity[:], h.keys.Directory[:], h.keys.Tokens[:], []byte(signingKey), []byte("PRIVATE+KEY")}
	if len(material) > 8 {
		needles = append(needles, material[len(material)-20:])
	}
	for _, p := range files(t, d.Path) {
		b, err := os.ReadFile(filepath.Join(d.Path, p))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range needles {
			if bytes.Contains(b, n) {
				t.Errorf("%s holds key material", p)
			}
		}
	}
	for _, to := range []string{"keys", "keys/backups", "keys/b.tar", "data/backups", "."} {
		_, err := h.house().Backup(context.Background(), Order{To: h.at(to), By: "local"})
		refusal(t, err)
	}
	if err := os.Symlink(h.at("keys"), h.at("link")); err != nil {
		t.Fatal(err)
	}
	_, err = h.house().Backup(context.Background(), Order{To: h.at("link/backups"), By: "local"})
	refusal(t, err, "keys")
	if got := files(t, h.at("keys")); len(got) != 1 {
		t.Errorf("something was written to the keys: %v", got)
	}
}

// Tables that an earlier backup has are not written again, and the older
// backup is as good as before.
func TestSecondBackupWritesOnlyWhatIsNew(t *testing.T) {
	h := newHouse(t)
	h.grow(3000)
	if err := h.ledger.Store().DB().Flush(); err != nil {
		t.Fatal(err)
	}
	first := h.backup("backups")
	h.grow(10)
	second := h.backup("backups")
	if len(second.Warnings) > 0 {
		t.Errorf("%v", second.Warnings)
	}
	linked := 0
	for _, p := range files(t, second.Path) {
		a, errA := os.Stat(filepath.Join(first.Path, p))
		b, errB := os.Stat(filepath.Join(second.Path, p))
		if errA == nil && errB == nil && os.SameFile(a, b) && strings.HasSuffix(p, ".sst") {
			linked++
		}
	}
	if linked == 0 {
		t.Error("no table is shared")
	}
	for _, d := range []*Done{first, second} {
		if err := verifyAll(context.Background(), d.Path, h.keys.Verifier); err != nil {
			t.Error(err)
		}
	}
	third := h.backup("backups", func(o *Order) { o.Keep = 2 })
	if len(third.Removed) != 1 || third.Removed[0] != first.Path {
		t.Errorf("removed %v", third.Removed)
	}
	if got := named(h.at("backups")); len(got) != 2 {
		t.Errorf("left: %v", got)
	}
}

// On another disk there are no hard links between data and backup: then tables
// are compared with those of the backup before.
func TestUnchangedTablesAreNotCopiedToAnotherDisk(t *testing.T) {
	h := newHouse(t)
	h.grow(3000)
	if err := h.ledger.Store().DB().Flush(); err != nil {
		t.Fatal(err)
	}
	first := h.backup("backups")
	// As if on another disk: the backup's tables are files of their own.
	for _, p := range files(t, first.Path) {
		path := filepath.Join(first.Path, p)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		os.Remove(path)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := &writer{h: h.house(), o: Order{To: h.at("backups"), Progress: func(Progress) {}}, m: &Manifest{}, stage: h.at("data")}
	w.findPrevious()
	if w.previous == nil {
		t.Fatal(w.done.Warnings)
	}
	table := ""
	for _, f := range w.previous.Files {
		if strings.HasSuffix(f.Path, ".sst") {
			table = f.Path
		}
	}
	crossDisk = func(string, string) error { return errors.New("another disk") }
	defer func() { crossDisk = os.Link }()
	f, err := w.place(context.Background(), table, h.at("backups/.partial-x/"+table))
	if err != nil || w.done.Copied != 0 {
		t.Errorf("%+v, %d bytes copied: %v", f, w.done.Copied, err)
	}
	// The older copy has rotted: it is said, and the file is copied.
	old := filepath.Join(first.Path, table)
	flip(t, old, 100)
	f, err = w.place(context.Background(), table, h.at("backups/.partial-y/"+table))
	if err != nil || w.done.Copied != f.Size || len(w.done.Warnings) != 1 {
		t.Errorf("%+v, %d bytes copied, %v: %v", f, w.done.Copied, w.done.Warnings, err)
	}
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 4
	os.Remove(path) // it may be a link
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A damaged ledger is not backed up over good backups.
func TestDamagedTableIsNotBackedUp(t *testing.T) {
	h := newHouse(t)
	h.grow(1000)
	if err := h.ledger.Store().DB().Flush(); err != nil {
		t.Fatal(err)
	}
	tables, err := h.ledger.Store().Tables()
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	path := h.at("data/store/" + tables[0].Name())
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{0xff, 0, 0xff}, 50); err != nil {
		t.Fatal(err)
	}
	_, err = h.house().Backup(context.Background(), Order{To: h.at("backups"), By: "local"})
	refusal(t, err, "damaged", tables[0].Name())
	if left, _ := os.ReadDir(h.at("backups")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCutAfterTheBackupIsStillCutAfterRestoring(t *testing.T) {
	for _, mirror := range []bool{true, false} {
		t.Run(fmt.Sprintf("mirror %v", mirror), func(t *testing.T) {
			h := newHouse(t)
			h.grow(20)
			h.backup("backups")
			h.grow(2)
			if _, err := isolate.WriteGate(h.at("data"), "acme-mail", "", isolate.Cut); err != nil {
				t.Fatal(err)
			}
			h.ledger.Close()
			change := noMirror
			if mirror {
				// Two entries came after it was made, and are lost.
				_, err := h.restore("backups", "data2")
				refusal(t, err, "newer than the backup", "--accept-loss")
				_, err = h.restore("backups", "data2", func(r *Return) { n := uint64(17); r.AcceptLoss = &n })
				refusal(t, err, "and not 17")
				if left, _ := os.ReadDir(h.at("data2")); len(left) > 0 {
					t.Errorf("a refused restore left %v", left)
				}
				change = func(r *Return) { n := uint64(2); r.AcceptLoss = &n }
			}
			got, err := h.restore("backups", "data2", change)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Cut, []string{"acme-mail", "acme-new", "acme-pay"}) {
				t.Errorf("cut: %v", got.Cut)
			}
			// What the ledger remembers, even if it says open, opens nothing.
			gates, err := isolate.Load(h.at("data2"), []isolate.Known{
				{Vendor: "acme-mail", Last: map[string]isolate.State{"": isolate.Open}}, {Vendor: "acme-pay"}, {Vendor: "acme-new"},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer gates.Close()
			for _, g := range gates.All() {
				if s, _ := g.State(""); s != isolate.Cut {
					t.Errorf("%s is %s", g.Vendor(), s)
				}
			}
			came, err := Came(h.at("data2"))
			if err != nil || came == nil || came.Digest != got.Digest {
				t.Fatalf("%+v %v", came, err)
			}
			if mirror {
				if came.Lost == nil || came.Lost.To != came.Lost.From+1 || came.Event(h.now).Fields["lost_from"] != came.Lost.From {
					t.Errorf("lost: %+v", came.Lost)
				}
				if _, err := os.Stat(came.OldHead); err != nil {
					t.Errorf("the head over what is lost: %v", err)
				}
			}
			// It starts, with the mirror, and goes on.
			l, err := ledger.Open(ledger.Options{Dir: h.at("data2"), Mirror: h.at("mirror"), Keys: h.keys})
			if mirror && err != nil {
				t.Fatal(err)
			}
			if err == nil {
				l.Close()
			}
			if err := Recorded(h.at("data2")); err != nil {
				t.Error(err)
			}
			if came, err := Came(h.at("data2")); came != nil || err != nil {
				t.Errorf("recorded, and still: %+v %v", came, err)
			}
		})
	}
}

func TestDamagedOrIncompleteBackupIsRefusedByName(t *testing.T) {
	h := newHouse(t)
	h.grow(300)
	if err := h.ledger.Store().DB().Flush(); err != nil {
		t.Fatal(err)
	}
	d := h.backup("backups")
	for _, p := range files(t, d.Path) {
		name := p
		if strings.HasPrefix(p, "manifest") {
			name = "manifest"
		}
		for damage, do := range map[string]func(path string){
			"flipped": func(path string) {
				st, _ := os.Stat(path)
				if st.Size() > 0 {
					flip(t, path, st.Size()/2)
				} else {
					os.WriteFile(path, []byte("x"), 0o600)
				}
			},
			"cut short": func(path string) {
				b, _ := os.ReadFile(path)
				os.Remove(path)
				os.WriteFile(path, b[:len(b)/2], 0o600)
			},
			"longer": func(path string) {
				b, _ := os.ReadFile(path)
				os.Remove(path)
				os.WriteFile(path, append(b, 'x'), 0o600)
			},
			"deleted": func(path string) { os.Remove(path) },
		} {
			if st, _ := os.Stat(filepath.Join(d.Path, p)); st.Size() == 0 && damage == "cut short" {
				continue
			}
			copied := filepath.Join(t.TempDir(), "b")
			if err := os.CopyFS(copied, os.DirFS(d.Path)); err != nil {
				t.Fatal(err)
			}
			do(filepath.Join(copied, p))
			to := filepath.Join(t.TempDir(), "data")
			_, err := Restore(context.Background(), Return{From: copied, Data: to, Keys: h.keys, Now: h.now})
			var r *Refusal
			if !errors.As(err, &r) || !strings.Contains(r.What, name) {
				t.Errorf("%s %s: %v", p, damage, err)
			}
			if left, _ := os.ReadDir(to); len(left) > 0 {
				t.Errorf("%s %s: left behind %v", p, damage, left)
			}
		}
	}
	other := newHouse(t)
	_, err := other.restore("nowhere", "data2")
	refusal(t, err, "no backup")
	_, err = Restore(context.Background(), Return{From: d.Path, Data: other.at("data3"), Keys: other.keys, Now: h.now})
	refusal(t, err, "not signed by this ledger's key")
	_, err = h.restore("backups", "data", noMirror)
	refusal(t, err, "not empty")
}

func TestDamagedTarIsRefusedByName(t *testing.T) {
	h := newHouse(t)
	h.grow(100)
	h.backup("b.tar")
	whole, err := os.ReadFile(h.at("b.tar"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		b := bytes.Clone(whole)
		at := len(b) * i / 60
		b[at] ^= 1 << (i % 8)
		os.WriteFile(h.at("x.tar"), b, 0o600)
		got, err := h.restore("x.tar", "data2", noMirror)
		if err == nil {
			// Between the files: padding, times, modes. What counts is what came out.
			if got.Entries == 0 {
				t.Errorf("byte %d: nothing restored, and nothing said", at)
			}
			os.RemoveAll(h.at("data2"))
		}
		os.WriteFile(h.at("x.tar"), whole[:at], 0o600)
		if _, err := h.restore("x.tar", "data2", noMirror); err == nil {
			if at < len(whole)-1536 { // the end mark alone
				t.Errorf("cut to %d of %d bytes, and restored", at, len(whole))
			}
			os.RemoveAll(h.at("data2"))
		}
	}
}

func TestInterruptedRestoreIsNoDataDirectory(t *testing.T) {
	h := newHouse(t)
	h.grow(100)
	h.backup("backups")
	ctx, stop := context.WithCancel(context.Background())
	_, err := Restore(ctx, Return{From: h.at("backups"), Data: h.at("data2"), Keys: h.keys, Now: h.now, Progress: func(p Progress) {
		if p.Done < p.Total { // there is more to copy
			stop()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("it was interrupted, and says %v", err)
	}
	if left, _ := os.ReadDir(h.at("data2")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The backup holds its own entry, so that nothing is lost of a ledger to which
// nothing was added since.
func TestBackupOfAnIdleLedgerRestoresWithoutALoss(t *testing.T) {
	for _, to := range []string{"backups", "backup.tar"} {
		h := newHouse(t)
		h.grow(20)
		d := h.backup(to)
		h.ledger.Close() // signs what is unsigned, into the mirror
		head, _, _, err := ledger.Mirrored(h.at("mirror"), h.keys.Verifier.Name())
		if err != nil || head.Entries < d.Entry {
			t.Fatalf("the mirror's head covers %d entries, the backup's is %d: %v", head.Entries, d.Entry, err)
		}
		r, err := h.restore(to, "data2")
		if err != nil {
			t.Fatal(err)
		}
		if r.Lost != nil || r.Entries < d.Entry {
			t.Errorf("%+v, the backup's entry is %d", r, d.Entry)
		}
	}
}

func TestBackupThatFailsIsRecordedAsFailed(t *testing.T) {
	h := newHouse(t)
	h.grow(5)
	first := h.backup("backups")
	before := h.ledger.Status().Size
	_, err := h.house().Backup(context.Background(), Order{To: h.at("backups"), By: "local"}) // in the same second
	refusal(t, err, "exists already")
	if first.Entry != before {
		t.Errorf("the ledger goes on with %d after the backup's entry %d", before, first.Entry)
	}
	var told []any
	for e, err := range h.ledger.Entries(before + 1) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Event.Kind == ledger.EventBackup {
			told = append(told, e.Event.Fields["failed"])
		}
	}
	if !slices.Equal(told, []any{nil, true}) {
		t.Errorf("the entries say %v", told)
	}
}

// A loss is named only when the backup could be restored to where it should be.
func TestRestoreLooksAtTargetAndBackupBeforeTheMirror(t *testing.T) {
	for _, to := range []string{"backups", "backup.tar"} {
		h := newHouse(t)
		h.grow(20)
		d := h.backup(to)
		h.grow(3)
		h.ledger.Close()
		_, err := h.restore(to, "data")
		refusal(t, err, "is not empty")
		_, err = h.restore(to, "data2")
		refusal(t, err, "--accept-loss 3")
		if to == "backup.tar" {
			if err := os.Truncate(d.Path, d.Bytes/2); err != nil {
				t.Fatal(err)
			}
			_, err = h.restore(to, "data2")
			refusal(t, err, "incomplete")
			continue
		}
		flip(t, filepath.Join(d.Path, "heads"), 10)
		_, err = h.restore(to, "data2")
		refusal(t, err, "damaged", "heads")
	}
}
