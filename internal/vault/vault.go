// Package vault keeps key material and secrets: the keys of the ledger, the
// CA of the proxy, and the credentials that manifests name. Every type that
// holds one knows how to redact itself.
//
// Keys lie in a folder, one file each, mode 0600; or in one bundle that is
// encrypted with age or kept by a program. Nobody else on the machine may read
// or replace them, and what is damaged, swapped or does not belong together is
// refused with the file's name. A backup holds the same bundle.
package vault

import (
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Source says where key material is kept: exactly one of Dir, Age, Command.
type Source struct {
	Dir        string   // a folder of key files
	Age        string   // one age-encrypted bundle
	Identity   string   // age: the file of identities that opens it
	Passphrase string   // age: env:NAME or a file
	Command    []string // a program that keeps the bundle, see the type command
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
type Vault struct {
	*Secrets
	keys    *Keys // a pointer, so that printing a Vault prints an address at worst
	created []string
	public  map[string][]byte
	digest  *Key
}

// Keys is all the program's own key material.
type Keys struct {
	Identity   Key    // HMAC of identifiers, and what is derived from it
	Directory  Key    // AEAD of directory ids
	TokenRoot  Key    // root of token and alias keys
	SigningKey Secret // the ledger's signer key in note format
	// Verifier is the ledger's verifier key in note format: checkpoint.pub.
	Verifier string
	// Contact is the recipient of sealed contacts, DHKEM(X25519, HKDF-SHA256);
	// ContactPublic is its encoding.
	Contact       hpke.PublicKey
	ContactPublic []byte
	CACert        []byte // PEM
	CAKey         Secret // PEM, PKCS #8
	// Fingerprint identifies Identity, Directory, TokenRoot and the signing key
	// together, without telling anything about them.
	Fingerprint []byte
}

// Keys is the key material that the program itself uses.
func (v *Vault) Keys() *Keys { return v.keys }

// Created names the key files that Open made, for `serve` to say so once.
func (v *Vault) Created() []string { return v.created }

// Public returns a file that others need: "ca.pem", "checkpoint.pub" or
// "contacts.pub".
func (v *Vault) Public(name string) ([]byte, bool) {
	data, ok := v.public[name]
	return data, ok
}

// ContactAdvice is what `serve` says as long as the key that opens sealed
// contacts lies beside them; empty once it was moved away.
func (v *Vault) ContactAdvice() string {
	if _, err := v.keeper.read(contactsKey); err != nil {
		return ""
	}
	return fmt.Sprintf("%s opens the contacts of strangers: keep it off this machine, it is needed only in an incident", v.keeper.where(contactsKey))
}

// Digest names a credential that an app sent, without telling it: a keyed
// hash, 16 hex digits, the same for the same credential on this ledger only.
func (v *Vault) Digest(credential string) string {
	sum := derive(*v.digest, credential)
	return hex.EncodeToString(sum[:8])
}

// Format prints nothing of a vault.
func (v *Vault) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// Format prints nothing of the keys.
func (k *Keys) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// derive is HMAC-SHA-256: a key for another purpose, or a keyed digest.
func derive(key Key, purpose string) Key {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(purpose))
	return Key(mac.Sum(nil))
}
