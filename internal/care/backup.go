package care

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cordon/internal/ledger"
	"cordon/internal/store"
	"cordon/internal/vault"
)

// Order asks for a backup.
type Order struct {
	// To is a folder of backups, or a file whose name ends in .tar.
	To string
	By string // who asks
	// Full reads the whole copied ledger before the backup gets its name.
	Full bool
	// Keep is how many backups stay in the folder; 0: all.
	Keep int
	// Progress may be nil.
	Progress func(Progress)
}

// Progress is how far a copy is.
type Progress struct {
	Step  string `json:"step"` // copying, checking …
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// Done is a backup that was made.
type Done struct {
	Path       string    `json:"path"`
	Digest     string    `json:"digest"` // SHA-256 of the manifest
	Made       time.Time `json:"made"`
	Entries    uint64    `json:"entries"`
	Checkpoint string    `json:"checkpoint"`
	Files      int       `json:"files"`
	Bytes      int64     `json:"bytes"`
	// Copied is what had to be written; the rest lies there from an earlier
	// backup, or is the very file of the data directory (a hard link).
	Copied int64 `json:"copied"`
	// Verified is "opened", or "full" when every entry was read.
	Verified string `json:"verified"`
	// Removed are older backups that Keep did not keep.
	Removed []string `json:"removed,omitempty"`
	// Warnings name what was found wrong with earlier backups.
	Warnings []string `json:"warnings,omitempty"`
	// Entry is the ledger's entry about this backup.
	Entry uint64 `json:"entry"`
}

// House is what is copied.
type House struct {
	Ledger *ledger.Ledger
	// Data is the data directory, KeysAt the files and folders in which keys lie: nothing is written there.
	Data   string
	KeysAt []string
	Keys   ledger.Keys
	Now    func() time.Time
}

// Refusal says why, and what to do.
type Refusal struct{ What, Step string }

func (r *Refusal) Error() string { return r.What }

// Next is what to do about it.
func (r *Refusal) Next() string { return r.Step }

// stage is where the copy is put together, on the disk of the data directory,
// so that tables are hard links. One backup is made at a time.
const stageFolder = "backup.tmp"

// Clean removes what a backup left behind that was cut short.
func Clean(data string) error { return os.RemoveAll(filepath.Join(data, stageFolder)) }

// Backup makes one and records it. It may run beside everything else.
func (h House) Backup(ctx context.Context, o Order) (done *Done, err error) {
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if err := h.mayWrite(o.To); err != nil {
		return nil, err
	}
	stage := filepath.Join(h.Data, stageFolder)
	if err := os.RemoveAll(stage); err != nil {
		return nil, fmt.Errorf("clearing %s: %w", stage, err)
	}
	defer os.RemoveAll(stage)
	made := h.Now().UTC().Truncate(time.Second)
	m := &Manifest{Format: format, Origin: h.Keys.Verifier.Name(), Made: made, By: o.By}
	// The entry comes before the copy, so that the copy holds it: else the mirror
	// would know one entry more than the newest backup of an idle ledger, and
	// whoever restores it would learn to accept losses by habit. What the backup
	// became stands in its manifest, which is signed; the entry names its id.
	if m.Entry, err = h.record(ctx, o.By, made, nil); err != nil {
		return nil, fmt.Errorf("recording that a backup is made: %w", err)
	}
	defer func() {
		if err == nil {
			return
		}
		// An entry that nothing follows would stand for a backup that there is not.
		if _, also := h.record(context.WithoutCancel(ctx), o.By, made, map[string]any{"failed": true}); also != nil {
			err = errors.Join(err, fmt.Errorf("recording that the backup failed: %w", also))
		}
	}()
	if err = h.fill(ctx, stage, m); err != nil {
		return nil, err
	}
	w := &writer{h: h, o: o, m: m, stage: stage}
	if strings.HasSuffix(o.To, ".tar") {
		done, err = w.tar(ctx)
	} else {
		done, err = w.folder(ctx)
	}
	if err != nil {
		return nil, err
	}
	done.Entry = m.Entry
	return done, nil
}

// record writes the ledger's entry about a backup.
func (h House) record(ctx context.Context, by string, made time.Time, more map[string]any) (uint64, error) {
	fields := map[string]any{"backup": made.Format(stamp)}
	maps.Copy(fields, more)
	return h.Ledger.Append(ctx, ledger.Event{Kind: ledger.EventBackup, At: h.Now(), Actor: by, Fields: fields})
}

// mayWrite keeps backups away from keys and out of what they copy.
func (h House) mayWrite(to string) error {
	for _, keys := range h.KeysAt {
		if keys == "" {
			continue
		}
		if inside, err := vault.Within(to, keys); err != nil {
			return fmt.Errorf("looking where %s lies: %w", to, err)
		} else if inside {
			return &Refusal{to + " lies where the keys are", "write the backup elsewhere: whoever has both can read it"}
		}
		if inside, err := vault.Within(keys, to); err != nil {
			return fmt.Errorf("looking where %s lies: %w", to, err)
		} else if inside {
			return &Refusal{"the keys lie below " + to, "write the backup elsewhere: whoever has both can read it"}
		}
	}
	if inside, err := vault.Within(to, h.Data); err != nil {
		return fmt.Errorf("looking where %s lies: %w", to, err)
	} else if inside {
		return &Refusal{to + " lies in the data directory", "write the backup to another disk"}
	}
	return nil
}

// fill puts the copy together.
func (h House) fill(ctx context.Context, stage string, m *Manifest) error {
	if err := os.MkdirAll(stage, 0o700); err != nil {
		return fmt.Errorf("making %s: %w", stage, err)
	}
	// The base of people before the store, since what the store names may be
	// removed by an import that ends meanwhile; and once more after it, since it
	// may name a newer one. What nobody names does no harm.
	if err := h.people(stage); err != nil {
		return err
	}
	reach, err := h.Ledger.Copy(ctx, stage)
	if err != nil {
		return err
	}
	if err := h.people(stage); err != nil {
		return err
	}
	m.Entries, m.Batches, m.Checkpoint = reach.Entries, reach.Batches, reach.Checkpoint
	gates, err := filepath.Glob(filepath.Join(h.Data, "gates", "*.gate"))
	if err != nil {
		return err
	}
	for _, path := range gates {
		name := filepath.Base(path)
		if strings.HasPrefix(name, ".") {
			continue
		}
		if err := copyPlain(path, filepath.Join(stage, "gates", name)); err != nil {
			return fmt.Errorf("copying the gates: %w", err)
		}
		m.Vendors = append(m.Vendors, strings.TrimSuffix(name, ".gate"))
	}
	return nil
}

// people copies the files of the base. They are copied and not linked: an
// erasure overwrites them in place, and the copy must stay what its manifest says.
func (h House) people(stage string) error {
	from := filepath.Join(h.Data, "people")
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile: then nobody needs it any more
		}
		if err == nil && d.IsDir() && path != from && !numbered(d.Name()) {
			return filepath.SkipDir // an import works there
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		to := filepath.Join(stage, "people", rel)
		if _, err := os.Lstat(to); err == nil {
			return nil
		}
		if err := copyPlain(path, to); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("copying the base of people: %w", err)
	}
	return nil
}

