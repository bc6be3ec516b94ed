package vault

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Open reads the keys, makes missing ones if told to, and refuses what it
// cannot trust: loose permissions, damaged, swapped or foreign key files.
func Open(src Source, o Options) (*Vault, error) {
	v, made, err := open(src, o)
	if err != nil || !o.Create || len(made) == 0 {
		return v, err
	}
	if err := v.keeper.write(made); err != nil {
		return nil, err
	}
	v.created = slices.Sorted(maps.Keys(made))
	return v, nil
}

// Check says why Open would fail, without making or writing anything.
func Check(src Source, o Options) error {
	_, _, err := open(src, o)
	return err
}

// open reads the keys and gives the files that are to be written.
func open(src Source, o Options) (*Vault, bundle, error) {
	k, err := src.keeper()
	if err != nil {
		return nil, nil, err
	}
	files := bundle{}
	for _, name := range []string{identityKey, directoryKey, tokenKey, ledgerKey, checkpointPub, contactsPub, contactsKey, caKey, caCert} {
		data, err := k.read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		files[name] = data
	}
	made, err := complete(k, files, o)
	if err != nil {
		return nil, nil, err
	}
	v := &Vault{Secrets: &Secrets{src, k}, public: map[string][]byte{}}
	maps.Copy(files, made)
	if v.keys, err = parse(k, files); err != nil {
		return nil, nil, err
	}
	for name := range public {
		if data, ok := files[name]; ok {
			v.public[name] = data
		}
	}
	digest := derive(v.keys.Identity, "cordon credential digest v1")
	v.digest = &digest
	return v, made, nil
}

// complete gives the files that are missing, or says why they may not be made.
func complete(k keeper, have bundle, o Options) (bundle, error) {
	made := bundle{}
	_, hasContacts := have[contactsKey]
	var missing []string
	for _, name := range ledgerNames {
		if _, ok := have[name]; !ok && !(name == contactsPub && hasContacts) {
			missing = append(missing, name)
		}
	}
	switch {
	case len(missing) > 0 && o.LedgerExists:
		return nil, refuse(
			fmt.Sprintf("%s is missing, and the ledger was written with it; a new one would not fit", k.where(strings.Join(missing, ", "))),
			"restore it from a backup (cordon keys restore), or move the data directory away to begin a new ledger")
	case len(missing) > 0 && !o.Create:
		return nil, refuse(k.where(strings.Join(missing, ", "))+" is missing", "start cordon serve once: it makes the keys")
	}
	for _, name := range missing {
		switch name {
		case ledgerKey:
			if _, stray := have[checkpointPub]; stray {
				return nil, refuse(k.where(checkpointPub)+" is there without "+ledgerKey, "restore "+ledgerKey+" from a backup, or move "+checkpointPub+" away")
			}
			signer, verifier, err := note.GenerateKey(rand.Reader, origin(o))
			if err != nil {
				return nil, fmt.Errorf("making %s: %w", name, err)
			}
			made[ledgerKey], made[checkpointPub] = []byte(signer+"\n"), []byte(verifier+"\n")
		case contactsPub:
			private, err := contactKEM().GenerateKey()
			if err != nil {
				return nil, fmt.Errorf("making %s: %w", name, err)
			}
			raw, err := private.Bytes()
			if err != nil {
				return nil, fmt.Errorf("making %s: %w", name, err)
			}
			made[contactsKey] = encodeKey(contactsKey, Key(raw))
			made[contactsPub] = encodeKey(contactsPub, Key(private.PublicKey().Bytes()))
		default:
			made[name] = encodeKey(name, newKey())
		}
	}
	if err := completePublic(k, have, made); err != nil || !o.Create {
		return made, err
	}
	return made, completeCA(k, have, made, o)
}

// completePublic adds what can be made from a private half at any time.
func completePublic(k keeper, have, made bundle) error {
	if signer, ok := have[ledgerKey]; ok && have[checkpointPub] == nil {
		verifier, err := verifierOf(string(signer))
		if err != nil {
			return broken(k, ledgerKey, err)
		}
		made[checkpointPub] = []byte(verifier + "\n")
	}
	if private, ok := have[contactsKey]; ok && have[contactsPub] == nil {
		recipient, err := recipientOf(private)
		if err != nil {
			return broken(k, contactsKey, err)
		}
		made[contactsPub] = encodeKey(contactsPub, Key(recipient))
	}
	return nil
}

