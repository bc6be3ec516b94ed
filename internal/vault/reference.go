package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
)

// Secrets reads secrets, without the keys that the program itself uses.
type Secrets struct {
	source Source
	keeper keeper
}

// OpenSecrets is for those who only look up secrets, such as `cordon check`
// before the first start made any keys.
func OpenSecrets(src Source) (*Secrets, error) {
	k, err := src.keeper()
	if err != nil {
		return nil, err
	}
	return &Secrets{src, k}, nil
}

// Secret reads what a manifest or an app names:
//
//	file:NAME  a file in the keys folder, or of that name in the bundle
//	env:NAME   an environment variable
//	age:FILE   an age-encrypted file, opened by the keys' own identity or by
//	           age.identity in the keys folder; FILE is relative to the folder
//
// Line ends at its end are cut off. It is read anew each time.
func (v *Secrets) Secret(ref string) (Secret, error) {
	data, err := v.secret(ref)
	if err != nil {
		return Secret{}, err
	}
	if data = bytes.TrimRight(data, "\r\n"); len(data) == 0 {
		return Secret{}, refuse(ref+" is empty", "write the secret into it")
	}
	return NewSecret(data), nil
}

func (v *Secrets) secret(ref string) ([]byte, error) {
	scheme, name, _ := strings.Cut(ref, ":")
	switch scheme {
	case "file":
		if reserved(name) {
			return nil, refuse(ref+" is Cordon's own key, not a credential", "name another file")
		}
		data, err := v.keeper.read(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, refuse(v.keeper.where(name)+" is missing", "write the secret into it, mode 0600")
		}
		return data, err
	case "env":
		if value := os.Getenv(name); value != "" {
			return []byte(value), nil
		}
		return nil, refuse("the environment variable "+name+" is not set", "set it where cordon is started")
	case "age":
		return v.ageSecret(name)
	default:
		return nil, refuse("a secret is named neither file:, env: nor age:", "write file:NAME for a file in the keys folder")
	}
}

func (v *Secrets) ageSecret(path string) ([]byte, error) {
	identities, err := v.identities()
	if err != nil {
		return nil, err
	}
	if !filepath.IsAbs(path) && v.source.Dir != "" {
		path = filepath.Join(v.source.Dir, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, refuse(fmt.Sprintf("%s cannot be read: %v", path, cause(err)), "encrypt the secret into it with age")
	}
	return decryptAge(path, data, identities)
}

func (v *Secrets) identities() ([]age.Identity, error) {
	if v.source.Age != "" {
		ids, _, err := v.source.unlock()
		return ids, err
	}
	text, err := v.keeper.read(ageIdentity)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(v.keeper.where(ageIdentity)+" is missing, so that age:… cannot be opened", "make it with age-keygen")
	}
	if err != nil {
		return nil, err
	}
	ids, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil {
		return nil, refuse(v.keeper.where(ageIdentity)+" holds no age identity", "make it with age-keygen")
	}
	return ids, nil
}

// reserved names are no vendor's business: a manifest that named ledger.key as
// its credential would send it away.
func reserved(name string) bool {
	switch name {
	case identityKey, directoryKey, tokenKey, ledgerKey, contactsKey, caKey, ageIdentity:
		return true
	}
	return false
}
