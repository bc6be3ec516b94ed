package ledger

import (
	"crypto/hpke"
	"log/slog"
	"time"

	"cordon/evidence"

	"golang.org/x/mod/sumdb/note"
)

// Options says where a ledger lies and with which keys it is kept.
type Options struct {
	// Dir is the data directory; the store lies in Dir/store, the signed heads
	// in Dir/heads.
	Dir string
	// Mirror is a folder for a second copy of the heads, better on another
	// disk; "" for none.
	Mirror string
	// Failover is a folder, better on another disk, for the store's log while
	// the disk of Dir does not answer; "" for none.
	Failover string
	Keys     Keys
	// Witness is the one witness whose cosignatures count; nil for none.
	Witness *evidence.Witness
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: nothing is logged
	// Before is asked when everything is read and compared and not a byte is
	// written yet; its error is why the ledger is not opened. Nil: nobody. Not
	// with ReadOnly.
	Before func(*Ledger) error
	// ReadOnly opens without writing a byte; for verbs without a server.
	ReadOnly bool
}

// Keys are what the ledger needs and never stores.
type Keys struct {
	// Identity keys the hashes of identifiers and the permutation of ordinals.
	Identity [32]byte
	// Directory seals the directory's own id of a person (AES-256-GCM).
	Directory [32]byte
	// Tokens is the root of what wraps and indexes the table of tokens. Zero: a
	// disclosure that carries tokens is refused.
	Tokens [32]byte
	// Signer signs checkpoints; its name is their origin. May be nil with ReadOnly.
	Signer note.Signer
	// Verifier checks them; same name and key as Signer.
	Verifier note.Verifier
	// Contact is the recipient (X25519) to whom contacts of strangers are sealed.
	Contact hpke.PublicKey
	// ID is a fingerprint of the secret keys. It is written into the store when
	// the ledger is made, and another one is refused ever after.
	ID []byte
}