// completeCA makes the proxy's CA, on which no entry depends.
func completeCA(k keeper, have, made bundle, o Options) error {
	text, ok := have[caKey]
	if !ok && have[caCert] != nil {
		return refuse(k.where(caCert)+" is there without "+caKey, "restore "+caKey+" from a backup, or move "+caCert+" away for a new CA, which every client must then trust")
	}
	if ok && have[caCert] != nil {
		return nil
	}
	if !ok {
		_, fresh, err := newCAKey()
		if err != nil {
			return fmt.Errorf("making %s: %w", caKey, err)
		}
		made[caKey], text = fresh, fresh
	}
	key, err := parseCAKey(text)
	if err != nil {
		return broken(k, caKey, err)
	}
	if made[caCert], err = newCACert(key, origin(o), time.Now()); err != nil {
		return fmt.Errorf("making %s: %w", caCert, err)
	}
	return nil
}

func origin(o Options) string {
	if o.Origin == "" {
		return "cordon"
	}
	return o.Origin
}

// parse checks that every file is what it is named and that halves belong
// together.
func parse(k keeper, files bundle) (*Keys, error) {
	keys := &Keys{}
	for name, into := range map[string]*Key{identityKey: &keys.Identity, directoryKey: &keys.Directory, tokenKey: &keys.TokenRoot} {
		key, err := decodeKey(name, files[name])
		if err != nil {
			return nil, broken(k, name, err)
		}
		*into = key
	}
	if err := parseSigner(k, files, keys); err != nil {
		return nil, err
	}
	if err := parseContacts(k, files, keys); err != nil {
		return nil, err
	}
	if text, ok := files[caKey]; ok {
		key, err := parseCAKey(text)
		if err != nil {
			return nil, broken(k, caKey, err)
		}
		if err := checkCACert(files[caCert], key, time.Now()); err != nil {
			return nil, refuse(fmt.Sprintf("%s cannot be used: %v", k.where(caCert), err), "move it away: cordon serve makes a new one from "+caKey+", which clients must trust anew")
		}
		keys.CAKey, keys.CACert = NewSecret(text), files[caCert]
	}
	// Contacts are left out: their recipient may change, each is sealed by itself.
	sum := sha256.New()
	for _, key := range []Key{keys.Identity, keys.Directory, keys.TokenRoot} {
		mac := derive(key, "cordon key fingerprint v1")
		sum.Write(mac[:])
	}
	sum.Write([]byte(keys.Verifier))
	keys.Fingerprint = sum.Sum(nil)
	return keys, nil
}

func parseSigner(k keeper, files bundle, keys *Keys) error {
	text := strings.TrimSpace(string(files[ledgerKey]))
	verifier, err := verifierOf(text)
	if err != nil {
		return broken(k, ledgerKey, err)
	}
	if have, ok := files[checkpointPub]; ok && strings.TrimSpace(string(have)) != verifier {
		return refuse(k.where(checkpointPub)+" does not belong to "+ledgerKey, "restore both from the same backup")
	}
	keys.SigningKey, keys.Verifier = NewSecret([]byte(text)), verifier
	return nil
}

// verifierOf makes the verifier key out of a signer key of package note:
// PRIVATE+KEY+<name>+<hash>+<base64 of algorithm and seed>.
func verifierOf(signer string) (string, error) {
	signer = strings.TrimSpace(signer)
	s, err := note.NewSigner(signer) // checks the hash over name and public key
	if err != nil {
		return "", errors.New("it is cut short, damaged or not a signer key")
	}
	parts := strings.SplitN(signer, "+", 5) // base64 has plus signs of its own
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return "", errors.New("it is not an Ed25519 signer key")
	}
	return note.NewEd25519VerifierKey(s.Name(), ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey))
}

// contactKEM is X25519, by which a sealed contact grows by 48 bytes; the hybrid
// with ML-KEM-768 would add more than a kilobyte to each. Who records the store
// today and owns a quantum computer later can open these contacts.
func contactKEM() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }

func parseContacts(k keeper, files bundle, keys *Keys) error {
	raw, err := decodeKey(contactsPub, files[contactsPub])
	if err == nil {
		keys.Contact, err = contactKEM().NewPublicKey(raw[:])
	}
	if err != nil {
		return broken(k, contactsPub, err)
	}
	keys.ContactPublic = raw[:]
	if private, ok := files[contactsKey]; ok {
		recipient, err := recipientOf(private)
		if err != nil {
			return broken(k, contactsKey, err)
		}
		if !bytes.Equal(recipient, keys.ContactPublic) {
			return refuse(k.where(contactsPub)+" does not belong to "+contactsKey, "restore both from the same backup")
		}
	}
	return nil
}

func recipientOf(privateFile []byte) ([]byte, error) {
	raw, err := decodeKey(contactsKey, privateFile)
	if err != nil {
		return nil, err
	}
	private, err := contactKEM().NewPrivateKey(raw[:])
	if err != nil {
		return nil, err
	}
	return private.PublicKey().Bytes(), nil
}

func broken(k keeper, name string, err error) error {
	return refuse(fmt.Sprintf("%s cannot be used: %v", k.where(name), err), "restore it from a backup (cordon keys restore)")
}
