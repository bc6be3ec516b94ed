package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cordon/internal/exposure"
	"cordon/internal/store"
)

// damageable makes a small ledger with everything in it: some flushed to
// tables, some only in the log, a signed head, and a tail behind it. It
// returns what was acknowledged, and the folder as a crash leaves it.
func damageable(t *testing.T) (dir, mirror string, acknowledged uint64) {
	t.Helper()
	work, workMirror := t.TempDir(), t.TempDir()
	l := mustOpen(t, work, func(o *Options) { o.Mirror = workMirror })
	fill := func(n int) {
		for i := range n {
			r := mustRecord(t, l, mail(about(nameMail, email(i), userID(i))))
			l.Settle(r, Outcome{Sent, 202, 700})
		}
	}
	fill(300) // more than one tile
	if err := l.store.DB().Flush(); err != nil {
		t.Fatal(err)
	}
	fill(20)
	if err := l.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	fill(20)
	if err := l.store.DB().Flush(); err != nil {
		t.Fatal(err)
	}
	fill(20)
	acknowledged = mustAppend(t, l, Event{Kind: EventConfig})
	// What is on disk at this moment is what kill -9 would leave.
	dir, mirror = t.TempDir(), t.TempDir()
	copyDir(t, work, dir)
	copyDir(t, workMirror, mirror)
	l.Close()
	return dir, mirror, acknowledged
}

// copyDir copies a folder, also one that a store works in: when a table that a
// compaction replaced vanishes meanwhile, it begins again.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	var err error
	for range 20 {
		if err = os.CopyFS(to, os.DirFS(from)); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// verdict opens a damaged ledger and says how the damage was met. What may
// not be: no refusal, no problem, no warning, and fewer entries.
func verdict(t *testing.T, dir, mirror string, acknowledged uint64) string {
	t.Helper()
	l, err := openTest(t, dir, func(o *Options) { o.Mirror = mirror })
	if err != nil {
		var r *store.Refusal
		if !errors.As(err, &r) || r.Next() == "" {
			t.Errorf("refused without a next step: %v", err)
		}
		return "refused"
	}
	defer l.Close()
	warned := len(l.Status().Warnings)
	size := l.Status().Size
	report := l.Verify(t.Context(), nil)
	if len(report.Problems) > 0 {
		return "named by verify"
	}
	if size < acknowledged {
		t.Errorf("%d entries of %d are left, and nothing is said: warnings %v", size, acknowledged, l.Status().Warnings)
		return "SILENT"
	}
	// Everything acknowledged is there and under its hash. Are the identifiers?
	for i := range 300 {
		if o, ok, err := l.Lookup(email(i)); err == nil && (!ok || o == exposure.Nobody) {
			t.Errorf("person %d is not known any more, and nothing is said", i)
			return "SILENT"
		} else if err != nil {
			return "named by look-up"
		}
	}
	if warned > baseline {
		return "named at start"
	}
	return "harmless"
}

// baseline is the number of warnings that the undamaged crash copy gives: its tail.
const baseline = 1

func TestDamageToAnyFileIsRefusedOrNamed(t *testing.T) {
	dir, mirror, acknowledged := damageable(t)
	if v := verdict(t, clone(t, dir), clone(t, mirror), acknowledged); v != "harmless" {
		t.Fatalf("the undamaged copy: %s", v)
	}
	var files []string
	for _, root := range []string{dir, mirror} {
		eachFile(t, root, func(path string, _ []byte) { files = append(files, path) })
	}
	if len(files) < 8 {
		t.Fatalf("only %d files to damage", len(files))
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		size := len(content)
		kinds := map[string]func(string) error{"delete": os.Remove}
		for _, at := range offsets(content, filepath.Ext(path) == ".log") {
			kinds[fmt.Sprintf("flip %d of %d", at, size)] = func(p string) error {
				b, err := os.ReadFile(p)
				if err != nil {
					return err
				}
				b[at] ^= 1 << (at % 8)
				return os.WriteFile(p, b, 0o600)
			}
		}
		for _, to := range []int{0, 1000, 2000, size / 3, size / 2, used(content) / 2, used(content) - 100, used(content) - 1, size - 1} {
			if to >= 0 && to < size {
				kinds[fmt.Sprintf("cut to %d of %d", to, size)] = func(p string) error { return os.Truncate(p, int64(to)) }
			}
		}
		for kind, damage := range kinds {
			root, other := dir, mirror
			inMirror := strings.HasPrefix(path, mirror)
			if inMirror {
				root, other = mirror, dir
			}
			rel, _ := filepath.Rel(root, path)
			t.Run(filepath.Base(path)+"/"+kind, func(t *testing.T) {
				copyRoot, copyOther := clone(t, root), clone(t, other)
				if err := damage(filepath.Join(copyRoot, rel)); err != nil {
					t.Fatal(err)
				}
				d, m := copyRoot, copyOther
				if inMirror {
					d, m = copyOther, copyRoot
				}
				t.Log(verdict(t, d, m, acknowledged))
			})
		}
	}
}

func clone(t *testing.T, dir string) string {
	to := t.TempDir()
	copyDir(t, dir, to)
	return to
}

// used is the length without trailing zeros, which logs are preallocated with.
func used(b []byte) int {
	n := len(b)
	for n > 0 && b[n-1] == 0 {
		n--
	}
	return n
}

// offsets spreads over the file and its end, where a flip looks like a torn write.
func offsets(b []byte, log bool) []int {
	n := used(b)
	if n == 0 {
		return nil
	}
	var at []int
	for i := range 9 {
		at = append(at, i*(n-1)/8)
	}
	// A log may be a recycled one: what counts stands at its beginning, with the
	// remains of its former life behind it.
	if log {
		for i := 61; i < min(n, 3072); i += 61 {
			at = append(at, i)
		}
	}
	for _, back := range []int{2, 5, 10, 20, 40, 80, 200, 1000} {
		if n > back {
			at = append(at, n-back)
		}
	}
	return at
}
