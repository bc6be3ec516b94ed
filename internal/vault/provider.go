package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// keeper is where key material lies.
type keeper interface {
	// names lists all files, none if there is nothing yet.
	names() ([]string, error)
	// read gives one file; fs.ErrNotExist if it is not there.
	read(name string) ([]byte, error)
	// write adds files, durably on return. It never replaces one.
	write(bundle) error
	// where names a file for a person.
	where(name string) string
}

func (s Source) keeper() (keeper, error) {
	given := 0
	for _, set := range []bool{s.Dir != "", s.Age != "", len(s.Command) > 0} {
		if set {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, refuse("keys must be kept in exactly one place", "name a folder, or age, or command")
	case s.Dir != "":
		return folder{s.Dir}, nil
	case s.Age != "":
		ids, recipients, err := s.unlock()
		if err != nil {
			return nil, err
		}
		return newSealed("the bundle "+s.Age, ageFile{s.Age, ids, recipients})
	default:
		return newSealed("the keys of "+s.Command[0], command(s.Command))
	}
}

// store keeps a bundle as one opaque piece.
type store interface {
	load() ([]byte, error) // nil when there is nothing yet
	save([]byte) error
}

// sealed is a keeper over a store: the bundle is opened once and kept in memory.
type sealed struct {
	name  string
	store store
	files bundle
}

func newSealed(name string, s store) (*sealed, error) {
	data, err := s.load()
	if err != nil {
		return nil, err
	}
	k := &sealed{name, s, bundle{}}
	if len(data) > 0 {
		if k.files, err = decodeBundle(data); err != nil {
			return nil, refuse(fmt.Sprintf("%s cannot be used: %v", name, err), "restore it from a backup")
		}
	}
	return k, nil
}

func (k *sealed) names() ([]string, error) { return slices.Sorted(maps.Keys(k.files)), nil }
func (k *sealed) where(name string) string { return name + " in " + k.name }

func (k *sealed) read(name string) ([]byte, error) {
	data, ok := k.files[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", k.where(name), fs.ErrNotExist)
	}
	return data, nil
}

func (k *sealed) write(files bundle) error {
	all := maps.Clone(k.files)
	for name, data := range files {
		if _, exists := all[name]; exists {
			return refuse(k.where(name)+" exists already", "nothing was replaced")
		}
		all[name] = data
	}
	if err := k.store.save(all.encode()); err != nil {
		return err
	}
	k.files = all
	return nil
}

// ageFile is a bundle encrypted with age (age-encryption.org/v1), which is also
// what a backup is.
type ageFile struct {
	path       string
	identities []age.Identity
	recipients []age.Recipient // the identities' own, to write with
}

func (f ageFile) load() ([]byte, error) {
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	return decryptAge(f.path, data, f.identities)
}

// save replaces the file at once: temporary file, fsync, rename, fsync of the
// folder. A crash leaves the old bundle or the new one.
func (f ageFile) save(data []byte) error {
	if len(f.recipients) == 0 {
		return refuse("new keys cannot be encrypted: the identity has no recipient of its own", "use an identity made by age-keygen, or a passphrase")
	}
	var out bytes.Buffer
	if err := encryptAge(&out, data, f.recipients); err != nil {
		return err
	}
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	tmp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(out.Bytes())
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), f.path)
	}
	if err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	return syncDir(dir)
}

func encryptAge(out io.Writer, data []byte, recipients []age.Recipient) error {
	w, err := age.Encrypt(out, recipients...)
	if err == nil {
		_, err = w.Write(data)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return fmt.Errorf("encrypting the keys: %w", err)
	}
	return nil
}

// decryptAge opens an age file, armored or not.
func decryptAge(path string, data []byte, identities []age.Identity) ([]byte, error) {
	var in io.Reader = bytes.NewReader(data)
	if bytes.HasPrefix(data, []byte(armor.Header)) {
		in = armor.NewReader(in)
	}
	r, err := age.Decrypt(in, identities...)
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(r, maxBundle))
	}
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, refuse(path+" is encrypted to somebody else", "give the identity or passphrase that it was encrypted to")
	}
	if err != nil {
		return nil, refuse(fmt.Sprintf("%s cannot be decrypted: %v", path, err), "restore it from a backup")
	}
	return data, nil
}

