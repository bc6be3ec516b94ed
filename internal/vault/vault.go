// Package vault keeps key material and secrets: the keys of the ledger, the
// CA of the proxy, and the credentials that manifests name. Every type that
// holds one knows how to redact itself.
package vault

import (
	"crypto/hpke"
	"io"

	"filippo.io/age"
)

// Source says where key material is kept: exactly one of Dir, Age, Command.
type Source struct {
	Dir        string   // a folder of key files
	Age        string   // one age-encrypted bundle
	Identity   string   // age: the file of identities that opens it
	Passphrase string   // age: env:NAME or a file
	Command    []string // a program that keeps the bundle
}

// Options are what Open must know about the world outside the vault.
type Options struct {
	// Origin names the ledger in its checkpoints, such as "photos.example/cordon".
	Origin string
	// LedgerExists forbids to make ledger keys anew: entries are already
	// written under keys that a new one would not fit.
	LedgerExists bool
	// Create makes the keys that are missing; `serve` sets it, other verbs do not.
	Create bool
}

// Vault is opened key material. It is safe for concurrent use.
type Vault struct{ keys Keys }

// Open reads the keys, makes missing ones if told to, and refuses what it
// cannot trust: loose permissions, damaged, swapped or foreign key files.
func Open(src Source, o Options) (*Vault, error) { return nil, nil }

// Keys is the key material that the program itself uses.
func (v *Vault) Keys() *Keys { return &v.keys }

// Created names the key files that Open made.
func (v *Vault) Created() []string { return nil }

// Public returns a file that others need: "ca.pem", "checkpoint.pub" or
// "contacts.pub".
func (v *Vault) Public(name string) ([]byte, bool) { return nil, false }

// Secret reads what a manifest or an app names: file:NAME, env:NAME or age:FILE.
func (v *Vault) Secret(ref string) (Secret, error) { return Secret{}, nil }

// Digest names a credential that an app sent, without telling it: a keyed
// hash, 16 hex digits, the same for the same credential on this ledger only.
func (v *Vault) Digest(credential string) string { return "" }

// Keys is all the program's own key material.
type Keys struct {
	Identity   Key    // HMAC of identifiers, and what is derived from it
	Directory  Key    // AEAD of directory ids
	TokenRoot  Key    // root of token and alias keys
	SigningKey Secret // the ledger's signer key in note format
	// Verifier is the ledger's verifier key in note format: checkpoint.pub.
	Verifier string
	// Contact is the recipient of sealed contacts; ContactPublic its encoding.
	Contact       hpke.PublicKey
	ContactPublic []byte
	CACert        []byte // PEM
	CAKey         Secret // PEM, PKCS #8
	// Fingerprint identifies Identity, Directory and the signing key together.
	Fingerprint []byte
}

// Backup is `cordon keys backup`: the whole bundle, encrypted to every
// recipient, into a new file. What it writes is also what Source.Age reads.
func Backup(src Source, recipients []age.Recipient, out, dataDir string) error { return nil }

// Restore writes the key files of a backup into an empty folder.
func Restore(backup io.Reader, identities []age.Identity, dir string) error { return nil }