// numbered says whether a folder holds a generation of the base.
func numbered(name string) bool {
	return name != "" && strings.Trim(name, "0123456789") == ""
}

// copyPlain copies a file into the stage; durable it need not be.
func copyPlain(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// writer brings a stage to where it belongs.
type writer struct {
	h     House
	o     Order
	m     *Manifest
	stage string

	previous     *Manifest // the newest backup in the folder, nil for none
	previousAt   string
	total, moved int64
	done         Done
}

// listed are the staged files by path, with slashes.
func (w *writer) listed() (paths []string, err error) {
	err = filepath.WalkDir(w.stage, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(w.stage, path)
		if err != nil {
			return err
		}
		if rel == filepath.Join("store", "LOCK") { // says only who has it open
			return nil
		}
		w.total += info.Size()
		paths = append(paths, filepath.ToSlash(rel))
		return nil
	})
	slices.Sort(paths)
	return paths, err
}

func (w *writer) progress(n int) {
	w.moved += int64(n)
	w.o.Progress(Progress{"copying", w.moved, w.total})
}

const stamp = "20060102T150405Z"

func (w *writer) folder(ctx context.Context) (*Done, error) {
	if err := os.MkdirAll(w.o.To, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of backups: %w", err)
	}
	w.findPrevious()
	final := filepath.Join(w.o.To, w.m.Made.Format(stamp))
	if _, err := os.Lstat(final); err == nil {
		return nil, &Refusal{final + " exists already", "wait a second and run it again"}
	}
	leftovers, _ := filepath.Glob(filepath.Join(w.o.To, ".partial-*"))
	for _, old := range leftovers {
		_ = os.RemoveAll(old) // in the way of nothing
	}
	partial := filepath.Join(w.o.To, ".partial-"+w.m.Made.Format(stamp))
	ok := false
	defer func() {
		if !ok {
			_ = os.RemoveAll(partial)
		}
	}()
	paths, err := w.listed()
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := w.place(ctx, path, filepath.Join(partial, filepath.FromSlash(path)))
		if err != nil {
			return nil, fmt.Errorf("copying %s: %w", path, err)
		}
		w.m.Files = append(w.m.Files, f)
	}
	if err := w.check(ctx, partial); err != nil {
		return nil, err
	}
	text, signed, digest, err := w.m.seal(w.h.Keys.Signer)
	if err != nil {
		return nil, err
	}
	for name, b := range map[string][]byte{manifestFile: text, noteFile: signed} {
		if err := writeDurable(filepath.Join(partial, name), b); err != nil {
			return nil, err
		}
	}
	if err := syncTree(partial); err != nil {
		return nil, err
	}
	if err := os.Rename(partial, final); err != nil {
		return nil, fmt.Errorf("naming the backup: %w", err)
	}
	ok = true
	if err := syncDir(w.o.To); err != nil {
		return nil, err
	}
	w.prune(final)
	w.finish(final, digest)
	return &w.done, nil
}

