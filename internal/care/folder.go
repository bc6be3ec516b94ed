package care

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// named are the backups in a folder, oldest first.
func named(folder string) []string {
	entries, _ := os.ReadDir(folder)
	var names []string
	for _, e := range entries {
		if _, err := time.Parse(stamp, e.Name()); err == nil && e.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names
}

// findPrevious looks for the newest backup of this ledger in the folder, whose
// files need not be written again.
func (w *writer) findPrevious() {
	names := named(w.o.To)
	for _, name := range slices.Backward(names) {
		at := filepath.Join(w.o.To, name)
		s, err := openFolder(at)
		if err == nil {
			var m *Manifest
			if m, _, err = openManifest(s.text, s.note, w.h.Keys.Verifier); err == nil {
				w.previous, w.previousAt = m, at
				return
			}
		}
		w.done.Warnings = append(w.done.Warnings, fmt.Sprintf("%s cannot be built upon: %v", at, err))
	}
}

// earlier is where the previous backup has a file of that path and size.
func (w *writer) earlier(path string, size int64) (at string, ok bool) {
	if w.previous == nil {
		return "", false
	}
	i, found := slices.BinarySearchFunc(w.previous.Files, path, func(f File, p string) int { return strings.Compare(f.Path, p) })
	if !found || w.previous.Files[i].Size != size {
		return "", false
	}
	return filepath.Join(w.previousAt, filepath.FromSlash(path)), true
}

// hashOf is what the previous backup says of a file that it has.
func (w *writer) hashOf(path string) string {
	i, _ := slices.BinarySearchFunc(w.previous.Files, path, func(f File, p string) int { return strings.Compare(f.Path, p) })
	return w.previous.Files[i].SHA256
}

// prune removes the oldest backups, never the one just made.
func (w *writer) prune(newest string) {
	if w.o.Keep <= 0 {
		return
	}
	names := named(w.o.To)
	for len(names) > w.o.Keep {
		old := filepath.Join(w.o.To, names[0])
		names = names[1:]
		if old == newest {
			continue
		}
		// First it loses its name: half a backup must not look like one.
		gone := filepath.Join(w.o.To, ".partial-removed-"+filepath.Base(old))
		if err := os.Rename(old, gone); err != nil {
			w.done.Warnings = append(w.done.Warnings, fmt.Sprintf("%s could not be removed: %v", old, err))
			continue
		}
		_ = os.RemoveAll(gone) // the next backup tries again
		w.done.Removed = append(w.done.Removed, old)
	}
}

// tar writes the backup as one file.
func (w *writer) tar(ctx context.Context) (*Done, error) {
	if _, err := os.Lstat(w.o.To); err == nil {
		return nil, &Refusal{w.o.To + " exists already", "choose a new name; no backup is replaced"}
	}
	paths, err := w.listed()
	if err != nil {
		return nil, err
	}
	w.total *= 2 // each is read for its hash and then for the archive
	for _, path := range paths {
		from := filepath.Join(w.stage, filepath.FromSlash(path))
		info, err := os.Stat(from)
		if err != nil {
			return nil, err
		}
		sum, err := hashFile(from, w.progress)
		if err != nil {
			return nil, err
		}
		w.m.Files = append(w.m.Files, File{path, info.Size(), sum})
	}
	if err := w.check(ctx, w.stage); err != nil {
		return nil, err
	}
	text, signed, digest, err := w.m.seal(w.h.Keys.Signer)
	if err != nil {
		return nil, err
	}
	partial := w.o.To + ".partial"
	_ = os.Remove(partial) // of an earlier attempt
	out, err := os.OpenFile(partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the backup: %w", err)
	}
	ok := false
	defer func() {
		out.Close()
		if !ok {
			_ = os.Remove(partial)
		}
	}()
	a := tar.NewWriter(out)
	put := func(name string, size int64, r io.Reader) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: w.m.Made, Format: tar.FormatPAX}); err != nil {
			return err
		}
		_, err := io.Copy(io.MultiWriter(a, counter(w.progress)), r)
		return err
	}
	err = put(manifestFile, int64(len(text)), strings.NewReader(string(text)))
	if err == nil {
		err = put(noteFile, int64(len(signed)), strings.NewReader(string(signed)))
	}
	for i := 0; err == nil && i < len(w.m.Files); i++ {
		f := w.m.Files[i]
		var in *os.File
		if in, err = os.Open(filepath.Join(w.stage, filepath.FromSlash(f.Path))); err == nil {
			err = put(f.Path, f.Size, in)
			in.Close()
		}
	}
	if err == nil {
		err = a.Close()
	}
	if err == nil {
		err = out.Sync()
	}
	if err != nil {
		return nil, fmt.Errorf("writing the backup: %w", err)
	}
	// What was written is read again, file by file.
	if err := verifyAll(ctx, partial, w.h.Keys.Verifier); err != nil {
		return nil, err
	}
	if err := os.Rename(partial, w.o.To); err != nil {
		return nil, fmt.Errorf("naming the backup: %w", err)
	}
	ok = true
	if err := syncDir(filepath.Dir(w.o.To)); err != nil {
		return nil, err
	}
	w.done.Copied = w.m.Bytes()
	w.finish(w.o.To, digest)
	return &w.done, nil
}
