package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cordon/internal/store"
)

func wantRefusal(t *testing.T, err error, sentence string) {
	t.Helper()
	var r *store.Refusal
	if !errors.As(err, &r) || !strings.Contains(err.Error(), sentence) || r.Next() == "" {
		t.Fatalf("want a refusal with %q and a next step, got: %v", sentence, err)
	}
}

func TestRefusesTheKeysOfAnotherLedger(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir).Close()
	_, err := openTest(t, dir, func(o *Options) { o.Keys.ID = []byte("other keys") })
	wantRefusal(t, err, "not the keys of this ledger")
}

func TestNeverMakesANewLedgerOverAnOldHead(t *testing.T) {
	for name, lost := range map[string]func(dir, mirror string){
		"store":                func(dir, _ string) { os.RemoveAll(filepath.Join(dir, "store")) },
		"whole data directory": func(dir, _ string) { os.RemoveAll(dir) },
		"store, and no mirror": func(dir, mirror string) { os.RemoveAll(filepath.Join(dir, "store")); os.RemoveAll(mirror) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, mirror := filepath.Join(t.TempDir(), "data"), t.TempDir()
			with := func(o *Options) { o.Mirror = mirror }
			l := mustOpen(t, dir, with)
			mustRecord(t, l, mail(about(justMail, email(1))))
			l.Close()
			lost(dir, mirror)
			_, err := openTest(t, dir, with)
			wantRefusal(t, err, "there is no store")
		})
	}
}

func TestOlderBackupOfTheStoreIsNamed(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	mustRecord(t, l, mail(about(justMail, email(1))))
	l.Close()
	backup := clone(t, filepath.Join(dir, "store"))
	l = mustOpen(t, dir)
	mustRecord(t, l, mail(about(justMail, email(2))))
	l.Close()
	os.RemoveAll(filepath.Join(dir, "store"))
	copyDir(t, backup, filepath.Join(dir, "store"))
	_, err := openTest(t, dir)
	wantRefusal(t, err, "acknowledged entries are missing")
}

func TestOlderBackupOfEverythingIsNamedByTheMirror(t *testing.T) {
	dir, mirror := t.TempDir(), t.TempDir()
	with := func(o *Options) { o.Mirror = mirror }
	l := mustOpen(t, dir, with)
	mustRecord(t, l, mail(about(justMail, email(1))))
	l.Close()
	backup := clone(t, dir)
	l = mustOpen(t, dir, with)
	mustRecord(t, l, mail(about(justMail, email(2))))
	l.Close()
	_, err := openTest(t, backup, with)
	wantRefusal(t, err, "missing")
}

func TestAnotherHistoryIsNamed(t *testing.T) {
	dir, other, mirror := t.TempDir(), t.TempDir(), t.TempDir()
	l := mustOpen(t, dir, func(o *Options) { o.Mirror = mirror })
	mustRecord(t, l, mail(about(justMail, email(1))))
	l.Close()
	l = mustOpen(t, other) // same keys, another past, longer
	for i := range 10 {
		mustRecord(t, l, mail(about(justMail, email(i))))
	}
	l.Close()
	_, err := openTest(t, other, func(o *Options) { o.Mirror = mirror })
	wantRefusal(t, err, "is not the one that")
}

func TestTailBehindTheLastHeadIsReported(t *testing.T) {
	dir, mirror, _ := damageable(t)
	l := mustOpen(t, dir, func(o *Options) { o.Mirror = mirror })
	w := strings.Join(l.Status().Warnings, "\n")
	if !strings.Contains(w, "were written after the last signed head") {
		t.Errorf("warnings: %q", w)
	}
}

func TestMirrorThatIsGoneIsWrittenAnew(t *testing.T) {
	dir, mirror := t.TempDir(), t.TempDir()
	with := func(o *Options) { o.Mirror = mirror }
	l := mustOpen(t, dir, with)
	mustRecord(t, l, mail(about(justMail, email(1))))
	l.Close()
	os.RemoveAll(mirror)
	l = mustOpen(t, dir, with)
	if w := strings.Join(l.Status().Warnings, "\n"); !strings.Contains(w, "written anew") {
		t.Errorf("warnings: %q", w)
	}
	l.Close()
	if r, err := readHeads(l.mirror); err != nil || r.Checkpoint == "" {
		t.Errorf("mirror: %+v %v", r, err)
	}
}

func TestReadOnlyLedgerReadsAndWritesNothing(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	r := mustRecord(t, l, mail(about(justMail, email(1))))
	l.Close()
	before, _ := os.ReadFile(filepath.Join(dir, "heads"))
	ro := mustOpen(t, dir, func(o *Options) { o.ReadOnly = true; o.Keys.Signer = nil })
	if e := entryAt(t, ro, r.Seq()); e.Pathway != mailPath {
		t.Errorf("entry %+v", e)
	}
	mustVerify(t, ro)
	if _, err := ro.Prove(r.Seq()); err != nil {
		t.Error(err)
	}
	if _, err := ro.Append(t.Context(), Event{Kind: EventConfig}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("append: %v", err)
	}
	ro.Note(Event{Kind: EventConfig})
	ro.Close()
	if after, _ := os.ReadFile(filepath.Join(dir, "heads")); string(before) != string(after) {
		t.Error("the heads changed")
	}
	if _, err := openTest(t, t.TempDir(), func(o *Options) { o.ReadOnly = true }); err == nil {
		t.Error("a ledger that is not there was opened")
	}
}