// scryptWork is the logarithm of the work that guessing a passphrase costs,
// age's own default: about a second for each guess. Tests lower it.
var scryptWork = 18

// unlock gives the identities of an age source and the recipients to which
// they can write.
func (s Source) unlock() ([]age.Identity, []age.Recipient, error) {
	switch {
	case (s.Identity != "") == (s.Passphrase != ""):
		return nil, nil, refuse("an age file needs an identity or a passphrase", "add identity: FILE, or passphrase: env:NAME")
	case s.Passphrase != "":
		phrase, err := passphrase(s.Passphrase)
		if err != nil {
			return nil, nil, err
		}
		id, err1 := age.NewScryptIdentity(phrase)
		to, err2 := age.NewScryptRecipient(phrase)
		if err := errors.Join(err1, err2); err != nil {
			return nil, nil, refuse("the passphrase cannot be used: "+err.Error(), "write a longer one")
		}
		to.SetWorkFactor(scryptWork)
		return []age.Identity{id}, []age.Recipient{to}, nil
	default:
		text, err := readFile(s.Identity)
		if err != nil {
			return nil, nil, err
		}
		ids, err := age.ParseIdentities(bytes.NewReader(text))
		if err != nil { // the error quotes no key, only the line's number
			return nil, nil, refuse(s.Identity+" holds no age identity", "make one with age-keygen -o "+s.Identity)
		}
		var to []age.Recipient
		for _, id := range ids {
			switch id := id.(type) {
			case *age.X25519Identity:
				to = append(to, id.Recipient())
			case *age.HybridIdentity:
				to = append(to, id.Recipient())
			}
		}
		// age refuses to mix post-quantum and other recipients in one file.
		if len(to) > 1 {
			to = to[:1]
		}
		return ids, to, nil
	}
}

func passphrase(ref string) (string, error) {
	if name, isEnv := strings.CutPrefix(ref, "env:"); isEnv {
		if v := os.Getenv(name); v != "" {
			return v, nil
		}
		return "", refuse("the environment variable "+name+" is not set", "set it to the passphrase of the keys")
	}
	text, err := readFile(ref)
	return strings.TrimRight(string(text), "\r\n"), err
}

// readFile reads a private file anywhere.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, refuse(fmt.Sprintf("%s cannot be opened: %v", path, cause(err)), "it must be readable by this user")
	}
	defer file.Close()
	return readPrivate(file, path, false)
}

// command is a program that keeps the bundle, such as a wrapper around a key
// management service. It is run as configured, with one more argument:
//
//	load   prints the bundle as JSON on standard output; nothing if there is none
//	store  reads the bundle as JSON on standard input and keeps it durably
//
// It exits 0 when it did so. Standard error is shown to the person who started
// Cordon, so nothing secret belongs there. It has 30 seconds.
type command []string

const commandTimeout = 30 * time.Second

func (c command) load() ([]byte, error)  { return c.run("load", nil) }
func (c command) save(data []byte) error { _, err := c.run("store", data); return err }

func (c command) run(operation string, in []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c[0], append(slices.Clone(c[1:]), operation)...)
	var out, complaint limited
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &complaint
	cmd.WaitDelay = time.Second // do not wait for a grandchild that keeps the pipe
	err := cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("it did not finish within %v", commandTimeout)
	}
	if err != nil {
		line, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
		return nil, refuse(fmt.Sprintf("the key command %s %s failed: %v %s", c[0], operation, err, line), "run it by hand to see why")
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

// limited is a buffer that refuses to grow without bound.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxBundle {
		return 0, errors.New("too much output")
	}
	return l.Buffer.Write(p)
}
