package ledger

import (
	"crypto/hpke"
	"encoding/binary"
	"errors"
	"fmt"

	"cordon/internal/exposure"
	"cordon/internal/store"

	"github.com/cockroachdb/pebble/v2"
)

// The contact of somebody whom no directory names is sealed (RFC 9180 HPKE,
// base mode: X25519, HKDF-SHA256, AES-256-GCM) to a recipient whose private
// key is not on this machine: counted at once, told only after two approvals.
// Each contact is sealed on its own, so that one can be shredded.
const contactInfo = "cordon contact v1"

func reachable(k exposure.Kind) bool { return k == exposure.KindEmail || k == exposure.KindPhone }

func sealContact(recipient hpke.PublicKey, id exposure.Identifier) ([]byte, error) {
	plain := append([]byte{byte(id.Kind)}, id.Value...)
	sealed, err := hpke.Seal(recipient, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(contactInfo), plain)
	if err != nil {
		return nil, fmt.Errorf("sealing a contact: %w", err)
	}
	return sealed, nil
}

// OpenContact opens a sealed contact with the recipient's private key.
func OpenContact(k hpke.PrivateKey, sealed []byte) (exposure.Identifier, error) {
	plain, err := hpke.Open(k, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(contactInfo), sealed)
	if err != nil {
		return exposure.Identifier{}, fmt.Errorf("opening a contact: %w", err)
	}
	if len(plain) < 2 {
		return exposure.Identifier{}, errors.New("opening a contact: it is empty")
	}
	return exposure.Identifier{Kind: exposure.Kind(plain[0]), Value: string(plain[1:])}, nil
}

func contactKey(o exposure.Ordinal, h idHash) []byte {
	return append(ordinalKey(store.Contact, o), h[:4]...)
}

func ordinalKey(space byte, o exposure.Ordinal) []byte {
	return binary.BigEndian.AppendUint32([]byte{space}, uint32(o))
}

// Contacts returns the sealed contacts of a stranger.
func (l *Ledger) Contacts(o exposure.Ordinal) ([][]byte, error) {
	prefix := ordinalKey(store.Contact, o)
	it, err := l.store.DB().NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, fmt.Errorf("reading contacts: %w", err)
	}
	defer it.Close()
	var sealed [][]byte
	for it.First(); it.Valid(); it.Next() {
		sealed = append(sealed, append([]byte(nil), it.Value()...))
	}
	return sealed, it.Error()
}

// after is the first key behind all keys with the prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		end[i]++
		if end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
