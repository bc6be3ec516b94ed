package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
)

// Backup is `cordon keys backup`: the whole bundle, keys and secrets, encrypted
// to every recipient, into a new file, mode 0600. Any one of the recipients can
// restore it. It is refused inside dataDir: a stolen data directory must not
// hold what opens it. What it writes is also what Source.Age reads.
func Backup(src Source, recipients []age.Recipient, out, dataDir string) error {
	if len(recipients) == 0 {
		return refuse("a backup needs at least one recipient", "name an age public key, better two of different people")
	}
	if inside, err := Within(out, dataDir); err != nil {
		return fmt.Errorf("looking where %s lies: %w", out, err)
	} else if inside && dataDir != "" {
		return refuse(out+" lies in the data directory", "write the backup to another disk")
	}
	if _, err := os.Lstat(out); err == nil {
		return refuse(out+" exists already", "choose a new name; no backup is replaced")
	}
	k, err := src.keeper()
	if err != nil {
		return err
	}
	if _, err := Open(src, Options{}); err != nil { // damaged keys are not worth a backup
		return err
	}
	names, err := k.names()
	if err != nil {
		return err
	}
	files := bundle{}
	for _, name := range names {
		if files[name], err = k.read(name); err != nil {
			return err
		}
	}
	var sealed bytes.Buffer
	if err := encryptAge(&sealed, files.encode(), recipients); err != nil {
		return err
	}
	return writeNew(out, sealed.Bytes(), 0o600)
}

// Restore writes the key files of a backup into an empty or new folder.
func Restore(backup io.Reader, identities []age.Identity, dir string) error {
	sealed, err := io.ReadAll(io.LimitReader(backup, maxBundle))
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	data, err := decryptAge("the backup", sealed, identities)
	if err != nil {
		return err
	}
	files, err := decodeBundle(data)
	if err != nil {
		return refuse("the backup cannot be used: "+err.Error(), "use a file that cordon keys backup wrote")
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restoring keys: %w", err)
	}
	if len(entries) > 0 {
		return refuse(dir+" is not empty", "restore into a new folder; no key is replaced")
	}
	if _, err := parse(folder{dir}, files); err != nil {
		return err
	}
	return folder{dir}.write(files)
}

// Within reports whether path lies in dir, also by way of links. Neither need
// exist.
func Within(path, dir string) (bool, error) {
	a, err := resolve(path)
	if err != nil {
		return false, err
	}
	b, err := resolve(dir)
	return err == nil && (a == b || strings.HasPrefix(a, b+string(filepath.Separator))), err
}

// resolve is filepath.EvalSymlinks for a path whose end may not exist yet.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(path) != path {
		parent, err := resolve(filepath.Dir(path))
		return filepath.Join(parent, filepath.Base(path)), err
	}
	return real, err
}
