package corrupt

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/internal/app"
	"cordon/internal/care"
	"cordon/internal/config"
)

// row is one line of a table of docs/FILES.md.
type row struct {
	pattern       string // of paths below the house
	gone, changed reaction
}

// reaction is what a cell says: one of these words, one of these sentences.
type reaction struct {
	words     []string
	sentences []string
}

var (
	bold = regexp.MustCompile(`\*\*([a-z ]+)\*\*`)
	code = regexp.MustCompile("`([^`]+)`")
)

func reactionOf(cell string) reaction {
	var r reaction
	for _, m := range bold.FindAllStringSubmatch(cell, -1) {
		r.words = append(r.words, m[1])
	}
	for _, m := range code.FindAllStringSubmatch(cell, -1) {
		r.sentences = append(r.sentences, m[1])
	}
	return r
}

// readTable reads every table of the document.
func readTable(t *testing.T) (rows []row) {
	t.Helper()
	text, err := os.ReadFile("../../docs/FILES.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		if len(cells) != 5 {
			t.Errorf("%d cells: %s", len(cells), line)
			continue
		}
		r := row{code.FindStringSubmatch(cells[0])[1], reactionOf(cells[2]), reactionOf(cells[3])}
		if len(r.gone.words) == 0 || len(r.changed.words) == 0 {
			t.Errorf("%s: a cell says nothing", r.pattern)
		}
		rows = append(rows, r)
	}
	return rows
}

// matching are the files that a row is about and no earlier row is.
func matching(rows []row, files []string, r row) (found []string) {
	for _, f := range files {
		for _, other := range rows {
			if ok, err := filepath.Match(other.pattern, f); err == nil && ok {
				if other.pattern == r.pattern {
					found = append(found, f)
				}
				break
			}
		}
	}
	return found
}

// What FILES.md says of a file's loss and change is what happens.
func TestFilesAsDescribed(t *testing.T) {
	rows := readTable(t)
	if len(rows) < 30 {
		t.Fatalf("only %d rows", len(rows))
	}
	h := buildWith(t, options{crash: true, people: 20_500})
	h.furnishRest(t)
	files := h.allFiles(t)
	for _, f := range files {
		if !slices.ContainsFunc(rows, func(r row) bool { ok, _ := filepath.Match(r.pattern, f); return ok }) {
			t.Errorf("FILES.md has no row for %s", f)
		}
	}
	for _, r := range rows {
		found := matching(rows, files, r)
		if len(found) == 0 {
			t.Errorf("%s: no such file in a ledger that has everything", r.pattern)
			continue
		}
		t.Run(strings.ReplaceAll(r.pattern, "/", ":"), func(t *testing.T) {
			// In crash copies lie files that nobody needs any more; the newest is in use.
			file := found[len(found)-1]
			if strings.HasSuffix(r.pattern, "*.gate") {
				file = found[0] // of the vendor that was cut
			}
			t.Run("gone", func(t *testing.T) {
				h.expect(t, file, r.gone, func(path string) error { return os.Remove(path) })
			})
			t.Run("changed", func(t *testing.T) {
				h.expect(t, file, r.changed, change)
			})
		})
	}
}