func (w *writer) finish(path, digest string) {
	d := &w.done
	d.Path, d.Digest, d.Made, d.Entries, d.Checkpoint = path, digest, w.m.Made, w.m.Entries, w.m.Checkpoint
	d.Files, d.Bytes = len(w.m.Files), w.m.Bytes()
}

// check opens the copy as a restored one will be: the last batches are read
// and compared with the head.
func (w *writer) check(ctx context.Context, dir string) error {
	w.o.Progress(Progress{Step: "checking", Total: int64(w.m.Batches)})
	report, reach, err := examine(ctx, dir, w.h.Keys, "", w.o.Full, func(done, total uint64) {
		w.o.Progress(Progress{"checking", int64(done), int64(total)})
	})
	if err != nil {
		return fmt.Errorf("the copy does not open: %w", err)
	}
	if len(report) > 0 {
		return &Refusal{"the copy does not hold: " + report[0], "run `cordon ledger verify`: the ledger itself is damaged, keep earlier backups"}
	}
	if reach.Entries < w.m.Entries {
		return fmt.Errorf("the copy ends with entry %d, the ledger had %d", reach.Entries, w.m.Entries)
	}
	w.m.Reaches = reach.Entries
	w.done.Verified = "opened"
	if w.o.Full {
		w.done.Verified = "full"
	}
	return nil
}

// examine opens a data directory, or a copy of one, for reading. Problems are
// what a full verification found.
func examine(ctx context.Context, dir string, keys ledger.Keys, mirror string, full bool, progress func(done, total uint64)) (problems []string, e ledger.Extent, err error) {
	keys.Signer = nil
	l, err := ledger.Open(ledger.Options{Dir: dir, Mirror: mirror, Keys: keys, ReadOnly: true})
	if err != nil {
		return nil, e, err
	}
	if full {
		problems = l.Verify(ctx, progress).Problems
	}
	s := l.Status()
	e = ledger.Extent{Entries: s.Size, Batches: s.Batches, Checkpoint: s.Checkpoint}
	err = l.Close()
	_ = os.Remove(filepath.Join(dir, "store", "LOCK")) // no part of a copy
	return problems, e, err
}

// place brings one staged file to its place, by a link where that is the same.
func (w *writer) place(ctx context.Context, path, to string) (File, error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return File{}, err
	}
	from := filepath.Join(w.stage, filepath.FromSlash(path))
	info, err := os.Stat(from)
	if err != nil {
		return File{}, err
	}
	f := File{Path: path, Size: info.Size()}
	table := strings.HasSuffix(path, ".sst")
	old, before := w.earlier(path, f.Size)
	if before && table {
		if there, err := os.Stat(old); err == nil && os.SameFile(info, there) {
			// The very file, linked at the last backup: a table never changes.
			f.SHA256 = w.hashOf(path)
			w.progress(int(f.Size))
			return f, os.Link(old, to)
		}
	}
	if table {
		err := store.CheckTableFile(ctx, from)
		if err != nil {
			return f, &Refusal{"the ledger is damaged: " + err.Error(),
				"keep the data directory and the earlier backups as they are, then `cordon ledger verify`"}
		}
	}
	if table && crossDisk(from, to) == nil {
		f.SHA256, err = hashFile(from, w.progress)
		return f, err
	}
	if before {
		sum, err := hashFile(from, nil)
		if err != nil {
			return f, err
		}
		if sum == w.hashOf(path) {
			now, err := hashFile(old, nil)
			if err == nil && now == sum {
				f.SHA256 = sum
				w.progress(int(f.Size))
				return f, os.Link(old, to)
			}
			w.done.Warnings = append(w.done.Warnings, old+" is not any more what its backup says: that backup is damaged")
		}
	}
	f.SHA256, err = w.copy(from, to)
	w.done.Copied += f.Size
	return f, err
}

// crossDisk is os.Link, which fails where data and backup lie on two disks.
var crossDisk = os.Link

// copy copies durably and hashes what it wrote.
func (w *writer) copy(from, to string) (string, error) {
	in, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer in.Close()
	return copyDurable(to, in, w.progress)
}

func copyDurable(to string, in io.Reader, progress func(int)) (string, error) {
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer out.Close()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(out, sum, counter(progress)), in); err != nil {
		return "", err
	}
	if err := out.Sync(); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), out.Close()
}

type counter func(int)

func (c counter) Write(p []byte) (int, error) {
	if c != nil {
		c(len(p))
	}
	return len(p), nil
}

func hashFile(path string, progress func(int)) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(sum, counter(progress)), f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func writeDurable(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// syncTree makes the names in every folder durable.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncDir(path)
	})
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
