package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cordon/evidence"

	"golang.org/x/mod/sumdb/note"
)

// testWitness cosigns whatever it is given, at a time of the test's choice.
func testWitness(t testing.TB, name string, at time.Time) *evidence.Cosigner {
	t.Helper()
	skey, _, err := evidence.GenerateCosigner(&countingReader{n: byte(len(name))}, name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := evidence.ParseCosigner(skey, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var cosignedAt = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func witnessed(t testing.TB) (*evidence.Cosigner, func(*Options)) {
	c := testWitness(t, "witness.example/w1", cosignedAt)
	return c, func(o *Options) { o.Witness = c.Witness() }
}

// mustCosign signs the ledger's head and has it cosigned and kept.
func mustCosign(t testing.TB, l *Ledger, c *evidence.Cosigner) string {
	t.Helper()
	if err := l.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	head, _ := l.Head()
	cosigned := cosign(t, head, c)
	if err := l.KeepCosigned(cosigned); err != nil {
		t.Fatal(err)
	}
	return cosigned
}

func cosign(t testing.TB, head string, c *evidence.Cosigner) string {
	t.Helper()
	keys, _ := testKeys(t)
	opened, err := note.Open([]byte(head), note.VerifierList(keys.Verifier))
	if err != nil {
		t.Fatal(err)
	}
	msg, err := note.Sign(opened, c)
	if err != nil {
		t.Fatal(err)
	}
	return string(msg)
}

func TestCosignedHeadIsKeptAndProofsBearIt(t *testing.T) {
	dir, mirror := t.TempDir(), t.TempDir()
	c, with := witnessed(t)
	both := []func(*Options){with, func(o *Options) { o.Mirror = mirror }}
	l := mustOpen(t, dir, both...)
	r := mustRecord(t, l, mail(about(justMail, email(1))))
	if got := l.Cosigned(); got.Size != 0 || got.Note != "" {
		t.Errorf("before: %+v", got)
	}
	cosigned := mustCosign(t, l, c)
	later := mustRecord(t, l, mail(about(justMail, email(2))))
	if err := l.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = mustOpen(t, dir, both...)
	if got := l.Cosigned(); got.Note != cosigned || !got.At.Equal(cosignedAt) || got.Late {
		t.Errorf("after a restart: %+v", got)
	}
	for _, path := range []string{l.headsFile, l.mirror} {
		if r, err := readHeads(path); err != nil || r.Cosigned != cosigned || r.Damaged {
			t.Errorf("%s: %+v %v", path, r, err)
		}
	}
	p, err := l.Prove(r.Seq())
	if err != nil {
		t.Fatal(err)
	}
	if at, err := c.Witness().Cosigned(p.Checkpoint); err != nil || !at.Equal(cosignedAt) {
		t.Errorf("the proof's checkpoint: %v %v", at, err)
	}
	if _, _, err := p.Verify(l.keys.Verifier); err != nil {
		t.Error(err)
	}
	// What is newer than the cosigned head is proved under the newest signed one.
	if p, err = l.Prove(later.Seq()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Witness().Cosigned(p.Checkpoint); !errors.Is(err, evidence.ErrNotCosigned) {
		t.Errorf("newer entry: %v", err)
	}
	mustVerify(t, l)
}

func TestHeadThatTheConfiguredWitnessDidNotSignIsNotKept(t *testing.T) {
	c, with := witnessed(t)
	l := mustOpen(t, t.TempDir(), with)
	mustRecord(t, l, mail(about(justMail, email(1))))
	cosigned := mustCosign(t, l, c)
	head, _ := l.Head()
	other := testWitness(t, "other.example/w", cosignedAt)
	for name, bad := range map[string]string{
		"not cosigned":            head,
		"cosigned by another":     cosign(t, head, other),
		"cosigned, but not ours":  strings.Replace(cosigned, "photos.example/test", "else.example/test", 2),
		"a cosignature elsewhere": strings.Replace(cosigned, "\n\n", "\nextension\n\n", 1),
	} {
		if err := l.KeepCosigned(bad); err == nil {
			t.Errorf("%s: kept", name)
		}
	}
	if l.Cosigned().Note != cosigned {
		t.Error("the cosigned head changed")
	}
	if err := mustOpen(t, t.TempDir()).KeepCosigned(cosigned); err == nil {
		t.Error("kept without a witness")
	}
}

func TestOlderCosignatureDoesNotReplaceANewerOne(t *testing.T) {
	c, with := witnessed(t)
	l := mustOpen(t, t.TempDir(), with)
	mustRecord(t, l, mail(about(justMail, email(1))))
	old := mustCosign(t, l, c)
	mustRecord(t, l, mail(about(justMail, email(2))))
	newer := mustCosign(t, l, c)
	if err := l.KeepCosigned(old); err != nil {
		t.Fatal(err)
	}
	if l.Cosigned().Note != newer {
		t.Error("a replayed cosignature took the place of the newer one")
	}
}

// TestLedgerShorterThanItsCosignedHeadDoesNotStart: the operator puts back an
// older copy of everything and keeps the cosigned head only in the mirror.
func TestLedgerShorterThanItsCosignedHeadDoesNotStart(t *testing.T) {
	dir, mirror := t.TempDir(), t.TempDir()
	c, with := witnessed(t)
	both := []func(*Options){with, func(o *Options) { o.Mirror = mirror }}
	l := mustOpen(t, dir, both...)
	mustRecord(t, l, mail(about(justMail, email(1))))
	l.Close()
	backup := clone(t, dir)
	l = mustOpen(t, dir, both...)
	for i := range 5 {
		mustRecord(t, l, mail(about(justMail, email(2+i))))
	}
	mustCosign(t, l, c)
	l.Close()
	// Of the mirror only the cosigned head is left: the other slots are the backup's.
	was, err := os.ReadFile(headsPath(backup))
	if err != nil {
		t.Fatal(err)
	}
	now, err := os.ReadFile(l.mirror)
	if err != nil {
		t.Fatal(err)
	}
	copy(now[:slotsOnce*slotSize], was)
	if err := os.WriteFile(l.mirror, now, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = openTest(t, backup, both...)
	wantRefusal(t, err, "signed batches are missing: the cosigned head in")
	// Also when nobody is configured as a witness any more.
	_, err = openTest(t, backup, both[1])
	wantRefusal(t, err, "signed batches are missing: the cosigned head in")
}

func TestLedgerOtherThanItsCosignedHeadDoesNotStart(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	c, with := witnessed(t)
	l := mustOpen(t, dir, with)
	mustRecord(t, l, mail(about(justMail, email(1))))
	mustCosign(t, l, c)
	l.Close()
	l = mustOpen(t, other, with) // the same keys, another past, longer
	for i := range 10 {
		mustRecord(t, l, mail(about(justMail, email(i))))
	}
	l.Close()
	from, err := os.ReadFile(headsPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	to, err := os.ReadFile(headsPath(other))
	if err != nil {
		t.Fatal(err)
	}
	copy(to[slotsOnce*slotSize:], from[slotsOnce*slotSize:])
	if err := os.WriteFile(headsPath(other), to, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = openTest(t, other, with)
	wantRefusal(t, err, "are not those that the cosigned head in")
}

func TestHeadsFileFromBeforeWitnessesIsTaken(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	mustRecord(t, l, mail(about(justMail, email(1))))
	l.Close()
	if err := os.Truncate(headsPath(dir), slotsOnce*slotSize); err != nil {
		t.Fatal(err)
	}
	c, with := witnessed(t)
	l = mustOpen(t, dir, with)
	if w := l.Status().Warnings; len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
	cosigned := mustCosign(t, l, c)
	l.Close()
	if r, err := readHeads(headsPath(dir)); err != nil || r.Cosigned != cosigned || r.Damaged {
		t.Errorf("%+v %v", r, err)
	}
	// Cut anywhere else it is damage.
	if err := os.Truncate(headsPath(dir), slotsOnce*slotSize+100); err != nil {
		t.Fatal(err)
	}
	if r, err := readHeads(headsPath(dir)); err != nil || !r.Damaged {
		t.Errorf("cut short: %+v %v", r, err)
	}
}

func TestHeadOfAnotherHistoryIsAContradictionAndVerifySaysSo(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	mustRecord(t, l, mail(about(justMail, email(1))))
	l.Close()
	twin := mustOpen(t, clone(t, dir))
	l = mustOpen(t, dir)
	heads := map[string]string{}
	for _, x := range []*Ledger{l, twin} {
		mustRecord(t, x, mail(about(justMail, email(2))))
		if err := x.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	own, _ := l.Head()
	if c, err := l.Agrees(own); c != "" || err != nil {
		t.Errorf("its own head: %q %v", c, err)
	}
	heads["was rewritten, or two are kept"], _ = twin.Head()
	for range 5 {
		mustRecord(t, twin, mail(about(justMail, email(3))))
	}
	if err := twin.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	heads["the rest was cut off"], _ = twin.Head()
	mustVerify(t, l)
	for what, head := range heads {
		if c, err := l.Agrees(head); err != nil || !strings.Contains(c, what) {
			t.Errorf("%s: %q %v", what, c, err)
		}
	}
	if _, err := l.Agrees(strings.Replace(own, "\n2\n", "\n3\n", 1)); err == nil && strings.Contains(own, "\n2\n") {
		t.Error("a head that nobody signed was compared")
	}
	report := l.Verify(t.Context(), nil)
	if report.OK || !strings.Contains(strings.Join(report.Problems, "\n"), "signed a head of") {
		t.Errorf("verify: %+v", report)
	}
}

func TestLatenessOfTheWitnessOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	_, with := witnessed(t)
	for _, late := range []bool{true, false} {
		l := mustOpen(t, dir, with)
		if err := l.SetWitnessLate(late); err != nil {
			t.Fatal(err)
		}
		l.Close()
		l = mustOpen(t, dir, with)
		if got := l.Cosigned().Late; got != late {
			t.Errorf("late %v after a restart", got)
		}
		l.Close()
	}
}

func TestDamagedCosignedSlotIsWarnedOf(t *testing.T) {
	dir := t.TempDir()
	c, with := witnessed(t)
	l := mustOpen(t, dir, with)
	mustRecord(t, l, mail(about(justMail, email(1))))
	mustCosign(t, l, c)
	mustRecord(t, l, mail(about(justMail, email(2))))
	mustCosign(t, l, c)
	l.Close()
	b, err := os.ReadFile(headsPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	b[4*slotSize+100] ^= 1
	b[5*slotSize+100] ^= 1
	if err := os.WriteFile(headsPath(dir), b, 0o600); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, dir, with)
	if w := strings.Join(l.Status().Warnings, "\n"); !strings.Contains(w, filepath.Base(headsPath(dir))+" is damaged") {
		t.Errorf("warnings: %q", w)
	}
}