// change flips a bit in the middle of what the file holds.
func change(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	used := len(b)
	for used > 0 && b[used-1] == 0 {
		used--
	}
	switch {
	case used > 0:
		b[used/2] ^= 2
	case len(b) == 0:
		b = []byte("x")
	default:
		b[0] = 1
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

// expect damages one file of a copy and compares what happens with the table.
func (h *house) expect(t *testing.T, file string, want reaction, damage func(path string) error) {
	t.Helper()
	dir := h.clone(t)
	if strings.HasPrefix(file, "wal2/") && strings.HasSuffix(file, ".log") {
		h.useWal2(t, dir)
	}
	if file == restoredNote {
		err := os.WriteFile(filepath.Join(dir, file), []byte(`{"digest":"ab","made":"2026-01-01T00:00:00Z","by":"local","entries":1}`), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := damage(filepath.Join(dir, file)); err != nil {
		t.Fatal(err)
	}
	var met, silent, said string
	if strings.HasPrefix(file, "backup/") {
		met, said = h.bringBack(dir)
	} else {
		o := h.open(t, dir)
		met, silent = h.met(o)
		said = o.text()
	}
	if silent != "" {
		t.Errorf("%s: %s", file, silent)
		return
	}
	if !slices.Contains(want.words, met) {
		t.Errorf("%s is %s, FILES.md says %v:\n%s", file, met, want.words, said)
	}
	if met == "harmless" || len(want.sentences) == 0 {
		return
	}
	if !slices.ContainsFunc(want.sentences, func(s string) bool { return strings.Contains(said, s) }) {
		t.Errorf("%s: nothing says %q, but\n%s", file, want.sentences, said)
	}
}

// furnishRest adds what not every ledger has: a backup, and what lies about
// after a restore, a scrub, and a backup that was cut short.
func (h *house) furnishRest(t *testing.T) {
	t.Helper()
	cfg, specs := h.config(t, h.clone(t))
	done, err := app.Backup(local, cfg, specs, app.Options{Log: quiet, Now: time.Now}, care.Order{To: filepath.Join(t.TempDir(), "backups"), By: "local"})
	if err != nil {
		t.Fatal(err)
	}
	if err := copyTree(done.Path, filepath.Join(h.dir, "backup")); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		"data/scrub.json":                          `{"last":"2026-01-01T00:00:00Z","bytes":1,"damage":null,"step":0,"table":0,"batch":0,"read":0,"found":null}`,
		"data/backup.tmp/heads":                    "half",
		"data/people/import/resume.json":           "half",
		"data/gates/acme-old.gate.damaged":         "x",
		"data/store/reserve":                       "ballast",
		"mirror/00ff.heads.superseded-20260101T1Z": "old",
	} {
		full := filepath.Join(h.dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// allFiles lists what can be damaged, the keys and a backup with it.
func (h *house) allFiles(t *testing.T) []string {
	t.Helper()
	files := h.files(t)
	for _, dir := range []string{"keys", "backup"} {
		err := filepath.WalkDir(filepath.Join(h.dir, dir), func(p string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				rel, _ := filepath.Rel(h.dir, p)
				if base := filepath.Base(rel); base != "README" && base != "ca.pem" && base != "contacts.key" {
					files = append(files, rel)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// The log as it lies when it was written while the first disk stalled.
	logs, _ := filepath.Glob(filepath.Join(h.dir, "data/store/*.log"))
	files = append(files, "wal2/"+filepath.Base(logs[len(logs)-1]))
	return append(files, restoredNote)
}

// restoredNote shuts every gate at the next start, so it lies only in the copy
// in which it is damaged.
const restoredNote = "data/restored.json"

// useWal2 moves the newest log to the failover folder: so it lies when the
// first disk stalled before it was made.
func (h *house) useWal2(t *testing.T, dir string) {
	t.Helper()
	logs, _ := filepath.Glob(filepath.Join(dir, "data/store/*.log"))
	newest := logs[len(logs)-1]
	if err := os.Rename(newest, filepath.Join(dir, "wal2", filepath.Base(newest))); err != nil {
		t.Fatal(err)
	}
	if met, silent := h.met(h.open(t, h.cloneOf(t, dir))); met != "harmless" {
		t.Fatalf("the whole log in the failover folder: %s %s", met, silent)
	}
}

// bringBack restores the backup of a copy.
func (h *house) bringBack(dir string) (met, said string) {
	cfg := *h.cfg
	cfg.Keys = config.Keys{Dir: filepath.Join(dir, "keys")}
	cfg.Mirror = ""
	_, err := app.Restore(context.Background(), &cfg, h.specs, app.Options{Now: time.Now}, care.Return{
		From: filepath.Join(dir, "backup"), Data: filepath.Join(dir, "data-new"), By: "local",
	})
	if err != nil {
		return "refused", err.Error()
	}
	return "harmless", ""
}
