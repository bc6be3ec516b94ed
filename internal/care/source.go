package care

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// source is a backup that is read: a folder or a tar file.
type source struct {
	at         string
	archive    bool
	text, note []byte
}

// maxManifest bounds what is read of a manifest: a million files.
const maxManifest = 256 << 20

func incomplete(at, name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &Refusal{fmt.Sprintf("the backup %s is incomplete: %s is missing or cut short", at, name), "use an earlier backup"}
	}
	return fmt.Errorf("reading %s of the backup %s: %w", name, at, err)
}

func damagedFile(at, name string) error {
	return &Refusal{fmt.Sprintf("the backup %s is damaged: %s is not what the manifest says", at, name), "use an earlier backup"}
}

// openSource finds the backup that from names: a tar file, the folder of one
// backup, or a folder of backups, of which the newest is meant.
func openSource(from string) (*source, error) {
	info, err := os.Stat(from)
	if err != nil {
		return nil, &Refusal{"there is no backup at " + from + ": " + strings.TrimPrefix(err.Error(), "stat "+from+": "), "name a backup that `cordon ledger backup` made"}
	}
	if !info.IsDir() {
		return openArchive(from)
	}
	if _, err := os.Stat(filepath.Join(from, manifestFile)); err == nil {
		return openFolder(from)
	}
	if names := named(from); len(names) > 0 {
		return openFolder(filepath.Join(from, names[len(names)-1]))
	}
	for _, name := range []string{noteFile, "store", "heads"} {
		if _, err := os.Stat(filepath.Join(from, name)); err == nil { // it was one
			return openFolder(from)
		}
	}
	return nil, &Refusal{"there is no backup in " + from, "name a backup that `cordon ledger backup` made, or the folder of backups"}
}

func openFolder(at string) (s *source, err error) {
	s = &source{at: at}
	if s.text, err = os.ReadFile(filepath.Join(at, manifestFile)); err != nil {
		return nil, incomplete(at, manifestFile, err)
	}
	if s.note, err = os.ReadFile(filepath.Join(at, noteFile)); err != nil {
		return nil, incomplete(at, noteFile, err)
	}
	return s, nil
}

func openArchive(at string) (*source, error) {
	s := &source{at: at, archive: true}
	f, err := os.Open(at)
	if err != nil {
		return nil, fmt.Errorf("opening the backup: %w", err)
	}
	defer f.Close()
	a := tar.NewReader(f)
	for _, want := range []struct {
		name string
		into *[]byte
	}{{manifestFile, &s.text}, {noteFile, &s.note}} {
		h, err := a.Next()
		if err != nil {
			return nil, incomplete(at, want.name, err)
		}
		if h.Name != want.name {
			return nil, &Refusal{at + " is no backup: it begins with another file than " + want.name, "name a backup that `cordon ledger backup` made"}
		}
		if *want.into, err = io.ReadAll(io.LimitReader(a, maxManifest)); err != nil {
			return nil, incomplete(at, want.name, err)
		}
	}
	return s, nil
}

func (s *source) manifest(v note.Verifier) (*Manifest, string, error) {
	m, digest, err := openManifest(s.text, s.note, v)
	if err != nil {
		return nil, "", &Refusal{fmt.Sprintf("the backup %s cannot be used: %v", s.at, err),
			"use the keys of the ledger that was backed up (`cordon keys restore`), or an earlier backup"}
	}
	return m, digest, nil
}

// each gives every file of the manifest, in its order, to visit, which reads
// all of it.
func (s *source) each(ctx context.Context, m *Manifest, visit func(File, io.Reader) error) error {
	if s.archive {
		return s.eachPacked(ctx, m, visit)
	}
	for _, f := range m.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		in, err := os.Open(filepath.Join(s.at, filepath.FromSlash(f.Path)))
		if err != nil {
			return incomplete(s.at, f.Path, err)
		}
		err = visit(f, in)
		in.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *source) eachPacked(ctx context.Context, m *Manifest, visit func(File, io.Reader) error) error {
	f, err := os.Open(s.at)
	if err != nil {
		return fmt.Errorf("opening the backup: %w", err)
	}
	defer f.Close()
	a := tar.NewReader(f)
	for range 2 { // the manifest and its note
		if _, err := a.Next(); err != nil {
			return incomplete(s.at, manifestFile, err)
		}
	}
	for _, want := range m.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := a.Next()
		if err != nil {
			return incomplete(s.at, want.Path, err)
		}
		if h.Name != want.Path {
			return incomplete(s.at, want.Path, fs.ErrNotExist)
		}
		if err := visit(want, a); err != nil {
			return err
		}
	}
	return nil
}

// verifyAll reads a whole backup and names the first file that is not what the manifest says.
func verifyAll(ctx context.Context, at string, v note.Verifier) error {
	s, err := openSource(at)
	if err != nil {
		return err
	}
	m, _, err := s.manifest(v)
	if err != nil {
		return err
	}
	return s.compare(ctx, m)
}

// compare reads every file and names the first that is not what the manifest says.
func (s *source) compare(ctx context.Context, m *Manifest) error {
	return s.each(ctx, m, func(f File, r io.Reader) error {
		sum := sha256.New()
		n, err := io.Copy(sum, r)
		if err != nil {
			return incomplete(s.at, f.Path, err)
		}
		if n != f.Size || !bytes.Equal(sum.Sum(nil), unhex(f.SHA256)) {
			return damagedFile(s.at, f.Path)
		}
		return nil
	})
}

func unhex(s string) []byte {
	b, _ := hex.DecodeString(s)
	return b
}
