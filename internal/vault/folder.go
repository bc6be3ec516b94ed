package vault

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// maxFile bounds one file of the keys folder.
const maxFile = 1 << 20

// folder is the plainest keeper: one file per key. Files are read as they are
// needed, so that a rotated secret is seen without a restart.
type folder struct{ dir string }

func (f folder) where(name string) string { return filepath.Join(f.dir, name) }

// names lists the files that belong to the keys.
func (f folder) names() ([]string, error) {
	entries, err := os.ReadDir(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the keys folder: %w", err)
	}
	var names []string
	for _, e := range entries {
		if fileName.MatchString(e.Name()) && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// read opens a file without leaving the folder, also not by a symbolic link
// (links inside it are how secrets are mounted in containers), and refuses
// whatever others could read or replace.
func (f folder) read(name string) ([]byte, error) {
	if !fileName.MatchString(name) {
		return nil, fmt.Errorf("%q is not the name of a file in the keys folder", name)
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if info, err := root.Stat("."); err != nil {
		return nil, err
	} else if info.Mode().Perm()&0o022 != 0 {
		return nil, refuse(fmt.Sprintf("the keys folder %s can be written by others (mode %04o)", f.dir, info.Mode().Perm()), "chmod 0700 "+f.dir)
	}
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO must not hang the start
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, refuse(fmt.Sprintf("%s cannot be opened: %v", f.where(name), cause(err)), "it must be a file, readable by this user, inside the keys folder")
	}
	defer file.Close()
	return readPrivate(file, f.where(name), public[name])
}

// readPrivate reads an open file that only its owner may read.
func readPrivate(file *os.File, path string, isPublic bool) ([]byte, error) {
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, refuse(path+" is not a plain file", "replace it by one")
	case !isPublic && info.Mode().Perm()&0o077 != 0:
		return nil, refuse(fmt.Sprintf("%s can be read by others (mode %04o)", path, info.Mode().Perm()), "chmod 0600 "+path+", and consider its content known")
	case info.Size() > maxFile:
		return nil, refuse(path+" is too large for a key", "put the right file there")
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return data, nil
}

// write makes new files, never replacing one: content first, to disk, then the
// name. A crash leaves a file whole or absent, and at worst a hidden leftover.
func (f folder) write(files bundle) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("creating the keys folder: %w", err)
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	// Private halves first: a public half can be made from a private one.
	slices.SortFunc(names, func(a, b string) int {
		if public[a] != public[b] {
			if public[a] {
				return 1
			}
			return -1
		}
		return compare(a, b)
	})
	for _, name := range names {
		mode := os.FileMode(0o600)
		if public[name] {
			mode = 0o644
		}
		if err := writeNew(f.where(name), files[name], mode); err != nil {
			return err
		}
	}
	return nil
}

// writeNew is open(O_TMPFILE-like name), write, fsync, link, unlink, fsync of
// the folder. link fails where the name exists, which rename would not.
func writeNew(path string, data []byte, mode os.FileMode) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Link(tmp.Name(), path); errors.Is(err, fs.ErrExist) {
		return refuse(path+" exists already", "move it away first; nothing was replaced")
	} else if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Refusal is an error that a person can do something about: what happened, and
// what to do next.
type Refusal struct{ What, Next string }

func (r *Refusal) Error() string { return r.What + "\n" + r.Next }

func refuse(what, next string) error { return &Refusal{what, next} }

func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
